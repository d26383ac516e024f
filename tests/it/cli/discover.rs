use std::{io::Read as _, process::Stdio};

use super::{
    lab,
    program::{LAB, TRUST, Test},
};

#[test]
fn what_is_needed_is_at_hand() {
    let test = Test::new();
    test.run(&format!("discover oci:lab/layouts/key-bundle-rekor1-oras {TRUST}"))
        .exits(0)
        .says("IMAGE")
        .says("key-bundle-rekor1-oras:v1  bundle: rekor signer have\n")
        .says("Keys that fit, and who vouches for each")
        .says("1 image: 1 signed, 0 unsigned. 2 keys needed: 2 at hand and proved, 0 open.");
    assert_eq!(test.names(""), ["lab"], "discover writes nothing");
}

#[test]
fn a_directory_of_keys_is_compared_with_images() {
    let test = Test::new();
    let (fits, more) = ("lab/layouts/key-bundle-rekor1-oras", "lab/layouts/keyless-bundle-rekor2-oras");
    test.run(&format!("collect {fits} {TRUST} -o keys")).exits(0);
    test.run(&format!("discover {fits} --keys-dir keys")).exits(0).says("0 open").tells("keys fits");
    // Only the keys of keys/ count, and those that nothing needs are named.
    let ran = test.run(&format!("discover {more} --keys-dir keys")).fails(4, "incomplete").says("4 open");
    ran.says("keys/signer-43ef7bc8.pub").says("not needed");
    test.run(&format!("discover {more} --keys-dir keys {TRUST}")).exits(2).tells("cannot be used with");
    test.run(&format!("discover {more} --keys-dir none")).fails(1, "keys-not-found");
    test.write("mine/notes.txt", "hello");
    test.run(&format!("discover {more} --keys-dir mine")).fails(1, "keys-with-foreign-files");
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let test = Test::new();
    let ran = test.run("discover oci:lab/layouts/key-bundle-rekor1-oras").fails(4, "incomplete");
    let ran =
        ran.says("Keys still needed").says("Rekor v1 log, needed by 1 image").says("--trusted-root FILE");
    // Scripts look for `role id state`, with the whole id.
    let ran = ran.says("  rekor e69e8241a86926434b03c31cf128899cbf3c1f73466f07acae0363289213df19 missing\n");
    let ran = ran.says("  signer 43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f missing\n");
    let ran = ran.says("the one in the log\n    entry is a claim");
    assert!(ran.out.lines().all(|l| l.ends_with(" missing") || l.chars().count() <= 80), "{}", ran.out);
}

#[test]
fn a_key_that_fits_by_name_alone_is_refused() {
    // The log key is right, but the signer's key is another one: the signature names the right one.
    let test = Test::new();
    let ran = test.run(
        "discover oci:lab/layouts/key-bundle-rekor1-oras --trusted-root lab/trust/trusted_root.json \
         --key signer=lab/trust/rekor2.pub --format json",
    );
    let report = ran.fails(4, "incomplete").json();
    assert_eq!(report["open"][0]["role"], "signer");
    assert_eq!(report["open"][0]["state"], "missing");
}

#[test]
fn a_key_that_can_not_be_tried_yet_is_not_called_refused() {
    let test = Test::new();
    for key in [
        "fulcio=lab/trust/fulcio.pem",
        "tsa=lab/trust/tsa.pem",
        "ctlog=lab/trust/ctfe.pub",
        "rekor2=lab/trust/rekor2.pub",
    ] {
        let line = format!("discover lab/layouts/keyless-bundle-rekor2-oras --key {key}");
        let ran = test.run(&line).fails(4, "incomplete").says("unproved").says("get the missing keys first");
        assert!(!ran.out.contains("refused") && !ran.out.contains("do not mirror"), "{}", ran.out);
        let report = test.run(&format!("{line} --format json")).json();
        let states: Vec<_> = report["open"].as_array().unwrap().iter().map(|n| n["state"].as_str()).collect();
        assert_eq!(states.iter().filter(|state| **state == Some("unproved")).count(), 1, "{key}: {states:?}");
    }
}

