//! Where oc-mirror's cache may be.

use std::path::PathBuf;

use clap::Args;

/// The cache of oc-mirror.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Cache {
    /// oc-mirror's --cache-dir, to be read as well [default: blobs that an oc-mirror: archive lacks are looked for in
    /// $OC_MIRROR_CACHE, $HOME and /, each with .oc-mirror/.cache].
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cache_dir: Option<PathBuf>,
}
