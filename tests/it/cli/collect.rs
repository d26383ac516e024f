//! A first collection: which files it writes, their contents, and when it writes none.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use keypack::oci::Digest;
use serde_json::Value;

use super::{
    lab,
    program::{TRUST, Test},
};

const ALL: [&str; 10] = [
    "README.txt",
    "SHA256SUMS",
    "ctlog-0bef3c6b.pub",
    "fulcio-98cd189d.pem",
    "keypack.json",
    "rekor-e69e8241.pub",
    "rekor2-dd20f7e7.pub",
    "signer-43ef7bc8.pub",
    "trusted_root.json",
    "tsa-03df1167.pem",
];

#[test]
fn the_whole_lab_needs_six_keys() {
    let test = Test::new();
    lab::storage(&test);
    let ran = test.run(&format!("collect storage {TRUST}")).exits(0);
    let ran = ran.says("6 keys needed: 6 at hand and proved, 0 open.").says("keys: 6 keys, version ");
    assert_eq!(test.names("keys"), ALL);
    assert_eq!(ran.after("Pack: "), Digest::of(&test.read("keys/keypack.json")).to_string());
    assert!(ran.out.ends_with(&format!("Pack: {}\n", ran.after("Pack: "))), "the digest stands last");

    let mode = |name: &str| fs::metadata(test.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("keys"), 0o755);
    for name in ALL {
        assert_eq!(mode(&format!("keys/{name}")), 0o644, "{name}");
    }
    assert_eq!(test.names(""), ["keys", "lab", "storage"], "nothing else is left");
}

fn kind(name: &str) -> Option<&std::ffi::OsStr> {
    Path::new(name).extension()
}

#[test]
fn the_files_are_what_the_inventory_says() {
    let test = Test::new();
    lab::storage(&test);
    test.run(&format!("collect storage {TRUST}")).exits(0);
    let inventory = test.json("keys/keypack.json");
    let mut sums = String::new();
    let mut line = |name: &str| {
        sums.push_str(&format!("{}  {name}\n", Digest::of(&test.read(&format!("keys/{name}"))).hex()));
    };
    for name in ALL.iter().filter(|name| **name != "SHA256SUMS") {
        line(name);
    }
    let listed: Vec<_> =
        inventory["files"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(String::from_utf8(test.read("keys/SHA256SUMS")).unwrap(), sums);
    let unlisted: Vec<_> = ALL.iter().filter(|name| !listed.contains(name)).collect();
    assert_eq!(unlisted, [&"README.txt", &"SHA256SUMS", &"keypack.json"]);

    for name in ALL.iter().filter(|n| kind(n).is_some_and(|kind| kind == "pub" || kind == "pem")) {
        let text = String::from_utf8(test.read(&format!("keys/{name}"))).unwrap();
        assert!(text.starts_with("-----BEGIN ") && text.ends_with("-----\n"), "{name}");
        assert!(!text.contains('\r') && !text.contains("\n\n"), "{name}");
        let blocks = text.matches("-----BEGIN ").count();
        assert!(blocks == 1 || kind(name).is_some_and(|kind| kind == "pem"), "{name} has {blocks} blocks");
        let body = |l: &&str| !l.starts_with('-');
        assert!(text.lines().filter(body).all(|l| l.len() <= 64), "{name}");
    }
    let root = test.json("keys/trusted_root.json");
    assert_eq!(root["mediaType"], "application/vnd.dev.sigstore.trustedroot+json;version=0.1");
    let readme = String::from_utf8(test.read("keys/README.txt")).unwrap();
    assert!(readme.starts_with("Trust these files only if `keypack pull` wrote them"), "{readme}");
    assert!(readme.contains("sudo install") && readme.contains("oc apply"), "{readme}");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let test = Test::at_epoch("1767225600");
    lab::storage(&test);
    test.run(&format!("collect storage {TRUST} -o one")).exits(0);
    test.run(&format!("collect storage {TRUST} -o two")).exits(0);
    assert_eq!(test.tree("one"), test.tree("two"));
    // The location of a file and the order of sources do not matter.
    test.write("moved/trusted_root.json", test.read("lab/trust/trusted_root.json"));
    test.run(
        "collect lab/layouts/keyless-bundle-rekor2-oras lab/layouts/key-bundle-rekor1-cosignsave \
         --key lab/trust/cosign.pub --trusted-root moved/trusted_root.json -o three",
    )
    .exits(0);
    assert_eq!(test.tree("one"), test.tree("three"));
    let inventory = test.json("one/keypack.json");
    assert_eq!(
        (&inventory["version"], &inventory["created"]),
        (&1_767_225_600.into(), &"2026-01-01T00:00:00Z".into())
    );
    assert!(!String::from_utf8(test.read("one/keypack.json")).unwrap().contains("moved"));
}

#[test]
fn created_outweighs_the_environment() {
    let test = Test::at_epoch("1767225600");
    let line = format!("collect lab/layouts/key-bundle-notlog-oras {TRUST}");
    test.run(&format!("{line} --created 2026-02-01T00:00:00.9Z --expires 2026-08-01")).exits(0);
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["created"], "2026-02-01T00:00:00Z");
    assert_eq!(inventory["expires"], "2026-08-01T00:00:00Z");
    test.run(&format!("{line} -o span --expires 90days")).exits(0);
    assert_eq!(test.json("span/keypack.json")["expires"], "2026-04-01T00:00:00Z");
    // A setting stays until another one is given.
    test.run(&format!("{line} --created 2026-02-03T00:00:00Z --include all")).exits(0);
    let changed = test.json("keys/keypack.json");
    assert_ne!(changed["version"], inventory["version"]);
    assert_eq!(changed["expires"], "2026-08-01T00:00:00Z");
    let ran = test.run(&format!("{line} --created 2026-08-02T00:00:00Z")).fails(1, "expires-passed");
    ran.tells("--expires");
    test.run(&format!("{line} --created 2026-08-02T00:00:00Z --expires never")).exits(0);
    assert!(test.json("keys/keypack.json")["expires"].is_null());
    test.run(&format!("{line} -o late --expires 2025-01-01")).fails(2, "usage").tells("before it is made");
    Test::at_epoch("soon").run(&line).fails(2, "usage").tells("SOURCE_DATE_EPOCH is \"soon\"");
}

