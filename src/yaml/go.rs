//! YAML as Go's `yaml.v3` reads it into a struct, for files that are written for Go programs: unknown fields are skipped, a key
//! that stands twice is a fault, and only `true`, `yes` and their kin are true, not a quoted `"true"`.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_saphyr::options::DuplicateKeyPolicy;

/// Reads the first document of a text, whatever follows it; nothing, where the text holds none.
pub(crate) fn read_as_go<T: DeserializeOwned>(text: &str) -> Result<Option<T>, String> {
    let is_empty = |line: &str| matches!(line.trim().as_bytes(), [] | [b'#', ..] | b"---");
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take_while(|line| is_empty(line)).map(str::len).sum();
    let rest = &text[before..];
    let ends = |line: &str| matches!(line.trim_end(), "---" | "...") || line.starts_with("--- ");
    let length: usize = rest
        .split_inclusive('\n')
        .enumerate()
        .take_while(|(at, line)| *at == 0 || !ends(line))
        .map(|(_, line)| line.len())
        .sum();
    let text = &rest[..length];
    if text.lines().all(is_empty) {
        return Ok(None);
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32, max_aliases: 64, max_anchors: 64 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map(Some)
        .map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())
}

/// A truth value in such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GoBool(pub(crate) bool);

impl<'de> Deserialize<'de> for GoBool {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl serde::de::Visitor<'_> for Reader {
            type Value = GoBool;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E>(self, value: bool) -> Result<GoBool, E> {
                Ok(GoBool(value))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<GoBool, E> {
                match text {
                    "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "True" | "TRUE" => {
                        Ok(GoBool(true))
                    }
                    "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "False" | "FALSE" => {
                        Ok(GoBool(false))
                    }
                    _ => Err(E::custom(format!("{text:?} is a text, and a truth value is expected"))),
                }
            }
        }
        from.deserialize_any(Reader)
    }
}
