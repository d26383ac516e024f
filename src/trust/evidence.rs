//! Weighing one signature: choose the keys that it names, run the verifier once per log entry and CT log, so that
//! every piece of evidence stands on its own (a second, empty entry beside a good one proves nothing).

use jiff::Timestamp;
use sigstore_types::{Bundle, KindVersion, MediaType, SignatureContent};

use super::{
    KeySet, Missing, Refusal, VerificationKey, Verified,
    certificate::Certified,
    crypto::{self, Identity, Signed, Signer},
    plain,
    stamp::Stamp,
};
use crate::{
    key::{Material, PublicKey, Role},
    oci::Digest,
    signature::{Hints, LogHint, SignerHint, UntrustedSignature},
};

pub(super) fn weigh(
    signature: &UntrustedSignature,
    image: &Digest,
    keys: &KeySet,
    missing: Missing,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    claims(signature, image)?;
    let hints = signature.hints()?;
    let bundle = match signature {
        UntrustedSignature::Simple(simple) => simple.to_bundle(),
        UntrustedSignature::Bundle(bundle) => Bundle::clone(&bundle.bundle),
        UntrustedSignature::Gpg(gpg) => return super::gpg::check(gpg, keys, now),
    };
    every_entry_has_evidence(&bundle)?;
    let bare = hints.logs.is_empty() && hints.timestamps.is_empty();
    if bare && matches!(hints.signer, SignerHint::Key { .. }) {
        return plain(signature, image, keys, &hints);
    }
    let signed = match signature {
        UntrustedSignature::Simple(simple) => Signed::Bytes(&simple.payload),
        _ => Signed::Manifest(image),
    };
    Weighing { keys, missing, hints: &hints, image, signature, bundle, signed, now }.run()
}

/// Whether the signature, by its own words, is about this image. A message-signature bundle has no words of its own:
/// its digest is compared by the verifier. An envelope without a subject is about nothing.
pub(super) fn claims(signature: &UntrustedSignature, image: &Digest) -> Result<(), Refusal> {
    let claimed = signature.claimed_images();
    let silent = matches!(signature, UntrustedSignature::Bundle(b)
        if matches!(b.bundle.content, SignatureContent::MessageSignature(_)));
    if silent || claimed.contains(image) {
        Ok(())
    } else {
        Err(Refusal::OtherImage { claimed, image: *image })
    }
}

fn plain(
    signature: &UntrustedSignature,
    image: &Digest,
    keys: &KeySet,
    hints: &Hints,
) -> Result<Verified, Refusal> {
    if keys.of(Role::Signer).next().is_none() {
        return Err(no_signer(hints));
    }
    let signer = plain::check(signature, image, keys.of(Role::Signer))?;
    Ok(Verified::by(signer.key))
}

fn no_signer(hints: &Hints) -> Refusal {
    let needed = match &hints.signer {
        SignerHint::Key { fingerprint: Some(id), .. } => id.to_string(),
        _ => "the signature does not name it".into(),
    };
    Refusal::NoKey { role: Role::Signer, needed }
}

/// A log entry proves by a signed entry timestamp or by an inclusion proof with its checkpoint; an entry with
/// neither is decoration.
fn every_entry_has_evidence(bundle: &Bundle) -> Result<(), Refusal> {
    let empty = bundle.verification_material.tlog_entries.iter().any(|entry| {
        entry.inclusion_promise.is_none()
            && entry.inclusion_proof.as_ref().is_none_or(|proof| proof.checkpoint.is_empty())
    });
    if empty {
        Err(Refusal::LogEntry("it has neither a signed timestamp nor an inclusion proof".into()))
    } else {
        Ok(())
    }
}

pub(super) struct Weighing<'a> {
    pub(super) keys: &'a KeySet,
    pub(super) missing: Missing,
    pub(super) hints: &'a Hints,
    pub(super) bundle: Bundle,
    pub(super) image: &'a Digest,
    pub(super) signature: &'a UntrustedSignature,
    pub(super) now: Timestamp,
    signed: Signed<'a>,
}

