//! A registry as a [`Source`]: which part of it is selected, and how that part is enumerated.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    io::{Cursor, Read},
};

use super::{Abilities, ContentError, Doubt, Listed, Name, Referrers, RegistrySink, Remote, Source};
use crate::{
    oci::{Blob, Descriptor, Digest, Document, media},
    registry::{Host, Options, Registry, RegistryError},
    workers::WorkerPool,
};

/// The number of manifests read before the first of them is passed on.
const LISTED_AT_ONCE: usize = 256;

/// The selected repositories of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Repositories(Vec<String>),
    /// This one and all below it, according to the catalog; the empty prefix means all. If the catalog is refused or
    /// does not list it, a repository with exactly this name.
    Prefix(String),
    /// These images, requested by name: tags and digests by repository. Of all other tags only those of their
    /// signatures are read, whether the registry lists them or not.
    Images(BTreeMap<String, Vec<String>>),
}

/// The selected part of a registry.
#[derive(Debug, Clone)]
pub struct RegistrySource {
    registry: Registry,
    selection: Selection,
    /// Whether selected images are also looked up in the lists of tags.
    lists: bool,
}

impl RegistrySource {
    /// A part of a registry. No request is sent yet.
    pub fn new(host: Host, selection: Selection, options: Options) -> Self {
        Self::of(Registry::new(host, options), selection)
    }

    /// A part of this registry.
    pub const fn of(registry: Registry, selection: Selection) -> Self {
        Self { registry, selection, lists: true }
    }

    /// Requests selected images and their signatures by name alone. A repository that holds a whole product has a
    /// hundred thousand tags, which are not worth listing to look for a few of them.
    #[must_use]
    pub fn by_name_alone(self) -> Self {
        Self { lists: false, ..self }
    }

    /// Another part of the same registry, sharing connections and tokens.
    #[must_use]
    pub fn with_selection(&self, selection: Selection) -> Self {
        Self { selection, ..self.clone() }
    }

    /// The client.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A repository to write to.
    pub fn sink(&self, repository: &str) -> Result<RegistrySink, ContentError> {
        Ok(RegistrySink::new(self.registry.repository(repository)?))
    }

    /// The repositories under a prefix. Many registries refuse the catalog, but the prefix may be a repository itself.
    fn below(&self, prefix: &str) -> Result<Vec<String>, ContentError> {
        // If the catalog is refused, the list of tags may be refused too; then the catalog's error is the one to
        // report.
        let itself = || {
            crate::registry::is_repository(prefix)
                && self.registry.tags(prefix).is_ok_and(|tags| !tags.is_empty())
        };
        match self.registry.catalog(prefix) {
            Ok(names) if names.is_empty() && itself() => Ok(vec![prefix.to_owned()]),
            Err(RegistryError::CatalogRefused { .. }) if itself() => Ok(vec![prefix.to_owned()]),
            result => Ok(result?),
        }
    }

    /// Passes on the selected images, each requested by name, and returns the tags to read in addition, each with
    /// whether it is listed: those in the repository's list that belong to them, and the conventional names of their
    /// signatures. A list may be incomplete, as in a pull-through cache, or may be refused even if pulling is allowed,
    /// so missing tags are requested anyway.
    fn named(
        &self,
        repository: &str,
        selected: &[String],
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<Vec<(String, bool)>, ContentError> {
        let ask = |name: &String| Ok::<_, Infallible>(self.registry.manifest(repository, name));
        let Ok(found) = self.workers().map(selected, ask);
        let (mut images, mut failed) = (BTreeSet::new(), Vec::new());
        for (name, found) in selected.iter().zip(found) {
            let (descriptor, blob) = match found {
                Ok(Some(found)) => found,
                Ok(None) => {
                    let (place, name) =
                        (self.registry.place(repository), format!("image with the name {name:?}"));
                    take(Err(ContentError::NoSuchName { place, name }));
                    continue;
                }
                Err(e) => {
                    failed.push(ContentError::from(e).of_name(name));
                    continue;
                }
            };
            images.insert(descriptor.digest);
            if let Ok(Document::Index(index)) = Document::parse(&blob) {
                images.extend(index.manifests.iter().map(|m| m.digest));
            }
            let name = match name.parse::<Digest>() {
                Ok(_) => Name::Untagged,
                Err(_) => Name::Tag(name.clone()),
            };
            take(Ok(Listed { descriptor, name }));
        }
        let nothing = failed.len() == selected.len();
        let mut failed = failed.into_iter().peekable();
        // If a registry returns nothing, its list is not requested as well.
        let first = failed.next_if(|_| nothing);
        failed.for_each(|e| take(Err(e)));
        if let Some(first) = first {
            return Err(first);
        }
        let listed = if self.lists { self.registry.tags(repository) } else { Ok(Vec::new()) };
        // Without a list there is no other way to find artifacts of the images that are not signatures.
        let suffixes = if listed.is_ok() { &[".sig", ""][..] } else { &[".sig", "", ".att", ".sbom"] };
        let bases: BTreeSet<_> = images.iter().map(|image| format!("sha256-{}", image.hex())).collect();
        let belongs = |tag: &String| {
            bases.contains(tag.split('.').next().unwrap_or_default()) && !selected.contains(tag)
        };
        let mut tags: BTreeMap<String, bool> =
            listed.unwrap_or_default().into_iter().filter(belongs).map(|tag| (tag, true)).collect();
        for tag in bases.iter().flat_map(|base| suffixes.iter().map(move |suffix| format!("{base}{suffix}")))
        {
            tags.entry(tag).or_insert(false);
        }
        Ok(tags.into_iter().filter(|(tag, _)| !selected.contains(tag)).collect())
    }
}

impl Source for RegistrySource {
    fn host(&self) -> Option<&Host> {
        Some(self.registry.host())
    }

