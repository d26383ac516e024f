//! What `verify` and `verify-blob` take.

use std::{path::PathBuf, str::FromStr};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};

use super::{Anchors, Cache, Registry, SOURCES, State};
use crate::{
    cli::{heading, program::program},
    diag::Diagnostic,
    keysource::KeyFile,
    oci::Digest,
    ops::{
        parse_lineage,
        verify::{
            self, Authentication, ExpectedIdentity, Mapping, Platform, PolicySpec, ReportRequest, ReportTo,
            TextPattern,
        },
        verify_blob::{self, Artifact, ExpectedSigner},
    },
};

/// Whose certificates count.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Identity {
    /// The exact name in the certificate of the expected signer.
    #[arg(help_heading = heading::SIGNERS, long, value_name = "NAME", conflicts_with = "certificate_identity_regexp")]
    certificate_identity: Option<String>,
    /// The same as a regular expression. Like cosign's (Go's RE2) it matches anywhere in the name: begin it with ^ and end
    /// it with $.
    #[arg(help_heading = heading::SIGNERS, long, value_name = "REGEXP")]
    certificate_identity_regexp: Option<String>,
    /// The exact OIDC issuer in that certificate. Certificates of a private CA have none, and count without it.
    #[arg(help_heading = heading::SIGNERS, long, value_name = "URL", conflicts_with = "certificate_oidc_issuer_regexp")]
    certificate_oidc_issuer: Option<String>,
    /// The same as a regular expression, which also matches anywhere: begin it with ^ and end it with $.
    #[arg(help_heading = heading::SIGNERS, long, value_name = "REGEXP")]
    certificate_oidc_issuer_regexp: Option<String>,
}

