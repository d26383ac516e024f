//! Keys with which anybody can sign: nothing is proved by a signature that verifies with one. The verifying crates look
//! for some of these only when they verify, and for others never.

use curve25519_dalek::edwards::CompressedEdwardsY;
use rsa::{BigUint, RsaPublicKey, traits::PublicKeyParts};

use super::PublicKeyError::{self, Encoding, Unsupported, Weak};

/// The sizes of RSA keys that the verifying crate takes. It asks for them only when it verifies: a smaller key would
/// be listed as good until then.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Odd numbers below this must not divide a modulus: partial validation of NIST SP 800-89, section 5.3.3. A modulus with
/// a small factor is as good as factored.
const SMALL_FACTORS: u32 = 752;

/// Checks modulus and exponent, big-endian.
pub(super) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), PublicKeyError> {
    use rsa::Error::{
        InvalidExponent, InvalidModulus, ModulusTooLarge, PublicExponentTooLarge, PublicExponentTooSmall,
    };
    let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    if !RSA_BITS.contains(&n.bits()) {
        return Err(Unsupported(format!("RSA of {} bits", n.bits())));
    }
    let key = RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).map_err(|e| match e {
        PublicExponentTooSmall => Weak("its RSA exponent is 1".into()),
        InvalidExponent => Weak("its RSA exponent is even".into()),
        InvalidModulus => Weak("its RSA modulus is even".into()),
        PublicExponentTooLarge | ModulusTooLarge => {
            Unsupported("RSA with an exponent of more than 33 bits".into())
        }
        e => Encoding(e.to_string()),
    })?;
    match (3..SMALL_FACTORS).step_by(2).find(|factor| key.n() % *factor == BigUint::from(0_u8)) {
        Some(factor) => Err(Weak(format!("{factor} divides its RSA modulus"))),
        None => Ok(()),
    }
}

/// Checks a point (RFC 8032 §5.1.2). Other spellings of one point (§5.1.3 refuses them) would have another fingerprint.
pub(super) fn check_ed25519(key: &[u8; 32]) -> Result<(), PublicKeyError> {
    let encoded = CompressedEdwardsY(*key);
    let point =
        encoded.decompress().ok_or_else(|| Encoding("its Ed25519 point is not on the curve".into()))?;
    if point.is_small_order() {
        return Err(Weak("its Ed25519 point has an order of 8 or less".into()));
    }
    if point.compress() != encoded {
        return Err(Encoding("the y coordinate of its Ed25519 point is too large".into()));
    }
    Ok(())
}
