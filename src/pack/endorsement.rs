//! The organisation's signatures: of the inventory, as files in the pack, and of the manifest, alongside it.

use std::{collections::BTreeSet, num::NonZeroUsize};

use base64::{Engine, prelude::BASE64_STANDARD};
use sigstore_types::{HashAlgorithm, SignatureContent};

use super::{Draft, Evidence, PackError, UnverifiedPack, files::is_signature};
use crate::{
    key::PublicKey,
    limits,
    oci::Digest,
    signature::{SignatureError, Signer, UntrustedBundle, UntrustedSignature},
    tree::SafeName,
    trust::{endorses_bytes, endorses_manifest, signed_bytes},
};

/// A parsed signature file. None of it is trusted.
enum SignatureFile {
    /// A Sigstore bundle (`cosign sign-blob --bundle`).
    Bundle(UntrustedSignature),
    /// A bare signature (`openssl dgst -sha256 -sign`, `openssl pkeyutl -sign -rawin`), or its base64 form (cosign's
    /// `--output-signature`).
    Raw(Vec<u8>),
}

impl SignatureFile {
    fn parse(name: &str, bytes: &[u8]) -> Result<Self, SignatureError> {
        let malformed = |reason: &str| Err(SignatureError::malformed("the signature", reason));
        if bytes.len() as u64 > limits::SIGNATURE_FILE {
            return malformed("it is larger than 64 KiB");
        }
        if name.ends_with(".sigstore.json") {
            let bundle = UntrustedBundle::parse(bytes)?;
            return Ok(Self::Bundle(UntrustedSignature::Bundle(Box::new(bundle))));
        }
        let text = std::str::from_utf8(bytes).ok().map(str::trim);
        let decoded = text.and_then(|text| BASE64_STANDARD.decode(text).ok());
        let raw = decoded.unwrap_or_else(|| bytes.to_vec());
        // Ed25519 has 64 bytes, ECDSA a SEQUENCE of up to 141 (P-521), RSA the length of the modulus: up to 1024.
        let plausible = raw.len() == 64 || raw.first() == Some(&0x30) || (256..=1024).contains(&raw.len());
        if plausible && raw.len() <= 1024 {
            Ok(Self::Raw(raw))
        } else {
            malformed("it is not a bare signature")
        }
    }

    fn is_by(&self, key: &PublicKey, inventory: &[u8]) -> bool {
        match self {
            Self::Bundle(bundle) => endorses_bytes(bundle, inventory, key).is_ok(),
            Self::Raw(raw) => signed_bytes(raw, inventory, key),
        }
    }
}

/// The signatures made by the given keys.
pub(super) struct Endorsed {
    pub(super) evidence: Vec<Evidence>,
    /// The signature files that verified.
    pub(super) files: Vec<SafeName>,
}

/// Finds which of these keys signed the pack. If there are none, or fewer than the threshold, the error lists what was
/// found instead. The number of keys that signed counts, not the number of signatures.
pub(super) fn check(
    pack: &UnverifiedPack,
    keys: &[PublicKey],
    threshold: NonZeroUsize,
    beside: &[UntrustedSignature],
) -> Result<Endorsed, PackError> {
    let (mut evidence, mut files) = (Vec::new(), Vec::new());
    let mut refused = Vec::new();
    for file in pack.files().iter().filter(|f| is_signature(f.name.as_str())) {
        let signature = match SignatureFile::parse(file.name.as_str(), &file.bytes) {
            Ok(signature) => signature,
            Err(e) => {
                refused.push(format!("{}: {e}", file.name));
                continue;
            }
        };
        let before = evidence.len();
        for key in keys {
            if signature.is_by(key, pack.inventory_bytes()) {
                evidence.push(Evidence::InventorySignature(key.fingerprint()));
            }
        }
        if evidence.len() > before {
            files.push(file.name.clone());
        } else {
            let keyless = matches!(&signature, SignatureFile::Bundle(bundle) if is_keyless(bundle));
            refused.push(match covers(&signature, pack.digest(), pack.inventory_bytes()) {
                Coverage::Other => format!("{} is about another inventory", file.name),
                _ if keyless => {
                    format!("{} was made with a certificate (keyless), not with a key", file.name)
                }
                Coverage::Unsaid => {
                    format!("{} was made by another key, or for another inventory", file.name)
                }
                _ => format!("{} was made by another key", file.name),
            });
        }
    }
    for signature in beside {
        if size(signature) > limits::SIGNATURE_FILE {
            refused.push("a signature of the manifest is larger than 64 KiB".into());
            continue;
        }
        let before = evidence.len();
        for key in keys {
            if endorses_manifest(signature, &pack.manifest_digest(), key).is_ok() {
                evidence.push(Evidence::ManifestSignature(key.fingerprint()));
            }
        }
        if evidence.len() == before {
            let maker = if is_keyless(signature) { "with a certificate (keyless)" } else { "by another key" };
            refused
                .push(format!("the signature of the manifest was made {maker}, or is about something else"));
        }
    }
    evidence.sort_unstable();
    evidence.dedup();
    let signers: BTreeSet<_> = evidence.iter().filter_map(|e: &Evidence| e.signer()).collect();
    match (evidence.is_empty(), refused.is_empty()) {
        (false, _) if signers.len() < threshold.get() => {
            Err(PackError::Threshold { signers: signers.into_iter().collect(), threshold: threshold.get() })
        }
        (false, _) => Ok(Endorsed { evidence, files }),
        (true, true) => Err(PackError::Unsigned),
        (true, false) => {
            refused.dedup();
            Err(PackError::Signature(refused.into_iter().take(5).collect::<Vec<_>>().join("; ")))
        }
    }
}

