//! `--key FILE` and `--key ROLE=FILE`: the user decides what a key is for.

use serde_json::json;

use super::program::Test;

const SIGNED: &str = "oci:lab/layouts/key-bundle-rekor1-oras";
const SIGNER: &str = "--key lab/trust/cosign.pub --no-host";

#[test]
fn a_logs_key_comes_with_its_role() {
    let test = Test::new();
    test.write("log.pub", test.read("lab/trust/rekor.pub"));
    test.write("rekor-x.pub", test.read("lab/trust/rekor.pub"));
    for given in ["--rekor log.pub", "--key rekor=log.pub"] {
        let ran = test.run(&format!("discover {SIGNED} {SIGNER} {given}")).exits(0);
        assert!(!ran.err.contains("warning"), "{}", ran.err);
    }
    let ran = test.run(&format!("discover {SIGNED} {SIGNER} --key rekor-x.pub")).exits(0);
    ran.tells("warning: rekor-x.pub is taken for the key of a Rekor v1 log because of its name");
    // Without a role it is a signer's key, and the report says how to pass it as a log's.
    let ran = test.run(&format!("discover {SIGNED} {SIGNER} --key log.pub")).fails(4, "incomplete");
    assert!(!ran.out.contains("not needed"), "{}", ran.out);
    ran.says("not used key-role: log.pub:").says("--key rekor=FILE").says("its keys");
}

#[test]
fn a_role_that_is_said_counts_more_than_a_name() {
    let test = Test::new();
    let line = "discover oci:lab/layouts/key-bundle-notlog-oras --no-host --key";
    test.write("rekor.pub", test.read("lab/trust/cosign.pub"));
    test.run(&format!("{line} rekor.pub")).fails(4, "incomplete").tells("because of its name");
    let ran = test.run(&format!("{line} signer=rekor.pub")).exits(0);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
}

#[test]
fn a_file_with_an_equals_sign_in_its_name() {
    let test = Test::new();
    for name in ["a=b.pub", "rekor=b.pub", "log=b.pub"] {
        test.write(name, test.read("lab/trust/cosign.pub"));
    }
    let line = "discover oci:lab/layouts/key-bundle-notlog-oras --no-host --key";
    for given in ["a=b.pub", "./rekor=b.pub", "log=b.pub", "signer=rekor=b.pub"] {
        test.run(&format!("{line} {given}")).exits(0);
    }
    test.run(&format!("{line} rekor=b.pub")).fails(1, "key-file-not-found").tells("could not read b.pub");
    let ran = test.run(&format!("{line} logs=lab/trust/rekor.pub")).fails(1, "key-file-not-found");
    ran.tells("the roles are rekor, rekor2, ctlog, fulcio, tsa, pki, signer, gpg");
    test.run(&format!("{line} rekor=")).exits(2).tells("it names no file");
}

#[test]
fn keys_of_the_wrong_kind() {
    let test = Test::new();
    test.write("chain.pem", test.read("lab/trust/fulcio.pem"));
    let line = "discover oci:lab/layouts/keyless-bundle-rekor1-oras --no-host --key";
    for (given, says) in [
        ("rekor=chain.pem", "it is a certificate chain, and the role rekor takes a public key"),
        ("signer=chain.pem", "it is a certificate chain, and the role signer takes a public key"),
        ("tsa=lab/trust/rekor.pub", "it is a public key, and the role tsa takes a certificate chain"),
        ("gpg=lab/trust/rekor.pub", "it is a public key, and the role gpg takes an OpenPGP key"),
    ] {
        test.run(&format!("{line} {given}")).fails(3, "key-role").tells(says).tells("--key ROLE=FILE");
    }
    // This one was given no role. The images are read anyway.
    let ran = test.run(&format!("{line} chain.pem")).fails(4, "incomplete");
    ran.says("not used key-role: chain.pem:").says("1 image: 1 signed");
    let ran = test.run(&format!("{line} pki=chain.pem")).fails(4, "incomplete");
    assert!(!ran.out.contains("fulcio 631f79ee20a99f860 have"), "{}", ran.out);
}