    fn place(&self) -> String {
        let of = |repository: &str| self.registry.place(repository);
        match &self.selection {
            Selection::Repositories(names) if names.len() == 1 => of(&names[0]),
            Selection::Repositories(_) => of(""),
            Selection::Prefix(prefix) => of(prefix),
            Selection::Images(images) => match images.keys().next() {
                Some(only) if images.len() == 1 => of(only),
                _ => of(""),
            },
        }
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        match &self.selection {
            Selection::Repositories(names) => Ok(names.clone()),
            Selection::Prefix(prefix) => self.below(prefix.trim_matches('/')),
            Selection::Images(images) => Ok(images.keys().cloned().collect()),
        }
    }

    /// The tags, because a registry does not list untagged content; or the selected images with the tags of their
    /// signatures. Tags that can't be read and missing selected images are passed on as errors.
    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        let tags = match &self.selection {
            Selection::Images(images) => {
                let selected = images.get(repository).map_or(&[][..], Vec::as_slice);
                self.named(repository, selected, take)?
            }
            Selection::Repositories(_) | Selection::Prefix(_) => {
                self.registry.tags(repository)?.into_iter().map(|tag| (tag, true)).collect()
            }
        };
        for tags in tags.chunks(LISTED_AT_ONCE) {
            let ask =
                |(tag, _): &(String, bool)| Ok::<_, Infallible>(self.registry.manifest(repository, tag));
            let Ok(found) = self.workers().map(tags, ask);
            for ((tag, is_listed), found) in tags.iter().zip(found) {
                let name = Name::Tag(tag.clone());
                match found {
                    Ok(Some((descriptor, _))) => take(Ok(Listed { descriptor, name })),
                    // A tag that is listed but has no manifest may have been an image or a signature.
                    Ok(None) if *is_listed => {
                        let place = self.registry.place(repository);
                        let name = format!("manifest for the tag {tag}, which it lists");
                        take(Err(ContentError::NoSuchName { place, name }.of_name(tag)));
                    }
                    Ok(None) => {}
                    Err(e) => take(Err(ContentError::from(e).of_name(tag))),
                }
            }
        }
        Ok(())
    }

    fn doubt(&self, repository: &str) -> Option<Doubt> {
        if self.registry.sends_to_a_login(repository) {
            return Some(Doubt::Login);
        }
        (!matches!(self.selection, Selection::Images(_))).then_some(Doubt::List)
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        let found = self.registry.manifest(repository, reference)?;
        self.registry.note(repository, reference, found.as_ref().map(|(_, blob)| blob.clone()));
        Ok(found.map(|(descriptor, _)| descriptor))
    }

    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        let bytes = |content: Vec<u8>| -> Box<dyn Read> { Box::new(Cursor::new(content)) };
        // Manifests of other types too: Docker schema 1, artifacts of earlier drafts.
        if let Some(kept) = self.registry.kept(repository, blob.digest) {
            return Ok(Some(bytes(kept.into_bytes())));
        }
        let manifest = || {
            let found = self.registry.read_manifest(repository, &blob.digest.to_string());
            Ok::<_, ContentError>(found?.map(Blob::into_bytes))
        };
        let found = match blob.media_type.as_str() {
            media::MANIFEST | media::INDEX | media::DOCKER_MANIFEST | media::DOCKER_LIST => manifest()?,
            "" => match manifest()? {
                None => self.registry.blob(repository, blob)?,
                found => found,
            },
            _ => self.registry.blob(repository, blob)?,
        };
        Ok(found.map(bytes))
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities { referrers: Some(self), remote: Some(self), ..Abilities::default() }
    }
}

impl Remote for RegistrySource {
    fn workers(&self) -> &WorkerPool {
        self.registry.workers()
    }
}

impl Referrers for RegistrySource {
    fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Result<Descriptor, ContentError>>, ContentError> {
        let entries = self.registry.referrers(repository, subject)?;
        Ok(entries.into_iter().map(|entry| Ok(entry?)).collect())
    }
}
