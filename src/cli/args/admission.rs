//! What `export` takes for admission controllers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    cli::heading,
    ops::export::{self, KyvernoKind},
};

/// The kind of Kyverno's objects.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// ClusterPolicy with verifyImages.
    ClusterPolicy,
    /// ImageValidatingPolicy, from Kyverno 1.19 on.
    ImageValidatingPolicy,
}

#[derive(Debug, Args)]
pub(super) struct Admission {
    /// Let Kyverno and policy-controller refuse what does not meet its rule [default: they report it, or warn].
    #[arg(help_heading = heading::EXPORT, long)]
    enforce: bool,
    /// The kind of Kyverno's objects [default: cluster-policy].
    #[arg(help_heading = heading::EXPORT, long, value_name = "KIND", value_enum)]
    kind: Option<Kind>,
    /// Let a ClusterPolicy of Kyverno look for bundles, cosign 3's default, rather than for signatures at tags.
    #[arg(help_heading = heading::EXPORT, long)]
    bundles: bool,
    /// A TUF repository that Kyverno can reach, without which an ImageValidatingPolicy verifies neither logs nor certificates.
    #[arg(help_heading = heading::EXPORT, long, value_name = "URL")]
    tuf_mirror: Option<String>,
    /// The root of that repository [default: Sigstore's, which Kyverno has].
    #[arg(help_heading = heading::EXPORT, long, value_name = "FILE")]
    tuf_mirror_root: Option<PathBuf>,
}

impl Admission {
    pub(super) fn request(&self) -> export::Admission {
        export::Admission {
            enforce: self.enforce,
            kind: self.kind.map(|kind| match kind {
                Kind::ClusterPolicy => KyvernoKind::ClusterPolicy,
                Kind::ImageValidatingPolicy => KyvernoKind::ImageValidatingPolicy,
            }),
            bundles: self.bundles,
            tuf_mirror: self.tuf_mirror.clone(),
            tuf_mirror_root: self.tuf_mirror_root.clone(),
        }
    }
}
