//! OpenPGP keys with which anyone can sign.

use keypack::key::parse_key_file;
use pgp::{
    composed::{SignedKeyDetails, SignedPublicKey, SignedPublicSubKey},
    crypto::{hash::HashAlgorithm, public_key::PublicKeyAlgorithm},
    packet::{PubKeyInner, PublicKey, PublicSubkey, SignatureType, Subpacket, SubpacketData, UserId},
    types::{
        Fingerprint, KeyDetails, KeyId, KeyVersion, PacketHeaderVersion, Password, PublicParams,
        SignatureBytes, SignedUser, SigningKey, Tag, Timestamp,
    },
};

use super::lab::{MADE, Say, block, bytes, image, message, now, outcome, payload, secret};

/// The neutral element as a public key A. `s·B = R + k·A` holds for R = B, s = 1 and every text.
fn neutral() -> PubKeyInner {
    let mut point = [0; 32];
    point[0] = 1;
    let params = PublicParams::try_from_reader(PublicKeyAlgorithm::Ed25519, None, &point[..]).unwrap();
    let made = Timestamp::from_secs(MADE);
    PubKeyInner::new(KeyVersion::V4, PublicKeyAlgorithm::Ed25519, made, None, params).unwrap()
}

/// Someone without the secret key who signs as the owner of that key.
#[derive(Debug)]
struct Anybody<K>(K);

impl<K: KeyDetails> KeyDetails for Anybody<K> {
    fn version(&self) -> KeyVersion {
        self.0.version()
    }
    fn legacy_key_id(&self) -> KeyId {
        self.0.legacy_key_id()
    }
    fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }
    fn algorithm(&self) -> PublicKeyAlgorithm {
        self.0.algorithm()
    }
    fn created_at(&self) -> Timestamp {
        self.0.created_at()
    }
    fn legacy_v3_expiration_days(&self) -> Option<u16> {
        None
    }
    fn public_params(&self) -> &PublicParams {
        self.0.public_params()
    }
}

impl<K: KeyDetails> SigningKey for Anybody<K> {
    fn sign(&self, _: &Password, _: HashAlgorithm, _: &[u8]) -> pgp::errors::Result<SignatureBytes> {
        let mut signature = vec![0x66; 64];
        signature[0] = 0x58;
        signature[32..].fill(0);
        signature[32] = 1;
        Ok(SignatureBytes::Native(signature.into()))
    }
    fn hash_alg(&self) -> HashAlgorithm {
        HashAlgorithm::Sha256
    }
}

#[test]
fn a_primary_key_with_which_anybody_can_sign() {
    let (key, password) = (PublicKey::from_inner(neutral()).unwrap(), Password::empty());
    let anybody = Anybody(key.clone());
    let id = UserId::from_str(PacketHeaderVersion::default(), "lab <lab@example.test>").unwrap();
    let word = Say::default().config(SignatureType::CertPositive, &anybody);
    let word = word.sign_certification(&anybody, &key, &password, Tag::UserId, &id).unwrap();
    word.verify_certification(&key, Tag::UserId, &id).expect("the library believes it");
    let details = SignedKeyDetails::new(vec![], vec![], vec![SignedUser::new(id, vec![word])], vec![]);
    let block = SignedPublicKey::new(key, details, vec![]);
    let parsed = parse_key_file(&bytes(&block)).unwrap();
    assert!(parsed.material.is_empty());
    assert!(parsed.unusable[0].reason.contains("anyone can sign"), "{parsed:?}");
}

#[test]
fn a_subkey_with_which_anybody_can_sign() {
    let owner = secret();
    let (signer, password) = (&owner.primary_key, Password::empty());
    let subkey = PublicSubkey::from_inner(neutral()).unwrap();
    let anybody = Anybody(subkey.clone());
    let back = Say::default().config(SignatureType::KeyBinding, &anybody);
    let back = back.sign_primary_key_binding(&anybody, &subkey, &password, signer.public_key()).unwrap();
    back.verify_primary_key_binding(&subkey, signer.public_key()).expect("the library believes it");
    let say = Say { flags: Some((false, true)), ..Say::default() };
    let mut config = say.config(SignatureType::SubkeyBinding, signer);
    let embedded = SubpacketData::EmbeddedSignature(Box::new(back));
    config.hashed_subpackets.push(Subpacket::regular(embedded).unwrap());
    let binding = config.sign_subkey_binding(signer, signer.public_key(), &password, &subkey).unwrap();
    let mut block = block(&owner, &Say::default());
    block.public_subkeys = vec![SignedPublicSubKey::new(subkey, vec![binding])];
    let content = payload(image());
    let forged = message(&Say { day: 10, ..Say::default() }.sign(&anybody, &content), &content);
    assert_eq!(outcome(&forged, &[bytes(&block)], now()), "missing");
    // It is not written into keys/ either, where GnuPG would read it.
    let parsed = parse_key_file(&bytes(&block)).unwrap();
    assert_eq!(parsed.material[0].openpgp().unwrap().ids().len(), 1);
}

#[test]
fn an_rsa_key_with_an_exponent_of_one() {
    // Version 4, any creation time, RSA; the modulus is that of the fixtures.
    let pem = include_str!("../../../testdata/anchors/rsa.pub");
    let parsed = parse_key_file(pem.as_bytes()).unwrap();
    let keypack::key::Material::Key(key) = &parsed.material[0] else { panic!() };
    let at = key.spki().windows(4).position(|w| w == [0x02, 0x82, 0x01, 0x01]).unwrap() + 5;
    for (exponent, bits) in [(1_u8, 1_u8), (2, 2), (3, 2)] {
        let mut body = vec![4, 0x69, 0x55, 0xb9, 0, 1, 8, 0];
        body.extend(&key.spki()[at..at + 256]);
        body.extend([0, bits, exponent]);
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        let packet = [&[0x99], &length[..], &body].concat();
        let told = match parse_key_file(&packet) {
            Ok(parsed) => parsed.unusable[0].reason.clone(),
            Err(e) => e.to_string(),
        };
        // The last one has no certification, and that is all that is wrong with it.
        assert_eq!(told.contains("no valid self-signature"), exponent == 3, "{exponent}: {told}");
    }
}
