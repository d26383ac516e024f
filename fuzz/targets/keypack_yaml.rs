#![cfg_attr(fuzzing, no_main)]
//! `keypack.yaml`: what is accepted keeps the rules that the types do not express; what is refused gives the reason
//! in one line.

use std::path::Path;

use keypack::{config::Config, pack::is_lineage};

/// Reads a configuration.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(text, Path::new("/etc/keypack/keypack.yaml")) {
        Ok(config) => {
            assert!(config.name.as_deref().is_none_or(is_lineage), "{:?}", config.name);
            assert!(config.revoked.iter().all(|r| !r.reason.is_empty()), "revoked without a reason");
            let keys = config.sources.keys.iter().map(|key| &key.path);
            let paths = keys.chain(&config.sources.trusted_roots);
            assert!(
                paths.chain(config.verify_keys.iter().flat_map(|keys| &keys.keys)).all(|p| p.is_absolute()),
                "a relative path"
            );
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("/etc/keypack/keypack.yaml"), "{said:?}");
            // An unknown name is repeated, so a message can be as long as the text, but not longer.
            assert!(said.len() < 8 * data.len() + 2000, "{} bytes about {}", said.len(), data.len());
        }
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
