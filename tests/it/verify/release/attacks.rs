//! Policies that someone put into a mirror, and payloads that keypack must not misread.

use serde_json::json;

use super::{
    LINE, code,
    mirror::{CONTENT, Mirror, POLICY, REFERENCES, RELEASE, gpg, gzip, tar},
    report,
};
use crate::gpg::place::owner;

/// A policy that accepts everything that the attacker signs.
fn swapped(mirror: &Mirror) -> Vec<u8> {
    let references = mirror.images("4.22.7");
    let attacker = Mirror::new().policy(&[RELEASE, CONTENT], "");
    gzip(&tar(&[(REFERENCES, references.as_bytes()), (POLICY, attacker.as_bytes())]))
}

#[test]
fn a_policy_counts_only_if_its_release_is_signed() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let signed = mirror.test.names("in/working-dir/signatures").remove(0);
    let good = mirror.test.read(&format!("in/working-dir/signatures/{signed}"));
    // Another release at the same tag: the signature is for the one that was there.
    let swapped = mirror.release_of("4.22.7", &[swapped(&mirror)]);
    let manifests = mirror
        .test
        .path("in/docker/registry/v2/repositories/openshift/release-images/_manifests/revisions/sha256");
    for entry in std::fs::read_dir(manifests).unwrap().map(|entry| entry.unwrap()) {
        if signed.ends_with(entry.file_name().to_str().unwrap()) {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    assert_eq!(code(&mirror, "", 4), "policy-unauthenticated");
    // The good signature under another name, the attacker's own, and what is no signature.
    let name = format!("in/working-dir/signatures/4.22.7-x86_64-sha256-{}", swapped.hex());
    for (bytes, says) in [
        (good, "it is the signature of"),
        (gpg(&owner(), swapped), "not one of the keys that count"),
        (b"\x90\x0d".to_vec(), ""),
        (Vec::new(), ""),
    ] {
        mirror.test.write(&name, bytes);
        mirror.test.run(LINE).fails(4, "policy-unauthenticated").tells(says).tells("release 4.22.7 (sha256:");
    }
    mirror.test.write(&name, gpg(&mirror.owner, swapped));
    assert_eq!(
        code(&mirror, "", 4),
        "policy-would-refuse",
        "it is signed now, and its policy asks for other keys"
    );
}

#[test]
fn a_second_release_that_is_not_signed_is_reported_beside_the_good_one() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    mirror.release_of("4.23.0", &[swapped(&mirror)]);
    let report = report(&mirror.test.run(&format!("{LINE} --format json")).exits(4));
    assert_eq!(report["failure"]["code"], "policy-unauthenticated");
    assert_eq!(report["releases"].as_array().unwrap().len(), 2);
    let gates: Vec<_> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|stage| stage["stage"] == "update-gate")
        .map(|stage| (stage["release"].as_str().unwrap(), stage["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(gates, [("4.22.7", "admitted"), ("4.23.0", "refused")]);
    // Its policy judges nothing.
    assert!(report["images"].as_array().unwrap().iter().all(|pull| pull["verdict"] != "refused"));
    mirror.test.run(LINE).exits(4).says("DOES NOT COUNT 1 release");
}

#[test]
fn keys_that_nothing_authenticates_do_not_count() {
    let mirror = Mirror::with_release();
    // None at all: the release is not Red Hat's.
    mirror.test.run(LINE).fails(4, "policy-unauthenticated");
    mirror.test.run(
        "collect oc-mirror:in --key gpg=owner.asc --key signer=signer.pub --no-network --no-host -o in/keys",
    );
    // Collected here, and lying where keys are looked for.
    mirror.test.run(LINE).fails(4, "policy-unauthenticated").tells("keys-collected-here");
    mirror.test.run(&format!("{LINE} --keys-dir in/keys")).fails(3, "keys-collected-here");
    mirror.test.run(&format!("{LINE} --keys-dir nowhere")).fails(1, "keys-not-found");
    // The wrong anchor, and the right one.
    let pack = mirror.test.run("inspect in/keys").after("Pack: ");
    mirror.test.run(&format!("{LINE} --keys-dir in/keys --digest sha256:{}", "0".repeat(64))).exits(3);
    mirror.test.run(&format!("{LINE} --keys-dir in/keys --digest {pack}")).exits(0);
    // With any other policy keys are a contradiction.
    mirror.test.run("verify oc-mirror:in --policy builtin:openshift@4.22 --keys-dir in/keys").exits(2);
}

#[test]
fn a_key_that_was_revoked_here_authenticates_nothing() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let fingerprint = mirror.test.json("in/keys/keypack.json")["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["role"] == "gpg")
        .unwrap()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    mirror.test.run(&format!("revoke {fingerprint} --reason stolen")).exits(0);
    mirror.test.run(LINE).fails(4, "policy-unauthenticated");
}

#[test]
fn layers_are_read_as_they_would_be_unpacked() {
    let layer = |entries: &[(&str, &[u8])]| gzip(&tar(entries));
    let hidden = POLICY.replace("0000", ".wh.0000");
    for (name, top, expected) in [
        ("a later layer wins", "policy", "admitted"),
        ("a whiteout hides what is below", "whiteout", "policy-not-in-force"),
        ("a link is not followed", "link", "malformed"),
    ] {
        let mirror = Mirror::new();
        let references = mirror.images("4.22.7");
        let own = mirror.policy(&[RELEASE, CONTENT], "");
        let other = Mirror::new().policy(&[RELEASE, CONTENT], "");
        let base = layer(&[(REFERENCES, references.as_bytes()), (POLICY, other.as_bytes())]);
        let link = format!("{POLICY}@");
        let top = match top {
            "policy" => layer(&[(POLICY, other.as_bytes()), (POLICY, own.as_bytes())]),
            "whiteout" => layer(&[(&hidden, b"")]),
            _ => layer(&[(&link, b"/etc/passwd")]),
        };
        mirror.gpg_sign("4.22.7", mirror.release_of("4.22.7", &[base, top]));
        mirror.pull_keys();
        let ran = mirror.test.run(&format!("{LINE} --format json"));
        let report = ran.json();
        let found = [&report["verdict"], &report["error"]["code"], &report["policy"]["notes"][0]["code"]];
        assert!(found.contains(&&json!(expected)), "{name}: {report}");
    }
}

#[test]
fn a_layer_that_is_not_what_the_manifest_says() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let swapped = swapped(&mirror);
    // The layer of the signed release, with other bytes in its place.
    let blobs = mirror.test.path("in/docker/registry/v2/blobs/sha256");
    for folder in std::fs::read_dir(blobs)
        .unwrap()
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
    {
        let path = folder.unwrap().path().join("data");
        let bytes = std::fs::read(&path).unwrap();
        let holds_policy = bytes.starts_with(&[0x1f, 0x8b]) && {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut text)
                .unwrap();
            text.windows(18).any(|window| window == b"ClusterImagePolicy")
        };
        if holds_policy {
            let mut other = swapped.clone();
            other.resize(bytes.len(), 0);
            std::fs::write(&path, &other).unwrap();
        }
    }
    let code = code(&mirror, "", 4);
    assert!(matches!(code.as_str(), "digest-mismatch"), "{code}");
}