impl Identity {
    fn read(&self) -> Result<Option<ExpectedIdentity>, Diagnostic> {
        let (name, issuer) = ("--certificate-identity", "--certificate-oidc-issuer");
        let pattern = |exact: &Option<String>, regexp: &Option<String>, flag| {
            TextPattern::at_most_one(exact.as_deref(), regexp.as_deref(), flag)
        };
        let name = pattern(&self.certificate_identity, &self.certificate_identity_regexp, name)?;
        let issuer = pattern(&self.certificate_oidc_issuer, &self.certificate_oidc_issuer_regexp, issuer)?;
        match (name, issuer) {
            (Some(name), issuer) => Ok(Some(ExpectedIdentity { name, issuer })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Diagnostic::usage(
                "an issuer alone is not enough: anyone with an account there would match",
                "give --certificate-identity or --certificate-identity-regexp too",
            )),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// Where the images are; several are verified together.
    #[arg(required_unless_present = "images", value_name = "SOURCE", long_help = SOURCES)]
    sources: Vec<String>,
    /// Only these images: a file with one reference a line (or - for stdin), oc-mirror's mapping.txt or
    /// ImageSetConfiguration, or a place whose images are looked up at the registry named as SOURCE.
    #[arg(long, value_name = "LIST")]
    images: Option<String>,
    /// The signatures of the images are also in this repository, as cosign writes them with COSIGN_REPOSITORY.
    #[arg(long, value_name = "HOST/REPOSITORY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) signature_repository: Option<String>,
    /// The keys/ that `keypack pull` wrote here; nothing else is trusted [default: keys, or keys/ in the oc-mirror:DIR that is
    /// verified].
    #[arg(long, value_name = "DIR")]
    keys_dir: Option<PathBuf>,
    /// Instead of a keys/: a trusted root that you vouch for [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE", conflicts_with = "keys_dir")]
    trusted_root: Vec<PathBuf>,
    /// Instead of a keys/: a key that you vouch for, with its role as for `collect` [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "[ROLE=]FILE", conflicts_with = "keys_dir", value_parser = OsStringValueParser::new().try_map(|text| KeyFile::parse(&text)))]
    key: Vec<KeyFile>,
    #[command(flatten)]
    identity: Identity,
    /// Would a consumer admit the images? Its policy decides, with the keys that are in it: a policy.json, as podman, CRI-O and
    /// skopeo evaluate it; ClusterImagePolicies and ImagePolicies, as OpenShift's nodes get them; openshift, what the release in
    /// the mirror brings, once its GPG signature verifies; or builtin:openshift@4.22, a copy of what that release brings. The report has a verdict for each image by tag and by digest.
    #[arg(help_heading = heading::POLICY, long, value_name = "FILE|openshift|builtin:openshift@VERSION",
          conflicts_with_all = ["trusted_root", "key", "require_signed", "all_signatures", "require_log"])]
    policy: Option<PolicySpec>,
    /// The registries.d of that consumer, such as /etc/containers/registries.d: where signatures are looked for [repeatable;
    /// default: none, and then no sigstore signature is looked for].
    #[arg(help_heading = heading::POLICY, long, value_name = "DIR", requires = "policy")]
    registries_d: Vec<PathBuf>,
    /// OpenShift's registry lists, `oc get image.config.openshift.io cluster -o yaml`: what is not in allowedRegistries, or is in
    /// blockedRegistries, is refused.
    #[arg(help_heading = heading::POLICY, long, value_name = "FILE", requires = "policy")]
    image_config: Option<PathBuf>,
    /// Write the commands that copy the missing signatures to this file, for the connected side. The sources of the images are asked
    /// whether they have them, if they can be reached.
    #[arg(help_heading = heading::POLICY, long, value_name = "FILE", requires = "policy")]
    fix: Option<PathBuf>,
    /// Which of these consumers could verify which image, with the keys of this run, and what would mend it: openshift@4.22,
    /// podman@5.3, cosign@2.4, kyverno@1.19 [comma-separated, repeatable]. Their policies are not asked: --policy does.
    #[arg(help_heading = heading::SIGNERS, long = "for", value_name = "CONSUMER@VERSION", value_delimiter = ',', conflicts_with = "policy")]
    targets: Vec<String>,
    /// Write a report for those who sign it off, as a page or as JSON: the pack, its anchors and keys, what is refused with its
    /// fix, every image, and the digests of all that the result depends on. Its own sha256 goes to `keypack state log`.
    #[arg(help_heading = heading::REPORT, long, value_name = "FILE.html|FILE.json", value_parser = OsStringValueParser::new().try_map(|text| ReportTo::parse(&text)))]
    report: Option<ReportTo>,
    /// The earlier report that it says the changes since [default: the one that it replaces].
    #[arg(help_heading = heading::REPORT, long, value_name = "REPORT", requires = "report")]
    since: Option<PathBuf>,
    /// Where mirrored repositories come from, as name prefixes: mirror.example:5000/ubi9=registry.redhat.io/ubi9
    /// [repeatable].
    #[arg(help_heading = heading::SIGNERS, long, value_name = "MIRROR=SOURCE")]
    map: Vec<Mapping>,
    /// The same from a file or a folder: ImageDigestMirrorSet, ImageTagMirrorSet, ImageContentSourcePolicy (also as YAML of
    /// `oc get`), cluster-resources of oc-mirror, an install-config, registries.conf, mapping.txt [repeatable].
    #[arg(help_heading = heading::SIGNERS, long, visible_aliases = ["itms", "registries-conf", "mapping"], value_name = "FILE|DIR")]
    idms: Vec<PathBuf>,
    /// Fail for an image without a signature that counts, even if no rule requires one.
    #[arg(help_heading = heading::SIGNERS, long)]
    require_signed: bool,
    /// Fail for each signature that does not verify, even if another one is good.
    #[arg(help_heading = heading::SIGNERS, long)]
    all_signatures: bool,
    /// Count only signatures that are in a transparency log.
    #[arg(help_heading = heading::SIGNERS, long)]
    require_log: bool,
    /// For multi-platform images, check only the instances for this platform [repeatable].
    #[arg(help_heading = heading::SIGNERS, long, value_name = "OS/ARCH[/VARIANT]")]
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

impl Verify {
    /// Whether it names keys, or what authenticates them, in addition to what this host remembers.
    pub(in crate::cli) fn brings_own_keys(&self) -> bool {
        !(self.trusted_root.is_empty() && self.key.is_empty()) || self.anchors.are_given()
    }

