//! Malformed packs, each test named after its fault, and legitimate changes that other tools make to a pack.

use keypack::oci::Digest;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::json;
use tar::EntryType;

use super::pack_builder::{LAYER, PackBuilder, file, gzip};

const TITLE: &str = "org.opencontainers.image.title";
const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn an_image_that_is_no_pack() {
    let mut pack = PackBuilder::new("image");
    pack.manifest.as_object_mut().unwrap().remove("artifactType");
    pack.config(|config| config["config"]["Labels"] = json!({ "maintainer": "nobody" }))
        .refused("not-a-pack");
}

#[test]
fn a_config_of_another_type() {
    let mut pack = PackBuilder::new("image");
    pack.manifest["config"]["mediaType"] = "application/vnd.oci.empty.v1+json".into();
    pack.refused("not-a-pack");
}

#[test]
fn an_index_around_the_pack() {
    let mut pack = PackBuilder::new("image");
    let inner = pack.put("application/vnd.oci.image.manifest.v1+json", pack.manifest.to_string().as_bytes());
    let index = "application/vnd.oci.image.index.v1+json";
    pack.manifest = json!({ "schemaVersion": 2, "mediaType": index, "manifests": [inner] });
    pack.refused("pack-is-index");
}

#[test]
fn urls_to_fetch_from() {
    let mut pack = PackBuilder::new("image");
    pack.manifest["layers"][0]["urls"] = json!(["https://elsewhere.test/layer"]);
    pack.refused("pack-has-urls");
}

