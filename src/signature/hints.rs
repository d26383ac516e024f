use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sigstore_types::{
    Bundle, DerCertificate, KindVersion,
    bundle::{TransparencyLogEntry, VerificationMaterialContent},
};

use super::{SignatureError, cosign::LINKS, rekor, timestamp};
use crate::{
    key::{Certificate, PublicKey},
    limits,
    oci::Digest,
};

/// What a signature says about the keys that verify it. Written by whoever made the signature: it selects among
/// candidates and is never believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hints {
    /// The logs that hold it.
    pub logs: Vec<LogHint>,
    /// Who signed.
    pub signer: SignerHint,
    /// The timestamp authorities that saw it.
    pub timestamps: Vec<TimestampHint>,
}

/// Which transparency log holds an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogHint {
    /// Rekor v1, by its log id: sha256 of its key.
    V1 {
        /// The log id.
        log_id: Digest,
        /// The host in the checkpoint, where the entry carries one; a name for people.
        host: Option<String>,
    },
    /// Rekor v2, by the origin of its checkpoint and the key's note id.
    V2 {
        /// The first line of the checkpoint.
        origin: String,
        /// The key id that the entry names.
        key_id: Digest,
    },
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerHint {
    /// A key of the signer's own.
    Key {
        /// sha256 of the key, from cosign's hint or from the log entry.
        fingerprint: Option<Digest>,
        /// The key itself, as the log entry reveals it: a claim.
        claim: Option<PublicKey>,
    },
    /// A certificate.
    Certificate(Box<CertificateHint>),
    /// A GPG key.
    OpenPgp {
        /// Its fingerprint, where the signature says it: in capitals.
        fingerprint: Option<String>,
        /// Its key id; empty where the signature says none.
        key_id: String,
    },
}

/// What a signing certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateHint {
    /// Authority key identifier: the issuing CA's key.
    pub authority_key_id: Option<Vec<u8>>,
    /// The issuer's name.
    pub issuer: String,
    /// The CT logs whose timestamps are embedded.
    pub ct_logs: Vec<Digest>,
    /// The certificates that the signature brings for those above this one. They may be on a path; none is trusted.
    pub brought: Vec<Certificate>,
    /// The subject alternative name.
    pub identity: Option<String>,
    /// The OIDC issuer.
    pub oidc_issuer: Option<String>,
}

/// Which timestamp authority signed a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimestampHint {
    /// The issuer's name in the authority's certificate.
    pub issuer: String,
    /// The certificate's serial number, hex.
    pub serial: String,
}

impl CertificateHint {
    /// Whether its own words say that nothing but the clock tells when it was used: no log, no timestamp authority and no
    /// CT log saw it. That is how a private CA's certificates sign (BYOPKI).
    pub(crate) fn is_private(&self, logs: &[LogHint], timestamps: &[TimestampHint]) -> bool {
        logs.is_empty() && timestamps.is_empty() && self.ct_logs.is_empty()
    }

    /// The issuers of this certificate and of those that the signature brings, each by its key identifier and its name.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = (Option<Vec<u8>>, String)> {
        let own = (self.authority_key_id.clone(), self.issuer.clone());
        [own].into_iter().chain(self.brought.iter().map(|c| (c.authority_key_id(), c.issuer())))
    }
}

