//! Keys and signatures that the tests make themselves, honest and not, from the same packets as real ones.

use jiff::Timestamp;
use keypack::{
    key::{Candidate, Grade, Provenance, Role, parse_key_file},
    oci::Digest,
    resolve::{Answer, Question, Resolution, resolve},
    signature::{UntrustedGpg, UntrustedSignature},
};
use pgp::{
    composed::{
        KeyType, SecretKeyParamsBuilder, SignedKeyDetails, SignedPublicKey, SignedPublicSubKey,
        SignedSecretKey, SubkeyParamsBuilder,
    },
    crypto::hash::HashAlgorithm,
    packet::{
        KeyFlags, LiteralData, PacketTrait, Signature, SignatureConfig, SignatureType, Subpacket,
        SubpacketData, UserId,
    },
    ser::Serialize,
    types::{Duration, KeyVersion, Password, SignedUser, SigningKey, Tag, Timestamp as Stamp},
};

/// The creation time of all lab keys.
pub const MADE: u32 = 1_767_225_600;

/// The present, in the lab: fifty days later.
pub fn now() -> Timestamp {
    days(50)
}

pub fn days(days: u32) -> Timestamp {
    Timestamp::from_second(i64::from(MADE + days * 86_400)).unwrap()
}

/// A statement to be made, with everything that can be wrong about it.
#[derive(Clone)]
pub struct Say {
    pub hash: HashAlgorithm,
    pub day: u32,
    pub flags: Option<(bool, bool)>,
    pub expires: Option<u32>,
    pub ends: Option<u32>,
}

impl Default for Say {
    fn default() -> Self {
        Self { hash: HashAlgorithm::Sha256, day: 0, flags: None, expires: None, ends: None }
    }
}

impl Say {
    pub fn config(&self, kind: SignatureType, signer: &impl SigningKey) -> SignatureConfig {
        let version = signer.version();
        let mut config = if version == KeyVersion::V6 {
            SignatureConfig::v6(rand::thread_rng(), kind, signer.algorithm(), self.hash).unwrap()
        } else {
            SignatureConfig::v4(kind, signer.algorithm(), self.hash)
        };
        let mut parts = vec![
            SubpacketData::SignatureCreationTime(Stamp::from_secs(MADE + self.day * 86_400)),
            SubpacketData::IssuerFingerprint(signer.fingerprint()),
        ];
        if let Some((certify, sign)) = self.flags {
            let mut flags = KeyFlags::default();
            flags.set_certify(certify);
            flags.set_sign(sign);
            parts.push(SubpacketData::KeyFlags(flags));
        }
        let span = |days: u32| Duration::from_secs(days * 86_400);
        parts.extend(self.expires.map(|days| SubpacketData::KeyExpirationTime(span(days))));
        parts.extend(self.ends.map(|days| SubpacketData::SignatureExpirationTime(span(days))));
        config.hashed_subpackets = parts.into_iter().map(|p| Subpacket::regular(p).unwrap()).collect();
        if version == KeyVersion::V4 {
            let id = SubpacketData::IssuerKeyId(signer.legacy_key_id());
            config.unhashed_subpackets = vec![Subpacket::regular(id).unwrap()];
        }
        config
    }

    pub fn sign(&self, signer: &impl SigningKey, content: &[u8]) -> Signature {
        self.config(SignatureType::Binary, signer).sign(signer, &Password::empty(), content).unwrap()
    }
}

/// The same with RSA: the crate refuses to sign SHA-1 with newer algorithms.
pub fn rsa() -> SignedSecretKey {
    secret_of(KeyType::Rsa(2048), KeyVersion::V4)
}

/// Secret keys: a primary one and a subkey.
pub fn secret() -> SignedSecretKey {
    secret_of(KeyType::Ed25519Legacy, KeyVersion::V4)
}

pub fn secret_of(kind: KeyType, version: KeyVersion) -> SignedSecretKey {
    let made = Stamp::from_secs(MADE);
    let mut sub = SubkeyParamsBuilder::default();
    sub.version(version).key_type(kind.clone()).created_at(made).can_sign(true);
    let mut params = SecretKeyParamsBuilder::default();
    params.version(version).key_type(kind).created_at(made).can_certify(true).can_sign(true);
    params.primary_user_id("made by the builder".into()).subkeys(vec![sub.build().unwrap()]);
    params.build().unwrap().generate(rand::thread_rng()).unwrap()
}

/// A user id with the owner's certification.
pub fn user(key: &SignedSecretKey, name: &str, say: &Say) -> SignedUser {
    let id = UserId::from_str(pgp::types::PacketHeaderVersion::default(), name).unwrap();
    let (signer, password) = (&key.primary_key, Password::empty());
    let word = say.config(SignatureType::CertPositive, signer);
    let word = word.sign_certification(signer, signer.public_key(), &password, Tag::UserId, &id).unwrap();
    SignedUser::new(id, vec![word])
}

