//! What `diff` takes.

use std::path::PathBuf;

use clap::Args;

use super::{Cache, Registry, State};
use crate::{
    cli::heading,
    ops::{
        export::{BridgeTo, PlanRequest},
        verify::{AdmitRequest, Authentication, Mapping, Platform, PolicySpec},
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// A keys/ directory, or a place that holds a pack.
    #[arg(value_name = "OLD")]
    pub(in crate::cli) old: String,
    /// The same, to compare with.
    #[arg(value_name = "NEW")]
    pub(in crate::cli) new: String,
    /// Also plan how this consumer gets from the old keys to the new ones without an image that stops: openshift@4.22, podman@5.3,
    /// crio@1.35, skopeo@1.18, rhel@9.
    #[arg(help_heading = heading::PLAN, long = "plan", value_name = "CONSUMER@VERSION")]
    consumer: Option<String>,
    /// The mirror, to tell which images only the old key verifies [repeatable; default: they can't be named].
    #[arg(help_heading = heading::PLAN, long, value_name = "SOURCE", requires = "consumer")]
    images: Vec<String>,
    /// Where mirrored repositories come from, as name prefixes: mirror.example:5000/ubi9=registry.redhat.io/ubi9
    /// [repeatable].
    #[arg(help_heading = heading::PLAN, long, value_name = "MIRROR=SOURCE", requires = "images")]
    map: Vec<Mapping>,
    /// The same from a file or a folder: ImageDigestMirrorSet, ImageTagMirrorSet, cluster-resources of oc-mirror, an
    /// install-config, registries.conf, mapping.txt [repeatable].
    #[arg(help_heading = heading::PLAN, long, visible_aliases = ["itms", "registries-conf", "mapping"], value_name = "FILE|DIR", requires = "images")]
    idms: Vec<PathBuf>,
    /// What else the hosts have in registries.d, such as where GPG signatures lie [repeatable].
    #[arg(help_heading = heading::PLAN, long, value_name = "DIR", requires = "images")]
    registries_d: Vec<PathBuf>,
    /// The platforms of the hosts [repeatable; default: all that are in the mirror].
    #[arg(help_heading = heading::PLAN, long, value_name = "OS/ARCH[/VARIANT]", requires = "images")]
    platform: Vec<Platform>,
    /// Write the policies for the images that only the old key verifies into this folder, as a whole; one that keypack wrote is replaced.
    /// OLD must then be the keys/ that `keypack pull` wrote here [default: they are printed].
    #[arg(help_heading = heading::PLAN, short, long, value_name = "DIR", requires = "images")]
    output: Option<PathBuf>,
    /// What the host's setting requires of OLD where its keys are written.
    #[arg(skip)]
    pub(in crate::cli) enforced: Option<Authentication>,
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) state: State,
    #[command(flatten)]
    pub(in crate::cli) registry: Registry,
}

impl Diff {
    pub(in crate::cli) fn plan(&self) -> Option<PlanRequest> {
        let consumer = self.consumer.clone()?;
        let images = AdmitRequest {
            report: None,
            places: self.images.clone(),
            images: None,
            cache_dir: self.cache.cache_dir.clone(),
            policy: PolicySpec::File("policy.json".into()),
            registries_d: self.registries_d.clone(),
            image_config: None,
            mappings: self.map.clone(),
            mapping_files: self.idms.clone(),
            platforms: self.platform.clone(),
            fix: None,
            keys_dir: None,
            authentication: Authentication::default(),
        };
        let bridge_to = self.output.clone().map(|directory| BridgeTo {
            directory,
            authentication: Authentication {
                state_dir: self.state.dir.clone(),
                ..self.enforced.clone().unwrap_or_default()
            },
        });
        Some(PlanRequest { consumer, images, bridge_to })
    }
}