/// A gzip of a GiB in a MiB: it ends the reading, and not the memory.
#[test]
fn a_layer_that_unpacks_to_a_gib() {
    let mirror = Mirror::new();
    let references = mirror.images("4.22.7");
    let policy = mirror.policy(&[RELEASE, CONTENT], "");
    let base = gzip(&tar(&[(REFERENCES, references.as_bytes()), (POLICY, policy.as_bytes())]));
    let zeros = gzip(&vec![0; 8 << 20]).repeat(128);
    // Zeros end a tar, so nothing more is unpacked, and what is below counts.
    mirror.gpg_sign("4.22.7", mirror.release_of("4.22.7", &[base, zeros]));
    mirror.pull_keys();
    mirror.test.run(LINE).exits(0);
}

/// The cost is that of the uppermost layers: those below may be in another archive.
#[test]
fn only_the_layers_that_decide_are_read() {
    let mirror = Mirror::with_release();
    mirror.pull_keys();
    let blobs = mirror.test.path("in/docker/registry/v2/blobs/sha256");
    let layers = |with_policy: bool| {
        let folders = std::fs::read_dir(&blobs).unwrap().map(|folder| folder.unwrap().path());
        let blobs =
            folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|blob| blob.unwrap().path());
        let holds = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path.join("data")).unwrap_or_default();
            let mut tar = Vec::new();
            let read =
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut tar);
            read.is_ok() && tar.windows(18).any(|window| window == b"ClusterImagePolicy") == with_policy
        };
        blobs.filter(holds).collect::<Vec<_>>()
    };
    let below = layers(false);
    assert_eq!(below.len(), 1, "the layer with the operator's program");
    std::fs::remove_dir_all(&below[0]).unwrap();
    assert_eq!(code(&mirror, "", 0), "");
    std::fs::remove_dir_all(&layers(true)[0]).unwrap();
    mirror.test.run(LINE).fails(4, "blob-elsewhere").tells("--cache-dir");
}
