use std::{collections::BTreeSet, sync::Arc};

use crate::content::{
    ContentError,
    files::{Files, OpenFile, join},
    storage::BASES,
};

/// A directory of a namespace under another name.
#[derive(Clone)]
pub(super) struct Mount {
    pub(super) files: Arc<dyn Files>,
    /// Its name here: `docker/registry/v2`, `working-dir`.
    pub(super) at: &'static str,
    /// Its original name.
    pub(super) from: String,
}

impl Mount {
    fn inner(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix(self.at)?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(join(&self.from, rest)),
            None => rest.is_empty().then(|| self.from.clone()),
        }
    }
}

/// Layered namespaces: a name refers to the first layer that has it.
#[derive(Default)]
pub(super) struct Layers {
    /// Listed and opened.
    pub(super) own: Vec<Mount>,
    /// Only used to open blobs that the others refer to but don't contain.
    pub(super) fill: Vec<Mount>,
}

impl Layers {
    /// The result of the first layer that has this name.
    fn first<'a, T>(
        &'a self,
        name: &str,
        ask: impl Fn(&'a dyn Files, &str) -> Result<Option<T>, ContentError>,
    ) -> Result<Option<T>, ContentError> {
        let blobs = name.strip_prefix(BASES[0]).is_some_and(|rest| rest.starts_with("/blobs/"));
        let fill = if blobs { self.fill.as_slice() } else { &[] };
        for mount in self.own.iter().chain(fill) {
            let Some(inner) = mount.inner(name) else { continue };
            if let Some(found) = ask(mount.files.as_ref(), &inner)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Files for Layers {
    fn place(&self, name: &str) -> String {
        let has = |files: &dyn Files, inner: &str| Ok(files.size(inner)?.map(|_| files.place(inner)));
        self.first(name, has).ok().flatten().unwrap_or_else(|| name.to_owned())
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError> {
        self.first(name, |files, inner| files.open(inner))
    }

    fn every(&self, name: &str) -> Result<Vec<(String, OpenFile<'_>)>, ContentError> {
        // From the first namespace that has any.
        let found = self.first(name, |files, inner| {
            let all = files.every(inner)?;
            Ok((!all.is_empty()).then_some(all))
        });
        Ok(found?.unwrap_or_default())
    }

    fn size(&self, name: &str) -> Result<Option<u64>, ContentError> {
        self.first(name, Files::size)
    }

    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError> {
        let mut children = BTreeSet::new();
        for mount in &self.own {
            let Some(inner) = mount.inner(directory) else { continue };
            mount.files.visit(&inner, &mut |name, is_dir| children.extend([(name.to_owned(), is_dir)]))?;
        }
        for (name, is_dir) in &children {
            take(name, *is_dir);
        }
        Ok(())
    }
}
