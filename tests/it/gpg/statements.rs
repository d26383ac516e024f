//! What an owner states about a key at different times, and what others state in the owner's name.

use keypack::key::{Material, OpenPgpKey, parse_key_file};
use pgp::{
    composed::{SignedPublicKey, SignedPublicSubKey, SignedSecretKey},
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType, Subpacket, SubpacketData},
    types::{Password, SignedUser, Tag},
};

use super::lab::{
    Say, block, bound, bytes, image, message, now, outcome, payload, revocation, rsa, secret, signed, user,
};

const NAME: &str = "lab <lab@example.test>";

fn only(block: &SignedPublicKey) -> OpenPgpKey {
    let parsed = parse_key_file(&bytes(block)).unwrap();
    let [Material::OpenPgp(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    key.clone()
}

/// A statement of `as_of` about its own key, made by `signer`.
fn about_key(kind: SignatureType, as_of: &SignedSecretKey, signer: &SignedSecretKey, say: &Say) -> Signature {
    let config = say.config(kind, &as_of.primary_key);
    config.sign_key(&signer.primary_key, &Password::empty(), as_of.primary_key.public_key()).unwrap()
}

fn about_user(kind: SignatureType, owner: &SignedSecretKey, name: &str, day: u32) -> Signature {
    let id = user(owner, name, &Say::default()).id;
    let (signer, say) = (&owner.primary_key, Say { day, ..Say::default() });
    let config = say.config(kind, signer);
    config.sign_certification(signer, signer.public_key(), &Password::empty(), Tag::UserId, &id).unwrap()
}

fn judged(owner: &SignedSecretKey, block: &SignedPublicKey) -> &'static str {
    outcome(&signed(owner, &Say { day: 10, ..Say::default() }), &[bytes(block)], now())
}

#[test]
fn a_revocation_in_the_owners_name_that_a_stranger_made() {
    let (owner, stranger) = (secret(), secret());
    let mut forged = block(&owner, &Say::default());
    let say = Say { day: 40, ..Say::default() };
    forged.details.revocation_signatures =
        vec![about_key(SignatureType::KeyRevocation, &owner, &stranger, &say)];
    assert_eq!(judged(&owner, &forged), "have");
    forged.details.revocation_signatures =
        vec![about_key(SignatureType::KeyRevocation, &owner, &owner, &say)];
    assert_eq!(judged(&owner, &forged), "signing-key-revoked");
}

#[test]
fn a_longer_life_in_the_owners_name_that_a_stranger_gave() {
    let (owner, stranger) = (secret(), secret());
    let mut short = block(&owner, &Say { expires: Some(20), ..Say::default() });
    assert_eq!(judged(&owner, &short), "signature-lapsed");
    let long = Say { day: 30, expires: Some(400), ..Say::default() };
    short.details.direct_signatures = vec![about_key(SignatureType::Key, &owner, &stranger, &long)];
    assert_eq!(judged(&owner, &short), "signature-lapsed");
    short.details.direct_signatures = vec![about_key(SignatureType::Key, &owner, &owner, &long)];
    assert_eq!(judged(&owner, &short), "have");
}

#[test]
fn the_newest_word_counts_among_user_ids_and_about_one() {
    let owner = secret();
    let (first, last) = (Say::default(), Say { day: 30, expires: Some(35), ..Say::default() });
    for (a, b) in [(&first, &last), (&last, &first)] {
        let mut two = block(&owner, a);
        two.details.users.push(user(&owner, "other <other@example.test>", b));
        assert_eq!(judged(&owner, &two), "signature-lapsed", "two user ids");
        let mut one = block(&owner, a);
        one.details.users[0].signatures.extend(user(&owner, NAME, b).signatures);
        assert_eq!(judged(&owner, &one), "signature-lapsed", "one user id");
    }
}

#[test]
fn a_newer_word_that_says_less_counts_all_the_same() {
    let owner = secret();
    let (old, new) = (Say { expires: Some(20), ..Say::default() }, Say { day: 30, ..Say::default() });
    for (a, b) in [(&old, &new), (&new, &old)] {
        let mut one = block(&owner, a);
        one.details.users[0].signatures.extend(user(&owner, NAME, b).signatures);
        assert_eq!(judged(&owner, &one), "have");
    }
}

#[test]
fn a_user_id_that_its_owner_took_back() {
    let owner = secret();
    let with = |days: &[(SignatureType, u32)]| {
        let mut block = block(&owner, &Say::default());
        let mut other = user(&owner, "other <other@example.test>", &Say::default());
        other.signatures = days
            .iter()
            .map(|(kind, day)| about_user(*kind, &owner, "other <other@example.test>", *day))
            .collect();
        block.details.users.push(other);
        only(&block)
    };
    let (good, back) = (SignatureType::CertPositive, SignatureType::CertRevocation);
    assert_eq!(with(&[(good, 1)]).user_ids().len(), 2);
    assert_eq!(with(&[(good, 1), (back, 2)]).user_ids(), [NAME]);
    assert_eq!(with(&[(good, 1), (back, 1)]).user_ids(), [NAME], "in the same second");
    assert_eq!(with(&[(good, 1), (back, 2), (good, 3)]).user_ids().len(), 2);
    // Only the revocation: the name is not kept at all.
    assert_eq!(with(&[(back, 2)]), only(&block(&owner, &Say::default())));
}

#[test]
fn the_user_id_that_the_owner_calls_the_primary_one_comes_first() {
    let owner = secret();
    let id = user(&owner, "z <z@example.test>", &Say::default()).id;
    let signer = &owner.primary_key;
    let mut config = Say::default().config(SignatureType::CertPositive, signer);
    config.hashed_subpackets.push(Subpacket::regular(SubpacketData::IsPrimary(true)).unwrap());
    let word = config.sign_certification(signer, signer.public_key(), &Password::empty(), Tag::UserId, &id);
    let mut block = block(&owner, &Say::default());
    block.details.users.push(user(&owner, "a <a@example.test>", &Say::default()));
    block.details.users.push(SignedUser::new(id, vec![word.unwrap()]));
    assert_eq!(only(&block).user_ids(), ["z <z@example.test>", "a <a@example.test>", NAME]);
}

#[test]
fn one_statement_that_does_not_rest_on_sha1_is_enough_and_goes_before_newer_ones() {
    let owner = rsa();
    let sha1 = Say { hash: HashAlgorithm::Sha1, day: 30, expires: Some(31), ..Say::default() };
    let mut two = block(&owner, &Say::default());
    two.details.users.push(user(
        &owner,
        "other <other@example.test>",
        &Say { expires: None, ..sha1.clone() },
    ));
    assert!(!only(&two).is_weak());
    let mut one = block(&owner, &Say::default());
    one.details.users[0].signatures.extend(user(&owner, NAME, &sha1).signatures);
    assert_eq!(only(&one), only(&block(&owner, &Say::default())));
    assert_eq!(judged(&owner, &one), "have");
}

#[test]
fn copies_are_merged_only_where_they_are_of_one_key() {
    let (owner, other) = (secret(), secret());
    let (a, b) = (only(&block(&owner, &Say::default())), only(&block(&other, &Say::default())));
    assert_eq!((a.merged(&b), b.merged(&a)), (a.clone(), b));
    let mut revoked = block(&owner, &Say::default());
    revoked.details.revocation_signatures.push(revocation(&owner));
    let revoked = only(&revoked);
    assert_eq!(revoked.merged(&revoked), revoked, "nothing stands in it twice");
    assert!(a.merged(&revoked).is_revoked() && revoked.merged(&a).is_revoked());
}

#[test]
fn words_that_name_nobody_are_tried_and_those_of_strangers_are_not() {
    let (owner, stranger) = (secret(), secret());
    let signer = &owner.primary_key;
    let mut config = Say::default().config(SignatureType::CertPositive, signer);
    config.hashed_subpackets.retain(|p| !matches!(p.data, SubpacketData::IssuerFingerprint(_)));
    config.unhashed_subpackets.clear();
    let id = user(&owner, NAME, &Say::default()).id;
    let word = config.sign_certification(signer, signer.public_key(), &Password::empty(), Tag::UserId, &id);
    let mut nameless = block(&owner, &Say::default());
    nameless.details.users[0].signatures = vec![word.unwrap()];
    assert_eq!(judged(&owner, &nameless), "have");
    // Like a key from a keyserver: certified by more people than the owner may make statements.
    let mut known = block(&owner, &Say::default());
    let theirs = user(&stranger, NAME, &Say::default()).signatures;
    known.details.users[0].signatures.extend(theirs.iter().cycle().take(600).cloned());
    assert_eq!(judged(&owner, &known), "have");
    let own = known.details.users[0].signatures[0].clone();
    known.details.users[0].signatures = vec![own; 513];
    let parsed = parse_key_file(&bytes(&known)).unwrap();
    assert!(parsed.unusable[0].reason.contains("more than 512 statements"), "{:?}", parsed.unusable);
}

/// The subkey of `owner`, bound with this statement, and a message by it.
fn subkey(owner: &SignedSecretKey, say: &Say) -> (SignedPublicKey, Vec<u8>) {
    let content = payload(image());
    let say_now = Say { day: 10, ..Say::default() };
    let by_subkey = message(&say_now.sign(&owner.secret_subkeys[0].key, &content), &content);
    let mut block = block(owner, &Say::default());
    block.public_subkeys.push(bound(owner, owner, say, true));
    (block, by_subkey)
}

#[test]
fn a_subkey_that_expired_or_was_taken_back() {
    let owner = secret();
    let (good, message) = subkey(&owner, &Say::default());
    assert_eq!(outcome(&message, &[bytes(&good)], now()), "have");
    let (over, _) = subkey(&owner, &Say { expires: Some(20), ..Say::default() });
    assert_eq!(outcome(&message, &[bytes(&over)], now()), "signature-lapsed");
    let (signer, sub) = (&owner.primary_key, owner.secret_subkeys[0].key.public_key());
    let config = Say { day: 40, ..Say::default() }.config(SignatureType::SubkeyRevocation, signer);
    let back = config.sign_subkey_binding(signer, signer.public_key(), &Password::empty(), sub).unwrap();
    let mut revoked = good.clone();
    revoked.public_subkeys[0].signatures.push(back);
    assert_eq!(outcome(&message, &[bytes(&revoked)], now()), "signing-key-revoked");
    // The primary key's expiry also applies to its subkeys.
    let mut over = good.clone();
    over.details.users = block(&owner, &Say { expires: Some(20), ..Say::default() }).details.users;
    assert_eq!(outcome(&message, &[bytes(&over)], now()), "signature-lapsed");
    let mut revoked = good;
    revoked.details.revocation_signatures.push(revocation(&owner));
    assert_eq!(outcome(&message, &[bytes(&revoked)], now()), "signing-key-revoked");
}

#[test]
fn a_binding_in_the_owners_name_that_a_stranger_made() {
    let (owner, stranger) = (secret(), secret());
    let content = payload(image());
    let by_stranger =
        message(&Say { day: 10, ..Say::default() }.sign(&stranger.secret_subkeys[0].key, &content), &content);
    let mut forged = block(&owner, &Say::default());
    // The stranger's own subkey signs back for the owner's primary key; the owner never agreed.
    let mut sub = bound(&stranger, &owner, &Say::default(), true);
    let (subkey, password) = (&stranger.secret_subkeys[0].key, Password::empty());
    let back = Say::default().config(SignatureType::KeyBinding, subkey);
    let back = back
        .sign_primary_key_binding(subkey, subkey.public_key(), &password, owner.primary_key.public_key())
        .unwrap();
    let say = Say { flags: Some((false, true)), ..Say::default() };
    let mut config = say.config(SignatureType::SubkeyBinding, &owner.primary_key);
    config
        .hashed_subpackets
        .push(Subpacket::regular(SubpacketData::EmbeddedSignature(Box::new(back))).unwrap());
    let word = config
        .sign_subkey_binding(
            &stranger.primary_key,
            owner.primary_key.public_key(),
            &password,
            subkey.public_key(),
        )
        .unwrap();
    sub.signatures = vec![word];
    forged.public_subkeys = vec![sub];
    assert_eq!(outcome(&by_stranger, &[bytes(&forged)], now()), "missing");
}

/// The owner's subkey as made by these statements: the hashes of binding and back-signature, who made the
/// back-signature, what it is for.
#[derive(Clone, Copy)]
struct Bond {
    binding: HashAlgorithm,
    answer: HashAlgorithm,
    by_another: bool,
    flags: Option<(bool, bool)>,
}

/// The outcome for a message by that subkey.
fn bond(owner: &SignedSecretKey, bond: Bond) -> &'static str {
    let (signer, subkey, password) = (&owner.primary_key, &owner.secret_subkeys[0].key, Password::empty());
    let other = rsa();
    let by = if bond.by_another { &other.secret_subkeys[0].key } else { subkey };
    let back = Say { hash: bond.answer, ..Say::default() }.config(SignatureType::KeyBinding, by);
    let back = back.sign_primary_key_binding(by, by.public_key(), &password, signer.public_key()).unwrap();
    let say = Say { hash: bond.binding, flags: bond.flags, ..Say::default() };
    let mut config = say.config(SignatureType::SubkeyBinding, signer);
    config
        .hashed_subpackets
        .push(Subpacket::regular(SubpacketData::EmbeddedSignature(Box::new(back))).unwrap());
    let word =
        config.sign_subkey_binding(signer, signer.public_key(), &password, subkey.public_key()).unwrap();
    let mut block = block(owner, &Say::default());
    block.public_subkeys = vec![SignedPublicSubKey::new(subkey.public_key().clone(), vec![word])];
    let content = payload(image());
    let by_subkey = Say { day: 10, ..Say::default() }.sign(subkey, &content);
    outcome(&message(&by_subkey, &content), &[bytes(&block)], now())
}

