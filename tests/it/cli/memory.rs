//! How much memory the program uses for hostile content. The system refuses more (`RLIMIT_DATA`), which kills the
//! program; so a run that fails with the expected error has kept to the limit.

use std::process::{Command, Output};

use keypack::oci::Digest;
use serde_json::{Value, json};

use super::{
    pack_builder::{PackBuilder, file, tar},
    program::Test,
};

const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// Runs a command line with at most this much memory.
pub(crate) fn within(mib: u32, test: &Test, line: &str) -> Output {
    let own = test.command();
    let mut sh = Command::new("/bin/sh");
    sh.args(["-c", "ulimit -d $0 && exec \"$@\"", &(mib << 10).to_string()]);
    sh.arg(own.get_program()).args(line.split(' ')).current_dir(own.get_current_dir().unwrap());
    sh.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    sh.output().unwrap()
}

/// Inspects the pack and pulls it, in 100 MiB each: both are refused with this code.
#[track_caller]
fn refused(pack: &PackBuilder, what: &str, code: &str) {
    pack.publish();
    let pull = format!("pull oci:m:keys --digest {} -o out", pack.pack);
    for line in ["inspect oci:m:keys", &pull] {
        let ran = within(100, &pack.test, line);
        let err = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{what}: {line}\n{err}");
        assert!(err.contains(&format!("[{code}]")), "{what}: {line}\n{err}");
    }
}

/// A zstd frame: its header, and blocks of 128 KiB of zeros each.
fn frame(header: &[u8], mib: usize) -> Vec<u8> {
    let blocks = [0x02, 0, 0x10, 0].repeat(8 * mib - 1);
    [b"\x28\xb5\x2f\xfd", header, &blocks, &[0x03, 0, 0x10, 0]].concat()
}

/// Blocks of 1 MiB of literals each, more than a block may have.
fn literals(header: &[u8], mib: usize) -> Vec<u8> {
    let block = |last: u8| [last | 2 << 1 | 5 << 3, 0, 0, 0xfd, 0xff, 0xff, 0, 0];
    [b"\x28\xb5\x2f\xfd", header, &block(0).repeat(mib - 1), &block(1)].concat()
}

#[test]
fn zstd_frames_that_ask_for_memory() {
    let mut pack = PackBuilder::new("image");
    let small = frame(&[0, 7 << 3], 1);
    let window = |log: u8| [0, (log - 10) << 3];
    let single = |size: u64| [&[0xe0][..], &size.to_le_bytes()].concat();
    for (what, layer) in [
        ("a window of 128 MiB", frame(&window(27), 300)),
        ("a window of 2 GiB", frame(&window(31), 3072)),
        ("a window of 32 MiB that is filled", frame(&window(25), 300)),
        ("the same with a checksum", frame(&[4, 15 << 3], 300)),
        ("a window of 2 GiB in the second frame", [&small[..], &frame(&window(31), 300)].concat()),
        ("a full window behind much", [&frame(&window(17), 15)[..], &frame(&window(25), 300)].concat()),
        ("a single segment of 4 GiB", frame(&[0xa0, 255, 255, 255, 255], 300)),
        ("a single segment of 32 MiB", frame(&[0xa0, 0, 0, 0, 2], 300)),
        ("a single segment of 2^63 bytes", frame(&single(1 << 63), 300)),
        (
            "a single segment of 2 GiB in the second frame",
            [&small[..], &frame(&single(2 << 30), 300)].concat(),
        ),
        ("thousands of frames", small.repeat(5000)),
        ("gigabytes in a small window", frame(&window(17), 3072)),
        ("blocks that are larger than blocks", literals(&window(25), 64)),
    ] {
        refused(pack.layer(ZSTD, &layer), what, "too-large");
    }
    for (what, header) in [("of one byte", &[0x20, 255][..]), ("of two bytes", &[0x60, 255, 255])] {
        refused(pack.layer(ZSTD, &frame(header, 300)), what, "pack-layer-malformed");
    }
}

#[test]
fn a_pack_as_large_as_it_may_be() {
    let large: Vec<u8> = (0..7 << 20).map(|n: u32| (n ^ n >> 8 ^ n >> 16).to_le_bytes()[0]).collect();
    let mut pack = PackBuilder::new("image");
    let mut entries = pack.entries();
    entries.extend(["keys/a", "keys/b"].map(|name| file(name, &large)));
    // Uncompressed in a zstd frame: layer, window and files have the same size.
    let mut frame = b"\x28\xb5\x2f\xfd\0\x78".to_vec();
    for block in tar(&entries).chunks(128 << 10) {
        frame.extend(&(block.len() << 3).to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame.extend([1, 0, 0]);
    refused(pack.layer(ZSTD, &frame), "zstd that does not compress", "file-not-in-inventory");
}

/// A layout `m` with the image `v1` and its `.sig`, which has these layers.
fn signed(test: &Test, layers: impl FnOnce(&str) -> Vec<Value>) {
    let manifest = |layers: Value| {
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let config = put(test, b"{}");
        let text = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers });
        put(test, text.to_string().as_bytes())
    };
    let mut image = manifest(json!([]));
    let digest = image["digest"].as_str().unwrap().to_owned();
    let mut signatures = manifest(layers(&digest).into());
    image["annotations"] = json!({ "org.opencontainers.image.ref.name": "v1" });
    let tag = format!("{}.sig", digest.replace(':', "-"));
    signatures["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    test.write("m/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    test.write("m/index.json", json!({ "schemaVersion": 2, "manifests": [image, signatures] }).to_string());
}

fn put(test: &Test, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    test.write(&format!("m/blobs/sha256/{}", digest.hex()), bytes);
    let media_type = "application/vnd.dev.cosign.simplesigning.v1+json";
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
}

#[test]
fn one_large_payload_that_hundreds_of_layers_name() {
    let test = Test::new();
    signed(&test, |image| {
        let critical = json!({
            "identity": { "docker-reference": "r.test/x" },
            "image": { "docker-manifest-digest": image },
            "type": "cosign container image signature",
        });
        let optional = json!({ "note": "A".repeat(2 << 20) });
        let payload =
            put(&test, json!({ "critical": critical, "optional": optional }).to_string().as_bytes());
        let layer = |number| {
            let mut layer = payload.clone();
            layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": "MEUC", "number": number });
            layer
        };
        // Each of them twice: a repeated layer is the same signature.
        (0..200).chain(0..200).map(|number: u32| layer(number.to_string())).collect()
    });
    let ran = within(100, &test, "discover oci:m --no-network --no-host --format json");
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&ran.stderr)));
    let signatures = report["images"][0]["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 200);
    assert!(signatures.iter().all(|signature| signature["problem"].is_null()), "{}", signatures[0]);
}