#[test]
fn two_things_at_once() {
    let mut pack = PackBuilder::new("image");
    pack.manifest["manifests"] = json!([]);
    pack.unreadable("manifest-ambiguous");
    let mut pack = PackBuilder::new("image");
    pack.manifest["fsLayers"] = json!([]);
    pack.unreadable("manifest-schema1");
    let mut pack = PackBuilder::new("image");
    pack.manifest["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
    pack.unreadable("manifest-ambiguous");
}

#[test]
fn a_config_that_is_the_layer() {
    let mut pack = PackBuilder::new("image");
    let config = pack.manifest["config"].clone();
    pack.manifest["layers"][0]["digest"] = config["digest"].clone();
    pack.manifest["layers"][0]["size"] = config["size"].clone();
    pack.refused("pack-layer-malformed");
    let mut pack = PackBuilder::new("image");
    let layer = pack.manifest["layers"][0].clone();
    pack.manifest["config"]["digest"] = layer["digest"].clone();
    pack.manifest["config"]["size"] = layer["size"].clone();
    pack.refused("not-a-pack");
}

#[test]
fn digests_that_are_paths_or_of_another_algorithm() {
    for (digest, code) in [
        ("sha256:../../../../etc/passwd".to_owned(), "manifest-malformed"),
        (format!("sha512:{}", "a".repeat(128)), "digest-unsupported"),
        (format!("sha256:{}", "A".repeat(64)), "manifest-malformed"),
        (format!("SHA256:{}", "a".repeat(64)), "manifest-malformed"),
        (format!("sha256:{}", "a".repeat(63)), "manifest-malformed"),
        (format!("md5:{}", "a".repeat(32)), "digest-unsupported"),
        (String::new(), "manifest-malformed"),
    ] {
        let mut pack = PackBuilder::new("image");
        pack.manifest["layers"][0]["digest"] = digest.into();
        pack.unreadable(code);
    }
}

#[test]
fn sizes_that_lie() {
    for (size, code) in
        [(0_u64, "size-mismatch"), (1, "size-mismatch"), (1_000_000, "size-mismatch"), (1 << 62, "too-large")]
    {
        for part in ["/layers/0/size", "/config/size"] {
            let mut pack = PackBuilder::new("image");
            *pack.manifest.pointer_mut(part).unwrap() = json!(size);
            let ran = pack.unreadable(code);
            assert_eq!(ran.err.contains(&format!(" has more than {size} bytes ")), size < 2, "{}", ran.err);
        }
    }
    let mut pack = PackBuilder::new("image");
    pack.manifest["layers"][0]["size"] = json!(-1);
    pack.unreadable("manifest-malformed");
}

#[test]
fn twenty_thousand_layers() {
    let mut pack = PackBuilder::new("artifact");
    let layer = pack.manifest["layers"][0].clone();
    let many = (0..20_000).map(|n| {
        let mut layer = layer.clone();
        layer["annotations"] = json!({ TITLE: format!("f{n}") });
        layer
    });
    pack.manifest["layers"] = many.collect();
    pack.refused("too-large");
}

#[test]
fn no_layers() {
    for form in ["image", "artifact"] {
        let mut pack = PackBuilder::new(form);
        pack.manifest["layers"] = json!([]);
        pack.refused("pack-empty");
    }
}

#[test]
fn two_layers() {
    let mut pack = PackBuilder::new("image");
    let second = pack.put(LAYER, &gzip(&[0; 1024]));
    pack.manifest["layers"].as_array_mut().unwrap().push(second);
    pack.refused("pack-layer-malformed");
}

#[test]
fn a_label_with_another_digest() {
    let mut pack = PackBuilder::new("image");
    let labels = |config: &mut serde_json::Value| {
        config["config"]["Labels"]["vnd.keypack.pack-digest"] = ZEROS.into();
    };
    pack.config(labels).refused("pack-inconsistent");
}

#[test]
fn a_config_that_is_another_inventory() {
    let mut pack = PackBuilder::new("artifact");
    pack.config(|inventory| inventory["version"] = 1.into()).refused("pack-inconsistent");
}

#[test]
fn a_private_key_in_the_pack() {
    let key = b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n";
    PackBuilder::new("image")
        .with(|entries| entries.push(file("keys/cosign.key", key)))
        .refused("private-key");
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70".to_vec();
    der.resize(48, 1);
    PackBuilder::new("image")
        .with(|entries| entries.push(file("keys/README.bin", &der)))
        .refused("private-key");
}

#[test]
fn a_file_that_the_inventory_does_not_list() {
    PackBuilder::new("image")
        .with(|e| e.push(file("keys/signer-evil.pub", b"x")))
        .refused("file-not-in-inventory");
}

#[test]
fn a_file_that_is_missing() {
    PackBuilder::new("image")
        .with(|e| e.retain(|(name, ..)| !name.ends_with("trusted_root.json")))
        .refused("file-missing");
    PackBuilder::new("image")
        .with(|e| e.retain(|(name, ..)| !name.ends_with("keypack.json")))
        .refused("file-missing");
    let mut pack = PackBuilder::new("artifact");
    let layers = pack.manifest["layers"].as_array_mut().unwrap();
    layers.retain(|layer| layer["annotations"][TITLE] != "trusted_root.json");
    pack.refused("file-missing");
}

#[test]
fn a_file_that_was_changed() {
    let other = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_vec();
    let change = |entries: &mut Vec<super::pack_builder::Entry>| {
        entries.iter_mut().find(|(name, ..)| name.contains("signer-")).unwrap().2 = other;
    };
    PackBuilder::new("image").with(change).refused("key-mismatch");
}

#[test]
fn an_inventory_that_was_changed() {
    // Consistent in itself, with a label to match: only the anchor reveals it.
    let mut pack = PackBuilder::new("image");
    let mut digest = String::new();
    pack.with(|entries| {
        let inventory = entries.iter_mut().find(|(name, ..)| name == "keys/keypack.json").unwrap();
        let text = String::from_utf8(inventory.2.clone()).unwrap();
        inventory.2 = text.replace("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z").into_bytes();
        digest = Digest::of(&inventory.2).to_string();
    });
    pack.config(|config| config["config"]["Labels"]["vnd.keypack.pack-digest"] = digest.clone().into())
        .publish();
    let test = &pack.test;
    test.run(&format!("pull oci:m:keys --digest {} -o out", pack.pack)).fails(3, "anchor-digest-mismatch");
    assert!(!test.has("out"));
}

#[test]
fn an_inventory_of_a_newer_schema() {
    let mut pack = PackBuilder::new("image");
    pack.with(|entries| {
        let inventory = entries.iter_mut().find(|(name, ..)| name == "keys/keypack.json").unwrap();
        inventory.2 = br#"{"schemaVersion":2,"keys":"of another shape"}"#.to_vec();
    });
    let digest = Digest::of(br#"{"schemaVersion":2,"keys":"of another shape"}"#).to_string();
    pack.pack.clone_from(&digest);
    pack.config(|config| config["config"]["Labels"]["vnd.keypack.pack-digest"] = digest.into());
    pack.refused("inventory-version-unknown");
}

#[test]
fn titles_that_are_no_file_names() {
    for title in [
        "a/b",
        "../keypack.json",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a\nb",
        "a\u{1b}[2J",
        "a\0b",
        &"x".repeat(300),
        "a\\b",
        "..\\a",
        "C:\\a",
        "C:a",
        "-rf",
        "--help",
        ".hidden",
        "a.",
        "a ",
        " a",
        "a\u{202e}b",
        "ｆ",
        "e\u{301}",
        "nul",
    ] {
        let mut pack = PackBuilder::new("artifact");
        pack.manifest["layers"][0]["annotations"][TITLE] = title.into();
        pack.refused("name-unsafe");
    }
}

#[test]
fn one_title_twice() {
    let mut pack = PackBuilder::new("artifact");
    let first = pack.manifest["layers"][0].clone();
    pack.manifest["layers"].as_array_mut().unwrap().push(first);
    pack.refused("file-duplicate");
}

#[test]
fn a_layer_without_title() {
    let mut pack = PackBuilder::new("artifact");
    pack.manifest["layers"][0].as_object_mut().unwrap().remove("annotations");
    pack.refused("pack-layer-malformed");
}

#[test]
fn entries_that_leave_keys() {
    for name in ["README.txt", "/keys/a", "keysa/a", "../keys/a", "etc/passwd"] {
        PackBuilder::new("image").with(|e| e.push(file(name, b"x"))).refused("pack-entry-refused");
    }
    for name in ["keys/../a", "keys/a/b", "keys/", "keys/a\u{1b}[2J", "keys/.."] {
        PackBuilder::new("image").with(|e| e.push(file(name, b"x"))).refused("name-unsafe");
    }
}

#[test]
fn entries_that_are_no_files() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo] {
        PackBuilder::new("image")
            .with(|e| e.push(("keys/a".into(), kind, Vec::new())))
            .refused("pack-entry-refused");
    }
    let folder = |e: &mut Vec<_>| e.push(("keys/sub/".into(), EntryType::Directory, Vec::new()));
    PackBuilder::new("image").with(folder).refused("pack-entry-refused");
}

