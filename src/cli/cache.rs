//! Where oc-mirror's cache may be, and what of oc-mirror is opened.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{args::Command, failure::Failure, find::location, output::Output};
use crate::content::{self, Caches, Location, OcMirror};

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

    /// Opens the folders of oc-mirror among these locations together, and says what they are.
    pub(super) fn open(&self, locations: &[Location], output: &Output) -> Result<Vec<OcMirror>, Failure> {
        let paths: Vec<_> =
            locations.iter().filter_map(content::oc_mirror_path).map(Path::to_path_buf).collect();
        if paths.is_empty() {
            return match &self.cache_dir {
                Some(_) => Err(Failure::usage(
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
pub(super) fn place_keys(command: &mut Command) {
    let (given, directory, sources) = match command {
        Command::Collect(args) => (&args.output, &mut args.directory, args.read.sources.as_slice()),
        Command::Pull(args) => (&args.output, &mut args.directory, std::slice::from_ref(&args.source)),
        _ => return,
    };
    *directory = given.clone().unwrap_or_else(|| {
        // A source that is no location is told when it is opened.
        let mut locations = sources.iter().filter_map(|source| location(source).ok());
        let root = locations.find_map(|location| content::oc_mirror_root(&location));
        root.map_or_else(|| "keys".into(), |root| root.join("keys"))
    });
}
