//! Whether a key made a signature, and whether it was allowed to. Where GnuPG and containers/image refuse a key (one
//! that is revoked, or has expired since it signed: `mechanism_gpgme.go` requires a status without errors), keypack
//! does too: a key that no consumer accepts is not worth shipping.

use jiff::{SignedDuration, Timestamp};
use pgp::{crypto::hash::HashAlgorithm, packet::SignatureVersion};
use thiserror::Error;

use super::{OpenPgpKey, OpenPgpMessage, SigningKey, after, statement::is_strong, time};

/// The maximum clock skew between signer and verifier.
const CLOCKS: SignedDuration = SignedDuration::from_hours(24);

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenPgpFault {
    /// The key did not make the signature.
    #[error("the GPG key {0} did not make it")]
    NotMade(String),
    /// It relies on a hash that can be forged.
    #[error("it relies on {0}, for which anyone can make two texts with one signature")]
    Hash(String),
    /// The key was revoked by its owner.
    #[error("{0}")]
    Revoked(String),
    /// The key must not be used.
    #[error("{0}")]
    Lapsed(String),
    /// The signature is dated in the future.
    #[error("the signature is dated {0}, which is in the future")]
    Future(Timestamp),
    /// A time is impossible, or has passed.
    #[error("{0}")]
    Time(String),
}

impl OpenPgpKey {
    /// Checks that this key made the signature of `message`, and that both are valid at the time `now`.
    pub fn verify(&self, message: &OpenPgpMessage, now: Timestamp) -> Result<(), OpenPgpFault> {
        let signature = &message.signature;
        if !is_strong(signature) {
            let hash = match signature.hash_alg() {
                Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Ripemd160)) => {
                    hash.to_string()
                }
                _ => "a hash that is not known to be strong".to_owned(),
            };
            return Err(OpenPgpFault::Hash(hash));
        }
        // Red Hat's signing service writes version 3. Versions 2 and 5 are not in use.
        let known = [SignatureVersion::V3, SignatureVersion::V4, SignatureVersion::V6];
        let signer = self
            .signers
            .iter()
            .filter(|_| known.contains(&signature.version()))
            .find(|signer| match signer.subkey.and_then(|at| self.key.public_subkeys.get(at)) {
                Some(subkey) => signature.verify(&subkey.key, message.content()).is_ok(),
                None => signature.verify(&self.key.primary_key, message.content()).is_ok(),
            })
            .ok_or_else(|| OpenPgpFault::NotMade(self.fingerprint().to_owned()))?;
        self.may_have_signed(signer, now)?;
        let made = signature
            .created()
            .map(time)
            .ok_or_else(|| OpenPgpFault::Time("the signature does not say when it was made".to_owned()))?;
        if made > now.saturating_add(CLOCKS).unwrap_or(now) {
            return Err(OpenPgpFault::Future(made));
        }
        if made < signer.created {
            let reason = format!("the signature is of {made}, before its key was made ({})", signer.created);
            return Err(OpenPgpFault::Time(reason));
        }
        match after(made, signature.signature_expiration_time()) {
            Some(end) if end <= now => Err(OpenPgpFault::Time(format!("the signature expired at {end}"))),
            _ => Ok(()),
        }
    }

    fn may_have_signed(&self, signer: &SigningKey, now: Timestamp) -> Result<(), OpenPgpFault> {
        let own = self.fingerprint();
        let primary = self.signers.first();
        for (key, name) in primary
            .map(|key| (key, "GPG key"))
            .into_iter()
            .chain(signer.subkey.is_some().then_some((signer, "subkey")))
        {
            let fingerprint = &key.fingerprint;
            if key.revoked {
                let reason = format!("the {name} {fingerprint} was revoked by its owner");
                return Err(OpenPgpFault::Revoked(reason));
            }
            if let Some(end) = key.expires.filter(|end| *end <= now) {
                let reason = format!("the {name} {fingerprint} expired at {end}");
                return Err(OpenPgpFault::Lapsed(reason));
            }
        }
        if signer.may_sign {
            Ok(())
        } else {
            let reason = format!("the key {} of {own} is not meant for signing", signer.fingerprint);
            Err(OpenPgpFault::Lapsed(reason))
        }
    }
}
