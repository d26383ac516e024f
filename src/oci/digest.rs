use std::{
    fmt,
    io::{self, Read},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::Hashed;

/// A sha256 digest, `sha256:<64 lower-case hex>` (OCI image-spec, descriptor.md "Digests").
///
/// sha512 is registered in the specification but no signature format that keypack reads can name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A string that is not a digest keypack can verify.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// It uses another algorithm.
    #[error("the digest {0:?} does not use sha256, the only algorithm that keypack checks")]
    Algorithm(String),
    /// It is not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("{0:?} is not a digest: sha256: and 64 lower-case hexadecimal digits are needed")]
    Form(String),
    /// It has the wrong number of hexadecimal digits.
    #[error("{text:?} is not a digest: the number of its hexadecimal digits is {digits} instead of 64")]
    Length {
        /// The string, or its beginning.
        text: String,
        /// The number of digits.
        digits: usize,
    },
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a stream, which is not stored; `None` if it is longer than `limit`.
    pub fn of_stream(stream: impl Read, limit: u64) -> io::Result<Option<Self>> {
        let mut stream = Hashed::new(stream.take(limit.saturating_add(1)));
        let mut buffer = vec![0; 128 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => {
                    let (digest, length) = stream.finish();
                    return Ok((length <= limit).then_some(digest));
                }
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// A digest from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A digest from 64 hexadecimal digits, without the `sha256:` prefix.
    pub fn from_hex(hex: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        let is_lower = !hex.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(hex, &mut bytes) {
            Ok(()) if is_lower => Ok(Self(bytes)),
            _ => format!("sha256:{hex}").parse(),
        }
    }

    /// A digest as people copy it: with or without `sha256:`, in either case, with spaces around it.
    pub fn typed(text: &str) -> Result<Self, DigestError> {
        let text = text.trim().to_ascii_lowercase();
        if text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() }
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let shown = || text.chars().take(100).collect::<String>();
        let (algorithm, digits) = text.split_once(':').ok_or_else(|| DigestError::Form(shown()))?;
        if algorithm != "sha256" {
            let named = !algorithm.is_empty()
                && algorithm
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b));
            return Err(if named { DigestError::Algorithm(shown()) } else { DigestError::Form(shown()) });
        }
        let mut bytes = [0; 32];
        if !digits.is_empty() && digits.len() != 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(DigestError::Length { text: shown(), digits: digits.len() });
        }
        if digits.bytes().any(|b| b.is_ascii_uppercase()) || hex::decode_to_slice(digits, &mut bytes).is_err()
        {
            return Err(DigestError::Form(shown()));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        let digest = Digest::of(b"{}");
        assert_eq!(
            digest.to_string(),
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn other_spellings_are_refused() {
        let hex = "a".repeat(64);
        for text in [
            "",
            "sha256",
            "sha256:",
            "sha256:../../x",
            &format!("sha256:{}", "A".repeat(64)),
            &format!("SHA256:{hex}"),
            &format!("sha256:{hex}\n"),
        ] {
            assert!(matches!(text.parse::<Digest>(), Err(DigestError::Form(_))), "{text:?}");
        }
        for digits in [1, 63, 65] {
            let text = format!("sha256:{}", "a".repeat(digits));
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Length { text, digits }));
        }
        assert!(matches!(format!("sha512:{hex}{hex}").parse::<Digest>(), Err(DigestError::Algorithm(_))));
    }

    #[test]
    fn what_people_copy_is_read() {
        let hex = "a1".repeat(32);
        let digest = Digest::from_hex(&hex).unwrap();
        for text in [
            &hex,
            &hex.to_uppercase(),
            &format!("SHA256:{}", hex.to_uppercase()),
            &format!(" sha256:{hex}\n"),
        ] {
            assert_eq!(Digest::typed(text), Ok(digest), "{text:?}");
        }
        let short = Digest::typed(&hex[..60]).unwrap_err().to_string();
        assert!(short.contains("is 60 instead of 64"), "{short}");
        assert!(Digest::typed("").is_err() && Digest::typed("sha512:00").is_err());
    }
}