/// The size of the signed content. Each of the given keys is tried on it.
fn size(signature: &UntrustedSignature) -> u64 {
    let size = match signature {
        UntrustedSignature::Simple(simple) => simple.payload.len(),
        UntrustedSignature::Bundle(bundle) => match &bundle.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => envelope.payload.as_bytes().len(),
            _ => 0,
        },
        UntrustedSignature::Gpg(_) => 0,
    };
    size as u64
}

/// Whether it includes a certificate: it was then made by an identity, not by any given key.
fn is_keyless(signature: &UntrustedSignature) -> bool {
    signature.needs().is_ok_and(|needs| matches!(needs.signer, Signer::Certificate(_)))
}

/// Whether a signature file claims to cover an inventory, regardless of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// It contains this inventory's digest.
    This,
    /// It contains another digest, or is not a signature of a file.
    Other,
    /// It can't be read, for this reason.
    Unreadable(String),
    /// Unknown: a bare signature, or one by an Ed25519 key, does not contain a digest. Only its key can tell.
    Unsaid,
}

impl Coverage {
    /// The name in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Other => "other",
            Self::Unreadable(_) => "unreadable",
            Self::Unsaid => "unsaid",
        }
    }

    /// A description for display.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::This => "a signature of this inventory",
            Self::Other => "a signature of something else",
            Self::Unreadable(_) => "not a signature that can be read",
            Self::Unsaid => "a signature that does not say of what",
        }
    }

    /// Whether it may stay in the pack: the next recipient may have its key.
    const fn may_stay(&self) -> bool {
        matches!(self, Self::This | Self::Unsaid)
    }
}

fn covers(signature: &SignatureFile, digest: Digest, inventory: &[u8]) -> Coverage {
    let SignatureFile::Bundle(UntrustedSignature::Bundle(bundle)) = signature else {
        return Coverage::Unsaid;
    };
    let SignatureContent::MessageSignature(message) = &bundle.bundle.content else { return Coverage::Other };
    let Some(claimed) = &message.message_digest else { return Coverage::Unsaid };
    let actual = match claimed.algorithm {
        HashAlgorithm::Sha2256 => digest.as_bytes().to_vec(),
        HashAlgorithm::Sha2384 => sigstore_crypto::sha384(inventory).as_bytes().to_vec(),
        HashAlgorithm::Sha2512 => sigstore_crypto::sha512(inventory).as_bytes().to_vec(),
        _ => return Coverage::Other,
    };
    if claimed.digest.as_bytes() == actual { Coverage::This } else { Coverage::Other }
}

impl Draft {
    /// The signature files, each with its claimed coverage. None of them is thereby verified.
    pub fn coverage(&self) -> Vec<(SafeName, Coverage)> {
        self.signature_files()
            .map(|(name, bytes)| {
                let covers = match SignatureFile::parse(name.as_str(), bytes) {
                    Ok(signature) => covers(&signature, self.digest(), self.inventory_bytes()),
                    Err(e) => Coverage::Unreadable(e.to_string()),
                };
                (name.clone(), covers)
            })
            .collect()
    }

    /// A copy without the signature files that do not cover this inventory, and their names.
    pub fn without_stale_signatures(self) -> (Self, Vec<SafeName>) {
        let stale: Vec<_> = self
            .coverage()
            .into_iter()
            .filter(|(_, covers)| !covers.may_stay())
            .map(|(name, _)| name)
            .collect();
        (self.without_signatures(&|name| stale.contains(name)), stale)
    }

    /// Refuses a signature file that does not cover this inventory: it would look like an endorsement that was never
    /// given.
    pub fn refuse_stale_signatures(&self) -> Result<(), PackError> {
        for (name, covers) in self.coverage() {
            match covers {
                Coverage::This | Coverage::Unsaid => {}
                Coverage::Other => return Err(PackError::SignatureStale(name.to_string())),
                Coverage::Unreadable(reason) => {
                    return Err(PackError::SignatureFile { name: name.to_string(), reason });
                }
            }
        }
        Ok(())
    }
}