/// A key block with one user id and no subkey.
pub fn block(key: &SignedSecretKey, say: &Say) -> SignedPublicKey {
    let users = vec![user(key, "lab <lab@example.test>", say)];
    let details = SignedKeyDetails::new(vec![], vec![], users, vec![]);
    SignedPublicKey::new(key.primary_key.public_key().clone(), details, vec![])
}

/// The subkey of `of`, bound to the primary key of `to`; with or without a back-signature by the subkey's own owner.
pub fn bound(of: &SignedSecretKey, to: &SignedSecretKey, say: &Say, answer: bool) -> SignedPublicSubKey {
    let subkey = &of.secret_subkeys[0].key;
    let (signer, password) = (&to.primary_key, Password::empty());
    let say = Say { flags: Some((false, true)), ..say.clone() };
    let mut config = say.config(SignatureType::SubkeyBinding, signer);
    if answer {
        let back = Say { flags: None, ..say }.config(SignatureType::KeyBinding, subkey);
        let back = back
            .sign_primary_key_binding(subkey, subkey.public_key(), &password, signer.public_key())
            .unwrap();
        let embedded = SubpacketData::EmbeddedSignature(Box::new(back));
        config.hashed_subpackets.push(Subpacket::regular(embedded).unwrap());
    }
    let public = subkey.public_key();
    let binding = config.sign_subkey_binding(signer, signer.public_key(), &password, public).unwrap();
    SignedPublicSubKey::new(public.clone(), vec![binding])
}

/// The owner revokes the key.
pub fn revocation(key: &SignedSecretKey) -> Signature {
    let signer = &key.primary_key;
    let config = Say { day: 40, ..Say::default() }.config(SignatureType::KeyRevocation, signer);
    config.sign_key(signer, &Password::empty(), signer.public_key()).unwrap()
}

pub fn image() -> Digest {
    Digest::of(b"the image")
}

pub fn payload(image: Digest) -> Vec<u8> {
    payload_for(image, "r.test/app:v1")
}

pub fn payload_for(image: Digest, reference: &str) -> Vec<u8> {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{reference}"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"atomic container signature"}},"optional":{{"creator":"lab"}}}}"#
    )
    .into_bytes()
}

/// Packets one after the other.
pub fn packet(packet: &impl PacketTrait) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

pub fn literal(content: &[u8]) -> Vec<u8> {
    packet(&LiteralData::from_bytes("", content.to_vec().into()).unwrap())
}

/// A message in the old form: the signature, then the text.
pub fn message(signature: &Signature, content: &[u8]) -> Vec<u8> {
    [packet(signature), literal(content)].concat()
}

/// A good message by the primary key.
pub fn signed(key: &SignedSecretKey, say: &Say) -> Vec<u8> {
    let content = payload(image());
    message(&say.sign(&key.primary_key, &content), &content)
}

pub fn bytes(block: &impl Serialize) -> Vec<u8> {
    block.to_bytes().unwrap()
}

/// What `--key` reads from these bytes.
pub fn candidates(bytes: &[u8]) -> Vec<Candidate> {
    let provenance =
        Provenance { grade: Grade::File, source: "lab.asc".into(), sha256: Digest::of(bytes), date: None };
    let candidate = |key| Candidate::new(Role::Gpg, key, provenance.clone()).unwrap();
    parse_key_file(bytes).unwrap().material.into_iter().map(candidate).collect()
}

pub fn ask(message: &[u8], candidates: &[Candidate], now: Timestamp) -> Result<Resolution, &'static str> {
    let signature = UntrustedGpg::parse(message).map_err(|e| e.code().as_str())?;
    let signature = UntrustedSignature::Gpg(Box::new(signature));
    Ok(resolve(&[Question { image: image(), signature: &signature }], candidates, now))
}

/// The outcome for a message with these key blocks available: "have", "missing", or the code of a refusal.
pub fn outcome(message: &[u8], blocks: &[Vec<u8>], now: Timestamp) -> &'static str {
    let candidates: Vec<_> = blocks.iter().flat_map(|block| candidates(block)).collect();
    let resolution = match ask(message, &candidates, now) {
        Ok(resolution) => resolution,
        Err(code) => return code,
    };
    let answers = &resolution.answers[0];
    let outcome = match (&answers.refusal, answers.needs.first()) {
        (Some(refusal), _) | (None, Some((_, Answer::Refused { refusal, .. }))) => refusal.code().as_str(),
        (None, Some((_, Answer::Have(_)))) => "have",
        (None, _) => "missing",
    };
    assert_eq!(resolution.keys.is_empty(), outcome != "have", "{outcome}");
    outcome
}
