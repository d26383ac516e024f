//! Signing certificates under a policy: `signature/fulcio_cert.go` and `signature/pki_cert.go` of containers/image.

use jiff::Timestamp;
use x509_cert::der::{Decode, asn1::Utf8StringRef, oid::ObjectIdentifier};

use super::{Objection, hostname};
use crate::{
    key::{Certificate, NameKind, PublicKey},
    trust::{
        Refusal,
        path::{self, Usage},
    },
};

/// The OIDC issuer, as raw text and as DER (fulcio `docs/oid-info.md`).
const ISSUER_V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");

/// Certificates that are read of an annotation or a file.
const CERTIFICATES: usize = 64;

/// A Fulcio CA, and whom it must have certified.
pub(super) struct Fulcio<'a> {
    pub(super) authorities: &'a [Certificate],
    pub(super) issuer: &'a str,
    pub(super) email: &'a str,
}

/// A private CA, and whom it must have certified.
pub(super) struct Pki<'a> {
    pub(super) authorities: &'a [Certificate],
    pub(super) intermediates: &'a [Certificate],
    pub(super) email: Option<&'a str>,
    pub(super) hostname: Option<&'a str>,
}

impl Fulcio<'_> {
    pub(super) fn verify(&self, leaf: &str, chain: &str, time: Timestamp) -> Result<PublicKey, Objection> {
        let brought = brought(chain)?;
        let leaf = one(leaf)?;
        lead(&leaf, &brought, self.authorities, time)?;
        let issuer = issuer(&leaf).map_err(Objection::Certificate)?;
        if issuer != self.issuer {
            return Err(Objection::Subject(format!(
                "its certificate names the issuer {issuer:?}, and the policy asks for {:?}",
                self.issuer
            )));
        }
        has_email(&leaf, self.email)?;
        key(&leaf)
    }
}

impl Pki<'_> {
    pub(super) fn verify(&self, leaf: &str, chain: &str, now: Timestamp) -> Result<PublicKey, Objection> {
        let mut between = self.intermediates.to_vec();
        between.extend(brought(chain)?);
        let leaf = one(leaf)?;
        lead(&leaf, &between, self.authorities, now)?;
        if let Some(email) = self.email {
            has_email(&leaf, email)?;
        }
        if let Some(wanted) = self.hostname
            && !hostname::fits(&leaf, wanted)
        {
            let names = names(&leaf);
            return Err(Objection::Subject(format!(
                "its certificate is for {names}, and the policy asks for the host {wanted:?}"
            )));
        }
        key(&leaf)
    }
}

/// Whether a path leads from the certificate to one that is trusted.
fn lead(
    leaf: &Certificate,
    between: &[Certificate],
    authorities: &[Certificate],
    time: Timestamp,
) -> Result<(), Objection> {
    let mut objection = Objection::Certificate("the policy names no CA that can be read".into());
    for authority in authorities {
        let issuers = std::slice::from_ref(authority);
        match path::verify(leaf.der(), between, issuers, Usage::CodeSigning, time) {
            Ok(()) => return Ok(()),
            Err(Refusal::Unsupported(why)) => objection = Objection::NotJudged(why),
            Err(_) if matches!(objection, Objection::NotJudged(_)) => {}
            Err(refusal) => objection = Objection::Certificate(refusal.to_string()),
        }
    }
    Err(objection)
}

fn has_email(leaf: &Certificate, email: &str) -> Result<(), Objection> {
    let has = leaf.subject_names().iter().any(|name| name.kind == NameKind::Email && name.name == email);
    if has {
        return Ok(());
    }
    Err(Objection::Subject(format!(
        "its certificate is for {}, and the policy asks for the e-mail address {email:?}",
        names(leaf)
    )))
}

fn names(leaf: &Certificate) -> String {
    let names: Vec<_> =
        leaf.subject_names().iter().map(|name| format!("{} {}", name.kind.as_str(), name.name)).collect();
    if names.is_empty() { "no one by name".into() } else { names.join(", ") }
}

fn key(leaf: &Certificate) -> Result<PublicKey, Objection> {
    leaf.public_key().map_err(|e| Objection::NotJudged(format!("the key in its certificate: {e}")))
}

