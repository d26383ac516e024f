use std::{fs, os::unix::fs::MetadataExt as _};

use super::{
    program::{TRUST, Test},
    push::collected,
};

/// A pack as image in a layout and as artifact in an archive, with the pack digest and both manifest digests.
fn pushed() -> (Test, String, [(&'static str, String); 2]) {
    let (test, digest) = collected();
    let image = test.push("keys", "oci:m:keys").manifest_digest.to_string();
    let artifact = test.run("push keys oci-archive:a.tar:keys --as artifact").exits(0).after("Digest: ");
    (test, digest, [("oci:m", image), ("oci-archive:a.tar", artifact)])
}

#[test]
fn the_pack_digest_the_manifest_digest_and_the_reference_authenticate() {
    let (test, digest, places) = pushed();
    for (place, manifest) in &places {
        for (line, met) in [
            (format!("{place}:keys --digest {digest}"), "pack digest"),
            (format!("{place} --digest {digest}"), "pack digest"),
            (format!("{place}:keys --digest {manifest}"), "manifest digest"),
            (format!("{place}@{manifest}"), "manifest digest"),
            (format!("{place}@{manifest} --digest {digest}"), "pack digest"),
        ] {
            let ran = test.run(&format!("pull {line} -o out")).exits(0);
            let ran = ran.tells(&format!("authenticated by the {met} that was given"));
            assert_eq!(ran.after("Pack: "), digest);
            assert_eq!(test.tree("out"), test.tree("keys"), "{line}");
            fs::remove_dir_all(test.path("out")).unwrap();
        }
    }
    let line = format!("unpack {} --digest {digest} -o out --format json", places[0].0);
    let json = test.run(&line).exits(0).json();
    assert_eq!((&json["packDigest"], &json["unchanged"]), (&digest.into(), &false.into()));
}

#[test]
fn without_an_anchor_fingerprints_are_shown_and_nothing_is_written() {
    let (test, digest, places) = pushed();
    let before = test.names("");
    for (place, manifest) in &places {
        let ran = test.run(&format!("pull {place}:keys -o out")).fails(3, "no-anchor");
        assert_eq!((ran.after("Pack: "), &ran.after("Digest: ")), (digest.clone(), manifest));
        ran.says("NOT AUTHENTICATED")
            .says("43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f");
    }
    assert_eq!(test.names(""), before);
}

#[test]
fn a_wrong_digest_is_refused_and_both_true_ones_are_told() {
    let (test, digest, places) = pushed();
    let wrong = format!("sha256:{}", "0".repeat(64));
    for (place, manifest) in &places {
        for line in [format!("{place}:keys --digest {wrong}"), format!("{place}@{manifest} --digest {wrong}")]
        {
            test.run(&format!("pull {line} -o out")).fails(3, "anchor-digest-mismatch").tells(&format!(
                "expected {wrong}, found pack digest {digest} and manifest digest {manifest}"
            ));
        }
        test.run(&format!("pull {place}@{wrong} -o out")).fails(1, "name-unknown");
    }
    assert!(!test.has("out"));
}

#[test]
fn the_same_pack_again_is_already_installed() {
    let (test, digest, places) = pushed();
    let inode = || fs::metadata(test.path("out")).unwrap().ino();
    for (place, _) in &places {
        test.run(&format!("pull {place}:keys --digest {digest} -o out")).exits(0);
    }
    let before = inode();
    let line = format!("pull oci:m:keys --digest {digest} -o out");
    test.run(&line).exits(0).tells("version 1767225600 is already installed in out");
    assert_eq!(inode(), before);
    let json = test.run(&format!("{line} --format json")).exits(0).json();
    assert_eq!(json["unchanged"], true);
}

#[test]
fn another_lineage_is_refused() {
    let (test, ..) = pushed();
    let line = format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} -o prod-keys --name prod");
    let prod = test.run(&line).exits(0).after("Pack: ");
    test.push("prod-keys", "oci:m:prod");
    let line = format!("pull oci:m:prod --digest {prod} -o out");
    test.run(&line)
        .fails(3, "lineage-mismatch")
        .tells("belongs to the lineage \"prod\", and \"default\" is expected");
    assert!(!test.has("out"));
    test.run(&format!("{line} --name prod")).exits(0);
    test.run(&line).exits(0);
    test.run(&format!("{line} --name test")).fails(3, "lineage-mismatch");
}

#[test]
fn a_keys_directory_that_this_host_does_not_know_decides_nothing() {
    // One maker, two lineages. A keys/ of the other one is where pull will write, as on a carried disk.
    let (test, digest, _) = pushed();
    let line =
        format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} -o lab-keys --name lab --state maker");
    let lab = test.run(&line).exits(0).after("Pack: ");
    test.push("lab-keys", "oci:m:lab");
    for (name, bytes) in test.tree("lab-keys") {
        test.write(&format!("planted/{name}"), &bytes);
        test.write(&format!("disk/keys/{name}"), bytes);
    }
    let before = test.tree("planted");
    test.run(&format!("pull oci:m:lab --digest {lab} -o planted")).fails(3, "lineage-mismatch");
    assert_eq!(test.tree("planted"), before);
    fs::create_dir(test.path("disk/working-dir")).unwrap();
    test.push("lab-keys", "oc-mirror:disk");
    test.run(&format!("pull oc-mirror:disk --digest {lab}")).fails(3, "lineage-mismatch");
    // It is not compared with either, and a message says that it is replaced.
    let ran = test.run(&format!("pull oci:m:keys --digest {digest} -o planted")).exits(0);
    ran.tells("neither collected nor authenticated the pack in planted").tells("nothing -> default");
    assert_eq!(test.tree("planted"), test.tree("keys"));
    // The keys/ of the pack itself, carried next to it: only its derived files are regenerated.
    for (name, bytes) in test.tree("keys") {
        test.write(&format!("carried/{name}"), bytes);
    }
    test.write("carried/README.txt", "sudo install evil.pem");
    let ran = test.run(&format!("pull oci:m:keys --digest {digest} -o carried")).exits(0);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    assert_eq!(test.tree("carried"), test.tree("keys"));
}

