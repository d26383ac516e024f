//! Keys with which anyone can sign: a signature that verifies with one proves nothing. The verifying crates check for
//! some of these only during verification, and for others never.

use std::sync::LazyLock;

use curve25519_dalek::edwards::CompressedEdwardsY;
use rsa::{BigUint, RsaPublicKey};

use super::PublicKeyError::{self, Encoding, Unsupported, Weak};

/// The sizes of RSA keys that the verifying crate accepts. It checks them only during verification, so until then a
/// smaller key would be listed as good.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Products of the odd primes below 752, with as many factors per product as fit into 32 bits. None of these primes may
/// divide a modulus: partial validation of NIST SP 800-89, section 5.3.3. A modulus with a small factor is as good as
/// factored.
static SMALL_PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let is_prime = |n: &u32| (3..*n).step_by(2).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let mut products: Vec<u32> = Vec::new();
    for prime in (3..752).step_by(2).filter(is_prime) {
        let last = products.pop().unwrap_or(1);
        match last.checked_mul(prime) {
            Some(product) => products.push(product),
            None => products.extend([last, prime]),
        }
    }
    products
});

/// Checks modulus and exponent, big-endian.
pub(super) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), PublicKeyError> {
    use rsa::Error::{
        InvalidExponent, InvalidModulus, ModulusTooLarge, PublicExponentTooLarge, PublicExponentTooSmall,
    };
    let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    if !RSA_BITS.contains(&n.bits()) {
        return Err(Unsupported(format!("RSA of {} bits", n.bits())));
    }
    RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).map_err(|e| match e {
        PublicExponentTooSmall => Weak("its RSA exponent is 1".into()),
        InvalidExponent => Weak("its RSA exponent is even".into()),
        InvalidModulus => Weak("its RSA modulus is even".into()),
        PublicExponentTooLarge | ModulusTooLarge => {
            Unsupported("RSA with an exponent of more than 33 bits".into())
        }
        e => Encoding(e.to_string()),
    })?;
    // Log entries contain keys too, so this runs once per signature.
    if SMALL_PRIMES.iter().any(|product| divisor(remainder(modulus, *product), *product) > 1) {
        return Err(Weak("a small number divides its RSA modulus".into()));
    }
    Ok(())
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    let digit = |rest: u64, bytes: &[u8]| {
        bytes.iter().fold(rest, |rest, byte| (rest << 8) | u64::from(*byte)) % u64::from(divisor)
    };
    let (first, others) = number.split_at(number.len() % 4);
    let rest = others.chunks_exact(4).fold(digit(0, first), digit);
    u32::try_from(rest).unwrap_or_default()
}

/// The greatest common divisor.
const fn divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Checks a point (RFC 8032 §5.1.2). Other encodings of the same point (refused by §5.1.3) would change the
/// fingerprint.
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