    /// The policy that is to be evaluated, where one is named.
    pub(in crate::cli) fn policy(&self) -> Result<Option<verify::AdmitRequest>, Diagnostic> {
        let Some(policy) = &self.policy else { return Ok(None) };
        let is_payload = *policy == PolicySpec::Payload;
        let names_keys = self.keys_dir.is_some() || self.anchors.are_given();
        if self.identity.read()?.is_some() || (names_keys && !is_payload) {
            return Err(Diagnostic::usage(
                "--policy judges with the keys and the signers of the policy, and others are named beside it",
                "run verify once with --policy, and once without it for the keys of a pack; only --policy openshift takes a keys/, for the signature of the release",
            ));
        }
        Ok(Some(verify::AdmitRequest {
            places: self.sources.clone(),
            images: self.images.clone(),
            cache_dir: self.cache.cache_dir.clone(),
            policy: policy.clone(),
            registries_d: self.registries_d.clone(),
            mappings: self.map.clone(),
            mapping_files: self.idms.clone(),
            platforms: self.platform.clone(),
            fix: self.fix.clone(),
            keys_dir: self.keys_dir.clone(),
            authentication: self.authentication(),
            image_config: self.image_config.clone(),
            report: self.report(),
        }))
    }

    fn report(&self) -> Option<ReportRequest> {
        let to = self.report.clone()?;
        Some(ReportRequest { to, since: self.since.clone(), program: program() })
    }

    fn authentication(&self) -> Authentication {
        Authentication {
            anchors: self.anchors.specs(),
            are_of_setting: self.anchors.are_of_setting,
            settings: self.anchors.settings.clone(),
            enforced: self.anchors.enforced.clone(),
            name: self.name.clone(),
            state_dir: self.state.dir.clone(),
        }
    }

    pub(in crate::cli) fn request(&self) -> Result<verify::Request, Diagnostic> {
        Ok(verify::Request {
            places: self.sources.clone(),
            images: self.images.clone(),
            signature_repository: self.signature_repository.clone(),
            cache_dir: self.cache.cache_dir.clone(),
            keys_dir: self.keys_dir.clone(),
            authentication: self.authentication(),
            trusted_roots: self.trusted_root.clone(),
            keys: self.key.clone(),
            identity: self.identity.read()?,
            mappings: self.map.clone(),
            mapping_files: self.idms.clone(),
            platforms: self.platform.clone(),
            require_signed: self.require_signed,
            all_signatures: self.all_signatures,
            require_log: self.require_log,
            targets: self.targets.clone(),
            report: self.report(),
        })
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyBlob {
    /// The file, or its digest.
    #[arg(value_name = "FILE|sha256:DIGEST")]
    artifact: String,
    /// The sigstore bundle with the signature.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The public key of the expected signer.
    #[arg(help_heading = heading::SIGNERS, long, value_name = "FILE", required_unless_present_any = ["certificate_identity", "certificate_identity_regexp"],
          conflicts_with_all = ["certificate_identity", "certificate_identity_regexp", "certificate_oidc_issuer", "certificate_oidc_issuer_regexp"])]
    key: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
    /// The trusted root with the logs and authorities.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// What this host's setting enforces.
    #[arg(skip)]
    pub(in crate::cli) enforced: Option<Authentication>,
}

impl VerifyBlob {
    pub(in crate::cli) fn request(&self) -> Result<verify_blob::Request, Diagnostic> {
        let signer = match (&self.key, self.identity.read()?) {
            (Some(key), _) => ExpectedSigner::Key(key.clone()),
            (None, Some(ExpectedIdentity { name, issuer: issuer @ Some(_) })) => {
                ExpectedSigner::Identity(ExpectedIdentity { name, issuer })
            }
            _ => {
                return Err(Diagnostic::usage(
                    "an identity requires its issuer: another issuer may give the same name to anyone",
                    "give --certificate-oidc-issuer or --certificate-oidc-issuer-regexp too",
                ));
            }
        };
        let artifact = match Digest::from_str(&self.artifact) {
            Ok(digest) => Artifact::Digest(digest),
            Err(_) => Artifact::File(self.artifact.clone().into()),
        };
        Ok(verify_blob::Request {
            bundle: self.bundle.clone(),
            artifact,
            signer,
            trusted_root: self.trusted_root.clone(),
            enforced: self.enforced.clone(),
        })
    }
}
