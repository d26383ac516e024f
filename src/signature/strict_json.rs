//! JSON without duplicate keys. A document with a duplicate key is read differently by Go, Rust and Python, so a
//! signature over it proves nothing (containers/image calls its parser for the same case "paranoid").

use std::{collections::BTreeSet, fmt};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::SignatureError;

/// Walks a document and keeps none of it.
struct Unique;

const MARK: &str = "duplicate key ";

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }
    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }
    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("{MARK}{key}")));
            }
            seen.insert(key);
            map.next_value::<Unique>()?;
        }
        Ok(Unique)
    }
}

/// Parses `bytes` as `T`, refusing a document with a duplicate key at any depth.
pub(crate) fn parse<'de, T: Deserialize<'de>>(
    what: &'static str,
    bytes: &'de [u8],
) -> Result<T, SignatureError> {
    serde_json::from_slice::<Unique>(bytes).map_err(|e| {
        let text = e.to_string();
        match text.split_once(MARK) {
            Some((_, key)) => SignatureError::DuplicateKey {
                what,
                key: key.rsplit_once(" at line").map_or(key, |(key, _)| key).to_owned(),
            },
            None => SignatureError::malformed(what, text),
        }
    })?;
    serde_json::from_slice(bytes).map_err(|e| SignatureError::malformed(what, e))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_key_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"b":{"c":1,"c":1}}]}"#, r#"{"a":1,"\u0061":2}"#] {
            let error = parse::<Value>("the test", text.as_bytes()).unwrap_err();
            assert_eq!(error.code().as_str(), "duplicate-json-key", "{text}");
        }
        assert!(parse::<Value>("the test", br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(
            parse::<Value>("the test", deep.as_bytes()).unwrap_err().code().as_str(),
            "signature-malformed"
        );
    }
}
