#![cfg_attr(fuzzing, no_main)]
//! Key files: each accepted key is written as PEM and reads back the same; a file with a private key yields nothing.

use keypack::{
    key::{Material, parse_key_file},
    trust,
};

/// Reads a key file.
pub fn run(data: &[u8]) {
    let Ok(parsed) = parse_key_file(data) else { return };
    assert!(!String::from_utf8_lossy(data).contains("-----BEGIN PRIVATE KEY-----"), "a private key passed");
    for material in parsed.material {
        let pem = material.to_pem();
        let again = parse_key_file(pem.as_bytes()).expect("normalised PEM is read");
        assert_eq!(again.unusable, []);
        assert_eq!(again.material.as_slice(), std::slice::from_ref(&material), "another key came back");
        assert_eq!(again.material[0].fingerprints(), material.fingerprints());
        match &material {
            Material::Key(key) => assert!(key.spki().len() < data.len() * 2 + 64, "a key out of nothing"),
            Material::OpenPgp(key) => assert!(!key.fingerprint().is_empty(), "a key without a fingerprint"),
            Material::Chain(chain) => {
                for role in keypack::key::Role::ALL {
                    let _ = trust::check_chain(chain, role);
                }
            }
        }
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
