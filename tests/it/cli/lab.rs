//! The lab's images in arrangements that the fixtures do not include.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::program::{LAB, Test};

/// The nine formats: name, form of signature, how registry storage holds it, roles that it needs.
pub(crate) const FORMATS: [(&str, &str, &str, &[&str]); 9] = [
    ("key-tag-notlog", "simple-signing", "tag", &["signer"]),
    ("key-ref11-notlog", "simple-signing", "fallback-tag", &["signer"]),
    ("key-bundle-notlog", "bundle", "fallback-tag", &["signer"]),
    ("key-tag-rekor1", "simple-signing", "tag", &["rekor", "signer"]),
    ("key-bundle-rekor1", "bundle", "fallback-tag", &["rekor", "signer"]),
    ("key-bundle-rekor2", "bundle", "fallback-tag", &["rekor2", "tsa", "signer"]),
    ("keyless-bundle-rekor1", "bundle", "fallback-tag", &["rekor", "ctlog", "fulcio"]),
    ("keyless-bundle-rekor2", "bundle", "fallback-tag", &["rekor2", "ctlog", "fulcio", "tsa"]),
    ("keyless-tag-rekor1", "simple-signing", "tag", &["rekor", "ctlog", "fulcio"]),
];

/// Unpacks the registry's data folder to `storage/`.
pub(crate) fn storage(test: &Test) {
    let file = fs::File::open(Path::new(LAB).join("registry-storage.tar.gz")).unwrap();
    tar::Archive::new(GzDecoder::new(file)).unpack(test.path("")).unwrap();
}

const STORAGE: &str = "storage/docker/registry/v2";

fn stored(test: &Test, digest: &str) -> Vec<u8> {
    let hex = digest.strip_prefix("sha256:").unwrap();
    test.read(&format!("{STORAGE}/blobs/sha256/{}/{hex}/data", &hex[..2]))
}

fn linked(test: &Test, repository: &str, tag: &str) -> String {
    let path = format!("{STORAGE}/repositories/{repository}/_manifests/tags/{tag}/current/link");
    String::from_utf8(test.read(&path)).unwrap()
}

/// Writes `repository:v1` of the storage as `dir:` does, with its simple signatures as files next to it.
pub(crate) fn dir(test: &Test, repository: &str, folder: &str) {
    let digest = linked(test, repository, "v1");
    let bytes = stored(test, &digest);
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    test.write(&format!("{folder}/version"), "Directory Transport Version: 1.1\n");
    test.write(&format!("{folder}/manifest.json"), bytes);
    for blob in std::iter::once(&manifest["config"]).chain(manifest["layers"].as_array().unwrap()) {
        let digest = blob["digest"].as_str().unwrap();
        test.write(&format!("{folder}/{}", &digest[7..]), stored(test, digest));
    }
    let signature = linked(test, repository, &format!("{}.sig", digest.replace(':', "-")));
    let signature: Value = serde_json::from_slice(&stored(test, &signature)).unwrap();
    for (layer, number) in signature["layers"].as_array().unwrap().iter().zip(1..) {
        let file = json!({
            "mimeType": layer["mediaType"],
            "payload": BASE64_STANDARD.encode(stored(test, layer["digest"].as_str().unwrap())),
            "annotations": layer["annotations"],
        });
        test.write(&format!("{folder}/signature-{number}"), format!("\0sigstore-json\n{file}"));
    }
}

/// Puts a folder into a tar.
pub(crate) fn archive(test: &Test, folder: &str, name: &str) {
    let mut tar = tar::Builder::new(fs::File::create(test.path(name)).unwrap());
    tar.append_dir_all("", test.path(folder)).unwrap();
    tar.finish().unwrap();
}
