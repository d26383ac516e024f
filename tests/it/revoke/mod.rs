//! Revoking a key on this host: what still works, what doesn't, and that only the state decides.
mod again;
mod keys_written;
mod named;
mod since;
mod told;

use serde_json::Value;

use crate::{
    cli::lab::{FORMATS, storage},
    support::program::{Ran, TRUST, Test},
};

/// The keys of the lab.
const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
const SIGNER_FILE: &str = "signer-43ef7bc8.pub";
const REKOR: &str = "sha256:e69e8241a86926434b03c31cf128899cbf3c1f73466f07acae0363289213df19";
const TSA: &str = "sha256:03df1167937f3fd0009229722fc7b78113e7ce4cd783bf343884619176cde8ef";

/// A host with the lab's registry, which pulled its keys to `keys/`; and the pack digest.
fn pulled() -> (Test, String) {
    let test = Test::new();
    storage(&test);
    // One image of each of the nine forms: six by the signer's key, three by certificates.
    for form in FORMATS.map(|(form, ..)| form) {
        for more in ["img2", "img3", "img4", "img5"] {
            let repository = format!("storage/docker/registry/v2/repositories/{form}/{more}");
            std::fs::remove_dir_all(test.path(&repository)).unwrap();
        }
    }
    let line = format!("collect storage {TRUST} -o made --state there");
    let pack = test.run(&line).exits(0).after("Pack: ");
    test.run("push made oci-archive:keys.tar:k --state there").exits(0);
    pull(&test, &pack).exits(0);
    (test, pack)
}

fn pull(test: &Test, pack: &str) -> Ran {
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys"))
}

/// The JSON output of a command, validated against its schema.
#[track_caller]
fn json(test: &Test, line: &str, exit: i32) -> Value {
    let found = test.run(&format!("{line} --format json")).exits(exit).json();
    let name = if line.starts_with("verify") { "verify-v1" } else { "results-v1" };
    let schema: Value = test.run(&format!("schema {name}")).exits(0).json();
    let errors: Vec<_> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&found).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{line}: {errors:#?}\n{found:#}");
    found
}

/// The numbers of good and refused lab images.
#[track_caller]
fn counts(test: &Test) -> (u64, u64) {
    let found = test.run("verify storage --format json").json();
    let count =
        |state: &str| found["counts"][state].as_u64().unwrap_or_else(|| panic!("{:#}", found["counts"]));
    (count("good"), count("refused"))
}
