//! The parts of a key block that are kept: the primary key and what it has certified itself. Everything else is dropped
//! before any of it is shown or written, so that no third party can attach a name or a subkey to another person's key.
//!
//! For each subject, only the newest statement and every revocation are kept, like `gpg --export-options
//! export-minimal`.

use pgp::{
    composed::{SignedKeyDetails, SignedPublicKey},
    packet::{Signature, SignatureType},
    types::{KeyDetails, KeyVersion, SignedUser, Tag},
};

use super::{
    OpenPgpKey, SigningKey, after, parameters,
    statement::{Budget, flags, is_by, is_strong, newest, sorted},
    subkey, text, time,
};
use crate::{diag::Code, limits};

/// Why a key is not used.
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) reason: String,
}

impl<T: Into<String>> From<T> for Refused {
    fn from(reason: T) -> Self {
        Self { code: Code::KeyUnsupported, reason: reason.into() }
    }
}

/// Removes what the primary key has not certified, and reads what remains.
pub(super) fn normalise(key: &SignedPublicKey) -> Result<OpenPgpKey, Refused> {
    let primary = &key.primary_key;
    if !matches!(primary.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Err("it is a key of version 3 or older, which is not safe any more".into());
    }
    let algorithm = parameters::algorithm(primary).map_err(|e| e.to_string())?;
    let id = parameters::imprint(primary).ok_or("it can't be written")?;
    let mut budget = Budget(limits::OPENPGP_CHECKS);
    let own = |signature: &Signature| is_by(signature, primary);
    let mut revocations = Vec::new();
    for revocation in key.details.revocation_signatures.iter().filter(|s| own(s)) {
        if budget.check()? && revocation.verify_key(primary).is_ok() {
            revocations.push(revocation.clone());
        }
    }
    let mut direct = Vec::new();
    for signature in key.details.direct_signatures.iter().filter(|s| own(s)) {
        let is = signature.typ() == Some(SignatureType::Key);
        if is && budget.check()? && signature.verify_key(primary).is_ok() {
            direct.push(signature.clone());
        }
    }
    let mut users = Vec::new();
    for user in &key.details.users {
        users.extend(certified(user, key, &mut budget)?);
    }
    let mut subkeys = Vec::new();
    for subkey in &key.public_subkeys {
        subkeys.extend(subkey::bound(subkey, primary, &mut budget)?);
    }
    let details = SignedKeyDetails::new(sorted(revocations), newest(direct), merged_users(users), Vec::new());
    let key = SignedPublicKey::new(primary.clone(), details, subkey::merged(subkeys));
    describe(key, id, algorithm)
}

/// Reads a block that holds only what the primary key has certified.
fn describe(
    key: SignedPublicKey,
    id: crate::oci::Digest,
    algorithm: super::super::Algorithm,
) -> Result<OpenPgpKey, Refused> {
    let details = &key.details;
    let standing: Vec<_> = details.users.iter().filter(|user| !is_taken_back(user)).collect();
    let statements: Vec<&Signature> = details
        .direct_signatures
        .iter()
        .chain(standing.iter().filter_map(|user| user.signatures.iter().find(|s| certifies(s))))
        .collect();
    let newest = statements.iter().max_by_key(|s| s.created().map_or(0, pgp::types::Timestamp::as_secs));
    let Some(newest) = newest else {
        let reason = "the key has no valid self-signature, neither on a user id nor on itself";
        return Err(Refused { code: Code::KeyMalformed, reason: reason.into() });
    };
    let created = time(key.created_at());
    let primary = SigningKey {
        subkey: None,
        fingerprint: text(&key.fingerprint()),
        key_id: hex::encode_upper(key.legacy_key_id().as_ref()),
        created,
        expires: after(created, newest.key_expiration_time()),
        revoked: !details.revocation_signatures.is_empty(),
        may_sign: flags(newest).is_none_or(|flags| flags.sign()),
    };
    let mut signers = vec![primary];
    signers.extend(key.public_subkeys.iter().enumerate().filter_map(|(at, s)| subkey::describe(s, at)));
    let mut user_ids: Vec<_> = standing
        .iter()
        .map(|user| String::from_utf8_lossy(user.id.id()).chars().take(limits::NAME).collect::<String>())
        .collect();
    // Put the user id that the owner marked as primary first.
    if let Some(first) = standing.iter().position(|user| user.is_primary()) {
        user_ids[..=first].rotate_right(1);
    }
    let weak = statements.iter().all(|s| !is_strong(s));
    Ok(OpenPgpKey { id, algorithm, user_ids, signers, weak, key: Box::new(key) })
}

/// Everything that either block holds.
pub(super) fn merge(a: &OpenPgpKey, b: &OpenPgpKey) -> Option<OpenPgpKey> {
    if !a.is_same_key(b) {
        return None;
    }
    let (x, y) = (&a.key, &b.key);
    let both = |f: fn(&SignedPublicKey) -> &Vec<Signature>| [f(x).clone(), f(y).clone()].concat();
    let users = [x.details.users.clone(), y.details.users.clone()].concat();
    let details = SignedKeyDetails::new(
        sorted(both(|k| &k.details.revocation_signatures)),
        newest(both(|k| &k.details.direct_signatures)),
        merged_users(users),
        Vec::new(),
    );
    let subkeys = subkey::merged([x.public_subkeys.clone(), y.public_subkeys.clone()].concat());
    let key = SignedPublicKey::new(x.primary_key.clone(), details, subkeys);
    describe(key, a.id, a.algorithm).ok()
}

/// The user id with the key's statements about it, if any of them is a certification.
fn certified(
    user: &SignedUser,
    key: &SignedPublicKey,
    budget: &mut Budget,
) -> Result<Option<SignedUser>, String> {
    let mut kept = Vec::new();
    for signature in user.signatures.iter().filter(|s| is_by(s, &key.primary_key)) {
        if budget.check()? && signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
        {
            kept.push(signature.clone());
        }
    }
    let good = kept.iter().any(certifies);
    Ok(good.then(|| SignedUser::new(user.id.clone(), kept)))
}

/// Each user id once, by its text, with the newest certification and all revocations.
fn merged_users(mut users: Vec<SignedUser>) -> Vec<SignedUser> {
    users.sort_by(|a, b| a.id.id().cmp(b.id.id()));
    let mut merged: Vec<SignedUser> = Vec::new();
    for user in users {
        match merged.last_mut() {
            Some(last) if last.id.id() == user.id.id() => last.signatures.extend(user.signatures),
            _ => merged.push(user),
        }
    }
    for user in &mut merged {
        let (certifications, revocations) = user.signatures.drain(..).partition::<Vec<_>, _>(certifies);
        user.signatures = newest(certifications).into_iter().chain(sorted(revocations)).collect();
    }
    merged
}

/// Whether the owner revoked a user id. A newer certification makes it valid again (RFC 9580 §5.2.1.13).
fn is_taken_back(user: &SignedUser) -> bool {
    let newest = |revocation: bool| {
        user.signatures.iter().filter(|s| certifies(s) != revocation).filter_map(Signature::created).max()
    };
    newest(true).is_some_and(|revoked| newest(false).is_none_or(|certified| certified <= revoked))
}

/// Whether a statement certifies a user id: the crate's term "certification" includes revocations.
fn certifies(signature: &Signature) -> bool {
    signature.is_certification() && signature.typ() != Some(SignatureType::CertRevocation)
}