#[test]
fn the_key_that_verified_a_signature_without_a_name_is_told() {
    let test = Test::new();
    let line = "discover oci:lab/layouts/key-tag-notlog-cosignsave --key ";
    test.run(&format!("{line}lab/trust/cosign.pub -v")).exits(0).says(" have\n").says("signer have");
    test.run(&format!("{line}signer=lab/trust/rekor.pub -v"))
        .fails(4, "incomplete")
        .says("signer (not named by the signature) missing");
    // For a signature that names its key and does not verify with the available keys, the report lists those that
    // were tried.
    let ran = test.run("discover oci:lab/layouts/key-bundle-notlog-oras --key lab/trust/cosign.pub").exits(0);
    assert!(!ran.out.contains("tried"), "{}", ran.out);
}

#[test]
fn a_place_that_names_its_tag_is_not_told_twice() {
    let test = Test::new();
    let line = "discover oci:lab/layouts/key-bundle-rekor1-oras:v1";
    test.run(&format!("{line} {TRUST}")).exits(0).says("\nkey-bundle-rekor1-oras:v1  bundle");
    test.layout("key-bundle-rekor1-oras", "v1");
    test.run(&format!("discover oci:v1 {TRUST}")).exits(0).says("\nv1:v1  bundle");
}

#[test]
fn an_unsigned_image_is_listed() {
    let test = Test::new();
    test.run("discover lab/layouts/key-tag-notlog-oras")
        .exits(0)
        .says("key-tag-notlog-oras:v1  unsigned\n")
        .says("1 image: 0 signed, 1 unsigned. 0 keys needed.");
}

#[test]
fn a_tag_or_digest_selects_one_image() {
    let test = Test::new();
    test.layout("key-bundle-rekor1-oras", "m");
    test.run(&format!("collect oci:m {TRUST}")).exits(0);
    test.push("keys", "oci:m:keys");
    let all = test.run("discover oci:m --format json").json();
    assert_eq!((&all["counts"]["images"], &all["counts"]["unsigned"]), (&1.into(), &0.into()));
    assert_eq!(all["images"].as_array().unwrap().len(), 2, "the pack is listed and not counted");
    let one = test.run("discover oci:m:keys").exits(0).says("a pack of keys, made by keypack");
    assert!(!one.out.contains("v1"), "{}", one.out);
    let digest = all["images"][1]["digest"].as_str().unwrap();
    let one = test.run(&format!("discover oci:m@{digest} --format json")).json();
    assert_eq!(one["images"].as_array().unwrap().len(), 1);
    assert_eq!(one["counts"]["signed"], 1);

    test.run("discover oci:m:nope").fails(1, "name-unknown").tells("has no tag nope");
    let absent = format!("sha256:{}", "0".repeat(64));
    test.run(&format!("discover oci:m@{absent}")).fails(1, "name-unknown").tells("has no manifest");
}