impl<'a> Weighing<'a> {
    fn run(mut self) -> Result<Verified, Refusal> {
        let logs = self.logs()?;
        let dated = logs.iter().any(|(index, _)| matches!(self.hints.logs[*index], LogHint::V1 { .. }));
        let stamps = self.timestamps(dated)?;
        let mut proved: Vec<&VerificationKey> = logs.iter().map(|(_, key)| *key).collect();
        proved.extend(stamps.iter().map(|stamp| stamp.key));
        let certified = match &self.hints.signer {
            SignerHint::Key { claim, .. } => Certified {
                keys: self.by_key(&logs, &stamps, claim.as_ref())?.into_iter().collect(),
                identity: Identity::default(),
                refused: Vec::new(),
            },
            SignerHint::Certificate(certificate) => self.by_certificate(&logs, &stamps, certificate)?,
            // Judged before, apart from what sigstore knows.
            SignerHint::OpenPgp { .. } => return Err(Refusal::NoEvidence),
        };
        proved.extend(certified.keys);
        let mut keys: Vec<_> = proved.iter().map(|k| k.key).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(Refusal::NoEvidence);
        }
        let Identity { name, oidc_issuer } = certified.identity;
        Ok(Verified { keys, identity: name, oidc_issuer, refused: certified.refused })
    }

    /// The log keys at hand, each with the position of its entry.
    fn logs(&self) -> Result<Vec<(usize, &'a VerificationKey)>, Refusal> {
        let mut found = Vec::new();
        for (index, hint) in self.hints.logs.iter().enumerate() {
            match (self.keys.log(hint), self.missing) {
                (Some(key), _) => found.push((index, key)),
                (None, Missing::LeaveOut) => {}
                (None, Missing::Refuse) => return Err(no_log(hint)),
            }
        }
        Ok(found)
    }

    /// Every time at which the signature is proved to have been there, once the verifying crate has accepted these log
    /// entries: a signed entry timestamp signs the time of an entry, a proof of inclusion does not.
    pub(super) fn times(&self, logs: &[(usize, &VerificationKey)], stamps: &[Stamp<'_>]) -> Vec<Timestamp> {
        let entries = &self.bundle.verification_material.tlog_entries;
        let logged = logs.iter().filter_map(|(index, _)| {
            let entry = entries.get(*index)?;
            let dated =
                entry.inclusion_promise.is_some() && entry.kind_version != KindVersion::HashedRekordV002;
            entry.integrated_time.filter(|_| dated)
        });
        let mut times: Vec<_> = stamps.iter().map(|stamp| stamp.time).chain(logged).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The bundle with one of its log entries, or with none: version 0.1 demands one, so it is then read as 0.2.
    fn with_entry(&self, index: Option<usize>) -> Bundle {
        let mut bundle = self.bundle.clone();
        if index.is_none() && bundle.media_type == MediaType::Bundle0_1 {
            bundle.media_type = MediaType::Bundle0_2;
        }
        let entries = std::mem::take(&mut bundle.verification_material.tlog_entries);
        bundle.verification_material.tlog_entries =
            index.and_then(|i| entries.into_iter().nth(i)).into_iter().collect();
        bundle
    }

    /// Verifies with a signer key at hand or, to confirm logs only, with the key that the log entry reveals.
    fn by_key(
        &self,
        logs: &[(usize, &VerificationKey)],
        stamps: &[Stamp<'_>],
        claim: Option<&PublicKey>,
    ) -> Result<Option<&'a VerificationKey>, Refusal> {
        let mut refusal = no_signer(self.hints);
        // All other evidence was left out. What remains is a bare signature, which the verifying crate does not take.
        if logs.is_empty() && stamps.is_empty() && self.keys.of(Role::Signer).next().is_some() {
            return plain::check(self.signature, self.image, self.keys.of(Role::Signer)).map(Some);
        }
        for signer in self.keys.of(Role::Signer) {
            let Material::Key(key) = &signer.material else { continue };
            match self.each_log(logs, stamps, Signer::Key(key), &[]) {
                Ok(_) => return Ok(Some(signer)),
                Err(e) => refusal = e,
            }
        }
        match claim {
            Some(claim) if self.missing == Missing::LeaveOut && !logs.is_empty() => {
                // The evidence of the log is good or bad whoever signed; a wrong signer key at hand is told by the
                // need that stays open.
                self.each_log(logs, stamps, Signer::Key(claim), &[])?;
                Ok(None)
            }
            _ => Err(refusal),
        }
    }

    /// Runs the verifier once per log entry, with that entry's key and `more` alone.
    pub(super) fn each_log(
        &self,
        logs: &[(usize, &VerificationKey)],
        stamps: &[Stamp<'_>],
        signer: Signer<'_>,
        more: &[&VerificationKey],
    ) -> Result<Identity, Refusal> {
        let others: Vec<&VerificationKey> =
            stamps.iter().map(|s| s.key).chain(more.iter().copied()).collect();
        if logs.is_empty() {
            return crypto::verify(
                &self.with_entry(None),
                self.signed,
                signer,
                &others,
                &self.keys.verifiers,
            );
        }
        let mut identity = None;
        for (index, log) in logs {
            let keys: Vec<_> = others.iter().copied().chain([*log]).collect();
            let bundle = self.with_entry(Some(*index));
            identity = Some(crypto::verify(&bundle, self.signed, signer, &keys, &self.keys.verifiers)?);
        }
        identity.ok_or(Refusal::NoEvidence)
    }
}

pub(super) fn no_log(hint: &LogHint) -> Refusal {
    match hint {
        LogHint::V1 { log_id, .. } => Refusal::NoKey { role: Role::Rekor, needed: log_id.hex() },
        LogHint::V2 { origin, key_id } => {
            Refusal::NoKey { role: Role::Rekor2, needed: format!("{origin} {}", key_id.hex()) }
        }
    }
}
