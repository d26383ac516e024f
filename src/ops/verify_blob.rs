//! Verifies that a single file is signed by the expected signer, with the same code as [`verify`](super::verify()), as
//! strictly as sigstore clients.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use sigstore_types::{HashAlgorithm, SignatureContent};

use super::{
    Context,
    verify::{Authentication, ExpectedIdentity, report_unusable, set_of},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    fs,
    key::{Algorithm, Certificate, Key, Material, PublicKey, Role},
    keysource::{Gathered, KeyFile},
    limits,
    oci::Digest,
    pack::INVENTORY,
    signature::UntrustedBundle,
    trust::{KeySet, Refusal, Verified, Verifier},
};

/// What to verify.
#[derive(Debug, Clone)]
pub struct Request {
    /// The sigstore bundle.
    pub bundle: PathBuf,
    /// The file, or its digest.
    pub artifact: Artifact,
    /// The required signer.
    pub signer: ExpectedSigner,
    /// The trusted root with the logs and authorities. Optional for a signature by a key.
    pub trusted_root: Option<PathBuf>,
    /// This host's requirements for the key and the root: they must then be files of a keys/ that it pulled.
    pub enforced: Option<Authentication>,
}

/// A file, or its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The file.
    File(PathBuf),
    /// Its sha256 digest. Some signatures, such as those by Ed25519 keys, can't be verified with it alone.
    Digest(Digest),
}

/// The required signer.
#[derive(Debug, Clone)]
pub enum ExpectedSigner {
    /// The holder of the key in this file.
    Key(PathBuf),
    /// The holder of a certificate with this identity.
    Identity(ExpectedIdentity),
}

/// A verified file; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// `verified`: anything else is a failure.
    pub verdict: &'static str,
    /// The digest of the file.
    pub digest: Digest,
    /// The fingerprint of the key that signed, if the signature was not made with a certificate.
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
    /// The clock this time is from: `log` or `timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<&'static str>,
    /// Whether the signature is in a transparency log.
    pub logged: bool,
    /// The predicate type, for a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
}

/// Verifies a bundle over a file. The file is read as a stream, except for signatures that are over the file itself and
/// not over its digest.
pub fn verify_blob(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let keys = keys(request, ctx)?;
    let bundle = read(&request.bundle, limits::SIGNATURE)?;
    let bundle = UntrustedBundle::parse(&bundle).map_err(|e| {
        Diagnostic::new(e.code(), format!("{}: {e}", request.bundle.display())).ending(Exit::Incomplete)
    })?;
    let (digest, bytes) = match &request.artifact {
        Artifact::Digest(digest) => (*digest, None),
        Artifact::File(path) if is_over_the_file(&bundle, &keys) => {
            let bytes = read(path, limits::ARTIFACT)?;
            (Digest::of(&bytes), Some(bytes))
        }
        Artifact::File(path) => (digest_of(path)?, None),
    };
    let is_digest = matches!(request.artifact, Artifact::Digest(_));
    let verified = Verifier::new(keys)
        .judge_blob(&bundle, &digest, bytes.as_deref(), ctx.now)
        .map_err(|refusal| does_not_verify(&refusal, is_digest, &bundle))?;
    expected(request, &verified)?;
    let time = verified.time();
    Ok(Outcome {
        verdict: "verified",
        digest,
        key: verified.keys().iter().find(|key| key.role == Role::Signer).map(|key| key.id),
        identity: verified.names().first().map(|name| name.name.clone()),
        issuer: verified.oidc_issuer().map(str::to_owned),
        time: time.map(|(time, _)| time),
        clock: time.map(|(_, clock)| clock.as_str()),
        logged: verified.is_logged(),
        predicate: bundle.predicate_type,
    })
}

