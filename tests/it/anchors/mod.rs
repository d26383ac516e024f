//! What authenticates a pack, and every way to fake it. The keys and signatures are cosign 3.1.1's, made once (see
//! testdata/anchors/README.md); none of their private keys exist any more.
mod budget;
mod crash;
mod keys;
mod memory;
mod pins;
mod state;
mod threshold;
mod time;
mod travelled;
mod typed;

use crate::support::program::{self, Test};

/// The signed pack, and the keys that signed it.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");

/// The pack digest of `fx/keys`.
const OLD: &str = "sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
/// The pack digest of `fx/newer`, which replaces `fx/keys`.
const NEWER: &str = "sha256:788f62e2f18a2dad801b00c0946a2cdd6a4b87b84e55b53918ece8a114a1536f";

/// A folder with the fixtures under `fx/` and, in the layout `m`, the packs `old` and `newer`.
fn scene() -> Test {
    let test = Test::new();
    std::os::unix::fs::symlink(FIXTURES, test.path("fx")).unwrap();
    assert_eq!(test.push("fx/keys", "oci:m:old").pack_digest.to_string(), OLD);
    assert_eq!(test.push("fx/newer", "oci:m:newer").pack_digest.to_string(), NEWER);
    test
}

/// A copy of one of the fixture's directories, to be changed.
fn copy(test: &Test, from: &str, to: &str) {
    for (name, bytes) in test.tree(from) {
        test.write(&format!("{to}/{name}"), bytes);
    }
}