#[test]
fn what_goes_in_is_needed_or_of_its_instance_or_all() {
    let test = Test::new();
    let line = format!("collect oci:lab/layouts/key-bundle-rekor1-oras {TRUST}");
    let keys = |name: &str| {
        let inventory = test.json(&format!("{name}/keypack.json"));
        inventory["keys"].as_array().unwrap().iter().map(|k| k["name"].clone()).collect::<Vec<Value>>()
    };
    test.run(&format!("{line} -o needed")).exits(0);
    assert_eq!(keys("needed"), ["rekor-e69e8241", "signer-43ef7bc8"]);
    test.run(&format!("{line} -o instance --include instance")).exits(0);
    assert_eq!(keys("instance").len(), 6);
    assert!(keys("instance").iter().all(|name| !name.as_str().unwrap().contains("sigstore")));
    test.run(&format!("{line} -o all --include all")).exits(0);
    assert_eq!(keys("all").len(), 13, "the lab's six and the public good's seven");
    assert!(keys("all").contains(&"rekor-sigstore".into()));
}

#[test]
fn when_decides_whether_anything_is_written() {
    let test = Test::new();
    let unsigned = format!("collect lab/layouts/key-tag-notlog-oras {TRUST}");
    test.run(&unsigned).exits(0).tells("warning: no image is signed here").tells("--remove-signatures=false");
    assert!(!test.has("keys"));
    let signed = format!("collect lab/layouts/key-bundle-notlog-oras {TRUST}");
    test.run(&format!("{signed} --when never")).exits(0).says("1 at hand and proved");
    assert!(!test.has("keys"));
    test.run(&format!("{unsigned} --when always")).exits(0);
    assert_eq!(test.json("keys/keypack.json")["keys"].as_array().unwrap().len(), 13);
}

#[test]
fn a_claim_never_meets_a_need() {
    // The log entry contains the signer's key, in full; it must not end up in keys/.
    let test = Test::new();
    let line = "collect lab/layouts/key-bundle-rekor1-oras --trusted-root lab/trust/trusted_root.json";
    let report = test.run(&format!("{line} --format json")).fails(4, "incomplete").json();
    assert_eq!(report["open"][0]["role"], "signer");
    let claim = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";
    assert_eq!(report["open"][0]["claim"], claim);
    assert!(test.names("keys").iter().all(|name| !name.starts_with("signer")));
    assert!(!String::from_utf8(test.read("keys/keypack.json")).unwrap().contains("43ef7bc8"));
    // If nothing can prove the rest, nothing is written at all.
    test.run("collect lab/layouts/key-bundle-rekor1-oras -o none")
        .fails(4, "incomplete")
        .tells("nothing was written");
    assert!(!test.has("none"));
    test.run("collect lab/layouts/key-bundle-rekor1-oras -o none --optional").exits(0);
}

#[test]
fn what_can_not_be_read_leaves_keys_as_they_are() {
    let test = Test::new();
    test.run(&format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST}")).exits(0);
    let before = test.tree("keys");
    test.run(&format!("collect oci:nope {TRUST}")).fails(1, "not-found");
    test.run(&format!("collect oci:nope {TRUST} --optional")).exits(0).tells("warning: ");
    test.run(&format!("collect lab/layouts/key-bundle-rekor1-oras oci:nope {TRUST}")).fails(1, "not-found");
    assert_eq!(test.tree("keys"), before);
}

#[test]
fn many_problems_of_a_place_do_not_bury_the_report() {
    let test = Test::new();
    lab::storage(&test);
    for n in 0..9 {
        let tag =
            format!("storage/docker/registry/v2/repositories/key-tag-rekor1/img1/_manifests/tags/bad{n}");
        test.write(&format!("{tag}/current/link"), "nonsense");
    }
    let problems = |ran: &super::program::Ran| ran.out.lines().filter(|l| l.starts_with("problem ")).count();
    let line = format!("collect storage {TRUST}");
    let ran = test.run(&line).exits(4).says("\nand 4 more problems: -v lists them\n");
    assert_eq!(problems(&ran), 5, "{}", ran.out);
    for line in [format!("{line} -v"), format!("discover storage {TRUST} --images-table")] {
        let ran = test.run(&line).exits(4).says("9 problems.");
        assert_eq!(problems(&ran), 9, "{}", ran.out);
        assert!(ran.out.contains("\n\nproblem "), "{}", ran.out);
    }
}
