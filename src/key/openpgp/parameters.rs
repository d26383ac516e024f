//! The algorithm and the identifiers of a key packet.

use pgp::{
    crypto::public_key::PublicKeyAlgorithm,
    ser::Serialize,
    types::{
        EcdsaPublicParams, Ed25519PublicParams, EddsaLegacyPublicParams, KeyDetails, KeyVersion,
        PublicParams, RsaPublicParams,
    },
};
use rsa::traits::PublicKeyParts;

use super::super::{
    Algorithm,
    PublicKeyError::{self, Unsupported},
    weak,
};
use crate::oci::Digest;

/// SHA-256 over the octets that the fingerprint is computed from (RFC 9580 §5.5.4).
pub(super) fn imprint(key: &(impl KeyDetails + Serialize)) -> Option<Digest> {
    let body = key.to_bytes().ok()?;
    let mut octets = match key.version() {
        KeyVersion::V4 => [&[0x99], u16::try_from(body.len()).ok()?.to_be_bytes().as_slice()].concat(),
        KeyVersion::V6 => [&[0x9b], u32::try_from(body.len()).ok()?.to_be_bytes().as_slice()].concat(),
        _ => return None,
    };
    octets.extend(body);
    Some(Digest::of(&octets))
}

/// The algorithm, if its signatures are verified here: the same as for other roles, no DSA, no RSA keys below 2048
/// bits.
pub(super) fn algorithm(key: &impl KeyDetails) -> Result<Algorithm, PublicKeyError> {
    match key.public_params() {
        PublicParams::RSA(RsaPublicParams { key }) => {
            weak::check_rsa(&key.n().to_bytes_be(), &key.e().to_bytes_be()).map(|()| Algorithm::Rsa)
        }
        PublicParams::ECDSA(EcdsaPublicParams::P256 { .. }) => Ok(Algorithm::EcdsaP256),
        PublicParams::ECDSA(EcdsaPublicParams::P384 { .. }) => Ok(Algorithm::EcdsaP384),
        PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { key })
        | PublicParams::Ed25519(Ed25519PublicParams { key }) => {
            weak::check_ed25519(key.as_bytes()).map(|()| Algorithm::Ed25519)
        }
        PublicParams::ECDSA(_) => Err(Unsupported("ECDSA with another curve than P-256 and P-384".into())),
        PublicParams::EdDSALegacy(_) => Err(Unsupported("EdDSA with another curve than Ed25519".into())),
        _ => Err(Unsupported(name(key.algorithm()))),
    }
}

fn name(algorithm: PublicKeyAlgorithm) -> String {
    match algorithm {
        PublicKeyAlgorithm::DSA => "DSA".to_owned(),
        PublicKeyAlgorithm::Elgamal | PublicKeyAlgorithm::ElgamalEncrypt => "Elgamal".to_owned(),
        PublicKeyAlgorithm::ECDH | PublicKeyAlgorithm::X25519 | PublicKeyAlgorithm::X448 => {
            "a key for encryption".to_owned()
        }
        PublicKeyAlgorithm::Ed448 => "Ed448".to_owned(),
        other => format!("OpenPGP's algorithm {}", u8::from(other)),
    }
}
