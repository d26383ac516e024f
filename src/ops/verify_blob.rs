//! Is one file signed by whom it should be? The judge of [`verify`](super::verify()) for a file, as strict as the clients of
//! sigstore are.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Context,
    verify::{ExpectedIdentity, report_unusable, set_of},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    fs,
    key::{Key, Role},
    keysource::{Gathered, KeyFile},
    limits,
    oci::Digest,
    signature::UntrustedBundle,
    trust::{Clock, KeySet, Refusal, Verified, Verifier},
};

/// What to verify.
#[derive(Debug, Clone)]
pub struct Request {
    /// The sigstore bundle.
    pub bundle: PathBuf,
    /// The file, or its digest.
    pub artifact: Artifact,
    /// Who must have signed it.
    pub signer: ExpectedSigner,
    /// The trusted root with the logs and authorities. A signature by a key may do without one.
    pub trusted_root: Option<PathBuf>,
}

/// A file, or what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The file.
    File(PathBuf),
    /// Its sha256 digest. Some signatures, such as those by Ed25519 keys, can't be verified by it.
    Digest(Digest),
}

/// Who must have signed.
#[derive(Debug, Clone)]
pub enum ExpectedSigner {
    /// The holder of the key in this file.
    Key(PathBuf),
    /// Whoever a certificate names so.
    Identity(ExpectedIdentity),
}

/// A file that is verified, by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// `verified`: everything else is a failure.
    pub verdict: &'static str,
    /// The digest of the file.
    pub digest: Digest,
    /// The fingerprint of the key that signed, where no certificate did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The name in the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The OIDC issuer in the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Whose clock says so: `log` or `timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<&'static str>,
    /// Whether a transparency log holds the signature.
    pub logged: bool,
    /// The predicate type, of a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
}

/// Verifies a bundle over a file.
pub fn verify_blob(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let keys = keys(request, ctx)?;
    let bundle = read(&request.bundle, limits::SIGNATURE)?;
    let bundle = UntrustedBundle::parse(&bundle).map_err(|e| {
        Diagnostic::new(e.code(), format!("{}: {e}", request.bundle.display())).ending(Exit::Incomplete)
    })?;
    let bytes = match &request.artifact {
        Artifact::File(path) => Some(read(path, limits::ARTIFACT)?),
        Artifact::Digest(_) => None,
    };
    let digest = match (&request.artifact, &bytes) {
        (Artifact::Digest(digest), _) => *digest,
        (_, bytes) => Digest::of(bytes.as_deref().unwrap_or_default()),
    };
    let verified = Verifier::new(keys)
        .judge_blob(&bundle, &digest, bytes.as_deref(), ctx.now)
        .map_err(|refusal| does_not_verify(&refusal, bytes.is_none()))?;
    expected(request, &verified)?;
    let time = verified.time();
    Ok(Outcome {
        verdict: "verified",
        digest,
        key: verified.keys().iter().find(|key| key.role == Role::Signer).map(|key| key.id),
        identity: verified.names().first().map(|name| name.name.clone()),
        issuer: verified.oidc_issuer().map(str::to_owned),
        time: time.map(|(time, _)| time),
        clock: time.map(|(_, clock)| match clock {
            Clock::Log => "log",
            Clock::Timestamp => "timestamp",
            Clock::Host => "host",
        }),
        logged: verified.is_logged(),
        predicate: bundle.predicate_type,
    })
}

fn expected(request: &Request, verified: &Verified) -> Result<(), Diagnostic> {
    let by_key = verified.keys().iter().any(|key| key.role == Role::Signer);
    let is = match &request.signer {
        ExpectedSigner::Key(_) => by_key,
        ExpectedSigner::Identity(identity) => {
            !by_key && identity.issuer.is_some() && identity.is(verified.names(), verified.oidc_issuer())
        }
    };
    if is {
        return Ok(());
    }
    let who = verified.identity().unwrap_or("a key");
    let issuer = verified.oidc_issuer().map_or_else(String::new, |issuer| format!(", issuer {issuer}"));
    Err(Diagnostic::new(
        Code::SignerUnexpected,
        format!("the signature is good, and made by {who}{issuer}: not by the signer that is expected"),
    )
    .hinting("compare both; if this signer is right, name it by --certificate-identity and --certificate-oidc-issuer"))
}

fn does_not_verify(refusal: &Refusal, by_digest: bool) -> Diagnostic {
    let failure = Diagnostic::new(refusal.code(), refusal.to_string()).ending(Exit::Incomplete);
    if by_digest && matches!(refusal, Refusal::Signature(_) | Refusal::Unsupported(_)) {
        return failure
            .also("the FILE itself in place of its digest: some signatures can't be verified without it");
    }
    failure
}

/// The keys of the trusted root, and of the signer. As sigstore-go does, a log that does not say since when it is in use is not
/// believed.
fn keys(request: &Request, ctx: &Context) -> Result<KeySet, Diagnostic> {
    let mut gathered = Gathered::default();
    if let Some(path) = &request.trusted_root {
        gathered.add_trusted_root(path)?;
        gathered.tell_conflicts();
        report_unusable(&gathered, ctx)?;
    }
    match &request.signer {
        ExpectedSigner::Key(path) => {
            gathered.add_key_file(&KeyFile { role: Some(Role::Signer), path: path.clone() })?;
        }
        ExpectedSigner::Identity(_) if request.trusted_root.is_none() => {
            return Err(Diagnostic::usage(
                "a certificate is verified with the logs and authorities of a trusted root",
                "give --trusted-root FILE",
            ));
        }
        ExpectedSigner::Identity(_) => {}
    }
    Ok(set_of(&gathered, &|key| has_start(key, ctx))?.0)
}

fn has_start(key: &Key, ctx: &Context) -> bool {
    let is_log = matches!(key.role, Role::Rekor | Role::Rekor2 | Role::CtLog);
    let known = !is_log || key.validity.start.is_some();
    if !known {
        ctx.events.warn(&format!(
            "the {} {} is left out: the trusted root does not say since when it is in use (validFor.start)",
            key.role.title(),
            key.url.as_deref().unwrap_or("without an address")
        ));
    }
    known
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let read = fs::open(path)
        .and_then(|file| fs::read(file, limit))
        .map_err(|e| Diagnostic::new(Code::ReadFailed, format!("could not read {}: {e}", path.display())))?;
    read.ok_or_else(|| {
        Diagnostic::new(Code::TooLarge, format!("{} is longer than {limit} bytes", path.display()))
    })
}