#[test]
fn entries_with_names_that_are_no_text() {
    for name in [&b"keys/a\xff"[..], b"keys/\xc0\xae\xc0\xae", b"keys/a\0b"] {
        let mut pack = PackBuilder::new("image");
        let mut tar = pack.tar();
        let end = tar.len() - 1024;
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_size(0);
        header.set_cksum();
        tar.splice(end..end, header.as_bytes().iter().copied());
        // What follows a NUL is not part of a name: then it is one file too many.
        let code = if name.contains(&0) { "file-not-in-inventory" } else { "name-unsafe" };
        pack.layer(LAYER, &gzip(&tar)).refused(code);
    }
}

#[test]
fn whiteouts() {
    for name in ["keys/.wh.README.txt", "keys/.wh..wh..opq"] {
        PackBuilder::new("image").with(|e| e.push(file(name, b""))).refused("name-unsafe");
    }
    PackBuilder::new("image").with(|e| e.push(file(".wh.keys", b""))).refused("pack-entry-refused");
}

#[test]
fn entries_of_other_kinds() {
    let kinds = [EntryType::GNULongName, EntryType::GNULongLink, EntryType::GNUSparse, EntryType::new(b'Z')];
    for kind in kinds {
        let entry = ("keys/a".into(), kind, b"keys/signer-evil.pub\0".to_vec());
        PackBuilder::new("image").with(|e| e.insert(1, entry)).refused("pack-entry-refused");
    }
    for name in [".", "keys", "keys/"] {
        let link = (name.into(), EntryType::Symlink, Vec::new());
        PackBuilder::new("image").with(|e| e.insert(0, link)).refused("pack-entry-refused");
    }
    PackBuilder::new("image").with(|e| e.insert(0, file("keys", b"x"))).refused("pack-entry-refused");
}

