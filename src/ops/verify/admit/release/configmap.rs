//! The signatures of releases for the cluster: `signature-configmap.yaml`, which oc-mirror writes on disk-to-mirror, and which
//! `oc apply` brings to the cluster version operator.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    content::{self, Location},
    diag::{Code, Diagnostic},
    fs, limits,
    oci::Digest,
    trust::attachment::base64,
    yaml,
};

/// The files that hold it (oc-mirror 855b64a, `internal/pkg/clusterresources`).
const FILES: [&str; 2] = ["signature-configmap.yaml", "signature-configmap.json"];

/// What the cluster version operator reads (openshift/library-go `pkg/verify/store/configmap`): only config maps of this
/// namespace with this label.
const NAMESPACE: &str = "openshift-config-managed";
const LABEL: &str = "release.openshift.io/verification-signatures";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentDto {
    kind: Option<String>,
    metadata: Option<MetadataDto>,
    binary_data: Option<BTreeMap<String, String>>,
    /// Of a List.
    items: Option<Vec<DocumentDto>>,
}

#[derive(Deserialize)]
struct MetadataDto {
    namespace: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

/// A file with signatures for the cluster.
pub(super) struct ConfigMap {
    pub(super) path: PathBuf,
    /// The signatures with the digests that their keys name.
    pub(super) signatures: Vec<(Digest, Vec<u8>)>,
}

/// Those in the folders of oc-mirror, and in folders that the user names for mirror sets.
pub(super) fn read(locations: &[Location], named: &[PathBuf]) -> Result<Vec<ConfigMap>, Diagnostic> {
    const FOLDER: &str = "cluster-resources";
    let of_mirror = locations
        .iter()
        .filter_map(content::oc_mirror_path)
        .flat_map(|path| [path.join(FOLDER), path.join(content::WORKING_DIR).join(FOLDER)]);
    let folders = of_mirror.chain(named.iter().cloned());
    let files = folders.flat_map(|folder| FILES.map(|file| folder.join(file)));
    files.filter(|file| file.is_file()).map(|file| of_file(&file)).collect()
}

fn of_file(path: &Path) -> Result<ConfigMap, Diagnostic> {
    let failed = |e| Diagnostic::from(fs::FsError::read(e, path));
    let bytes = fs::open(path).and_then(|file| fs::read(file, limits::CONFIG)).map_err(failed)?;
    let malformed = |what: &str| Diagnostic::new(Code::Malformed, format!("{}: {what}", path.display()));
    let bytes = bytes.ok_or_else(|| malformed("it is too long"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let signatures = parse(text).map_err(|what| malformed(&what))?;
    Ok(ConfigMap { path: path.to_owned(), signatures })
}

/// The signatures in the documents of a file.
fn parse(text: &str) -> Result<Vec<(Digest, Vec<u8>)>, String> {
    let documents: Vec<DocumentDto> = yaml::documents(text).map_err(|fault| fault.what)?;
    let mut found = Vec::new();
    documents.into_iter().try_for_each(|document| add(document, &mut found))?;
    Ok(found)
}

fn add(document: DocumentDto, found: &mut Vec<(Digest, Vec<u8>)>) -> Result<(), String> {
    for item in document.items.into_iter().flatten() {
        add(item, found)?;
    }
    let metadata = document.metadata.as_ref();
    let is_read = document.kind.as_deref() == Some("ConfigMap")
        && metadata.and_then(|metadata| metadata.namespace.as_deref()) == Some(NAMESPACE)
        && metadata
            .and_then(|metadata| metadata.labels.as_ref())
            .is_some_and(|labels| labels.contains_key(LABEL));
    if !is_read {
        return Ok(());
    }
    for (name, data) in document.binary_data.into_iter().flatten() {
        // sha256-<hex>-<number>
        let hex = name.strip_prefix("sha256-").and_then(|rest| Some(rest.rsplit_once('-')?.0));
        let Some(digest) = hex.and_then(|hex| Digest::from_hex(hex).ok()) else { continue };
        let bytes = base64(&data).ok_or_else(|| format!("{name} is not base64"))?;
        found.push((digest, bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn text(namespace: &str, label: &str) -> String {
        format!(
            "apiVersion: v1\nbinaryData:\n  sha256-{HEX}-1: a2V5\n  other: a2V5\nkind: ConfigMap\nmetadata:\n  creationTimestamp: null\n  labels:\n    {label}: \"\"\n  name: mirrored-release-signatures\n  namespace: {namespace}\n"
        )
    }

    #[test]
    fn what_the_operator_reads_is_read() {
        let signature = (Digest::from_hex(HEX).unwrap(), b"key".to_vec());
        assert_eq!(parse(&text(NAMESPACE, LABEL)).unwrap(), std::slice::from_ref(&signature));
        for (namespace, label) in [("default", LABEL), (NAMESPACE, "other")] {
            assert_eq!(parse(&text(namespace, label)).unwrap(), []);
        }
        let json = format!(
            r#"{{"kind":"List","items":[{{"kind":"ConfigMap","metadata":{{"namespace":"{NAMESPACE}","labels":{{"{LABEL}":""}}}},"binaryData":{{"sha256-{HEX}-2":"a2V5"}}}}]}}"#
        );
        assert_eq!(parse(&json).unwrap(), [signature]);
        assert!(parse(&text(NAMESPACE, LABEL).replace("-1: a2V5", "-1: '?'")).is_err());
        assert!(parse("- 1\n").is_err());
    }
}
