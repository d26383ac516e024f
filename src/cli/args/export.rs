//! What `export` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Anchors, Cache, Registry, State, admission::Admission};
use crate::{
    cli::heading,
    diag::Diagnostic,
    ops::{
        export::{self, OpenShift, Others, PulledBy, TrustedRootForm},
        parse_lineage,
        verify::{AdmitRequest, Authentication, Mapping, Platform, PolicySpec},
    },
};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// policy.json with registries.d, for podman, CRI-O, skopeo and RHEL.
    PolicyJson,
    /// registries.d alone.
    RegistriesD,
    /// The files of policy-json in a MachineConfig, for the nodes of a pool that run podman.
    MachineConfig,
    /// The same as a Butane config, for a host of Fedora CoreOS.
    Butane,
    /// ClusterImagePolicies, for OpenShift.
    ClusterImagePolicy,
    /// ImagePolicies, for one namespace of OpenShift.
    ImagePolicy,
    /// Policies of Kyverno that verify images; they only report, without --enforce.
    Kyverno,
    /// ClusterImagePolicies of policy-controller, with their TrustRoots; they only warn, without --enforce.
    PolicyController,
    /// The image verification of Talos, by keys.
    Talos,
    /// sigstore's trusted root (version 0.1), for cosign and every sigstore client, or with --as for one consumer; needs no rules.
    TrustedRoot,
    /// Command lines of cosign, one for each signer of each rule, that ask no network but the registry.
    Cosign,
}

/// The form of a trusted root.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    /// trusted_root.json itself.
    #[default]
    Plain,
    /// The field trustedRoot of Kyverno's ImageValidatingPolicy, from Kyverno 1.19 on.
    Kyverno,
    /// A TrustRoot, for policy-controller.
    PolicyController,
    /// A Secret for trustedRootSecretRef, from Flux 2.9 on.
    Flux,
    /// What a signature integration of RHACS takes.
    Rhacs,
}

/// What the policy does about images that no rule is about.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Remaining {
    /// They don't run.
    #[default]
    Reject,
    /// They run, whoever made them.
    Accept,
}

/// By which names images are pulled.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum By {
    /// The sources', because registries.conf names the mirrors.
    #[default]
    Source,
    /// The mirror's own.
    Mirror,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// What to write.
    #[arg(value_enum, value_name = "FORMAT")]
    what: Format,
    /// The keys/ that `keypack pull` wrote here, with its rules.
    #[arg(long, value_name = "DIR", default_value = "keys")]
    keys_dir: PathBuf,
    /// The folder to write, as a whole; one that keypack wrote is replaced.
    #[arg(short, long, value_name = "DIR", default_value = "policy")]
    output: PathBuf,
    /// The consumers that must all understand it, with their versions: podman@5.3, crio@1.35, skopeo@1.18, rhel@9; for its objects, one release: openshift@4.22; cosign@2.6, cosign@3.1. Not for
    /// trusted-root, which is the same for all versions.
    #[arg(help_heading = heading::EXPORT, long = "for", value_name = "CONSUMER@VERSION", value_delimiter = ',')]
    targets: Vec<String>,
    /// The form of a trusted root [default: plain].
    #[arg(help_heading = heading::EXPORT, long = "as", value_name = "FORM", value_enum)]
    form: Option<Form>,
    /// What the policy does about images that no rule is about.
    #[arg(help_heading = heading::EXPORT, long = "default", value_name = "DECISION", value_enum, default_value_t)]
    others: Remaining,
    /// By which names images are pulled: the sources', where the host is configured with mirrors, or the mirror's own, for
    /// which the policy has a scope for each repository of --check.
    #[arg(help_heading = heading::EXPORT, long, value_name = "NAMES", value_enum, default_value_t)]
    pulled_by: By,
    /// Write the keys as files that will be in this folder of the host, such as /etc/pki/keypack [default: into the policy
    /// itself].
    #[arg(help_heading = heading::EXPORT, long, value_name = "DIR")]
    keys_at: Option<PathBuf>,
    #[command(flatten)]
    admission: Admission,
    /// The pool of the MachineConfig [default: worker].
    #[arg(help_heading = heading::EXPORT, long, value_name = "NAME")]
    pool: Option<String>,
    /// The beginning of the names of OpenShift's objects, or the name of a TrustRoot or Secret [default: keypack].
    #[arg(help_heading = heading::EXPORT, long, value_name = "NAME")]
    object_name: Option<String>,
    /// The namespace of the ImagePolicies, or of the Secret.
    #[arg(help_heading = heading::EXPORT, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The registries that the cluster may pull from, as `oc get image.config.openshift.io cluster -o yaml` prints them: a
    /// scope outside of them could not be rolled out.
    #[arg(help_heading = heading::EXPORT, long, value_name = "FILE")]
    image_config: Option<PathBuf>,
    /// Leave repositories of --check in which nothing is signed out of OpenShift's scopes: their images run unverified, although
    /// a rule is about them.
    #[arg(help_heading = heading::EXPORT, long, requires = "check")]
    pub(in crate::cli) leave_out_unsigned: bool,
    /// The mirror whose images must still run: nothing is written if the policy would refuse one [repeatable].
    #[arg(help_heading = heading::CHECK, long, value_name = "SOURCE")]
    check: Vec<String>,
    /// Only these images of it: a list, as `verify` takes it.
    #[arg(help_heading = heading::CHECK, long, value_name = "LIST")]
    images: Option<String>,
    /// What else the hosts have in registries.d: where GPG signatures lie, and which sections are taken [repeatable].
    #[arg(help_heading = heading::CHECK, long, value_name = "DIR")]
    registries_d: Vec<PathBuf>,
    /// Write the policy although images of the mirror would not run.
    #[arg(help_heading = heading::CHECK, long)]
    pub(in crate::cli) allow_rejects: bool,
    /// Where mirrored repositories come from, as name prefixes: mirror.example:5000/ubi9=registry.redhat.io/ubi9
    /// [repeatable].
    #[arg(help_heading = heading::CHECK, long, value_name = "MIRROR=SOURCE")]
    map: Vec<Mapping>,
    /// The same from a file or a folder: ImageDigestMirrorSet, ImageTagMirrorSet, cluster-resources of oc-mirror, an
    /// install-config, registries.conf, mapping.txt [repeatable].
    #[arg(help_heading = heading::CHECK, long, visible_aliases = ["itms", "registries-conf", "mapping"], value_name = "FILE|DIR")]
    idms: Vec<PathBuf>,
    /// The platforms of the hosts [repeatable; default: all that are in the mirror].
    #[arg(help_heading = heading::CHECK, long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Vec<Platform>,
    #[command(flatten)]
    pub(in crate::cli) anchors: Anchors,
    /// The lineage that the keys must have [default: that of the directory, if this host knows it, or "default"].
    #[arg(long, value_name = "NAME", value_parser = parse_lineage)]
    pub(in crate::cli) name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) state: State,
    #[command(flatten)]
    cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) registry: Registry,
}

