//! Signatures of the organisation: of the inventory, as files in the pack, and of the manifest, beside it.

use sigstore_types::{HashAlgorithm, SignatureContent};

use super::{Draft, Met, PackError, UntrustedPack, files::is_signature};
use crate::{
    key::PublicKey,
    oci::Digest,
    signature::{SignerHint, UntrustedBundle, UntrustedSignature},
    tree::SafeName,
    trust::{endorses_bytes, endorses_manifest},
};

/// Finds which of these keys signed the pack; none is a refusal that tells what was found instead.
pub(super) fn check(
    pack: &UntrustedPack,
    keys: &[PublicKey],
    beside: &[UntrustedSignature],
) -> Result<Vec<Met>, PackError> {
    let mut met = Vec::new();
    let mut refused = Vec::new();
    for file in pack.files().iter().filter(|f| is_signature(f.name.as_str())) {
        let parsed = UntrustedBundle::parse(&file.bytes).map(|b| UntrustedSignature::Bundle(Box::new(b)));
        let signature = match parsed {
            Ok(signature) => signature,
            Err(e) => {
                refused.push(format!("{}: {e}", file.name));
                continue;
            }
        };
        let before = met.len();
        let keyless = is_keyless(&signature);
        for key in keys {
            if endorses_bytes(&signature, pack.inventory_bytes(), key).is_ok() {
                met.push(Met::InventorySignature(key.fingerprint()));
            }
        }
        if met.len() == before {
            refused.push(match coverage(&file.bytes, pack.digest(), pack.inventory_bytes()) {
                Coverage::Other => format!("{} is about another inventory", file.name),
                _ if keyless => {
                    format!("{} was made with a certificate (keyless), not with a key", file.name)
                }
                _ => format!("{} was made by another key", file.name),
            });
        }
    }
    for signature in beside {
        let before = met.len();
        for key in keys {
            if endorses_manifest(signature, &pack.manifest_digest(), key).is_ok() {
                met.push(Met::ManifestSignature(key.fingerprint()));
            }
        }
        if met.len() == before {
            let maker = if is_keyless(signature) { "with a certificate (keyless)" } else { "by another key" };
            refused
                .push(format!("the signature of the manifest was made {maker}, or is about something else"));
        }
    }
    met.sort_unstable();
    met.dedup();
    match (met.is_empty(), refused.is_empty()) {
        (false, _) => Ok(met),
        (true, true) => Err(PackError::Unsigned),
        (true, false) => {
            refused.dedup();
            Err(PackError::Signature(refused.into_iter().take(5).collect::<Vec<_>>().join("; ")))
        }
    }
}

/// Whether a certificate came with it: an identity made it, and no given key can have.
fn is_keyless(signature: &UntrustedSignature) -> bool {
    signature.hints().is_ok_and(|hints| matches!(hints.signer, SignerHint::Certificate(_)))
}

/// Whether a signature file is about an inventory, as far as it says; which key made it is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// It names this inventory's digest.
    This,
    /// It names another digest, or is no signature of a file.
    Other,
    /// It is no bundle, for this reason: what cosign 2 writes without `--new-bundle-format`, for one.
    Unreadable(String),
    /// It does not say: an Ed25519 signature has no digest beside it. Only its key can tell.
    Unsaid,
}

fn coverage(signature: &[u8], digest: Digest, inventory: &[u8]) -> Coverage {
    let parsed = match UntrustedBundle::parse(signature) {
        Ok(parsed) => parsed,
        Err(e) => return Coverage::Unreadable(e.to_string()),
    };
    let SignatureContent::MessageSignature(message) = &parsed.bundle.content else { return Coverage::Other };
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
    /// The signature files, each with what it says it is about.
    pub fn coverage(&self) -> Vec<(SafeName, Coverage)> {
        self.to_files()
            .into_iter()
            .filter(|file| is_signature(file.name.as_str()))
            .map(|file| {
                let covers = coverage(&file.bytes, self.digest(), self.inventory_bytes());
                (file.name, covers)
            })
            .collect()
    }

    /// The same pack without the signature files that are not about this inventory, and their names.
    pub fn without_stale_signatures(self) -> (Self, Vec<SafeName>) {
        let stale: Vec<_> = self
            .coverage()
            .into_iter()
            .filter(|(_, c)| matches!(c, Coverage::Other | Coverage::Unreadable(_)))
            .map(|(name, _)| name)
            .collect();
        (self.without_signatures(&|name| stale.contains(name)), stale)
    }

    /// Refuses a signature file that is not about this inventory: it would travel as a promise that nobody made.
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