/// The issuer in the certificate; where both extensions are there they must agree.
fn issuer(leaf: &Certificate) -> Result<String, String> {
    let certificate = x509_cert::Certificate::from_der(leaf.der()).map_err(|e| e.to_string())?;
    let extensions = certificate.tbs_certificate.extensions.unwrap_or_default();
    let value = |id| extensions.iter().find(|e| e.extn_id == id).map(|e| e.extn_value.as_bytes());
    let first = value(ISSUER_V1).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let second = value(ISSUER_V2)
        .map(|der| {
            Utf8StringRef::from_der(der)
                .map(|text| text.as_str().to_owned())
                .map_err(|e| format!("the issuer in its certificate can't be read: {e}"))
        })
        .transpose()?;
    match (first, second) {
        (Some(first), Some(second)) if first != second => {
            Err(format!("its certificate names two issuers, {first:?} and {second:?}"))
        }
        (Some(issuer), _) | (None, Some(issuer)) => Ok(issuer),
        (None, None) => Err("its certificate names no OIDC issuer".into()),
    }
}

/// The certificates of the chain annotation but the last, which is its root (`cryptoutils.UnmarshalCertificatesFromPEM`).
fn brought(chain: &str) -> Result<Vec<Certificate>, Objection> {
    if chain.is_empty() {
        return Ok(Vec::new());
    }
    let mut certificates = certificates(chain.as_bytes())
        .map_err(|e| Objection::Certificate(format!("the chain next to it can't be read: {e}")))?;
    certificates.pop();
    Ok(certificates)
}

fn one(pem: &str) -> Result<Certificate, Objection> {
    let mut found = certificates(pem.as_bytes())
        .map_err(|e| Objection::Certificate(format!("the certificate next to it can't be read: {e}")))?;
    match (found.pop(), found.is_empty()) {
        (Some(leaf), true) => Ok(leaf),
        (Some(_), false) => {
            Err(Objection::Certificate("several certificates are next to it, but only one is allowed".into()))
        }
        (None, _) => Err(Objection::Certificate("the certificate next to it is not PEM".into())),
    }
}

/// Every PEM block as a certificate, whatever its type. Something behind the last one is a fault, as it is for
/// `cryptoutils.UnmarshalCertificatesFromPEM`.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<Certificate>, String> {
    let (blocks, behind) = split(text);
    if !behind.trim_ascii().is_empty() {
        return Err("it holds something that is not PEM".into());
    }
    if blocks.len() > CERTIFICATES {
        return Err(format!("it has more than {CERTIFICATES} certificates"));
    }
    blocks.iter().map(|block| Certificate::from_der(block.contents()).map_err(|e| e.to_string())).collect()
}

/// The PEM blocks as Go's `pem.Decode` finds them: each begins a line; what is around them, and what can't be read, is skipped.
pub(crate) fn pem_blocks(text: &[u8]) -> Vec<pem::Pem> {
    split(text).0
}

/// The blocks, and what is behind the last of them.
fn split(text: &[u8]) -> (Vec<pem::Pem>, &[u8]) {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut found = Vec::new();
    let (mut rest, mut behind) = (text, text);
    let mut at_start = true;
    while let Some(at) = rest.windows(BEGIN.len()).position(|window| window == BEGIN) {
        let begins = if at == 0 { at_start } else { rest[at - 1] == b'\n' };
        let block = &rest[at..];
        let end = block.windows(9).position(|window| window == b"-----END ").map(|end| {
            let line = block[end..].iter().position(|b| *b == b'\n');
            line.map_or(block.len(), |line| end + line + 1)
        });
        let parsed = end.filter(|_| begins).and_then(|end| Some((pem::parse(&block[..end]).ok()?, end)));
        let skip = match parsed {
            Some((block, end)) => {
                found.push(block);
                end
            }
            None => BEGIN.len(),
        };
        at_start = block[..skip].ends_with(b"\n");
        rest = &block[skip..];
        if skip != BEGIN.len() {
            behind = rest;
        }
    }
    (found, behind)
}

/// The content of a text that is one PEM block with nothing behind it.
pub(super) fn pem_block(text: &[u8]) -> Option<Vec<u8>> {
    let (blocks, behind) = split(text);
    let [block] = blocks.as_slice() else { return None };
    behind.is_empty().then(|| block.contents().to_vec())
}
