//! RFC 3161 timestamps: which authority made each, and when.

use jiff::Timestamp;
use sigstore_types::{
    SignatureContent, TimestampToken,
    bundle::{Rfc3161Timestamp, TimestampVerificationData},
};

use super::{
    Refusal, crypto,
    evidence::{Weighing, begun, no_key},
    path::{self, Usage},
    verifier::Missing,
};
use crate::{
    key::{Key, Material},
    signature::{Need, Signer},
};

/// A timestamp that verified.
#[derive(Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) key: &'a Key,
    pub(super) time: Timestamp,
}

impl<'a> Weighing<'a> {
    /// Verifies the timestamps whose authority is available. The others are removed from the bundle, if that is allowed
    /// and, for a certificate, something else still shows when the signature was made.
    pub(super) fn timestamps(&mut self, dated: bool) -> Result<Vec<Stamp<'a>>, Refusal> {
        let certified = matches!(self.reading.needs.signer, Signer::Certificate(_));
        let (mut stamps, mut kept) = (Vec::new(), Vec::new());
        let tokens = &self.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
        for (Rfc3161Timestamp { signed_timestamp: token, .. }, need) in
            tokens.iter().zip(&self.reading.needs.timestamps)
        {
            match self.stamp(token, need)? {
                Some(stamp) => {
                    stamps.push(stamp);
                    kept.push(Rfc3161Timestamp::new(token.clone()));
                }
                None if self.missing == Missing::Refuse || (certified && !dated) => return Err(no_key(need)),
                None => {}
            }
        }
        if kept.len() < tokens.len() {
            let material = &mut self.bundle.to_mut().verification_material;
            material.timestamp_verification_data = TimestampVerificationData::new(kept);
        }
        Ok(stamps)
    }

    /// Verifies a timestamp with the authority that it names. Several may have that name, with different certificates
    /// above them.
    fn stamp(&self, token: &TimestampToken, need: &Need) -> Result<Option<Stamp<'a>>, Refusal> {
        let signature = match &self.bundle.content {
            SignatureContent::MessageSignature(message) => &message.signature,
            SignatureContent::DsseEnvelope(envelope) => &envelope.signature.sig,
            _ => return Err(Refusal::NoEvidence),
        };
        let mut refusal = None;
        for key in self.verifier.keys.fitting(need) {
            let Material::Chain(chain) = &key.material else { continue };
            let [own, issuers @ ..] = chain.certificates() else { continue };
            let time = path::readable(issuers).and_then(|()| {
                begun(key, self.now)?;
                let time = crypto::timestamp(token, signature, key, &self.verifier.prepared)?;
                self.verifier.paths.verify(key.key_ref(), own.der(), issuers, Usage::TimeStamping, time)?;
                Ok(time)
            });
            match time {
                Ok(time) => return Ok(Some(Stamp { key, time })),
                Err(e) => refusal = Some(e),
            }
        }
        refusal.map_or(Ok(None), Err)
    }
}
