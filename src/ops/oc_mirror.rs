//! Opens oc-mirror's directories and possible caches, and locates keys/ next to them.

use std::path::{Path, PathBuf};

use super::{Context, Env};
use crate::{
    content::{self, Caches, Location, OcMirror},
    diag::Diagnostic,
};

/// Opens the oc-mirror directories among these locations together, and reports what they contain. `cache_dir` is a
/// cache given by the caller.
pub(super) fn open(
    locations: &[Location],
    cache_dir: Option<&Path>,
    ctx: &Context,
) -> Result<Vec<OcMirror>, Diagnostic> {
    let paths: Vec<_> = locations.iter().filter_map(content::oc_mirror_path).map(Path::to_path_buf).collect();
    if paths.is_empty() {
        return match cache_dir {
            Some(_) => Err(Diagnostic::usage(
                "--cache-dir requires an oc-mirror: location",
                "write oc-mirror:DIR, for a cache alone too",
            )),
            None => Ok(Vec::new()),
        };
    }
    let caches = Caches { named: cache_dir.map(Path::to_path_buf), usual: usual_caches(&ctx.env) };
    let opened = OcMirror::open_all(&paths, &caches)?;
    for note in opened.iter().flat_map(OcMirror::notes) {
        ctx.events.note(&note);
    }
    Ok(opened)
}

/// As in oc-mirror: the variable replaces the home directory.
fn usual_caches(env: &Env) -> Vec<PathBuf> {
    match &env.oc_mirror_cache {
        Some(base) => vec![base.clone()],
        None => env.home.iter().cloned().chain([PathBuf::from("/")]).collect(),
    }
}

/// The location of keys/ without `-o`: next to oc-mirror's working-dir, otherwise in the current directory.
pub(super) fn keys_directory(output: Option<&Path>, sources: &[Location]) -> PathBuf {
    if let Some(output) = output {
        return output.to_owned();
    }
    let root = sources.iter().find_map(content::oc_mirror_root);
    root.map_or_else(|| "keys".into(), |root| root.join("keys"))
}