impl Export {
    /// What is written.
    fn format(&self) -> Result<export::Format, Diagnostic> {
        if self.form.is_some() && self.what != Format::TrustedRoot {
            return Err(Diagnostic::usage(
                "--as is about the form of a trusted root",
                "leave it out, or export trusted-root",
            ));
        }
        Ok(match self.what {
            Format::PolicyJson => export::Format::PolicyJson,
            Format::RegistriesD => export::Format::RegistriesD,
            Format::MachineConfig => export::Format::MachineConfig,
            Format::Butane => export::Format::Butane,
            Format::ClusterImagePolicy => export::Format::ClusterImagePolicy,
            Format::ImagePolicy => export::Format::ImagePolicy,
            Format::Kyverno => export::Format::Kyverno,
            Format::PolicyController => export::Format::PolicyController,
            Format::Talos => export::Format::Talos,
            Format::Cosign => export::Format::Cosign,
            Format::TrustedRoot => export::Format::TrustedRoot(match self.form.unwrap_or_default() {
                Form::Plain => TrustedRootForm::Plain,
                Form::Kyverno => TrustedRootForm::Kyverno,
                Form::PolicyController => TrustedRootForm::PolicyController,
                Form::Flux => TrustedRootForm::Flux,
                Form::Rhacs => TrustedRootForm::Rhacs,
            }),
        })
    }

    pub(in crate::cli) fn request(&self) -> Result<export::Request, Diagnostic> {
        Ok(export::Request {
            format: self.format()?,
            keys_dir: self.keys_dir.clone(),
            authentication: Authentication {
                anchors: self.anchors.specs(),
                are_of_setting: self.anchors.are_of_setting,
                settings: self.anchors.settings.clone(),
                enforced: self.anchors.enforced.clone(),
                name: self.name.clone(),
                state_dir: self.state.dir.clone(),
            },
            output: self.output.clone(),
            targets: self.targets.clone(),
            others: match self.others {
                Remaining::Reject => Others::Reject,
                Remaining::Accept => Others::Accept,
            },
            pulled_by: match self.pulled_by {
                By::Source => PulledBy::Source,
                By::Mirror => PulledBy::Mirror,
            },
            keys_at: self.keys_at.clone(),
            openshift: OpenShift {
                name: self.object_name.clone(),
                namespace: self.namespace.clone(),
                leave_out_unsigned: self.leave_out_unsigned,
            },
            admission: self.admission.request(),
            pool: self.pool.clone(),
            check: AdmitRequest {
                report: None,
                places: self.check.clone(),
                images: self.images.clone(),
                cache_dir: self.cache.cache_dir.clone(),
                policy: PolicySpec::File(self.output.join("policy.json")),
                registries_d: self.registries_d.clone(),
                image_config: self.image_config.clone(),
                mappings: self.map.clone(),
                mapping_files: self.idms.clone(),
                platforms: self.platform.clone(),
                fix: None,
                keys_dir: None,
                authentication: Authentication::default(),
            },
            allow_rejects: self.allow_rejects,
        })
    }
}