#[test]
fn an_image_and_its_signature_in_two_places_are_joined() {
    let test = Test::new();
    test.layout("key-bundle-notlog-oras", "image");
    test.layout("key-bundle-notlog-oras", "signature");
    for (place, entry) in [("image", 1), ("signature", 0)] {
        let mut index = test.json(&format!("{place}/index.json"));
        let gone = index["manifests"].as_array_mut().unwrap().remove(entry);
        test.write(&format!("{place}/index.json"), index.to_string());
        let hex = &gone["digest"].as_str().unwrap()[7..];
        std::fs::remove_file(test.path(&format!("{place}/blobs/sha256/{hex}"))).unwrap();
    }
    let alone = test.run("discover image --format json").exits(0).json();
    assert_eq!(alone["counts"]["unsigned"], 1);
    let alone = test.run(&format!("discover signature {TRUST} --format json")).exits(0).json();
    assert_eq!(alone["images"][0]["kind"], "absent");
    for line in ["discover image signature", "discover signature image"] {
        let both = test.run(&format!("{line} {TRUST} --format json")).exits(0).json();
        assert_eq!(both["counts"]["images"], 1, "{line}");
        assert_eq!(both["images"][0]["kind"], "image");
        assert_eq!(both["images"][0]["signatures"][0]["needs"][0]["state"], "have");
    }
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let test = Test::new();
    test.layout("key-tag-notlog-oras", "m");
    let mut index = test.json("m/index.json");
    let name = "v1\u{1b}]0;owned\u{7}\u{202e}\u{61c}\u{ad}\u{e0041}\r\n\u{9b}2J";
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = name.into();
    index["manifests"][0]["annotations"]["io.containerd.image.name"] = name.into();
    test.write("m/index.json", index.to_string());
    for line in ["discover m", "discover oci:m:nope", "pull m", "inspect m"] {
        let ran = test.run(line);
        for c in ran.out.chars().chain(ran.err.chars()) {
            assert!(c == '\n' || !keypack::display::hidden(c), "{line}: {c:?}\n{}{}", ran.out, ran.err);
        }
    }
    let report = test.run("discover m --format json").exits(0);
    assert!(!report.out.chars().any(|c| c != '\n' && keypack::display::hidden(c)), "JSON escapes them too");
    assert_eq!(report.json()["images"][0]["tags"][0], name, "and loses nothing");
    let ran = test.run_args(&["discover", "m\u{1b}[2J"]).exits(2);
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn a_damaged_signature_is_a_problem_and_not_an_unsigned_image() {
    let test = Test::new();
    test.layout("key-bundle-notlog-oras", "m");
    let entry = test.json("m/index.json")["manifests"][1]["digest"].as_str().unwrap()[7..].to_owned();
    let manifest = test.json(&format!("m/blobs/sha256/{entry}"));
    let layer = manifest["layers"][0]["digest"].as_str().unwrap()[7..].to_owned();
    let path = format!("m/blobs/sha256/{layer}");
    let bundle = test.read(&path);

    let mut damaged = bundle.clone();
    damaged[10] ^= 1;
    test.write(&path, damaged);
    test.run(&format!("discover m {TRUST}")).fails(4, "incomplete").says("digest-mismatch").says("1 problem");
    test.run("discover m")
        .says("1 image: 0 signed, 0 unsigned, 1 unreadable. 0 keys needed; 1 problem.")
        .says("hint: the content was damaged or changed in transit");
    test.write(&path, &bundle[..bundle.len() - 1]);
    test.run(&format!("discover m {TRUST}")).fails(4, "incomplete").says("size-mismatch");
    std::fs::remove_file(test.path(&path)).unwrap();
    test.run(&format!("discover m {TRUST}")).fails(4, "incomplete").says("blob-missing");
    test.run(&format!("discover m {TRUST} --optional")).exits(0).tells("warning: ");
}

#[test]
fn what_cannot_be_read_is_not_counted_as_unsigned() {
    let test = Test::new();
    test.layout("key-tag-notlog-oras", "good");
    test.layout("key-tag-notlog-oras", "bad");
    let digest = test.json("bad/index.json")["manifests"][0]["digest"].as_str().unwrap()[7..].to_owned();
    test.write(&format!("bad/blobs/sha256/{digest}"), "{");
    test.run("discover good bad")
        .fails(4, "incomplete")
        .says("good:v1  unsigned\n")
        .says("bad:v1   unreadable  size-mismatch\n")
        .says("    hint: the content was damaged or changed in transit")
        .says("2 images: 0 signed, 1 unsigned, 1 unreadable. 0 keys needed; 1 problem.");
    let report = test.run("discover good bad --format json").json();
    let states: Vec<_> = report["images"].as_array().unwrap().iter().map(|image| &image["state"]).collect();
    assert_eq!(states, ["unsigned", "unreadable"]);
    assert_eq!((&report["counts"]["unsigned"], &report["counts"]["unreadable"]), (&1.into(), &1.into()));
    let problem = &report["images"][1]["problems"][0];
    assert!(problem["hint"].as_str().unwrap().starts_with("the content was damaged"), "{problem}");
}

#[test]
fn an_entry_that_is_not_used_comes_with_what_to_do() {
    let test = Test::new();
    test.write("etc/pki/sigstore/broken.pub", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let line = "discover lab/layouts/key-tag-notlog-oras --host-root .";
    test.run(line).says("not used key-").says("    hint: ");
    let unusable = &test.run(&format!("{line} --format json")).json()["unusable"][0];
    assert_eq!(unusable["source"], "host:/etc/pki/sigstore/broken.pub");
    assert!(!unusable["hint"].as_str().unwrap().is_empty(), "{unusable}");
}

#[test]
fn exit_codes_tell_the_kind_of_failure() {
    let test = Test::new();
    test.write("empty/index.json", r#"{"schemaVersion":2,"manifests":[]}"#);
    test.write("empty/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    test.run("discover oci:nope").fails(1, "not-found").tells("nope does not exist: . holds empty/");
    test.run("discover empty").fails(1, "nothing-readable");
    test.run("discover busybox").fails(2, "usage").tells("no such path, and no registry either");
    test.run("discover lab/trust/cosign.pub").fails(1, "archive-damaged");
    test.run("discover lab/trust/trusted_root.json")
        .fails(1, "archive-damaged")
        .tells("does not begin as a tar does");
    test.run("discover docker://127.0.0.1:1/x/y --retry-times 0").fails(1, "unreachable");
    test.run("discover empty --key nope.pub").fails(1, "key-file-not-found");
    test.run("discover empty --trusted-root empty/oci-layout").fails(3, "trusted-root-malformed");
    for line in ["discover oci:nope", "discover empty", "discover empty --key nope.pub"] {
        test.run(&format!("{line} --optional")).exits(0).tells("warning: ").tells("hint: ");
    }
    test.run("discover busybox --optional").fails(2, "usage");
    test.run("discover empty --trusted-root empty/oci-layout --optional").fails(3, "trusted-root-malformed");
}

#[test]
fn failures_are_json_where_json_is_asked_for() {
    let test = Test::new();
    for line in ["discover oci:nope", "discover oci:nope --optional", "collect busybox", "pull oci:nope:x"] {
        let ran = test.run(&format!("{line} --format json"));
        let error = ran.json()["error"].clone();
        for field in ["code", "message", "hint"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{line}: {error}");
        }
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let test = Test::new();
    lab::storage(&test);
    let mut child = test
        .command()
        .args(["discover", "storage", "--format", "json", "--no-progress"])
        .args(TRUST.split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn quiet_leaves_errors_and_results() {
    let test = Test::new();
    test.run("discover lab/layouts/key-tag-notlog-oras -q").exits(0).says("unsigned");
    test.run("discover oci:nope -q").fails(1, "not-found");
    test.run("discover oci:nope -q -v").exits(2);
}

/// Made by cosign 3.1.1 with an imported key; `cosign verify` refuses it too.
#[test]
fn an_ed25519ph_signature_is_told_as_what_it_may_be() {
    let test = Test::new();
    test.layout_of(&format!("{LAB}/../ed25519"), "layout", "m");
    test.write("signer.pub", std::fs::read(format!("{LAB}/../ed25519/signer.pub")).unwrap());
    let line = "discover oci:m --key signer.pub --format json";
    let open = test.run(line).fails(4, "incomplete").json()["open"][0].clone();
    assert_eq!(
        (open["code"].as_str(), open["state"].as_str()),
        (Some("signature-does-not-match"), Some("refused"))
    );
    assert!(
        open["reason"].as_str().unwrap().ends_with("Ed25519ph, which neither cosign nor podman verifies"),
        "{open}"
    );
    // Other signatures do not verify for other reasons.
    let report =
        test.run("discover oci:lab/layouts/key-bundle-notlog-oras --key signer.pub --format json").exits(4);
    assert!(!report.out.contains("Ed25519ph"), "{}", report.out);
}
