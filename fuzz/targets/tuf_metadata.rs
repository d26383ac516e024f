#![cfg_attr(fuzzing, no_main)]
//! The metadata of a TUF repository, for each role, as anyone may serve it: its content is shown, and nothing is
//! trusted.

mod input;

use keypack::trust::tuf::{Chain, RepositoryPath, Root, describe, succeeds, verify};

/// Reads root, timestamp, snapshot, targets and everything else that is split out of the input, in a repository with
/// or without versions in its names.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let names = ["1.root.json", "timestamp.json", "snapshot.json", "targets.json", "2.root.json", "d.json"];
    let mut chain = Chain::default();
    for (name, bytes) in names.iter().zip(&parts) {
        let versioned = format!("1.{name}");
        for name in [*name, &versioned] {
            if chain.insert(RepositoryPath::new(name).unwrap(), bytes.to_vec()).is_err() {
                return;
            }
        }
    }
    for part in &parts {
        if let Ok(path) = RepositoryPath::new(&String::from_utf8_lossy(part)) {
            let parts: Vec<_> = path.as_str().split('/').collect();
            assert!(parts.iter().all(|p| !p.is_empty() && !p.starts_with('.')), "{path} leads elsewhere");
            assert!(!path.as_str().contains(['\\', '\0', '\n', '\u{1b}', ' ']), "{path}");
        }
    }
    if let Ok(evidence) = describe(&chain) {
        assert!(evidence.expires.values().all(|end| evidence.good_until() <= *end), "an end too late");
        assert_eq!(evidence.versions.keys().collect::<Vec<_>>(), evidence.expires.keys().collect::<Vec<_>>());
        assert!(evidence.signed_after.is_none_or(|after| after < evidence.expires["timestamp"]));
    }
    let first = parts[0];
    if let Ok(root) = Root::new(first.to_vec()) {
        assert!(!succeeds(first, first), "a root follows itself");
        let _ = verify(&chain, &root, "fuzz");
    }
    // No input is signed by sigstore's keyholders.
    let builtin = keypack::trust::tuf::Instance::PublicGood.root().unwrap();
    assert!(verify(&chain, &builtin, "fuzz").is_err(), "it was taken for sigstore's");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
