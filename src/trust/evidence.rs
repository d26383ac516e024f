//! Checks one signature: selects the keys that it names, and runs the verifier once per log entry and CT log, so that
//! every piece of evidence is checked by itself (a second, empty entry beside a valid one proves nothing).

use std::borrow::Cow;

use jiff::Timestamp;
use sigstore_types::{Bundle, KindVersion, MediaType};

use super::{
    Reading, Refusal, Verified, Verifier,
    certificate::Certified,
    crypto::{self, Identity, Signed},
    plain,
    stamp::Stamp,
    verifier::{Clock, Missing},
};
use crate::{
    key::{Certificate, Key, KeyRef, Material, PublicKey, Role, SubjectName},
    signature::{Need, Needs, Signer, UntrustedSignature},
};

pub(super) fn weigh(
    reading: &Reading<'_>,
    verifier: &Verifier,
    missing: Missing,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let bundle = match (reading.signature, &reading.bundle) {
        (UntrustedSignature::Gpg(gpg), _) => {
            return super::gpg::check(gpg, &reading.needs, &verifier.keys, now);
        }
        (_, Some(bundle)) => &**bundle,
        (_, None) => return Err(Refusal::NoEvidence),
    };
    every_entry_has_evidence(bundle)?;
    let Needs { logs, timestamps, signer } = &reading.needs;
    if let (true, Signer::Key { need, .. }) = (logs.is_empty() && timestamps.is_empty(), signer) {
        return plain(reading, verifier, need);
    }
    let signed = match (reading.signature, reading.file) {
        (UntrustedSignature::Simple(simple), _) => Signed::Bytes(&simple.payload),
        (_, Some(file)) => Signed::Bytes(file),
        _ => Signed::Manifest(&reading.image),
    };
    Weighing { verifier, missing, reading, bundle: Cow::Borrowed(bundle), now, signed }.run()
}

fn plain(reading: &Reading<'_>, verifier: &Verifier, need: &Need) -> Result<Verified, Refusal> {
    if verifier.keys.of(Role::Signer).next().is_none() {
        return Err(no_key(need));
    }
    let signers = plain::named_first(need, &verifier.keys);
    let signer = plain::check(reading.signature, &reading.image, signers)?;
    Ok(Verified::by(signer.key_ref()))
}

/// The refusal for a missing key.
pub(super) fn no_key(need: &Need) -> Refusal {
    Refusal::NoKey { role: need.role(), needed: need.id() }
}

/// Refuses a key that is not in use yet according to the clock: either the clock is behind, or the key was published in
/// advance and can't have made this.
pub(super) fn begun(key: &Key, now: Timestamp) -> Result<(), Refusal> {
    match key.validity.start {
        Some(start) if start > now => Err(Refusal::NotInUseYet { role: key.role, start }),
        _ => Ok(()),
    }
}

/// A log entry is evidence only with a signed entry timestamp, or with an inclusion proof and its checkpoint; an entry
/// with neither proves nothing.
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

/// Applies the requirements that sigstore clients have for a bundle of its version (protos/sigstore_bundle.proto): a
/// log entry in 0.1 (with a promise) and 0.2; a log entry or a timestamp in 0.3. Nothing may appear twice, because it
/// would count twice (sigstore-go `verify/tlog.go`, `verify/tsa.go`).
pub(super) fn is_strict(reading: &Reading<'_>) -> Result<(), Refusal> {
    let Some(bundle) = &reading.bundle else { return Err(Refusal::NoEvidence) };
    let (logs, stamps) = (&reading.needs.logs, &reading.needs.timestamps);
    let is_old = matches!(bundle.media_type, MediaType::Bundle0_1 | MediaType::Bundle0_2);
    let material = &bundle.verification_material;
    let entries = &material.tlog_entries;
    if is_any_twice(entries, |a, b| a.log_id == b.log_id && a.log_index == b.log_index) {
        return Err(Refusal::LogEntry("one of its entries is there twice".into()));
    }
    if bundle.media_type == MediaType::Bundle0_1 && entries.iter().any(|e| e.inclusion_promise.is_none()) {
        return Err(Refusal::LogEntry("a bundle of version 0.1 must have the log's promise".into()));
    }
    // For Rekor v2 only the checkpoint decides, but the copies of its values in the proof must agree with it.
    let differs = entries.iter().filter_map(|entry| Some((entry, entry.inclusion_proof.as_ref()?))).any(
        |(entry, proof)| {
            let of_v2 = entry.inclusion_promise.is_none() && entry.integrated_time.is_none();
            proof.checkpoint.checkpoint().is_some_and(|signed| {
                signed.tree_size() != proof.tree_size
                    || *signed.root_hash() != proof.root_hash
                    || (of_v2 && entry.log_index != proof.log_index)
            })
        },
    );
    if differs {
        return Err(Refusal::LogEntry("its proof is not about the tree of its checkpoint".into()));
    }
    let tokens = &material.timestamp_verification_data.rfc3161_timestamps;
    if is_any_twice(tokens, |a, b| a.signed_timestamp == b.signed_timestamp) {
        return Err(Refusal::Timestamp("one of its timestamps is there twice".into()));
    }
    match (logs.is_empty(), stamps.is_empty()) {
        (true, _) if is_old => Err(Refusal::LogEntry("a bundle of its version must have one".into())),
        (true, true) => Err(Refusal::LogEntry("it has none, and no timestamp either".into())),
        _ => Ok(()),
    }
}

