//! Which part of a registry is meant, and how that part is enumerated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use super::{Names, Registry, RegistryError, challenge::Challenge, is_repository, pages, token::Scope};
use crate::{
    content::{ContentError, Listed, Name},
    oci::{Digest, Document},
};

/// Which repositories of a registry are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// These.
    Repositories(Vec<String>),
    /// This one and all below it, as the catalog lists them; the empty prefix means all. Where the catalog is refused
    /// or does not list it, a repository of exactly this name.
    Prefix(String),
    /// These images: by repository, tags and digests. Of other tags only those of their signatures are read.
    Images(BTreeMap<String, Vec<String>>),
}

impl Registry {
    fn catalog(&self, prefix: &str) -> Result<Vec<String>, ContentError> {
        let url = self.wire.at("v2/_catalog?n=1000")?;
        let inside = |name: &str| {
            prefix.is_empty()
                || name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut found = Vec::new();
        let result = pages::read(&self.wire, &Scope::Catalog, url, "its catalog", |page| {
            let Names { repositories, .. } = self.names(&page.body)?;
            found.extend(repositories.into_iter().filter(|name| inside(name) && is_repository(name)));
            Ok(())
        });
        let refused = |status| RegistryError::CatalogRefused { place: self.wire.place(""), status }.into();
        match result {
            Ok(None) => {}
            // With Basic, 401 is about who we are; with tokens, about what ours is good for.
            Ok(Some(answer)) if Challenge::choose(&answer.headers) == Some(Challenge::Basic) => {
                return Err(self.wire.refused(&Scope::Catalog, "list its repositories", &answer));
            }
            Ok(Some(answer)) => return Err(refused(answer.status.as_u16())),
            Err(ContentError::Registry(RegistryError::Denied { .. })) => return Err(refused(403)),
            Err(e) => return Err(e),
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The repositories of a prefix. Most banks refuse the catalog; then a name may still be a repository itself.
    pub(super) fn below(&self, prefix: &str) -> Result<Vec<String>, ContentError> {
        // Where the catalog is refused, the list of tags may be too: then the catalog's error is the one to tell.
        let itself = || is_repository(prefix) && self.tags(prefix).is_ok_and(|tags| !tags.is_empty());
        match self.catalog(prefix) {
            Ok(names) if names.is_empty() && itself() => Ok(vec![prefix.to_owned()]),
            Err(ContentError::Registry(RegistryError::CatalogRefused { .. })) if itself() => {
                Ok(vec![prefix.to_owned()])
            }
            result => result,
        }
    }

    /// Puts what is wanted into `listed`; of `tags`, gives back those that hold signatures of it.
    pub(super) fn around(
        &self,
        repository: &str,
        wanted: &[String],
        tags: Vec<String>,
        listed: &mut Vec<Listed>,
    ) -> Result<Vec<String>, ContentError> {
        let found = self.wire.crew.map(wanted, |name| self.manifest(repository, name))?;
        let mut starts = BTreeSet::new();
        for (name, descriptor) in wanted.iter().zip(found) {
            let Some(descriptor) = descriptor else {
                self.absent
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((repository.into(), name.clone()));
                continue;
            };
            starts.insert(format!("sha256-{}", descriptor.digest.hex()));
            if let Some(Document::Index(index)) =
                self.kept.get(repository, descriptor.digest).and_then(|blob| Document::parse(&blob).ok())
            {
                starts.extend(index.manifests.iter().map(|m| format!("sha256-{}", m.digest.hex())));
            }
            if name.parse::<Digest>().is_ok() {
                listed.push(Listed { descriptor, name: Name::Untagged });
            }
        }
        let belongs =
            |tag: &String| wanted.contains(tag) || starts.contains(tag.split('.').next().unwrap_or_default());
        Ok(tags.into_iter().filter(belongs).collect())
    }
}
