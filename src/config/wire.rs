//! The syntax of `keypack.yaml`. The meaning of the fields is decided in `validate`.

use serde::{Deserialize, Deserializer, de};

use super::{IncludeKeys, OnFailure, When};
use crate::{
    policy::rule::RuleText,
    yaml::{At, Truth, given},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, deserialize_with = "given")]
    pub(super) when: Option<When>,
    #[serde(default, deserialize_with = "given")]
    pub(super) on_failure: Option<OnFailure>,
    #[serde(default, deserialize_with = "given")]
    pub(super) name: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) expires: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) include: Option<IncludeKeys>,
    #[serde(default, deserialize_with = "given")]
    pub(super) sources: Option<Sources>,
    #[serde(default, deserialize_with = "given")]
    pub(super) network: Option<At<Truth>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) rules: Option<Vec<At<RuleText>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) pins: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) verify_keys: Option<VerifyKeys>,
    #[serde(default, deserialize_with = "given")]
    pub(super) tuf_roots: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) revoked: Option<Vec<Revoked>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) images: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) signature_repository: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) allow_realms: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) state: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) require_state: Option<At<Truth>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) max_age: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) max_expires: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) enforce: Option<Enforce>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Enforce {
    #[serde(default, deserialize_with = "given")]
    pub(super) name: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) state: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) require_state: Option<At<Truth>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) max_age: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) max_expires: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) digest: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) verify_keys: Option<VerifyKeys>,
    #[serde(default, deserialize_with = "given")]
    pub(super) tuf_roots: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) pins: Option<Vec<At<String>>>,
}

/// A list of keys, or an object with the list and the required number of signatures.
pub(super) struct VerifyKeys {
    pub(super) threshold: Option<At<u64>>,
    pub(super) keys: Vec<At<String>>,
}

impl<'de> Deserialize<'de> for VerifyKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Fields {
            threshold: At<u64>,
            keys: Vec<At<String>>,
        }
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = VerifyKeys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of files, or threshold and keys")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<VerifyKeys, A::Error> {
                let keys = Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(VerifyKeys { threshold: None, keys })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<VerifyKeys, A::Error> {
                let Fields { threshold, keys } =
                    Fields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(VerifyKeys { threshold: Some(threshold), keys })
            }
        }
        from.deserialize_any(Reader)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Sources {
    #[serde(default, deserialize_with = "given")]
    pub(super) trusted_roots: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) keys: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) from_policy: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) rekor: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) tuf: Option<Vec<Tuf>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Tuf {
    pub(super) repository: At<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) root: Option<At<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Revoked {
    pub(super) fingerprint: At<String>,
    pub(super) reason: At<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) date: Option<At<String>>,
}
