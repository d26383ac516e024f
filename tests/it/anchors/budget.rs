//! Endless signatures, before any anchor has held: what others put next to a pack must not cost unbounded memory or
//! time. 256 MiB are more than any real pack needs.

use base64::{Engine, prelude::BASE64_STANDARD};
use keypack::oci::Digest;
use serde_json::{Value, json};

use super::{copy, program::Test, scene};
use crate::cli::memory::within;

/// Stores a blob in the layout `m`.
fn put(test: &Test, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    test.write(&format!("m/blobs/sha256/{}", digest.hex()), bytes);
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
}

/// A payload of about this size that claims to be for the image.
fn payload(image: &str, size: usize, number: usize) -> String {
    let critical = json!({
        "identity": { "docker-reference": "r.test/keys" },
        "image": { "docker-manifest-digest": image },
        "type": "cosign container image signature",
    });
    json!({ "critical": critical, "optional": { "n": number, "note": "A".repeat(size) } }).to_string()
}

/// A layout `m` with an unsigned pack `v1` and a signature manifest next to it, with this many layers, over this many
/// payloads of this size.
fn beside(layers: usize, payloads: usize, size: usize) -> Test {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let test = scene();
    copy(&test, "fx/keys", "keys");
    for name in test.names("keys").iter().filter(|name| name.ends_with(".sigstore.json")) {
        std::fs::remove_file(test.path(&format!("keys/{name}"))).unwrap();
    }
    std::fs::remove_dir_all(test.path("m")).unwrap();
    let image = test.push("keys", "oci:m:v1").manifest_digest.to_string();
    let payloads: Vec<_> = (0..payloads)
        .map(|n| {
            let media_type = "application/vnd.dev.cosign.simplesigning.v1+json";
            put(&test, media_type, payload(&image, size, n).as_bytes())
        })
        .collect();
    let layers: Vec<_> = (0..layers)
        .map(|n| {
            let mut layer = payloads[n % payloads.len()].clone();
            // A signature of the right form that no key made: DER of two integers.
            let number = [&[2, 32][..], &[1; 32]].concat();
            let signature = BASE64_STANDARD.encode([&[0x30, 68][..], &number, &number].concat());
            layer["annotations"] =
                json!({ "dev.cosignproject.cosign/signature": signature, "number": n.to_string() });
            layer
        })
        .collect();
    let config = put(&test, "application/vnd.oci.image.config.v1+json", b"{}");
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }).to_string();
    let mut entry = put(&test, MANIFEST, manifest.as_bytes());
    entry["annotations"] = json!({
        "org.opencontainers.image.ref.name": format!("{}.sig", image.replace(':', "-"))
    });
    let mut index: Value = test.json("m/index.json");
    index["manifests"].as_array_mut().unwrap().push(entry);
    test.write("m/index.json", index.to_string());
    test
}

#[test]
fn signatures_without_end_beside_a_pack() {
    for (what, layers, payloads, size) in [
        ("one payload that hundreds of layers name", 512, 1, 2 << 20),
        ("more large payloads than are kept", 48, 48, 3 << 20),
        ("as many as one image may have, each of the largest usual size", 512, 512, 60 << 10),
    ] {
        let test = beside(layers, payloads, size);
        let line = "pull oci:m:v1 --verify-key fx/org.pub --verify-key fx/other.pub -o out";
        let ran = within(256, &test, line);
        let err = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{what}\n{err}");
        assert!(err.contains("[pack-signature-refused]"), "{what}\n{err}");
        assert!(!test.has("out"));
    }
}

#[test]
fn signature_files_without_end_in_a_pack() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    for n in 0..800 {
        test.write(&format!("keys/keypack.json.n{n}.sig"), [0x30; 71]);
    }
    test.run("push keys oci:m:many").fails(3, "too-large");
    test.run("inspect keys").fails(3, "too-large");
}