#[test]
fn one_entry_twice() {
    PackBuilder::new("image").with(|e| e.push(file("keys/README.txt", b"x"))).refused("file-duplicate");
}

#[test]
fn a_pax_header_that_renames() {
    for record in ["24 path=keys/signer.pub\n", "20 linkpath=/etc/a\n", "11 size=99\n", "garbage"] {
        let mut pack = PackBuilder::new("image");
        let pax = ("pax".into(), EntryType::XHeader, record.as_bytes().to_vec());
        pack.with(|entries| entries.insert(1, pax)).refused("pack-entry-refused");
        let mut pack = PackBuilder::new("image");
        let pax = ("pax".into(), EntryType::XGlobalHeader, record.as_bytes().to_vec());
        pack.with(|entries| entries.insert(0, pax)).refused("pack-entry-refused");
    }
}

#[test]
fn bytes_behind_the_end_of_the_tar() {
    for ends in [512, 1024] {
        let mut pack = PackBuilder::new("image");
        let mut tar = pack.tar();
        let entry = tar[..1024].to_vec();
        tar.truncate(tar.len() - 1024 + ends);
        tar.extend(entry);
        pack.layer(LAYER, &gzip(&tar)).refused("pack-layer-malformed");
    }
}

#[test]
fn accepted_with_more_zeros_at_the_end() {
    let mut pack = PackBuilder::new("image");
    let mut tar = pack.tar();
    tar.resize(tar.len().next_multiple_of(10240), 0);
    pack.layer(LAYER, &gzip(&tar)).accepted();
}

#[test]
fn a_gzip_bomb() {
    let mut pack = PackBuilder::new("image");
    let bomb = gzip(&vec![0; 40 << 20]);
    pack.layer(LAYER, &bomb).refused("too-large");
}

#[test]
fn a_zstd_bomb() {
    let mut pack = PackBuilder::new("image");
    let bomb = compress_to_vec(&vec![0; 40 << 20][..], CompressionLevel::Fastest);
    assert!(bomb.len() < 1 << 20);
    pack.layer("application/vnd.oci.image.layer.v1.tar+zstd", &bomb).refused("too-large");
}

#[test]
fn bytes_behind_the_zstd_frame() {
    for more in [&b"more"[..], b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18\xff\xff\xff\xff"] {
        let mut pack = PackBuilder::new("image");
        let mut layer = compress_to_vec(pack.tar().as_slice(), CompressionLevel::Fastest);
        layer.extend(more);
        pack.layer("application/vnd.oci.image.layer.v1.tar+zstd", &layer).refused("pack-layer-malformed");
    }
}

#[test]
fn frames_without_end() {
    let mut pack = PackBuilder::new("image");
    let empty = b"\x50\x2a\x4d\x18\0\0\0\0".repeat(100_000);
    let layer = [&compress_to_vec(pack.tar().as_slice(), CompressionLevel::Fastest)[..], &empty].concat();
    pack.layer("application/vnd.oci.image.layer.v1.tar+zstd", &layer).refused("too-large");
}

#[test]
fn a_second_gzip_stream() {
    let mut pack = PackBuilder::new("image");
    let tar = pack.tar();
    pack.layer(LAYER, &[gzip(&tar), gzip(&tar)].concat()).refused("pack-layer-malformed");
}

#[test]
fn bytes_behind_the_gzip_stream() {
    let mut pack = PackBuilder::new("image");
    let mut layer = gzip(&pack.tar());
    layer.extend(b"more");
    pack.layer(LAYER, &layer).refused("pack-layer-malformed");
}

