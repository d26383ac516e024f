mod admission;
mod cache;
mod collect;
mod diff;
mod export;
mod inspect;
mod keys;
mod pull;
mod registry;
mod requests;
mod revoke;
mod settings;
mod state;
mod trust;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(super) use self::{
    cache::Cache,
    collect::Collect,
    diff::Diff,
    export::Export,
    inspect::Inspect,
    keys::KeySources,
    pull::Pull,
    registry::Registry,
    revoke::{Revoke, Ticket},
    settings::Forgive,
    state::{Forget, StateCommand, StateVerb},
    trust::{Anchors, Exceptions, State},
    verify::{Verify, VerifyBlob},
};
use super::{heading, output::Global};
use crate::{config::Revocation, ops::push::Form};

const SOURCES: &str = "\
SOURCE is one of
  oci:DIR[:TAG]            an OCI layout
  oci-archive:FILE[:TAG]   an OCI layout in a tar
  dir:DIR                  an image by skopeo, or a `skopeo sync` tree
  docker://HOST/REPO:TAG   an image of a registry (or @sha256:…)
  docker://HOST[/PREFIX]   a repository, and all below it
  lookaside:DIR            GPG signatures of images that are elsewhere: REPO@sha256=…/signature-N
  oc-mirror:DIR            a folder of oc-mirror v2: archives, working-dir, cache
  PATH                     any of these, or a registry's data folder (docker/registry/v2)";

/// Finds the public keys that the signatures of mirrored images need, proves that they fit, and carries them.
#[derive(Debug, Parser)]
#[command(name = "keypack", version = VERSION, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The version, with the date of the trust that is built in.
const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (built-in sigstore public-good root of 2026-10-23)");

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of these, and clap makes it")]
pub(super) enum Command {
    /// Show which keys the signatures need and which are available (read-only).
    #[command(
        after_help = "Example:\n  keypack discover oci:mirror --trusted-root trusted_root.json --key cosign.pub"
    )]
    Discover(Discover),
    /// Find, prove and write the keys into keys/ with their inventory.
    #[command(
        after_help = "Example:\n  keypack collect oci:mirror --trusted-root trusted_root.json --key cosign.pub -o keys\n  \
                      keypack collect oci:mirror --tuf https://tuf-repo-cdn.sigstore.dev\n  \
                      keypack collect oci:mirror --tuf https://tuf.example.com --tuf-root root.json"
    )]
    Collect(Collect),
    /// Write keys/ as an OCI artifact into a registry, a layout or an archive.
    #[command(
        after_help = "Example:\n  keypack push keys oci-archive:mirror.tar:keys-2026-11\n  keypack push keys docker://mirror:5000/keypack/trust:2026-11"
    )]
    Push(Push),
    /// Fetch a pack, authenticate it and unpack it into keys/.
    #[command(
        visible_alias = "unpack",
        after_help = "Example:\n  keypack pull oci-archive:mirror.tar:keys-2026-11 --digest sha256:… -o keys\n  \
                      keypack pull oci-archive:mirror.tar:keys-2026-11 --verify-key /etc/keypack/org.pub\n  \
                      keypack pull oci-archive:mirror.tar:keys-2026-11 --tuf-root builtin --pin signer:…\n\n\
                      The digest or key must reach you out of band: on paper, by signed mail."
    )]
    Pull(Pull),
    /// Verify the signatures of images, offline, with exactly the keys of a keys/ that was pulled here.
    #[command(after_help = "Example:\n  keypack verify oc-mirror:/in\n  \
                      keypack verify docker://mirror:5000 --images oc-mirror:/in --keys-dir /in/keys --require-signed\n  \
                      keypack verify oci:mirror --keys-dir keys --verify-key /etc/keypack/org.pub\n\n\
                      Exit codes: 0 verified, 1 could not, 3 keys refused, 4 an image is refused or something could not be read.")]
    Verify(Verify),
    /// Verify the signature of one file.
    #[command(
        after_help = "Example:\n  keypack verify-blob --bundle f.sigstore.json --key cosign.pub --trusted-root trusted_root.json f\n  \
                      keypack verify-blob --bundle f.sigstore.json --trusted-root trusted_root.json \\\n    \
                      --certificate-identity me@example.com --certificate-oidc-issuer https://accounts.example.com f\n\n\
                      Exit codes: 0 verified, 3 key or trusted root refused, 4 the file does not verify."
    )]
    VerifyBlob(VerifyBlob),
    /// Write the policy of a consumer from the rules of a keys/ that was pulled here, and check it against the mirror first.
    #[command(
        after_help = "Example:\n  keypack export policy-json --for podman@5.3 --keys-dir keys --check docker://mirror:5000 --idms cluster-resources -o policy\n  \
                      keypack export cluster-image-policy --for openshift@4.22 --idms cluster-resources --check docker://mirror:5000 -o policies\n  \
                      keypack export policy-json --for rhel@9 --pulled-by mirror --check docker://mirror:5000 --keys-at /etc/pki/keypack\n\n\
                      Exit codes: 0 written, 3 keys refused, 4 no rules, a rule that the consumer can't check, or images that would not run."
    )]
    Export(Export),
    /// Print what a keys/ directory or a pack holds; authenticates nothing, writes nothing.
    #[command(
        after_help = "Example:\n  keypack inspect keys\n  keypack inspect oci-archive:mirror.tar:keys-2026-11"
    )]
    Inspect(Inspect),
    /// Show what changes from one keys/ or pack to another, and how to roll it out; authenticates nothing.
    #[command(after_help = "Example:\n  keypack diff keys oci-archive:mirror.tar:keys-2026-11\n  \
                      keypack diff keys oci-archive:mirror.tar:keys-2026-11 --plan openshift@4.22 --images docker://mirror:5000 --idms cluster-resources")]
    Diff(Diff),
    /// Revoke a key on this host, now: keys/ goes on without it, and no pack brings it back.
    #[command(
        after_help = "Example:\n  keypack revoke sha256:… --reason \"stolen, says its owner\" --images oc-mirror:/in\n  \
                      keypack revoke sha256:… --reason \"stolen in November\" --since 2026-11-01 --ticket SEC-4711\n\n\
                      Exit codes: 0 done, 4 revoked, and something is left to do by hand."
    )]
    Revoke(Revoke),
    /// Show what this host remembers, print its log, or forget a lineage.
    #[command(
        name = "state",
        after_help = "Example:\n  keypack state show\n  keypack state log > /mnt/audit/keypack.jsonl\n  \
                      keypack state forget-unsafe default --reason \"the cluster was retired\""
    )]
    HostState(StateVerb),
    /// Print a JSON schema of what keypack writes.
    #[command(after_help = "Example:\n  keypack schema pack-v1")]
    Schema(Schema),
}