#[test]
fn the_setting_takes_what_the_flag_takes() {
    let test = Test::new();
    test.write("etc/log.pub", test.read("lab/trust/rekor.pub"));
    let run = |keys: &str| {
        test.write("etc/keypack.yaml", format!("sources: {{keys: [../lab/trust/cosign.pub, {keys}]}}\n"));
        test.run(&format!("discover {SIGNED} --no-host --config etc/keypack.yaml"))
    };
    run("rekor=log.pub").exits(0);
    run("\"rekor=log.pub\"").exits(0);
    run("log.pub").fails(4, "incomplete");
    run("../lab/trust/rekor.pub").exits(0);
    run("signer=../lab/trust/rekor.pub").fails(4, "incomplete");
    run("rekor=").fails(2, "config-malformed").tells("it names no file");
    run("rekor=https://rekor.test").fails(2, "config-malformed").tells("is an address");
    run("rekor=nowhere.pub").fails(1, "key-file-not-found").tells("etc/nowhere.pub");
}

#[test]
fn rhels_names_give_the_role_and_other_names_none() {
    let test = Test::new();
    let sigstore = "host/etc/pki/sigstore";
    let line = "discover oci:lab/layouts/key-bundle-rekor1-oras --host-root host";
    let log = test.read("lab/trust/rekor.pub");
    test.write(&format!("{sigstore}/SIGSTORE-lab"), test.read("lab/trust/cosign.pub"));
    for (name, code) in
        [("REKOR-lab", 0), ("lab", 4), ("rekor.pub", 4), ("SIGSTORE-log", 4), ("lab-REKOR-x", 4)]
    {
        test.write(&format!("{sigstore}/{name}"), &log);
        let ran = test.run(line);
        assert_eq!(ran.code, code, "{name}: {}", ran.out);
        std::fs::remove_file(test.path(&format!("{sigstore}/{name}"))).unwrap();
    }
    // The policy takes precedence over a name, in both directions.
    let policy = |field: &str, name: &str| {
        let requirement = json!({"type": "sigstoreSigned", field: format!("/etc/pki/sigstore/{name}")});
        let policy = json!({"default": [requirement]});
        test.write("host/etc/containers/policy.json", policy.to_string());
        test.write(&format!("{sigstore}/{name}"), &log);
        test.run(line).code
    };
    assert_eq!(policy("rekorPublicKeyPath", "lab"), 0);
    std::fs::remove_file(test.path(&format!("{sigstore}/lab"))).unwrap();
    assert_eq!(policy("keyPath", "REKOR-lab"), 4);
}

/// The id of a Rekor v2 log also depends on its origin, which a key file does not contain.
#[test]
fn a_rekor2_key_without_its_origin() {
    let test = Test::new();
    test.write("v2.pub", test.read("lab/trust/rekor2.pub"));
    let trust = "--key lab/trust/cosign.pub --key tsa=lab/trust/tsa.pem --no-host";
    let needed = format!("collect oci:lab/layouts/key-bundle-rekor2-oras {trust}");
    for given in ["--key rekor2=v2.pub -o one", "--rekor v2.pub -o two"] {
        test.run(&format!("{needed} {given}")).exits(0);
    }
    assert_eq!(test.json("one/keypack.json")["keys"], {
        let mut keys = test.json("two/keypack.json")["keys"].clone();
        keys[0]["provenance"] = test.json("one/keypack.json")["keys"][0]["provenance"].clone();
        keys
    });
    let line = format!("collect {SIGNED} {SIGNER} --key rekor=lab/trust/rekor.pub --include all -o all");
    let ran = test.run(&format!("{line} --key rekor2=v2.pub")).exits(0);
    ran.tells("v2.pub holds the key of a Rekor v2 log without the log's origin");
    let keys = test.json("all/keypack.json")["keys"].clone();
    let lab = keys.as_array().unwrap().iter().filter(|k| k["provenance"][0]["grade"] == "file");
    let roles: Vec<_> = lab.map(|k| k["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["rekor", "signer"]);
}
