use std::collections::BTreeMap;

use keypack::{
    KeyFile,
    oci::Digest,
    ops::{self, KeySources, Sources, collect},
};

use super::{
    lab,
    program::{TRUST, Test},
};

/// A folder with keys/ in it, and the pack digest.
pub(crate) fn collected() -> (Test, String) {
    let test = Test::at_epoch("1767225600");
    let lab = |path: &str| test.path(&format!("lab/{path}"));
    let layouts = ["key-bundle-rekor1-oras", "keyless-bundle-rekor2-oras"];
    let sources = Sources {
        places: layouts.map(|name| format!("oci:{}", lab(&format!("layouts/{name}")).display())).into(),
        keys: KeySources {
            trusted_roots: vec![lab("trust/trusted_root.json")],
            keys: vec![KeyFile { role: None, path: lab("trust/cosign.pub") }],
            ..KeySources::default()
        },
        ..Sources::default()
    };
    let created = "2026-01-01T00:00:00Z".parse().ok();
    let request =
        collect::Request { sources, created, output: Some(test.path("keys")), ..collect::Request::default() };
    let pack = ops::collect(&request, &test.context()).unwrap().report.pack.unwrap();
    (test, pack.digest.to_string())
}

#[test]
fn both_digests_are_told_and_filed() {
    let (test, digest) = collected();
    for form in ["image", "artifact"] {
        let line = format!("push keys oci:{form}:keys --as {form}");
        let ran = test.run(&format!("{line} --digestfile m.txt --pack-digestfile p.txt")).exits(0);
        assert_eq!(ran.after("Pack: "), digest);
        let manifest = ran.after("Digest: ");
        assert_eq!(ran.out, format!("Reference: oci:{form}:keys\nPack: {digest}\nDigest: {manifest}\n"));
        assert_eq!(test.read("m.txt"), format!("{manifest}\n").as_bytes());
        assert_eq!(test.read("p.txt"), format!("{digest}\n").as_bytes());
        let index = test.json(&format!("{form}/index.json"));
        assert_eq!(index["manifests"][0]["digest"], manifest);
        let bytes = test.read(&format!("{form}/blobs/sha256/{}", &manifest[7..]));
        assert_eq!(Digest::of(&bytes).to_string(), manifest);
        let json = test.run(&format!("{line} --format json")).exits(0).json();
        assert_eq!(
            (&json["packDigest"], &json["manifestDigest"]),
            (&digest.clone().into(), &manifest.into())
        );
        assert_eq!((&json["written"], &json["tag"]), (&0.into(), &"keys".into()));
    }
    test.run("push keys oci:image:keys").exits(0).tells("holds this pack already; nothing was written");
}

#[test]
fn the_same_keys_give_the_same_manifest() {
    let (one, _) = collected();
    let (two, _) = collected();
    for form in ["image", "artifact"] {
        let line = format!("push keys oci:{form}:keys --as {form}");
        assert_eq!(one.run(&line).exits(0).out, two.run(&line).exits(0).out);
        assert_eq!(one.tree(form), two.tree(form));
    }
}

#[test]
fn beside_images_nothing_else_changes() {
    let (test, _) = collected();
    test.layout("key-bundle-rekor2-oras", "m");
    let before = test.tree("m");
    test.run("push keys oci:m:keys").exits(0);
    let after = test.tree("m");
    for (name, bytes) in before.iter().filter(|(name, _)| *name != "index.json") {
        assert_eq!(after.get(name), Some(bytes), "{name}");
    }
    assert_eq!(after.len(), before.len() + 3, "config, layer, manifest");
    let entries = |tree: &BTreeMap<String, Vec<u8>>| {
        let index: serde_json::Value = serde_json::from_slice(&tree["index.json"]).unwrap();
        index["manifests"].as_array().unwrap().clone()
    };
    let (old, new) = (entries(&before), entries(&after));
    assert_eq!(new[..old.len()], old);
    assert_eq!(new.len(), old.len() + 1);
    test.run(&format!("discover m {TRUST}")).exits(0).says("1 signed");
}

#[test]
fn an_archive_keeps_what_it_held() {
    let (test, digest) = collected();
    lab::archive(&test, "lab/layouts/key-bundle-rekor2-cosignsave", "a.tar");
    let before = test.run(&format!("discover oci-archive:a.tar {TRUST} --format json")).exits(0).json();
    test.run("push keys oci-archive:a.tar:keys").exits(0);
    test.run("push keys oci-archive:a.tar:more --as artifact").exits(0);
    let after = test.run(&format!("discover oci-archive:a.tar {TRUST} --format json")).exits(0).json();
    let images = after["images"].as_array().unwrap();
    let image = |i: &&serde_json::Value| i["kind"] == "image";
    assert_eq!(
        images.iter().filter(image).collect::<Vec<_>>(),
        before["images"].as_array().unwrap().iter().collect::<Vec<_>>()
    );
    assert_eq!(images.len(), 3);
    for tag in ["keys", "more"] {
        test.run(&format!("pull oci-archive:a.tar:{tag} --digest {digest} -o {tag}-out")).exits(0);
        assert_eq!(test.tree(&format!("{tag}-out")), test.tree("keys"));
    }
}

#[test]
fn a_tag_moves_and_a_place_without_one_is_asked_for_it() {
    let (test, digest) = collected();
    for place in ["oci:m", "oci-archive:a.tar", "docker://mirror.test/keys"] {
        test.run(&format!("push keys {place}"))
            .fails(2, "usage")
            .tells(&format!("{place} names no tag for the pack"))
            .tells(&format!("such as {place}:keys-2026-11"));
    }
    test.run("push keys mirror.test:5000")
        .fails(2, "usage")
        .tells("docker://mirror.test:5000/keypack/trust:");
    assert!(!test.has("m") && !test.has("a.tar"));
    test.run("push keys oci:m:latest").exits(0).says("Reference: oci:m:latest\nPack: ");
    test.run(&format!("pull oci:m:latest --digest {digest} -o out")).exits(0);
    test.run(&format!(
        "collect lab/layouts/key-bundle-notlog-oras {TRUST} -o other --created 2026-01-02T00:00:00Z"
    ))
    .exits(0);
    let other = test.run("push other oci:m:latest").exits(0).after("Pack: ");
    test.run(&format!("pull oci:m:latest --digest {digest} -o two")).fails(3, "anchor-digest-mismatch");
    test.run(&format!("pull oci:m:latest --digest {other} -o two")).exits(0);
}

#[test]
fn damaged_keys_are_not_pushed() {
    let (test, _) = collected();
    test.write("keys/signer-43ef7bc8.pub", test.read("lab/trust/ctfe.pub"));
    test.run("push keys oci:m:keys").fails(3, "key-mismatch").tells("keys: the file \"signer-43ef7bc8.pub\"");
    test.run("push keys oci:m:keys --optional").fails(3, "key-mismatch");
    assert!(!test.has("m"));
}

#[test]
fn a_place_that_can_not_take_it_says_destination() {
    let (test, _) = collected();
    test.write("file", "not a tar, and much longer than nothing");
    test.run("push keys oci:file:keys").exits(1).tells("destination: ");
    test.run("push keys oci-archive:file:keys").exits(1).tells("destination: ");
    test.run("push keys oci-archive:file:keys --optional").exits(0).tells("warning: destination: ");
    assert_eq!(test.read("file"), b"not a tar, and much longer than nothing");
}