impl Hints {
    /// What a bundle says. `chain` is what is beside it where the bundle was made from another form.
    pub(super) fn of(bundle: &Bundle, chain: &[Certificate]) -> Result<Self, SignatureError> {
        let material = &bundle.verification_material;
        let logs = material.tlog_entries.iter().map(log).collect::<Result<Vec<_>, _>>()?;
        let timestamps = material
            .timestamp_verification_data
            .rfc3161_timestamps
            .iter()
            .map(|t| timestamp::signer(t.signed_timestamp.as_bytes()))
            .collect::<Result<Vec<_>, _>>()?;
        let signer = match &material.content {
            VerificationMaterialContent::PublicKey(key) => {
                let claim = material.tlog_entries.iter().find_map(rekor::claimed_key);
                // cosign and sigstore-go write base64(sha256(SPKI)); the specification leaves the hint open.
                let hint = BASE64.decode(&key.hint).ok().and_then(|b| <[u8; 32]>::try_from(b).ok());
                SignerHint::Key {
                    fingerprint: hint
                        .map(Digest::from_bytes)
                        .or_else(|| claim.as_ref().map(PublicKey::fingerprint)),
                    claim,
                }
            }
            _ => match bundle.signing_certificate() {
                Some(der) => {
                    let mut hint = certificate(der.as_bytes())?;
                    hint.brought.extend_from_slice(chain);
                    if let VerificationMaterialContent::X509CertificateChain { certificates } =
                        &material.content
                    {
                        let above = certificates.iter().skip(1).take(LINKS);
                        let read = above.filter_map(|c| Certificate::from_der(c.raw_bytes.as_bytes()).ok());
                        hint.brought.extend(read);
                    }
                    SignerHint::Certificate(Box::new(hint))
                }
                None => {
                    return Err(SignatureError::malformed(
                        "the sigstore bundle",
                        "it names neither a key nor a certificate",
                    ));
                }
            },
        };
        Ok(Self { logs, signer, timestamps })
    }
}

fn log(entry: &TransparencyLogEntry) -> Result<LogHint, SignatureError> {
    const ENTRY: &str = "the log entry";
    let id = <[u8; 32]>::try_from(entry.log_id.key_id.as_bytes())
        .map(Digest::from_bytes)
        .map_err(|_| SignatureError::malformed(ENTRY, "its log id does not have 32 bytes"))?;
    let origin = entry
        .inclusion_proof
        .as_ref()
        .and_then(|proof| proof.checkpoint.checkpoint())
        .map(|checkpoint| checkpoint.origin().to_owned());
    if origin.as_ref().is_some_and(|origin| origin.len() > limits::SIGNED_NAME) {
        return Err(SignatureError::malformed(ENTRY, "its checkpoint's origin is too long"));
    }
    if entry.kind_version == KindVersion::HashedRekordV002 {
        let origin = origin
            .ok_or_else(|| SignatureError::malformed(ENTRY, "it is of Rekor v2 and has no checkpoint"))?;
        return Ok(LogHint::V2 { origin, key_id: id });
    }
    // Rekor v1 writes `host - treeID` (rekor `pkg/util/checkpoint.go`).
    let host = origin.map(|o| o.rsplit_once(" - ").map_or(o.clone(), |(host, _)| host.to_owned()));
    Ok(LogHint::V1 { log_id: id, host })
}

fn certificate(der: &[u8]) -> Result<CertificateHint, SignatureError> {
    let wrong = |e: &dyn std::fmt::Display| SignatureError::malformed("the signing certificate", e);
    if der.len() > limits::EVIDENCE {
        return Err(wrong(&format!("it has more than {} bytes", limits::EVIDENCE)));
    }
    let certificate = Certificate::from_der(der).map_err(|e| wrong(&e))?;
    let info = match sigstore_crypto::parse_certificate_info(&DerCertificate::new(der.to_vec())) {
        Ok(info) => Some(info),
        // Its key is of a kind that the verifying crate does not know: what it needs can be told all the same.
        Err(sigstore_crypto::Error::UnsupportedAlgorithm(_) | sigstore_crypto::Error::InvalidKey(_)) => None,
        Err(e) => return Err(wrong(&e)),
    };
    let mut ct_logs: Vec<_> =
        certificate.ct_logs().map_err(|e| wrong(&e))?.into_iter().map(Digest::from_bytes).collect();
    ct_logs.sort_unstable();
    ct_logs.dedup();
    Ok(CertificateHint {
        authority_key_id: certificate.authority_key_id(),
        issuer: certificate.issuer(),
        ct_logs,
        brought: Vec::new(),
        identity: info.as_ref().and_then(|info| info.identity.as_ref()).map(ToString::to_string),
        oidc_issuer: info.and_then(|info| info.issuer),
    })
}
