//! Where oc-mirror's cache may be, and what of oc-mirror is opened.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::Output;
use crate::{
    content::{self, Caches, Location, OcMirror},
    diag::Diagnostic,
};

/// The cache of oc-mirror.
#[derive(Debug, Clone, Args)]
pub(super) struct Cache {
    /// oc-mirror's --cache-dir, to be read as well [default: blobs that an oc-mirror: archive lacks are looked for in
    /// $OC_MIRROR_CACHE, $HOME and /, each with .oc-mirror/.cache].
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
}

impl Cache {
    fn places(&self) -> Caches {
        // As oc-mirror does it: the variable replaces the home directory.
        let base = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let usual = match base("OC_MIRROR_CACHE") {
            Some(base) => vec![base],
            None => base("HOME").into_iter().chain([PathBuf::from("/")]).collect(),
        };
        Caches { named: self.cache_dir.clone(), usual }
    }

    /// The cache that the user names.
    pub(super) fn named(&self) -> Option<&Path> {
        self.cache_dir.as_deref()
    }

    /// Opens the folders of oc-mirror among these locations together, and says what they are.
    pub(super) fn open(&self, locations: &[Location], output: &Output) -> Result<Vec<OcMirror>, Diagnostic> {
        let paths: Vec<_> =
            locations.iter().filter_map(content::oc_mirror_path).map(Path::to_path_buf).collect();
        if paths.is_empty() {
            return match &self.cache_dir {
                Some(_) => Err(Diagnostic::usage(
                    "--cache-dir goes with an oc-mirror: place",
                    "write oc-mirror:DIR; a cache alone is named so too",
                )),
                None => Ok(Vec::new()),
            };
        }
        let opened = OcMirror::open_all(&paths, &self.places())?;
        for note in opened.iter().flat_map(OcMirror::notes) {
            output.note(&note);
        }
        Ok(opened)
    }
}

/// Where keys/ lies unless `-o` says otherwise: beside oc-mirror's working-dir, else here.
pub(super) fn keys_directory(output: Option<&Path>, sources: &[Location]) -> PathBuf {
    if let Some(output) = output {
        return output.to_owned();
    }
    let root = sources.iter().find_map(content::oc_mirror_root);
    root.map_or_else(|| "keys".into(), |root| root.join("keys"))
}
