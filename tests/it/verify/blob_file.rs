//! Bundles of the lab as files, with what they sign.

use serde_json::Value;

use super::{Test, blob, linked, storage};

pub(super) const ROOT: &str = "--trusted-root lab/trust/trusted_root.json";
pub(super) const KEY: &str = "--key lab/trust/cosign.pub";
pub(super) const WHO: &str = super::IDENTITY;

/// The bundle of an image in the data folder.
pub(super) fn bundle_of(test: &Test, name: &str) -> Value {
    let index = test.json(&blob(&linked(test, name, &linked(test, name, "v1").replace(':', "-"))));
    let manifest = test.json(&blob(index["manifests"][0]["digest"].as_str().unwrap()));
    test.json(&blob(manifest["layers"][0]["digest"].as_str().unwrap()))
}

/// The bundle of the first image of a form as `b.json`, and the manifest that it signs, as `file`.
pub(super) fn take(test: &Test, name: &str) -> String {
    if !test.has("storage") {
        storage(test);
    }
    let name = format!("{name}/img1");
    let image = linked(test, &name, "v1");
    test.write("b.json", bundle_of(test, &name).to_string());
    test.write("file", test.read(&blob(&image)));
    image
}
