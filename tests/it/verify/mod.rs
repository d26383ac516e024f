//! Verifying images and files: what is good, what is refused, and that nothing passes by accident.
mod bad_policy;
mod blob;
mod blob_file;
mod broken;
mod clock;
mod contents;
mod detached;
mod fix;
mod forms;
mod image_config;
mod keys;
mod midway;
mod names;
mod policy;
mod release;
mod report;
mod rules;
mod schema;
mod strict;

use serde_json::Value;

use super::cli::lab::storage;
use super::support::program::{Ran, TRUST, Test};

/// The identity of the lab's keyless signatures, and its issuer.
const IDENTITY: &str =
    "--certificate-identity https://ci.test/build.yml@main --certificate-oidc-issuer https://issuer.test";

/// A host that pulled keys to `keys/`, which another host had collected from the lab's registry.
fn pulled(rules: Option<&str>) -> Test {
    let test = Test::new();
    storage(&test);
    pull(&test, rules);
    test
}

/// Collects with these rules on another host, and pulls here.
fn pull(test: &Test, rules: Option<&str>) {
    let mut line = format!("collect storage {TRUST} -o made --state there");
    if let Some(rules) = rules {
        test.write("rules.yaml", rules);
        line.push_str(" --accept-rules rules.yaml");
    }
    let pack = test.run(&line).exits(0).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
}

/// The word "verified" does not appear.
#[track_caller]
fn says_nothing_is_verified(ran: Ran) -> Ran {
    assert!(!ran.out.contains("verified") && !ran.err.contains("verified"), "{}\n{}", ran.out, ran.err);
    ran
}

/// An image in the JSON, by its repository.
#[track_caller]
fn image<'a>(found: &'a Value, repository: &str) -> &'a Value {
    let images = found["images"].as_array().unwrap();
    images.iter().find(|image| image["repository"] == repository).unwrap_or_else(|| panic!("no {repository}"))
}

/// The digest that a tag of a repository in the registry's data folder points to.
fn linked(test: &Test, repository: &str, tag: &str) -> String {
    let path =
        format!("storage/docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link");
    String::from_utf8(test.read(&path)).unwrap()
}

/// The path of a blob in the data folder.
fn blob(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap();
    format!("storage/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2])
}

/// Removes all repositories of the data folder except those with this prefix.
fn keep(test: &Test, start: &str) {
    for name in test.names("storage/docker/registry/v2/repositories") {
        if !name.starts_with(start) {
            std::fs::remove_dir_all(test.path(&format!("storage/docker/registry/v2/repositories/{name}")))
                .unwrap();
        }
    }
}

/// A rule for a scope: the lab's key, logged or not.
fn key(scope: &str) -> String {
    format!("  - scope: {scope}\n    signers: [{{key: signer-43ef7bc8}}]\n    log: none\n")
}

/// Removes every `.sig` of the data folder, tag and manifest.
fn strip(test: &Test) {
    strip_below(test, "storage");
}

fn strip_below(test: &Test, storage: &str) {
    let all = format!("{storage}/docker/registry/v2/repositories");
    for name in test.names(&all) {
        for image in test.names(&format!("{all}/{name}")) {
            let manifests = format!("{all}/{name}/{image}/_manifests");
            for tag in test.names(&format!("{manifests}/tags")).iter().filter(|tag| tag.contains(".sig")) {
                let link = test.read(&format!("{manifests}/tags/{tag}/current/link"));
                let digest = String::from_utf8(link).unwrap();
                std::fs::remove_dir_all(test.path(&format!("{manifests}/tags/{tag}"))).unwrap();
                let revision = format!("{manifests}/revisions/sha256/{}", &digest[7..]);
                std::fs::remove_dir_all(test.path(&revision)).unwrap();
            }
        }
    }
}