fn is_any_twice<T>(all: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    all.iter().enumerate().any(|(index, one)| all[..index].iter().any(|other| same(one, other)))
}

pub(super) struct Weighing<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) missing: Missing,
    pub(super) reading: &'a Reading<'a>,
    pub(super) bundle: Cow<'a, Bundle>,
    pub(super) now: Timestamp,
    signed: Signed<'a>,
}

impl<'a> Weighing<'a> {
    fn run(mut self) -> Result<Verified, Refusal> {
        let logs = self.logs()?;
        let needs = &self.reading.needs;
        let dated = logs.iter().any(|(index, _)| matches!(needs.logs[*index], Need::Rekor { .. }));
        let stamps = self.timestamps(dated)?;
        let mut proved: Vec<&Key> = logs.iter().map(|(_, key)| *key).collect();
        proved.extend(stamps.iter().map(|stamp| stamp.key));
        let certified = match &needs.signer {
            Signer::Key { need, claim } => Certified {
                keys: self.by_key(&logs, &stamps, need, claim.as_ref())?.into_iter().collect(),
                identity: Identity::default(),
                refused: Vec::new(),
            },
            Signer::Certificate(certificate) => self.by_certificate(&logs, &stamps, certificate)?,
        };
        let is_certified = matches!(needs.signer, Signer::Certificate(_)) && !certified.keys.is_empty();
        proved.extend(certified.keys);
        let mut keys: Vec<_> = proved.iter().map(|key| key.key_ref()).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(Refusal::NoEvidence);
        }
        let Identity { name, oidc_issuer } = certified.identity;
        let names = if is_certified { self.names() } else { Vec::new() };
        let time = self.earliest(&logs, &stamps);
        let dated = self.dated(&logs, &stamps);
        Ok(Verified { keys, identity: name, oidc_issuer, names, time, dated, refused: certified.refused })
    }

    /// The names in the signing certificate.
    fn names(&self) -> Vec<SubjectName> {
        let leaf = self.bundle.signing_certificate().and_then(|c| Certificate::from_der(c.as_bytes()).ok());
        leaf.map(|leaf| leaf.subject_names()).unwrap_or_default()
    }

    /// The earliest of [`Self::times`], and whose clock it is from; for an undated certificate of a private CA, the
    /// current time.
    fn earliest(&self, logs: &[(usize, &Key)], stamps: &[Stamp<'_>]) -> Option<(Timestamp, Clock)> {
        let clock = |time: Timestamp| {
            let stamped = stamps.iter().any(|stamp| stamp.time == time);
            (time, if stamped { Clock::Timestamp } else { Clock::Log })
        };
        let by_host = matches!(&self.reading.needs.signer, Signer::Certificate(c) if matches!(c.authority, Need::Pki(_)));
        let first = self.times(logs, stamps).first().copied();
        first.map(clock).or_else(|| by_host.then_some((self.now, Clock::Host)))
    }

    /// The available log keys, each with the index of its entry.
    fn logs(&self) -> Result<Vec<(usize, &'a Key)>, Refusal> {
        let mut found = Vec::new();
        for (index, need) in self.reading.needs.logs.iter().enumerate() {
            match (self.verifier.keys.fitting(need).next(), self.missing) {
                (Some(key), _) => found.push((index, key)),
                (None, Missing::LeaveOut) => {}
                (None, Missing::Refuse) => return Err(no_key(need)),
            }
        }
        Ok(found)
    }

    /// Every time at which the signature is proved to have existed, once the verifying crate has accepted these log
    /// entries: a signed entry timestamp covers the time of an entry, an inclusion proof does not.
    pub(super) fn times(&self, logs: &[(usize, &Key)], stamps: &[Stamp<'_>]) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.dated(logs, stamps).into_iter().map(|(time, _)| time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The same times, each with the key that says so.
    fn dated(&self, logs: &[(usize, &Key)], stamps: &[Stamp<'_>]) -> Vec<(Timestamp, KeyRef)> {
        let entries = &self.bundle.verification_material.tlog_entries;
        let logged = logs.iter().filter_map(|(index, key)| {
            let entry = entries.get(*index)?;
            let dated =
                entry.inclusion_promise.is_some() && entry.kind_version != KindVersion::HashedRekordV002;
            Some((entry.integrated_time.filter(|_| dated)?, key.key_ref()))
        });
        stamps.iter().map(|stamp| (stamp.time, stamp.key.key_ref())).chain(logged).collect()
    }

    /// The bundle with one of its log entries, or with none. Version 0.1 requires one, so without it it is read as 0.2.
    fn with_entry(&self, index: Option<usize>) -> Cow<'_, Bundle> {
        if index == Some(0) && self.bundle.verification_material.tlog_entries.len() == 1 {
            return Cow::Borrowed(&self.bundle);
        }
        let mut bundle = Bundle::clone(&self.bundle);
        if index.is_none() && bundle.media_type == MediaType::Bundle0_1 {
            bundle.media_type = MediaType::Bundle0_2;
        }
        let entries = std::mem::take(&mut bundle.verification_material.tlog_entries);
        bundle.verification_material.tlog_entries =
            index.and_then(|i| entries.into_iter().nth(i)).into_iter().collect();
        Cow::Owned(bundle)
    }

    /// Verifies with an available signer key or, to confirm logs only, with the key in the log entry.
    fn by_key(
        &self,
        logs: &[(usize, &Key)],
        stamps: &[Stamp<'_>],
        need: &Need,
        claim: Option<&PublicKey>,
    ) -> Result<Option<&'a Key>, Refusal> {
        let keys = &self.verifier.keys;
        let mut refusal = no_key(need);
        // All other evidence was left out. The rest is a bare signature, which the verifying crate does not accept.
        if logs.is_empty() && stamps.is_empty() && keys.of(Role::Signer).next().is_some() {
            let signers = plain::named_first(need, keys);
            return plain::check(self.reading.signature, &self.reading.image, signers).map(Some);
        }
        for signer in plain::named_first(need, keys) {
            let Material::Key(key) = &signer.material else { continue };
            match self.each_log(logs, stamps, crypto::Signer::Key(key), &[]) {
                Ok(_) => return Ok(Some(signer)),
                Err(e) => refusal = e,
            }
        }
        match claim {
            Some(claim) if self.missing == Missing::LeaveOut && !logs.is_empty() => {
                // The validity of the log's evidence does not depend on the signer; a wrong signer key shows in the
                // need that remains unmet.
                self.each_log(logs, stamps, crypto::Signer::Key(claim), &[])?;
                Ok(None)
            }
            _ => Err(refusal),
        }
    }

    /// Runs the verifier once per log entry, with only that entry's key and `more`.
    pub(super) fn each_log(
        &self,
        logs: &[(usize, &Key)],
        stamps: &[Stamp<'_>],
        signer: crypto::Signer<'_>,
        more: &[&Key],
    ) -> Result<Identity, Refusal> {
        let times = self.times(logs, stamps);
        for key in logs.iter().map(|(_, log)| *log).chain(more.iter().copied()) {
            // A signature known to be older than the key was already invalid when it was made, whatever the time is
            // now.
            let is_older = |start| times.iter().any(|time| *time < start);
            if !key.validity.start.is_some_and(is_older) {
                begun(key, self.now)?;
            }
        }
        let others: Vec<&Key> = stamps.iter().map(|s| s.key).chain(more.iter().copied()).collect();
        let prepared = &self.verifier.prepared;
        if logs.is_empty() {
            return crypto::verify(&self.with_entry(None), self.signed, signer, &others, prepared);
        }
        let mut identity = None;
        for (index, log) in logs {
            let keys: Vec<_> = others.iter().copied().chain([*log]).collect();
            let bundle = self.with_entry(Some(*index));
            identity = Some(crypto::verify(&bundle, self.signed, signer, &keys, prepared)?);
        }
        identity.ok_or(Refusal::NoEvidence)
    }
}
