use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Index;
use crate::oci::{annotation, media};

/// An index.json in its JSON form. Members that an index can't have show what it is instead.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexDto {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    pub(super) manifests: Option<Entries>,
}

impl IndexDto {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_manifest = self.config.is_some() || self.layers.is_some() || self.fs_layers.is_some();
        match (is_manifest, &self.manifests) {
            (true, Some(_)) => Err("it is ambiguous: it has the fields of a manifest and of an index"),
            (true, None) => Err("it is a manifest, not an index"),
            (false, None) => Err("it has no manifests"),
            (false, Some(_)) if self.schema_version.is_none() => Err("it has no schemaVersion"),
            (false, Some(_)) if self.schema_version == Some(1) => Err("its schemaVersion is 1"),
            (false, Some(_)) => match self.media_type.as_deref() {
                Some(media::MANIFEST | media::DOCKER_MANIFEST) => {
                    Err("it is ambiguous: its media type says manifest, its fields say index")
                }
                _ => Ok(()),
            },
        }
    }
}

/// Go's encoder writes an empty list as null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Entries>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryDto {
    pub(super) media_type: Option<String>,
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) annotations: Option<Names>,
}

/// The entries, each reduced before the next is read.
#[derive(Default)]
pub(super) struct Entries(pub(super) Index);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of descriptors")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut index = Index::default();
                while let Some(entry) = list.next_element::<Box<RawValue>>()? {
                    index.push(&entry);
                }
                Ok(Entries(index))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// Of all annotations, only those with the entry's name.
#[derive(Default)]
pub(super) struct Names {
    pub(super) reference: Option<Box<str>>,
    /// The whole name.
    pub(super) whole: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Annotations;
        impl<'de> Visitor<'de> for Annotations {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some(key) = map.next_key::<String>()? {
                    let (name, key) = match key.as_str() {
                        annotation::REF_NAME => (&mut names.reference, annotation::REF_NAME),
                        annotation::CONTAINERD_NAME => (&mut names.whole, annotation::CONTAINERD_NAME),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if name.replace(map.next_value()?).is_some() {
                        return Err(de::Error::duplicate_field(key));
                    }
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Annotations)
    }
}
