//! The folder that an export writes: its files, and the list of them, by which keypack knows it again.

use serde::{Deserialize, Serialize};

use crate::{display::shown, oci::Digest};

/// The list of the files.
pub(crate) const MANIFEST: &str = "keypack-export.json";

/// What an export is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// `policy-json`.
    pub(crate) format: String,
    /// The consumers.
    pub(crate) r#for: Vec<String>,
    /// The lineage, the version and the digest of the pack that it was made from.
    pub(crate) pack: PackOf,
    /// What it was checked against; nothing, if it was not.
    pub(crate) checked: Option<CheckedAgainst>,
}

/// A pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PackOf {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
}

/// A mirror that it was checked against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CheckedAgainst {
    /// The places.
    pub(crate) sources: Vec<String>,
    /// On which day.
    pub(crate) on: String,
    /// The pulls that were tried.
    pub(crate) pulls: usize,
    /// Those of them that would not run, or could not be judged.
    pub(crate) refused: usize,
}

/// The list of the files of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: u32,
    #[serde(flatten)]
    pub(crate) about: About,
    /// All others.
    pub(crate) files: Vec<ListedFile>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedFile {
    pub(crate) path: String,
    pub(crate) sha256: Digest,
}

/// The files.
#[derive(Debug, Clone)]
pub(crate) struct ExportTree {
    /// By path, with MANIFEST.
    pub(crate) files: Vec<(String, String)>,
}

impl About {
    /// The first line of every file that has comments; with the reason, if it can't be checked.
    pub(crate) fn first_line(&self, not_checkable: Option<&str>) -> String {
        match &self.checked {
            Some(CheckedAgainst { sources, on, pulls, refused: 0 }) => {
                format!(
                    "Written by keypack export. Checked against {} on {on}: {pulls} pulls, none refused.",
                    named(sources)
                )
            }
            Some(CheckedAgainst { sources, pulls, refused, .. }) => format!(
                "Written by keypack export with --allow-rejects: {refused} of {pulls} pulls from {} WOULD BE REFUSED.",
                named(sources)
            ),
            None if not_checkable.is_some() => format!(
                "Written by keypack export. NOT CHECKED against any mirror: {}.",
                not_checkable.unwrap_or_default()
            ),
            None => {
                "Written by keypack export. NOT CHECKED against any mirror: it may stop images from running."
                    .into()
            }
        }
    }
}

impl ExportTree {
    /// The files with their list.
    pub(crate) fn new(about: &About, mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let listed = files
            .iter()
            .map(|(path, text)| ListedFile { path: path.clone(), sha256: Digest::of(text.as_bytes()) });
        let manifest = Manifest { schema_version: 1, about: about.clone(), files: listed.collect() };
        files.push((MANIFEST.to_owned(), manifest.to_json()));
        Self { files }
    }
}

impl Manifest {
    /// Reads the list in a folder; none, if it is not one that keypack wrote.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|manifest: &Self| manifest.schema_version == 1)
    }

    /// As it is written.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Names of places, which may be folders with odd names, for one line.
fn named(places: &[String]) -> String {
    places.iter().map(|place| shown(place)).collect::<Vec<_>>().join(", ")
}
