use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::oci::{Blob, Digest, annotation, media};

/// An index.json being edited: one entry is replaced or added, and all other values are kept byte for byte, whether
/// keypack knows the field or not.
pub(super) struct IndexJson<'a> {
    fields: Vec<(String, &'a RawValue)>,
    manifests: Vec<&'a RawValue>,
}

/// The index of an empty layout.
pub(super) const EMPTY: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

const MANIFESTS: &str = "manifests";

/// The entry with a given tag.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    media_type: &'a str,
    digest: Digest,
    size: u64,
    annotations: BTreeMap<&'a str, &'a str>,
}

/// The members that are read from an existing entry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    media_type: Option<String>,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

impl<'a> IndexJson<'a> {
    /// Parses an index.json. The error is a description of the problem.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let Fields(fields) = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.get());
        if field("schemaVersion") != Some("2") {
            return Err("its schemaVersion is not 2".to_owned());
        }
        if let Some(kind) = field("mediaType").and_then(|v| serde_json::from_str::<String>(v).ok())
            && kind != media::INDEX
        {
            return Err(format!("its media type is {kind:?}, not that of an index"));
        }
        // Go's encoder writes an empty list as null.
        let manifests: Option<_> =
            serde_json::from_str(field(MANIFESTS).unwrap_or("null")).map_err(|e| e.to_string())?;
        Ok(Self { manifests: manifests.unwrap_or_default(), fields })
    }

    /// The index with `tag` referring to `manifest`; `None` if it already does.
    pub(super) fn with(
        &self,
        tag: &str,
        manifest: &Blob,
        media_type: &str,
    ) -> Result<Option<Vec<u8>>, String> {
        let mut found = None;
        for (at, raw) in self.manifests.iter().enumerate() {
            let known: Known = serde_json::from_str(raw.get()).map_err(|e| format!("entry {at}: {e}"))?;
            if known.annotations.as_ref().and_then(|a| a.get(annotation::REF_NAME)).is_some_and(|n| n == tag)
                && found.replace((at, known)).is_some()
            {
                return Err(format!("it has more than one entry {tag:?}; choose another tag"));
            }
        }
        // A push replaces only packs; an unreadable entry might be anything.
        if let Some((_, known)) = &found
            && let Err(e) = known.digest.parse::<Digest>()
        {
            return Err(format!("its entry {tag:?} can't be read: {e}; choose another tag"));
        }
        let entry = Entry {
            media_type,
            digest: manifest.digest(),
            size: manifest.size(),
            annotations: [(annotation::REF_NAME, tag)].into(),
        };
        let is_it = |known: &Known| {
            known.media_type.as_deref() == Some(media_type)
                && known.digest == entry.digest.to_string()
                && known.size == entry.size
        };
        if found.as_ref().is_some_and(|(_, known)| is_it(known)) {
            return Ok(None);
        }
        let entry = serde_json::to_string(&entry).map_err(|e| e.to_string())?;
        let mut entries: Vec<&str> = self.manifests.iter().map(|raw| raw.get()).collect();
        match found {
            Some((at, _)) => entries[at] = &entry,
            None => entries.push(&entry),
        }
        let entries = format!("[{}]", entries.join(","));
        self.render(&entries).map(Some)
    }

    fn render(&self, manifests: &str) -> Result<Vec<u8>, String> {
        let mut parts = Vec::new();
        let has_list = self.fields.iter().any(|(key, _)| key == MANIFESTS);
        for (key, value) in &self.fields {
            let key = serde_json::to_string(key).map_err(|e| e.to_string())?;
            let value = if key == "\"manifests\"" { manifests } else { value.get() };
            parts.push(format!("{key}:{value}"));
        }
        if !has_list {
            parts.push(format!("\"{MANIFESTS}\":{manifests}"));
        }
        Ok(format!("{{{}}}", parts.join(",")).into_bytes())
    }
}

/// The fields of an object, in order, without duplicates.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Self::Value = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    if fields.iter().any(|(other, _)| *other == key) {
                        return Err(de::Error::custom(format_args!("the field {key:?} comes twice")));
                    }
                    fields.push((key, value));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Visitor).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, tag: &str) -> Result<Option<String>, String> {
        let manifest = Blob::new(b"{}".to_vec());
        let edited = IndexJson::parse(text.as_bytes())?.with(tag, &manifest, media::MANIFEST)?;
        Ok(edited.map(|bytes| String::from_utf8(bytes).unwrap()))
    }

    const NEW: &str = r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"annotations":{"org.opencontainers.image.ref.name":"k"}}"#;
    const OTHER: &str = r#"{"z":1.0, "digest" : "sha512:ff","size":123456789012345678,"data":"e30=",
        "platform":{"os":"linux"},"annotations":{"b":"ü\u0026","a":""}}"#;
    const NAMED: &str = r#"{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1,"annotations":{"org.opencontainers.image.ref.name":"k"}}"#;

    #[test]
    fn one_entry_is_edited_and_every_other_byte_stays() {
        let index = |entries: &str| {
            format!(r#"{{"x":[1, 2e0],"schemaVersion":2,"manifests":[{entries}],"a":{{"k":"v" }}}}"#)
        };
        assert_eq!(edit(&index(OTHER), "k").unwrap().unwrap(), index(&format!("{OTHER},{NEW}")));
        let three = |middle| index(&format!("{OTHER},{middle},{OTHER}"));
        assert_eq!(edit(&three(NAMED), "k").unwrap().unwrap(), three(NEW));
        assert_eq!(edit(&three(NEW), "k").unwrap(), None);
    }

    #[test]
    fn an_empty_index_takes_its_first_entry() {
        for text in [EMPTY, r#"{"schemaVersion":2}"#, r#"{"schemaVersion":2,"manifests":null}"#] {
            let edited = edit(text, "k").unwrap().unwrap();
            assert!(edited.ends_with(&format!(r#""manifests":[{NEW}]}}"#)), "{edited}");
        }
    }

    #[test]
    fn an_index_that_can_be_read_in_two_ways_is_not_edited() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[{"size":1}]}"#,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"md5:00","size":1,"annotations":{"org.opencontainers.image.ref.name":"k"}}]}"#,
            &format!(r#"{{"schemaVersion":2,"manifests":[{NAMED},{NAMED}]}}"#),
        ] {
            assert!(edit(text, "k").is_err(), "{text}");
        }
    }
}