/// Whether the signature is over the file and not over its sha256 digest: a message signed by a key other than ECDSA
/// P-256 and RSA, or with another digest, or a statement that names a file by sha512 alone.
fn is_over_the_file(bundle: &UntrustedBundle, keys: &KeySet) -> bool {
    if !bundle.claimed_sha512.is_empty() {
        return true;
    }
    let SignatureContent::MessageSignature(message) = &bundle.bundle.content else { return false };
    let by_digest = |key: &PublicKey| matches!(key.algorithm(), Algorithm::EcdsaP256 | Algorithm::Rsa);
    let certified = bundle
        .bundle
        .signing_certificate()
        .and_then(|certificate| Certificate::from_der(certificate.as_bytes()).ok()?.public_key().ok());
    let signers = keys.of(Role::Signer).filter_map(|key| match &key.material {
        Material::Key(key) => Some(key),
        _ => None,
    });
    let other_digest =
        message.message_digest.as_ref().is_some_and(|digest| digest.algorithm != HashAlgorithm::Sha2256);
    other_digest || certified.iter().chain(signers).any(|key| !by_digest(key))
}

fn digest_of(path: &Path) -> Result<Digest, Diagnostic> {
    let limit = limits::ARTIFACT_STREAM;
    let read = fs::open(path).and_then(|file| Digest::of_stream(file, limit));
    read.map_err(|e| Diagnostic::new(Code::ReadFailed, format!("could not read {}: {e}", path.display())))?
        .ok_or_else(|| too_large(path, limit))
}

fn too_large(path: &Path, limit: u64) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, format!("{} is longer than {limit} bytes", path.display()))
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

fn does_not_verify(refusal: &Refusal, is_digest: bool, bundle: &UntrustedBundle) -> Diagnostic {
    let failure = Diagnostic::new(refusal.code(), refusal.to_string()).ending(Exit::Incomplete);
    let needs_file = matches!(refusal, Refusal::Signature(_) | Refusal::Unsupported(_))
        || !bundle.claimed_sha512.is_empty();
    if is_digest && needs_file {
        return failure
            .also("the FILE itself in place of its digest: some signatures can't be verified without it");
    }
    failure
}

/// The keys of the trusted root, and of the signer. As in sigstore-go, a log without a start date is not trusted.
fn keys(request: &Request, ctx: &Context) -> Result<KeySet, Diagnostic> {
    let mut gathered = Gathered::default();
    let key = if let ExpectedSigner::Key(path) = &request.signer { Some(path) } else { None };
    if let Some(enforced) = &request.enforced {
        request.trusted_root.iter().chain(key).try_for_each(|path| was_pulled(path, enforced, ctx))?;
    }
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

/// Refuses a file that is not part of a keys/ which this host pulled under the enforced requirements.
fn was_pulled(path: &Path, enforced: &Authentication, ctx: &Context) -> Result<(), Diagnostic> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !fs::may_be_there(&directory.join(INVENTORY)) {
        let error = format!(
            "this host's configuration permits a key or a trusted root only from a keys/ that was pulled here, and {} \
             is not in one",
            path.display()
        );
        let hint = "name the file in the keys/ that `keypack pull` wrote, such as keys/trusted_root.json";
        return Err(Diagnostic::new(Code::SettingEnforced, error).hinting(hint));
    }
    let found = enforced.of_directory(directory, &[], None, ctx)?;
    let is_named = |name: &str| path.file_name().is_some_and(|file| file == name);
    // What was put back may be in any of the files.
    if let Some(key) = found.left_out.iter().find(|key| key.still_there || is_named(&key.file)) {
        return Err(Diagnostic::new(Code::RevokedHere, key.to_string()));
    }
    if found.pack.draft().to_files().iter().any(|file| is_named(file.name.as_str())) {
        return Ok(());
    }
    Err(Diagnostic::new(
        Code::SettingEnforced,
        format!("{} is not a file of the pack that was pulled", path.display()),
    ))
}

fn has_start(key: &Key, ctx: &Context) -> bool {
    let known = !key.role.is_log() || key.validity.start.is_some();
    if !known {
        ctx.events.warn(&format!(
            "the {} {} is left out: the trusted root does not say when its use began (validFor.start)",
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
    read.ok_or_else(|| too_large(path, limit))
}