#[test]
fn a_subkey_is_bound_in_both_directions_by_good_hashes() {
    use HashAlgorithm::{Sha1, Sha256};
    let owner = rsa();
    let (flags, by_another) = (Some((false, true)), false);
    let good = Bond { binding: Sha256, answer: Sha256, by_another, flags };
    assert_eq!(bond(&owner, good), "have");
    assert_eq!(bond(&owner, Bond { flags: None, ..good }), "have", "the algorithm says that it may sign");
    assert_eq!(bond(&owner, Bond { flags: Some((false, false)), ..good }), "signature-lapsed");
    assert_eq!(bond(&owner, Bond { binding: Sha1, ..good }), "missing");
    assert_eq!(bond(&owner, Bond { answer: Sha1, ..good }), "missing");
    assert_eq!(bond(&owner, Bond { by_another: true, ..good }), "missing");
    assert_eq!(bond(&owner, Bond { by_another: true, flags: None, ..good }), "missing");
}

#[test]
fn a_subkey_with_nothing_but_its_revocation_or_too_many_words() {
    let owner = secret();
    let (good, _) = subkey(&owner, &Say::default());
    let (signer, sub) = (&owner.primary_key, owner.secret_subkeys[0].key.public_key());
    let config = Say { day: 40, ..Say::default() }.config(SignatureType::SubkeyRevocation, signer);
    let back = config.sign_subkey_binding(signer, signer.public_key(), &Password::empty(), sub).unwrap();
    let mut none = good.clone();
    none.public_subkeys[0].signatures = vec![back];
    assert_eq!(only(&none), only(&block(&owner, &Say::default())));
    let mut many = good;
    let word = many.public_subkeys[0].signatures[0].clone();
    many.public_subkeys[0].signatures = vec![word; 520];
    assert!(parse_key_file(&bytes(&many)).unwrap().material.is_empty());
}