#[test]
fn a_layer_that_is_cut_short() {
    let mut pack = PackBuilder::new("image");
    let tar = pack.tar();
    pack.layer(LAYER, &gzip(&tar[..tar.len() / 2])).refused("pack-layer-malformed");
    let layer = gzip(&tar);
    pack.layer(LAYER, &layer[..layer.len() / 2]).refused("pack-layer-malformed");
}

#[test]
fn accepted_as_zstd_makes_it() {
    let mut pack = PackBuilder::new("image");
    let layer = compress_to_vec(pack.tar().as_slice(), CompressionLevel::Fastest);
    pack.layer("application/vnd.oci.image.layer.v1.tar+zstd", &layer).accepted();
}

#[test]
fn accepted_as_zstd_chunked_makes_it() {
    let mut pack = PackBuilder::new("image");
    let tar = pack.tar();
    let frames = tar.chunks(700).map(|chunk| compress_to_vec(chunk, CompressionLevel::Fastest));
    let note = b"\x50\x2a\x4d\x18\x04\0\0\0note".to_vec();
    let layer = frames.flat_map(|frame| [frame, note.clone()].concat()).collect::<Vec<_>>();
    pack.layer("application/vnd.oci.image.layer.v1.tar+zstd", &layer).accepted();
}

#[test]
fn accepted_without_compression() {
    let mut pack = PackBuilder::new("image");
    let tar = pack.tar();
    pack.layer("application/vnd.oci.image.layer.v1.tar", &tar).accepted();
}

#[test]
fn accepted_as_docker_v2s2_without_annotations() {
    let mut pack = PackBuilder::new("image");
    let docker = "application/vnd.docker";
    pack.manifest["config"]["mediaType"] = format!("{docker}.container.image.v1+json").into();
    pack.manifest["layers"][0]["mediaType"] = format!("{docker}.image.rootfs.diff.tar.gzip").into();
    pack.manifest["layers"][0].as_object_mut().unwrap().remove("annotations");
    pack.manifest = json!({
        "schemaVersion": 2,
        "mediaType": format!("{docker}.distribution.manifest.v2+json"),
        "config": pack.manifest["config"],
        "layers": pack.manifest["layers"],
    });
    pack.accepted();
    let test = &pack.test;
    test.run(&format!("pull oci:m --digest {} -o found", pack.pack)).exits(0);
    assert_eq!(test.tree("found"), test.tree("keys"), "it is found without its tag");
}

#[test]
fn accepted_with_modes_and_owners_that_mean_nothing() {
    use std::os::unix::fs::MetadataExt as _;
    let mut pack = PackBuilder::new("image");
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in pack.entries() {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_mode(0o6777);
        header.set_uid(12345);
        header.set_gid(12345);
        header.set_mtime(1);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    let layer = gzip(&tar.into_inner().unwrap());
    pack.layer(LAYER, &layer).accepted();
    let own = std::fs::metadata(pack.test.path("keys/keypack.json")).unwrap();
    for name in pack.test.names("out") {
        let file = std::fs::metadata(pack.test.path(&format!("out/{name}"))).unwrap();
        assert_eq!((file.mode() & 0o7777, file.uid()), (0o644, own.uid()), "{name}");
    }
}

#[test]
fn accepted_whatever_the_config_says_of_the_layer() {
    // Tools that recompress leave stale digests there; the pack digest covers every file without them.
    let mut pack = PackBuilder::new("image");
    pack.config(|config| config["rootfs"]["diff_ids"] = json!([ZEROS])).accepted();
}

#[test]
fn accepted_with_dotted_names_and_without_the_folder_entry() {
    let dotted = |entries: &mut Vec<super::pack_builder::Entry>| {
        entries.retain(|(_, kind, _)| *kind == EntryType::Regular);
        for (name, ..) in entries {
            name.insert_str(0, "./");
        }
    };
    PackBuilder::new("image").with(dotted).accepted();
}
