//! A push replaces a pack and nothing else: neither another thing that a tag names, nor a file in the place of the
//! pack.

use std::fs;

use serde_json::json;

use super::{
    fault::{Reply, Server},
    lab,
    program::Test,
    push::collected,
};

/// Someone's image, and other things that a tag may name.
fn images(test: &Test, layout: &str) {
    test.layout("key-tag-notlog-oras", layout);
    let put = |bytes: &[u8]| {
        let digest = keypack::oci::Digest::of(bytes);
        test.write(&format!("{layout}/blobs/sha256/{}", digest.hex()), bytes);
        (digest.to_string(), bytes.len())
    };
    let mut index = test.json(&format!("{layout}/index.json"));
    let entries = index["manifests"].as_array_mut().unwrap();
    let mut add = |tag: &str, media_type: &str, (digest, size): (String, usize)| {
        let annotations = json!({ "org.opencontainers.image.ref.name": tag });
        entries.push(
            json!({ "mediaType": media_type, "digest": digest, "size": size, "annotations": annotations }),
        );
    };
    let index_type = "application/vnd.oci.image.index.v1+json";
    let list = json!({ "schemaVersion": 2, "mediaType": index_type, "manifests": [] }).to_string();
    add("list", index_type, put(list.as_bytes()));
    add(
        "schema1",
        "application/vnd.oci.image.manifest.v1+json",
        put(br#"{"schemaVersion":1,"fsLayers":[]}"#),
    );
    add("gone", "application/vnd.oci.image.manifest.v1+json", (format!("sha256:{}", "0".repeat(64)), 100));
    let (digest, size) = put(b"not even JSON");
    add("damaged", "application/vnd.oci.image.manifest.v1+json", (digest, size));
    test.write(&format!("{layout}/index.json"), index.to_string());
}

#[test]
fn a_tag_that_names_something_else_in_a_layout_or_an_archive() {
    let (test, _) = collected();
    images(&test, "m");
    lab::archive(&test, "m", "m.tar");
    for place in ["oci:m", "oci-archive:m.tar"] {
        let before = (test.tree("m"), test.read("m.tar"));
        for tag in ["v1", "list", "schema1", "gone", "damaged"] {
            let ran = test.run(&format!("push keys {place}:{tag}")).fails(1, "tag-taken");
            ran.tells(&format!("the tag {tag} of")).tells("give the pack a tag of its own");
        }
        assert_eq!((test.tree("m"), test.read("m.tar")), before);
        test.run(&format!("push keys {place}:keys")).exits(0);
        // An older pack, or its other form, may be replaced.
        test.run(&format!("push keys {place}:keys --as artifact")).exits(0);
        test.run(&format!("push keys {place}:keys")).exits(0);
    }
}

#[test]
fn a_place_that_cannot_be_read_is_not_written() {
    let (test, _) = collected();
    images(&test, "m");
    for (name, text) in [("index.json", "{"), ("oci-layout", r#"{"imageLayoutVersion":"9.0.0"}"#)] {
        let good = test.read(&format!("m/{name}"));
        test.write(&format!("m/{name}"), text);
        let before = test.tree("m");
        assert_eq!(test.run("push keys oci:m:keys").exits(1).out, "");
        assert_eq!(test.tree("m"), before);
        test.write(&format!("m/{name}"), good);
    }
    test.write("a.tar", b"not a tar");
    test.run("push keys oci-archive:a.tar:keys").exits(1);
    assert_eq!(test.read("a.tar"), b"not a tar");
    // A new layout, an empty folder, and one in which a push was interrupted.
    fs::create_dir(test.path("empty")).unwrap();
    test.write("begun/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    for place in ["new", "empty", "begun"] {
        test.run(&format!("push keys oci:{place}:keys")).exits(0);
    }
}

/// A layout must not lose anything when a pack is written next to it.
#[test]
fn entries_that_cannot_be_read_stay_byte_for_byte() {
    let (test, _) = collected();
    let with = |odd: &str| {
        test.layout("key-tag-notlog-oras", "m");
        let index = String::from_utf8(test.read("m/index.json")).unwrap();
        let index = index.replacen("\"manifests\":[", &format!("\"manifests\":[{odd},"), 1);
        assert!(index.contains(odd));
        test.write("m/index.json", &index);
    };
    let sha512 = format!(r#"{{"mediaType":"x","digest":"sha512:{}","size":1 }}"#, "a".repeat(128));
    let md5 = r#"{"z":[1, 2e0], "mediaType":"x","digest":"md5:00","size":1}"#;
    for (odd, code) in [
        (sha512.as_str(), "digest-unsupported"),
        (md5, "digest-unsupported"),
        (r#"{"digest":"sha256:00","size":0}"#, "malformed"),
    ] {
        with(odd);
        let before = String::from_utf8(test.read("m/index.json")).unwrap();
        lab::archive(&test, "m", "m.tar");
        for place in ["oci:m", "oci-archive:m.tar"] {
            test.run(&format!("push keys {place}:keys")).exits(0);
            // It is a problem, and the others are read: the image and the pack.
            let found = test.run(&format!("discover {place}")).exits(4);
            found.says(code).says(":v1 ").says(":keys ").says("1 problem");
        }
        let after = String::from_utf8(test.read("m/index.json")).unwrap();
        let old = before.trim_end().strip_suffix("]}").unwrap();
        assert!(after.starts_with(old), "{before}\n{after}");
    }
    // Something unreadable, and something unreadable that has this tag, are not overwritten.
    let named = r#"{"digest":"md5:00","size":1,"annotations":{"org.opencontainers.image.ref.name":"keys"},"mediaType":"x"}"#;
    for odd in ["1", r#"{"size":1}"#, named] {
        with(odd);
        let before = test.tree("m");
        test.run("push keys oci:m:keys").fails(1, "malformed");
        assert_eq!(test.tree("m"), before, "{odd}");
    }
}

#[test]
fn a_tag_that_names_something_else_in_a_registry() {
    let (test, _) = collected();
    let image = br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let schema1 = br#"{"schemaVersion":1,"fsLayers":[]}"#;
    for (what, status, media_type, body) in [
        ("an image", 200, manifest_type, &image[..]),
        (
            "an index",
            200,
            "application/vnd.oci.image.index.v1+json",
            br#"{"schemaVersion":2,"manifests":[]}"#,
        ),
        ("schema 1", 200, "application/vnd.docker.distribution.manifest.v1+prettyjws", schema1),
        ("no JSON", 200, manifest_type, b"<html>"),
        ("forbidden", 403, "text/plain", b""),
        ("broken", 500, "text/plain", b""),
        ("not acceptable", 406, "text/plain", b""),
    ] {
        let server = Server::start(move |asked| match asked.target.as_str() {
            "/v2/" => Reply::new(200),
            target if asked.method == "GET" && target.ends_with("/manifests/v1") => {
                Reply::new(status).header("Content-Type", media_type).body(body)
            }
            target if target.contains("/blobs/") && asked.method == "GET" => Reply::new(200).body(b"{}"),
            _ => Reply::new(404),
        });
        let line = format!("push keys docker://{}/a/b:v1 --plain-http --retry-times 0", server.host());
        let ran = test.run(&line).exits(1);
        assert!(
            !server.lines().iter().any(|line| !line.starts_with("GET") && !line.starts_with("HEAD")),
            "{what}: {:?}",
            server.lines()
        );
        if status == 200 && what != "no JSON" && what != "schema 1" {
            ran.tells("[tag-taken]");
        }
    }
}

#[test]
fn what_lies_in_the_place_of_the_pack_in_oc_mirrors_output() {
    let (test, _) = collected();
    let carried = "out/working-dir/keypack/keypack.oci.tar";
    fs::create_dir_all(test.path("out/working-dir/hold-operator")).unwrap();
    test.run("push keys oc-mirror:out").exits(0);
    let pack = test.read(carried);
    // A pack is replaced, also by another form of it.
    test.run("push keys oc-mirror:out --as artifact").exits(0);
    assert_ne!(test.read(carried), pack);
    images(&test, "m");
    lab::archive(&test, "m", "m.tar");
    let refused = || {
        let before = test.tree("out");
        test.run("push keys oc-mirror:out").fails(1, "tag-taken").tells("move the file away");
        assert_eq!(test.tree("out"), before);
    };
    for other in [test.read("m.tar"), b"somebody's notes".to_vec(), Vec::new(), pack[..3000].to_vec()] {
        test.write(carried, other);
        refused();
    }
    // A pack and an image in one archive.
    test.write("both.tar", &pack);
    test.run("push keys oci-archive:both.tar:more").exits(0);
    test.write(carried, test.read("both.tar"));
    test.run("push keys oc-mirror:out").exits(0);
    // The same in a segment that contains nothing else.
    fs::remove_file(test.path(carried)).unwrap();
    let segment = |bytes: &[u8]| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, "working-dir/keypack/keypack.oci.tar", bytes).unwrap();
        test.write("out/mirror_000001.tar", tar.into_inner().unwrap());
    };
    for other in [test.read("m.tar"), b"somebody's notes".to_vec()] {
        segment(&other);
        refused();
    }
    segment(&pack);
    test.run("push keys oc-mirror:out").exits(0);
}
