//! Key files: what users have, and what must be rejected.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{
    lab,
    program::{TRUST, Test},
};

#[test]
fn bare_files_serve_every_role() {
    let test = Test::new();
    lab::storage(&test);
    // All except the CT log's key are named as keypack names them.
    let files = ["cosign.pub", "rekor.pub", "rekor2.pub", "fulcio.pem", "tsa.pem"];
    let keys: String = files.iter().map(|file| format!(" --key lab/trust/{file}")).collect();
    let keys = format!("{keys} --key ctlog=lab/trust/ctfe.pub");
    test.run(&format!("collect storage{keys}")).exits(0).says("6 at hand and proved, 0 open");
    let inventory = test.json("keys/keypack.json");
    let roles: Vec<_> =
        inventory["keys"].as_array().unwrap().iter().map(|k| k["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["rekor", "rekor2", "ctlog", "fulcio", "tsa", "signer"]);
    assert_eq!(inventory["keys"][1]["origin"], "rekor2.test");
    assert_eq!(inventory["keys"][0]["name"], "rekor-e69e8241", "rekor.pub does not make it rekor-rekor-…");
    // The collected keys are enough to collect again.
    let root = "--trusted-root keys/trusted_root.json --key keys/signer-43ef7bc8.pub";
    test.run(&format!("collect storage {root} -o again")).exits(0);
}

#[test]
fn the_readme_names_files_that_are_there() {
    let test = Test::new();
    for (layout, lines) in [
        (
            "key-bundle-notlog-oras",
            ["--insecure-ignore-tlog=true --key signer-43ef7bc8.pub IMAGE"].as_slice(),
        ),
        ("key-bundle-rekor1-oras", &["--trusted-root trusted_root.json --key signer-43ef7bc8.pub IMAGE"]),
        ("keyless-bundle-rekor1-oras", &["--trusted-root trusted_root.json --certificate-identity WHO"]),
    ] {
        test.run(&format!("collect oci:lab/layouts/{layout} {TRUST} -o {layout}")).exits(0);
        let readme = String::from_utf8(test.read(&format!("{layout}/README.txt"))).unwrap();
        let cosign: Vec<_> = readme.lines().filter_map(|line| line.split_once("cosign verify ")).collect();
        assert_eq!(cosign.len(), lines.len(), "{readme}");
        for ((_, said), line) in cosign.iter().zip(lines) {
            assert!(said.starts_with(line), "{readme}");
            let names = said
                .split(' ')
                .filter(|word| word.starts_with("trusted_root") || word.starts_with("signer-"));
            for name in names {
                assert!(test.has(&format!("{layout}/{name}")), "{readme}");
            }
        }
    }
}

#[test]
fn all_of_them_in_one_file_with_text_around() {
    let test = Test::new();
    let mut file = b"Published by the lab.\r\n\r\n".to_vec();
    for name in ["rekor.pub", "cosign.pub"] {
        file.extend(format!("# {name}\n").bytes());
        file.extend(test.read(&format!("lab/trust/{name}")));
    }
    test.write("all.txt", file);
    // The signer's key in the file is also used as a log key, and no entry names it.
    test.run("collect lab/layouts/key-bundle-rekor1-oras --key all.txt --rekor all.txt")
        .exits(0)
        .says("2 at hand and proved");
    let pem = String::from_utf8(test.read("keys/signer-43ef7bc8.pub")).unwrap();
    assert_eq!(pem, String::from_utf8(test.read("lab/trust/cosign.pub")).unwrap());
}

#[test]
fn a_key_that_nothing_needs_is_told_and_stays_out() {
    let test = Test::new();
    let command = "collect lab/layouts/key-bundle-notlog-oras --key lab/trust/cosign.pub";
    let without = test.run(command).exits(0);
    assert!(!without.out.contains("not needed"), "what is built in is nobody's errand: {}", without.out);
    let command = format!("{command} --key lab/trust/ctfe.pub -o other");
    test.run(&command)
        .exits(0)
        .says("not needed ctfe.pub: no signature here names a key of it or verifies with one");
    let report = test.run(&format!("{command} --format json")).exits(0);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["unused"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["unused"][0]["source"], "ctfe.pub");
    assert_eq!(report["pack"]["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_key_that_waits_for_another_is_no_key_that_nothing_needs() {
    let test = Test::new();
    // The authority matches and can't be proved while the log's key is missing.
    let ran = test
        .run("discover lab/layouts/keyless-tag-rekor1-cosignsave --key lab/trust/fulcio.pem")
        .exits(4)
        .says("unproved");
    assert!(!ran.out.contains("not needed"), "{}", ran.out);
}

#[test]
fn der_is_read_too() {
    let test = Test::new();
    let pem = String::from_utf8(test.read("lab/trust/cosign.pub")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    test.write("signer.der", BASE64_STANDARD.decode(body).unwrap());
    test.run("collect lab/layouts/key-bundle-notlog-oras --key signer.der").exits(0);
    assert_eq!(test.read("keys/signer-43ef7bc8.pub"), pem.as_bytes());
}

#[test]
fn a_private_key_among_the_inputs_is_refused() {
    let test = Test::new();
    let pem = |label: &str| format!("-----BEGIN {label}-----\nMC4CAQAwBQYDK2Vw\n-----END {label}-----\n");
    let public = String::from_utf8(test.read("lab/trust/cosign.pub")).unwrap();
    for label in [
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED SIGSTORE PRIVATE KEY",
        "ENCRYPTED COSIGN PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ] {
        for (name, text) in [("alone", pem(label)), ("behind", format!("{public}{}", pem(label)))] {
            test.write("cosign.key", &text);
            for flag in ["--key", "--trusted-root"] {
                let line = format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} {flag} cosign.key");
                let ran = test.run(&line).fails(3, "private-key").tells("cosign.key holds a private key");
                assert!(!ran.err.contains("MC4CAQ"), "{label} {name}: its content is shown");
                test.run(&format!("{line} --optional")).fails(3, "private-key");
            }
        }
    }
    // PKCS #8, SEC 1 and PKCS #1 in DER start with a version number.
    for der in [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70"[..], b"\x30\x77\x02\x01\x01\x04\x20"] {
        let mut der = der.to_vec();
        der.resize(usize::from(der[1]) + 2, 1);
        test.write("key.der", der);
        test.run(&format!("collect lab/layouts/key-bundle-notlog-oras {TRUST} --key key.der"))
            .fails(3, "private-key");
    }
    assert!(!test.has("keys"));
}

#[test]
fn a_file_without_a_key_is_refused_by_name() {
    let test = Test::new();
    test.write("login.pub", "<!DOCTYPE html><title>Log in</title>");
    test.write("empty.pub", "");
    let line = "collect lab/layouts/key-bundle-notlog-oras --key";
    test.run(&format!("{line} login.pub")).fails(3, "key-malformed").tells("login.pub").tells("web page");
    test.run(&format!("{line} empty.pub")).fails(3, "key-malformed").tells("it is empty");
    test.run(&format!("{line} lab/trust/trusted_root.json"))
        .fails(3, "key-malformed")
        .tells("--trusted-root");
    let pem = String::from_utf8(test.read("lab/trust/cosign.pub")).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let utf32: Vec<u8> = format!("\u{feff}{pem}").chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    for (content, says) in [
        (b" \r\n\n".to_vec(), "it is empty"),
        // A word processor's dashes and spaces.
        (pem.replace("-----", "\u{2014}\u{2013}-").into_bytes(), "not exactly -----BEGIN"),
        (pem.replacen(' ', "\u{a0}", 1).into_bytes(), "not exactly -----BEGIN"),
        (pem.replace("-----", "----").into_bytes(), "not exactly -----BEGIN"),
        (pem.to_lowercase().into_bytes(), "not exactly -----BEGIN"),
        (hex::encode(BASE64_STANDARD.decode(&der).unwrap()).into_bytes(), "xxd -r -p"),
        (b"43:EF:7B:C8:7C:44:70:4A:A9:97:D4:44:37:F4:5C:36".to_vec(), "a fingerprint is not a key"),
        (utf32, "UTF-32"),
        ("\u{c4}rger".into(), "neither PEM nor a DER key"),
    ] {
        test.write("odd.pub", content);
        test.run(&format!("{line} odd.pub")).fails(3, "key-malformed").tells(says);
    }
    test.run(&format!("{line} lab/trust")).fails(1, "key-file-not-found");
    test.run(&format!("{line} nope.pub")).fails(1, "key-file-not-found").tells("nope.pub");
    assert!(!test.has("keys"));
}

/// The lab's trusted root with one change.
fn root(test: &Test, name: &str, change: impl FnOnce(&mut Value)) {
    let mut root = test.json("lab/trust/trusted_root.json");
    change(&mut root);
    test.write(name, root.to_string());
}

#[test]
fn one_unsupported_key_of_a_trusted_root_does_not_spoil_the_rest() {
    let test = Test::new();
    root(&test, "root.json", |root| {
        let mut odd = root["tlogs"][0].clone();
        odd["publicKey"]["rawBytes"] = "AAAA".into();
        odd["publicKey"]["keyDetails"] = "PKIX_ED448".into();
        odd["logId"]["keyId"] = BASE64_STANDARD.encode([7; 32]).into();
        root["tlogs"].as_array_mut().unwrap().insert(0, odd);
    });
    let line =
        "collect lab/layouts/key-bundle-rekor1-oras --trusted-root root.json --key lab/trust/cosign.pub";
    test.run(line).exits(0).says("not used key-").says("root.json").says("2 at hand and proved");
    assert!(test.has("keys/rekor-e69e8241.pub"));
}

#[test]
fn two_different_keys_for_one_id_are_a_conflict() {
    let test = Test::new();
    root(&test, "evil.json", |root| {
        let good = root["tlogs"][1]["publicKey"]["rawBytes"].clone();
        root["tlogs"][0]["publicKey"]["rawBytes"] = good;
    });
    // Whichever comes first, and whatever the other source is.
    for other in ["--key lab/trust/rekor.pub", "--trusted-root lab/trust/trusted_root.json"] {
        for both in [format!("{other} --trusted-root evil.json"), format!("--trusted-root evil.json {other}")]
        {
            let line =
                format!("discover lab/layouts/key-bundle-rekor1-oras --key lab/trust/cosign.pub {both}");
            test.run(&line).fails(4, "incomplete").says("key-conflict: evil.json");
        }
    }
    let line = format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} --trusted-root evil.json");
    let report = test.run(&format!("{line} --format json")).fails(4, "incomplete").json();
    let unusable = report["unusable"].as_array().unwrap();
    assert!(
        unusable.iter().any(|u| u["code"] == "key-conflict" && u["source"] == "evil.json"),
        "{unusable:?}"
    );
    let said = test.run(&format!("{line} -o other")).fails(4, "incomplete");
    said.says("key-conflict");
    test.run(&format!("{line} -o third --optional")).exits(0).tells("warning: ");
}

#[test]
fn a_mistyped_trusted_root_is_told_apart() {
    let test = Test::new();
    let line = "collect lab/layouts/key-bundle-notlog-oras --trusted-root";
    test.run(&format!("{line} lab/trust/cosign.pub"))
        .fails(3, "trusted-root-malformed")
        .tells("it is PEM; give keys and certificates with --key");
    for (content, says) in [("", "it is empty"), ("<html>", "web page"), ("[{}]", "JSON array")] {
        test.write("odd.json", content);
        test.run(&format!("{line} odd.json")).fails(3, "trusted-root-malformed").tells(says);
    }
    test.write("odd.json", b"\x1f\x8b\x08\x00");
    test.run(&format!("{line} odd.json")).fails(3, "trusted-root-malformed").tells("compressed");
    test.run(&format!("{line} nope.json")).fails(1, "key-file-not-found");
    test.run(&format!("{line} nope.json --optional")).exits(0).tells("warning: ");
    assert!(!test.has("keys"));
}