/// Where to look, and which keys there are.
#[derive(Debug, Args)]
pub(super) struct Read {
    /// Where the images are; several are read together.
    #[arg(required_unless_present = "images", value_name = "SOURCE", long_help = SOURCES)]
    pub(super) sources: Vec<String>,
    /// Only these images: a file with one reference a line (or - for stdin), oc-mirror's mapping.txt or
    /// ImageSetConfiguration, or a place
    /// whose images are looked up at the registry named as SOURCE.
    #[arg(long, value_name = "LIST")]
    pub(super) images: Option<String>,
    /// The signatures of the images are also in this repository, as cosign writes them with COSIGN_REPOSITORY.
    #[arg(long, value_name = "HOST/REPOSITORY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) signature_repository: Option<String>,
    /// Print a line for each image; discover does so for up to 30 images. -v adds its signatures and their keys.
    #[arg(long)]
    pub(super) images_table: bool,
    #[command(flatten)]
    pub(super) keys: KeySources,
    #[command(flatten)]
    pub(super) forgive: Forgive,
    /// Keys that the setting says must not be trusted any more.
    #[arg(skip)]
    pub(super) revoked: Vec<Revocation>,
    #[command(flatten)]
    pub(super) cache: Cache,
    #[command(flatten)]
    pub(super) registry: Registry,
}

#[derive(Debug, Args)]
pub(super) struct Discover {
    #[command(flatten)]
    pub(super) read: Read,
    /// Check whether the keys of this directory, as `collect` and `pull` write it, are all that the images need. No other
    /// key counts, not even a built-in one; nothing authenticates these.
    #[arg(help_heading = heading::KEYS, long, value_name = "DIR",
          conflicts_with_all = ["trusted_root", "key", "from_policy", "rekor", "tuf", "tuf_root", "draft_rules"])]
    pub(super) keys_dir: Option<PathBuf>,
    /// Also tell which of the images these consumers could verify, and what would mend the others: openshift@4.22, podman@5.3,
    /// crio@1.35, rhel@9, cosign@2.4, kyverno@1.19.
    #[arg(long = "for", value_name = "CONSUMER@VERSION", value_delimiter = ',')]
    pub(super) targets: Vec<String>,
    /// Write what was seen (who signs which repository) as a draft of rules into a new file; - is stdout, instead of
    /// the report. Review it before use: `collect --accept-rules FILE` takes it.
    #[arg(long, value_name = "FILE")]
    pub(super) draft_rules: Option<PathBuf>,
    /// Only look whether the images of --images have signatures, without any keys, and write keypack.yaml for registries.d
    /// (containers-registries.d(5)) into this directory: `use-sigstore-attachments` is off for repositories without any
    /// signature, and on for the rest.
    #[arg(long, value_name = "DIR", requires = "images", conflicts_with_all = ["draft_rules", "signature_repository"])]
    pub(super) write_registries_d: Option<PathBuf>,
    #[command(flatten)]
    pub(super) state: State,
}

#[derive(Debug, Args)]
pub(super) struct Push {
    /// The directory that `keypack collect` wrote.
    #[arg(value_name = "KEYS")]
    pub(super) keys: String,
    /// Where to: docker://HOST/REPO:TAG, oci:DIR:TAG, oci-archive:FILE:TAG, or the oc-mirror:DIR that mirror-to-disk
    /// writes to; images that are there stay.
    #[arg(value_name = "DEST")]
    pub(super) dest: String,
    /// The form of the artifact.
    #[arg(long = "as", value_enum, default_value_t)]
    pub(super) form: Form,
    /// Write the manifest digest to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) digestfile: Option<PathBuf>,
    /// Write the pack digest to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) pack_digestfile: Option<PathBuf>,
    #[command(flatten)]
    pub(super) forgive: Forgive,
    #[command(flatten)]
    pub(super) state: State,
    #[command(flatten)]
    pub(super) registry: Registry,
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Which one; without a name, the names are listed.
    pub(super) name: Option<String>,
}
