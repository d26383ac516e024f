use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sigstore_types::{
    Bundle, DerCertificate, KindVersion,
    bundle::{TransparencyLogEntry, VerificationMaterial, VerificationMaterialContent},
};

use super::{IssuerName, Need, SignatureError, cosign::LINKS, rekor, timestamp};
use crate::{
    key::{Certificate, ChainError, PublicKey, PublicKeyError},
    limits,
    oci::Digest,
};

const CERTIFICATE: &str = "the signing certificate";

/// The keys that verify a signature, for each piece of evidence, as the signature names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The log of each log entry, in order.
    pub logs: Vec<Need>,
    /// The authority of each timestamp, in order.
    pub timestamps: Vec<Need>,
    /// Who signed.
    pub signer: Signer,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// A key of the signer's own: [`Need::Signer`] or [`Need::Gpg`].
    Key {
        /// The key.
        need: Need,
        /// The key itself, as contained in the log entry: a claim.
        claim: Option<PublicKey>,
    },
    /// A certificate.
    Certificate(Box<CertificateNeeds>),
}

/// The contents of a signing certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateNeeds {
    /// Its issuer: [`Need::Fulcio`], or [`Need::Pki`] if there is no evidence of the time of use: no log, no timestamp
    /// authority and no CT log. Certificates of a private CA sign that way (BYOPKI).
    pub authority: Need,
    /// The CT logs whose timestamps are embedded.
    pub ct_logs: Vec<Need>,
    /// The certificates above this one, as supplied with the signature. They may be on the path; none is trusted.
    pub brought: Vec<Certificate>,
    /// The subject alternative name.
    pub identity: Option<String>,
    /// The OIDC issuer.
    pub oidc_issuer: Option<String>,
}

impl Needs {
    /// The needs of a bundle. `chain` has the certificates stored separately if the bundle was converted from another
    /// format.
    pub(super) fn of(bundle: &Bundle, chain: &[Certificate]) -> Result<Self, SignatureError> {
        let material = &bundle.verification_material;
        let logs = material.tlog_entries.iter().map(log).collect::<Result<Vec<_>, _>>()?;
        let timestamps = material
            .timestamp_verification_data
            .rfc3161_timestamps
            .iter()
            .map(|t| timestamp::signer(t.signed_timestamp.as_bytes()))
            .collect::<Result<Vec<_>, _>>()?;
        let dated = !logs.is_empty() || !timestamps.is_empty();
        let signer = match (&material.content, bundle.signing_certificate()) {
            (VerificationMaterialContent::PublicKey(key), _) => key_signer(material, &key.hint),
            (content, Some(der)) => {
                let brought = chain.iter().cloned().chain(brought(content)).collect();
                Signer::Certificate(Box::new(certificate(der.as_bytes(), brought, dated)?))
            }
            (_, None) => {
                return Err(SignatureError::malformed(
                    "the sigstore bundle",
                    "it names neither a key nor a certificate",
                ));
            }
        };
        Ok(Self { logs, timestamps, signer })
    }

    /// The needs of a GPG signature.
    pub(super) const fn of_gpg(fingerprint: Option<String>, key_id: String) -> Self {
        let signer = Signer::Key { need: Need::Gpg { fingerprint, key_id }, claim: None };
        Self { logs: Vec::new(), timestamps: Vec::new(), signer }
    }

    /// All needs in role order, without duplicates.
    pub fn all(&self) -> Vec<Need> {
        let mut needs = [self.logs.as_slice(), &self.timestamps].concat();
        match &self.signer {
            Signer::Key { need, .. } => needs.push(need.clone()),
            Signer::Certificate(certificate) => {
                needs.extend(certificate.ct_logs.iter().chain([&certificate.authority]).cloned());
            }
        }
        needs.sort();
        needs.dedup();
        needs
    }
}

fn key_signer(material: &VerificationMaterial, hint: &str) -> Signer {
    let claim = material.tlog_entries.iter().find_map(rekor::claimed_key);
    // cosign and sigstore-go write base64(sha256(SPKI)); the specification does not define the hint.
    let hint = BASE64.decode(hint).ok().and_then(|b| <[u8; 32]>::try_from(b).ok()).map(Digest::from_bytes);
    let fingerprint = hint.or_else(|| claim.as_ref().map(PublicKey::fingerprint));
    Signer::Key { need: Need::Signer { fingerprint }, claim }
}

/// The certificates above the signing one that a bundle of version 0.1 or 0.2 may contain.
fn brought(content: &VerificationMaterialContent) -> Vec<Certificate> {
    let VerificationMaterialContent::X509CertificateChain { certificates } = content else {
        return Vec::new();
    };
    let above = certificates.iter().skip(1).take(LINKS);
    above.filter_map(|c| Certificate::from_der(c.raw_bytes.as_bytes()).ok()).collect()
}

fn log(entry: &TransparencyLogEntry) -> Result<Need, SignatureError> {
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
        return Ok(Need::Rekor2 { origin, key_id: id });
    }
    Ok(Need::Rekor { log_id: id })
}

fn certificate(
    der: &[u8],
    brought: Vec<Certificate>,
    dated: bool,
) -> Result<CertificateNeeds, SignatureError> {
    let wrong = |e: &dyn std::fmt::Display| SignatureError::malformed(CERTIFICATE, e);
    if der.len() > limits::EVIDENCE {
        return Err(wrong(&format!("it has more than {} bytes", limits::EVIDENCE)));
    }
    let certificate = Certificate::from_der(der).map_err(|e| wrong(&e))?;
    // The verifying crate would accept a key with which anyone can sign.
    if let Err(ChainError::Key { source: PublicKeyError::Weak(reason), .. }) = certificate.public_key() {
        return Err(SignatureError::WeakKey { what: CERTIFICATE, reason });
    }
    let info = match sigstore_crypto::parse_certificate_info(&DerCertificate::new(der.to_vec())) {
        Ok(info) => Some(info),
        // The verifying crate does not support this kind of key, but the needs can still be determined.
        Err(sigstore_crypto::Error::UnsupportedAlgorithm(_) | sigstore_crypto::Error::InvalidKey(_)) => None,
        Err(e) => return Err(wrong(&e)),
    };
    let mut ct_logs: Vec<_> =
        certificate.ct_logs().map_err(|e| wrong(&e))?.into_iter().map(Digest::from_bytes).collect();
    ct_logs.sort_unstable();
    ct_logs.dedup();
    let issuer = IssuerName::of(&certificate);
    let authority = if dated || !ct_logs.is_empty() {
        Need::Fulcio(issuer)
    } else {
        Need::Pki([issuer].into_iter().chain(brought.iter().map(IssuerName::of)).collect())
    };
    Ok(CertificateNeeds {
        authority,
        ct_logs: ct_logs.into_iter().map(|log_id| Need::CtLog { log_id }).collect(),
        brought,
        identity: info.as_ref().and_then(|info| info.identity.as_ref()).map(ToString::to_string),
        oidc_issuer: info.and_then(|info| info.issuer),
    })
}
