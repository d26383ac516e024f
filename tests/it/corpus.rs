//! Runs every saved fuzzing input again through the body of its target, without libFuzzer (`fuzz/README.md`).
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the corpora are files, and so is what the targets read; a failure tells which one"
)]
#![allow(
    unreachable_pub,
    clippy::duplicate_mod,
    reason = "each target is a program of its own under cargo fuzz"
)]

use std::{fs, io::Read, path::PathBuf};

use flate2::read::GzDecoder;
use tar::Archive;

/// The targets as modules, and a test for each.
macro_rules! targets {
    ($($name:ident $path:literal)*) => {
        $(#[path = $path] mod $name;)*

        const TARGETS: &[&str] = &[$(stringify!($name)),*];

        mod kept {
            $(#[test] fn $name() { super::run(stringify!($name), super::$name::run); })*
        }
    };
}

targets! {
    auth_file "../../fuzz/targets/auth_file.rs"
    bundle "../../fuzz/targets/bundle.rs"
    bundle_parts "../../fuzz/targets/bundle_parts.rs"
    certificate "../../fuzz/targets/certificate.rs"
    consumer_policy "../../fuzz/targets/consumer_policy.rs"
    export_list "../../fuzz/targets/export_list.rs"
    image_config "../../fuzz/targets/image_config.rs"
    image_list "../../fuzz/targets/image_list.rs"
    image_set "../../fuzz/targets/image_set.rs"
    inventory "../../fuzz/targets/inventory.rs"
    key_file "../../fuzz/targets/key_file.rs"
    keypack_yaml "../../fuzz/targets/keypack_yaml.rs"
    location "../../fuzz/targets/location.rs"
    manifest "../../fuzz/targets/manifest.rs"
    name_mapping "../../fuzz/targets/name_mapping.rs"
    oc_mirror "../../fuzz/targets/oc_mirror.rs"
    openpgp "../../fuzz/targets/openpgp.rs"
    pack_artifact "../../fuzz/targets/pack_artifact.rs"
    pack_image "../../fuzz/targets/pack_image.rs"
    pack_layer "../../fuzz/targets/pack_layer.rs"
    policy "../../fuzz/targets/policy.rs"
    reference "../../fuzz/targets/reference.rs"
    registry "../../fuzz/targets/registry.rs"
    rekor_body "../../fuzz/targets/rekor_body.rs"
    release_manifest "../../fuzz/targets/release_manifest.rs"
    release_payload "../../fuzz/targets/release_payload.rs"
    report "../../fuzz/targets/report.rs"
    signature_file "../../fuzz/targets/signature_file.rs"
    simple_signing "../../fuzz/targets/simple_signing.rs"
    state "../../fuzz/targets/state.rs"
    tar_index "../../fuzz/targets/tar_index.rs"
    trusted_root "../../fuzz/targets/trusted_root.rs"
    tuf_metadata "../../fuzz/targets/tuf_metadata.rs"
    tuf_repository "../../fuzz/targets/tuf_repository.rs"
    tuf_tar "../../fuzz/targets/tuf_tar.rs"
    walk "../../fuzz/targets/walk.rs"
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

fn run(target: &str, body: fn(&[u8])) {
    let corpus = fs::read_dir(folder().join("corpus").join(target)).expect("every target has a corpus");
    let mut files: Vec<_> = corpus.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    for file in files {
        // The last line before a panic identifies the input.
        println!("{}", file.display());
        body(&fs::read(&file).unwrap());
    }
    for (name, input) in found(target) {
        println!("{target}: {name}");
        body(&input);
    }
    for input in [&b""[..], b"{}", b"\xff", b"\xff\n\xff\n", &[0; 1024]] {
        body(input);
    }
}

/// What fuzzing found, minimised.
fn found(target: &str) -> Vec<(String, Vec<u8>)> {
    let file = fs::File::open(folder().join("found").join(format!("{target}.tar.gz"))).expect("it is kept");
    let mut archive = Archive::new(GzDecoder::new(file));
    let mut inputs = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        inputs.push((entry.path().unwrap().display().to_string(), bytes));
    }
    assert!(!inputs.is_empty(), "nothing is kept of {target}");
    inputs
}

#[test]
fn every_target_is_a_test_here_and_a_program_there() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let mut programs: Vec<_> =
        manifest.lines().filter_map(|l| l.strip_prefix("path = \"targets/")?.strip_suffix(".rs\"")).collect();
    programs.sort_unstable();
    assert_eq!(programs, TARGETS);
    let with_entry = fs::read_dir(folder().join("targets")).unwrap().filter(|entry| {
        let text = fs::read_to_string(entry.as_ref().unwrap().path()).unwrap();
        text.contains("libfuzzer_sys::fuzz_target!")
    });
    assert_eq!(with_entry.count(), TARGETS.len(), "a target is not in Cargo.toml");
}
