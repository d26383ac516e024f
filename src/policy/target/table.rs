//! The rows of `consumers/*.json`.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;
use thiserror::Error;

use super::{Feature, OpenShiftApi, Target, Version};
use crate::oci::Digest;

/// The files, one for each library.
const LIBRARIES: [(&str, &str); 5] = [
    ("containers-image.json", include_str!("../../../consumers/containers-image.json")),
    ("cosign.json", include_str!("../../../consumers/cosign.json")),
    ("kyverno.json", include_str!("../../../consumers/kyverno.json")),
    ("policy-controller.json", include_str!("../../../consumers/policy-controller.json")),
    ("talos.json", include_str!("../../../consumers/talos.json")),
];
const OPENSHIFT: (&str, &str) = ("openshift.json", include_str!("../../../consumers/openshift.json"));

static TABLE: LazyLock<Result<Table, TableError>> =
    LazyLock::new(|| Table::parse(LIBRARIES.as_slice(), OPENSHIFT));

/// sha256 of the data: of the lines that `sha256sum` writes about the files.
pub fn digest() -> Digest {
    let mut files: Vec<_> = LIBRARIES.iter().chain([&OPENSHIFT]).collect();
    files.sort_unstable();
    let lines: String = files
        .iter()
        .map(|(name, text)| format!("{}  consumers/{name}\n", Digest::of(text.as_bytes()).hex()))
        .collect();
    Digest::of(lines.as_bytes())
}

/// Why the data can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("consumers/{file}: {what}")]
pub struct TableError {
    file: String,
    what: String,
}

/// All consumers.
#[derive(Debug)]
pub struct Table {
    libraries: Vec<Library>,
    openshift: Vec<OpenShiftApi>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    library: String,
    features: Vec<FeatureRow>,
    versions: Vec<VersionRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureRow {
    feature: Feature,
    since: String,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionRow {
    consumer: String,
    version: String,
    /// The version of the library that it is built with.
    library: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenShiftFile {
    #[serde(rename = "resource")]
    _resource: String,
    versions: Vec<OpenShiftApi>,
}

impl Table {
    /// What is compiled in.
    pub fn built_in() -> Result<&'static Self, TableError> {
        TABLE.as_ref().map_err(TableError::clone)
    }

    /// Reads the files. Every row must have a source, every version must be one, and no consumer may have one version twice.
    fn parse(libraries: &[(&str, &str)], openshift: (&str, &str)) -> Result<Self, TableError> {
        let mut table = Self { libraries: Vec::new(), openshift: Vec::new() };
        let mut seen = BTreeSet::new();
        for (file, text) in libraries {
            let wrong = |what: String| TableError { file: (*file).to_owned(), what };
            let library: Library = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
            for row in &library.features {
                check(&row.since, &row.source).map_err(wrong)?;
            }
            for row in &library.versions {
                check(&row.version, &row.source).map_err(wrong)?;
                check(&row.library, &row.source).map_err(wrong)?;
                if !seen.insert((row.consumer.clone(), row.version.clone())) {
                    return Err(wrong(format!("{}@{} has two rows", row.consumer, row.version)));
                }
            }
            table.libraries.push(library);
        }
        let (file, text) = openshift;
        let wrong = |what: String| TableError { file: file.to_owned(), what };
        let read: OpenShiftFile = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        for row in &read.versions {
            check(&row.version, &row.source).map_err(wrong)?;
        }
        table.openshift = read.versions;
        Ok(table)
    }

    /// The names of the consumers.
    pub fn consumers(&self) -> Vec<&str> {
        let all = self.libraries.iter().flat_map(|library| &library.versions);
        let names: BTreeSet<_> = all.map(|row| row.consumer.as_str()).collect();
        names.into_iter().collect()
    }

    /// A version of a consumer. A shorter one than the rows have (`rhel@9`) is the oldest that it may be; a longer one
    /// (`podman@4.9.4`) is the row that it belongs to.
    pub(super) fn target(&'static self, consumer: &str, version: &Version) -> Result<Target, String> {
        let mut rows: Vec<_> = self
            .libraries
            .iter()
            .flat_map(|library| library.versions.iter().map(move |row| (library, row)))
            .filter(|(_, row)| row.consumer == consumer)
            .filter_map(|(library, row)| Some((row.version.parse::<Version>().ok()?, library, row)))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let Some(oldest) = rows.first() else {
            let all = self.consumers().join(", ");
            return Err(format!("there is no consumer {consumer:?}; those that keypack knows are {all}"));
        };
        let within = rows.iter().find(|(row, ..)| row.is_of(version));
        let Some((row, library, known)) = within.or_else(|| rows.iter().rfind(|(row, ..)| row <= version))
        else {
            return Err(format!(
                "{consumer}@{version} verifies no sigstore signatures, or is not known; the oldest that keypack knows is {consumer}@{}",
                oldest.0
            ));
        };
        let built_with: Version = known.library.parse()?;
        let features = library.features.iter().filter(|row| {
            let since = row.since.parse::<Version>();
            since.is_ok_and(|since| since <= built_with)
        });
        Ok(Target {
            consumer: &known.consumer,
            version: version.clone(),
            row: row.clone(),
            library: format!("{} {}", library.library, known.library),
            source: &known.source,
            features: features.map(|row| row.feature).collect(),
            openshift: (consumer == "openshift")
                .then(|| self.openshift.iter().find(|api| api.version == known.version))
                .flatten(),
        })
    }
}

fn check(version: &str, source: &str) -> Result<(), String> {
    version.parse::<Version>()?;
    if source.trim().is_empty() {
        return Err(format!("the row for {version} has no source"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_source_and_a_row_without_one_is_refused() {
        Table::built_in().unwrap();
        for (file, text) in LIBRARIES {
            let mut rows: serde_json::Value = serde_json::from_str(text).unwrap();
            for list in ["features", "versions"] {
                let whole = rows[list].clone();
                assert!(whole.as_array().unwrap().len() > 1, "{file} {list}");
                rows[list][0]["source"] = " ".into();
                let refused = Table::parse(&[(file, &rows.to_string())], OPENSHIFT).unwrap_err();
                assert!(refused.to_string().ends_with("has no source"), "{refused}");
                rows[list][0].as_object_mut().unwrap().remove("source");
                assert!(Table::parse(&[(file, &rows.to_string())], OPENSHIFT).is_err());
                rows[list] = whole;
            }
        }
        let without = OPENSHIFT.1.replacen("openshift/api release-4.16", "", 1);
        assert!(without != OPENSHIFT.1);
        Table::parse(&LIBRARIES, ("openshift.json", &without)).unwrap();
        let mut rows: serde_json::Value = serde_json::from_str(OPENSHIFT.1).unwrap();
        rows["versions"][0]["source"] = "".into();
        assert!(Table::parse(&LIBRARIES, ("openshift.json", &rows.to_string())).is_err());
    }

    #[test]
    fn each_release_of_openshift_has_its_library_and_its_api() {
        let table = Table::built_in().unwrap();
        let of_library = table.libraries.iter().flat_map(|library| &library.versions);
        let of_library: BTreeSet<_> =
            of_library.filter(|row| row.consumer == "openshift").map(|row| &row.version).collect();
        let of_api: BTreeSet<_> = table.openshift.iter().map(|api| &api.version).collect();
        assert_eq!(of_library, of_api);
    }
}