#[test]
fn twelve_pulls_at_once_all_find_the_newest_pack_good() {
    let (test, old, _) = pushed();
    let line =
        format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} -o few --created 2026-01-02T00:00:00Z");
    let few = test.run(&line).exits(0).after("Pack: ");
    test.push("few", "oci:m:few");
    // The two packs contain different files, so that the names in the directory change all the time.
    let lines = [("keys", &old), ("few", &few)].map(|(tag, digest)| {
        format!("pull oci:m:{tag} --digest {digest} -o out --allow-rollback-unsafe --reason race")
    });
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..12)
                .map(|n| {
                    let (test, line) = (&test, &lines[n % 2]);
                    scope.spawn(move || test.run(line))
                })
                .collect();
            for ran in runs {
                ran.join().unwrap().exits(0);
            }
        });
        let out = test.tree("out");
        assert!(out == test.tree("keys") || out == test.tree("few"));
    }
}

#[test]
fn a_new_pack_replaces_the_old_one_whole() {
    let (test, digest, _) = pushed();
    test.run(&format!("pull oci:m:keys --digest {digest} -o out")).exits(0);
    let line =
        format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} -o few --created 2026-01-02T00:00:00Z");
    let few = test.run(&line).exits(0).after("Pack: ");
    test.push("few", "oci:m:few");
    test.run(&format!("pull oci:m:few --digest {few} -o out")).exits(0);
    assert_eq!(test.tree("out"), test.tree("few"), "nothing of the old one is left");
}

#[test]
fn a_target_with_foreign_files_or_a_link_is_refused_and_untouched() {
    let (test, digest, _) = pushed();
    let line = format!("pull oci:m:keys --digest {digest} -o");
    test.run(&format!("{line} out")).exits(0);
    test.write("out/mine.txt", "hello");
    let before = test.tree("out");
    test.run(&format!("{line} out")).exits(3).tells("mine.txt");
    assert_eq!(test.tree("out"), before);
    test.write("notes/mine.txt", "hello");
    test.run(&format!("{line} notes")).fails(1, "target-has-foreign-files").tells("mine.txt");
    assert_eq!(test.names("notes"), ["mine.txt"]);

    fs::create_dir(test.path("real")).unwrap();
    std::os::unix::fs::symlink("real", test.path("link")).unwrap();
    test.run(&format!("{line} link")).fails(1, "target-is-symlink");
    test.run(&format!("{line} link/")).exits(1);
    assert_eq!(test.names("real"), [""; 0]);
    test.run(&format!("{line} no/such/keys")).fails(1, "parent-missing");
}

#[test]
fn the_pack_to_take_must_be_plain() {
    let (test, digest, _) = pushed();
    test.run("push keys oci:m:again --as artifact").exits(0);
    test.run("pull oci:m -o out").fails(1, "pack-not-found").tells("several packs: again, keys");
    test.push("keys", "oci:m:same");
    test.run("pull oci:m -o out").fails(1, "pack-not-found").tells("several packs: again, keys = same");
    test.run(&format!("pull oci:m:nope --digest {digest} -o out")).fails(1, "name-unknown");
    let empty = "lab/layouts/key-bundle-rekor1-oras";
    test.run(&format!("pull {empty} --digest {digest} -o out"))
        .fails(1, "pack-not-found")
        .tells("holds no pack");
    test.run(&format!("pull oci:{empty}:v1 --digest {digest} -o out")).fails(3, "not-a-pack");
    assert!(!test.has("out"));
}

#[test]
fn a_damaged_blob_is_not_unpacked() {
    let (test, digest, places) = pushed();
    let manifest = test.json(&format!("m/blobs/sha256/{}", &places[0].1[7..]));
    let layer = format!("m/blobs/sha256/{}", &manifest["layers"][0]["digest"].as_str().unwrap()[7..]);
    let mut bytes = test.read(&layer);
    bytes[100] ^= 1;
    test.write(&layer, &bytes);
    let line = format!("pull oci:m:keys --digest {digest} -o out");
    test.run(&line).fails(1, "digest-mismatch");
    bytes.pop();
    test.write(&layer, &bytes);
    test.run(&line).fails(1, "size-mismatch");
    fs::remove_file(test.path(&layer)).unwrap();
    test.run(&line).fails(1, "blob-missing");
    assert!(!test.has("out"));
}
