//! The keys of a requirement, as its consumer loads them. One that it can't load refuses everything that the requirement is for.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    identity::Identity,
    openpgp::SignedBy,
    requirement::{KeyType, Material, Requirement, SigstoreSigner},
};
use crate::{
    diag::{Code, Diagnostic},
    key::{Algorithm, Certificate, Material as Key, PublicKey, PublicKeyError, parse_key_file},
    trust::attachment::{Trusted, TrustedSigner, certificates, pem_blocks},
};

/// The content of a file that a policy names, or why it can't be read.
pub type FileBytes = Result<Vec<u8>, String>;

/// The files that a policy names.
pub type Files = BTreeMap<PathBuf, FileBytes>;

/// Why a requirement has no usable keys.
#[derive(Debug, Clone)]
pub(super) enum KeyFault {
    /// The consumer can't use them either.
    Refused(String),
    /// The consumer may be able to.
    NotJudged(String),
}

use KeyFault::{NotJudged, Refused};

/// A requirement with its keys.
#[derive(Debug, Clone)]
pub(super) enum Ready {
    Accept,
    Reject,
    SignedBaseLayer,
    SignedBy { signed_by: Result<SignedBy, KeyFault>, identity: Identity },
    Sigstore { trusted: Result<Trusted, KeyFault>, identity: Identity },
}

impl KeyFault {
    pub(super) fn diagnostic(&self) -> Diagnostic {
        match self {
            Refused(why) => {
                Diagnostic::new(Code::PolicyKeyUnusable, format!("the policy's keys can't be loaded: {why}"))
            }
            NotJudged(why) => Diagnostic::new(Code::UnsupportedByVerifier, format!("not judged: {why}")),
        }
    }
}

impl Ready {
    pub(super) fn of(requirement: &Requirement, files: &Files) -> Self {
        match requirement {
            Requirement::Accept => Self::Accept,
            Requirement::Reject => Self::Reject,
            Requirement::SignedBaseLayer => Self::SignedBaseLayer,
            Requirement::SignedBy { key_type: KeyType::Unimplemented, identity, .. } => Self::SignedBy {
                signed_by: Err(Refused("the consumer never implemented this keyType".into())),
                identity: identity.clone(),
            },
            Requirement::SignedBy { keys, identity, .. } => Self::SignedBy {
                signed_by: load(keys, files).and_then(|blobs| openpgp_keys(&blobs)),
                identity: identity.clone(),
            },
            Requirement::Sigstore { signer, rekor, identity } => {
                let signer = trusted_signer(signer, files);
                let logs = rekor.as_ref().map(|rekor| logs(rekor, files)).transpose();
                let trusted = signer.and_then(|signer| Ok(Trusted { signer, logs: logs? }));
                Self::Sigstore { trusted, identity: identity.clone() }
            }
        }
    }
}

fn trusted_signer(signer: &SigstoreSigner, files: &Files) -> Result<TrustedSigner, KeyFault> {
    Ok(match signer {
        SigstoreSigner::Keys(material) => TrustedSigner::Keys(
            load(material, files)?.iter().map(|blob| public_key(blob)).collect::<Result<_, _>>()?,
        ),
        SigstoreSigner::Fulcio { ca, issuer, email } => TrustedSigner::Fulcio {
            authorities: authorities(ca, files)?,
            issuer: issuer.clone(),
            email: email.clone(),
        },
        SigstoreSigner::Pki { roots, intermediates, email, hostname } => TrustedSigner::Pki {
            authorities: authorities(roots, files)?,
            intermediates: match intermediates {
                Some(material) => certificates(&one(material, files)?)
                    .map_err(|why| Refused(format!("the intermediates: {why}")))?,
                None => Vec::new(),
            },
            email: email.clone(),
            hostname: hostname.clone(),
        },
    })
}

fn load<'a>(material: &'a Material, files: &'a Files) -> Result<Vec<Cow<'a, [u8]>>, KeyFault> {
    match material {
        Material::Data(blobs) => Ok(blobs.iter().map(|blob| Cow::Borrowed(blob.as_slice())).collect()),
        Material::Paths(paths) => paths.iter().map(|path| file(path, files)).collect(),
    }
}

fn file<'a>(path: &Path, files: &'a Files) -> Result<Cow<'a, [u8]>, KeyFault> {
    match files.get(path) {
        Some(Ok(bytes)) => Ok(Cow::Borrowed(bytes.as_slice())),
        Some(Err(why)) => Err(Refused(format!("{}: {why}", path.display()))),
        None => Err(NotJudged(format!("{} was not read", path.display()))),
    }
}

fn one<'a>(material: &'a Material, files: &'a Files) -> Result<Cow<'a, [u8]>, KeyFault> {
    load(material, files)?.pop().ok_or_else(|| Refused("no file is named".into()))
}

/// The first PEM block of a file, whatever follows (`cryptoutils.UnmarshalPEMToPublicKey`).
fn public_key(blob: &[u8]) -> Result<PublicKey, KeyFault> {
    let blocks = pem_blocks(blob);
    let block = blocks.first().ok_or_else(|| Refused("a key is not a PEM file".into()))?;
    let key = match block.tag() {
        "PUBLIC KEY" => PublicKey::from_spki(block.contents()),
        "RSA PUBLIC KEY" => PublicKey::from_pkcs1(block.contents()),
        other => return Err(Refused(format!("a key is of the PEM type {other:?}"))),
    };
    key.map_err(|e| match e {
        PublicKeyError::Form(_) => Refused(e.to_string()),
        // Curves and sizes that Go knows and keypack does not; keys that it takes and keypack does not.
        e => NotJudged(format!("a key of the policy can't be used here: {e}")),
    })
}

fn logs(material: &Material, files: &Files) -> Result<Vec<PublicKey>, KeyFault> {
    let read = |blob: &Cow<'_, [u8]>| match public_key(blob)? {
        key if matches!(key.algorithm(), Algorithm::EcdsaP256 | Algorithm::EcdsaP384) => Ok(key),
        key => Err(Refused(format!(
            "a Rekor key is {}, and the consumer takes ECDSA alone (keys of Rekor v2 are none of these)",
            key.algorithm()
        ))),
    };
    load(material, files)?.iter().map(read).collect()
}

/// Every certificate that can be read is trusted by itself (Go's `AppendCertsFromPEM`).
fn authorities(material: &Material, files: &Files) -> Result<Vec<Certificate>, KeyFault> {
    let blob = one(material, files)?;
    let blocks = pem_blocks(&blob);
    let found: Vec<_> = blocks
        .iter()
        .filter(|block| block.tag() == "CERTIFICATE" && block.headers().iter().next().is_none())
        .filter_map(|block| Certificate::from_der(block.contents()).ok())
        .collect();
    if found.is_empty() { Err(Refused("no CA certificate can be read".into())) } else { Ok(found) }
}

fn openpgp_keys(blobs: &[Cow<'_, [u8]>]) -> Result<SignedBy, KeyFault> {
    let mut keys = Vec::new();
    for blob in blobs {
        // What holds no key is skipped, as it is by the import there.
        let Ok(parsed) = parse_key_file(blob) else { continue };
        keys.extend(parsed.material.into_iter().filter_map(|material| match material {
            Key::OpenPgp(key) => Some(key),
            _ => None,
        }));
    }
    if keys.is_empty() { Err(Refused("no GPG key can be imported".into())) } else { Ok(SignedBy { keys }) }
}
