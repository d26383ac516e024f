//! Files that people name, and what lies there instead.

use super::program::{LAB, Test};

fn pipe(test: &Test, name: &str) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, test.path(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
}

#[test]
fn a_pipe_that_nobody_writes_to_is_told_and_not_waited_for() {
    let test = Test::new();
    test.layout("key-tag-rekor1-oras", "m");
    pipe(&test, "pipe");
    std::fs::create_dir(test.path("certs")).unwrap();
    pipe(&test, "certs/ca.crt");
    let registry = "docker://127.0.0.1:1/a:b --retry-times 0";
    for (line, code, exit) in [
        ("discover m --key pipe", "key-file-not-found", 1),
        ("discover m --trusted-root pipe", "key-file-not-found", 1),
        ("discover m --rekor pipe", "key-file-not-found", 1),
        ("discover m --from-policy=pipe", "key-file-not-found", 1),
        ("pull oci:m --verify-key pipe", "key-file-not-found", 1),
        ("discover m --config pipe", "config-not-readable", 2),
        ("collect m --accept-rules pipe", "config-not-readable", 2),
        ("discover docker://127.0.0.1:1 --images pipe", "read-failed", 1),
        (&format!("discover {registry} --cert-dir certs"), "certificate-file", 1),
        ("discover oci-archive:pipe", "wrong-place", 1),
    ] {
        test.run(line).fails(exit, code);
    }
}

#[test]
fn what_the_shell_opened_is_read_and_is_no_name() {
    let test = Test::new();
    let line = format!(
        "cat {LAB}/trust/cosign.pub | {} collect --no-host --no-network oci:{LAB}/layouts/key-bundle-notlog-oras \
         --key /dev/stdin -o keys",
        env!("CARGO_BIN_EXE_keypack")
    );
    let mut shell = std::process::Command::new("sh");
    let ran = shell
        .args(["-c", &line])
        .current_dir(test.path(""))
        .env("HOME", test.path(""))
        .env_remove("XDG_STATE_HOME")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(test.json("keys/keypack.json")["keys"][0]["provenance"][0]["source"], "pipe");
}

#[test]
fn words_for_rekor_that_mean_nothing() {
    let test = Test::new();
    test.layout("key-tag-rekor1-oras", "m");
    for word in ["ftp://rekor.test", "http://", "https://"] {
        test.run(&format!("discover m --rekor {word}")).fails(2, "usage").tells("is not an http(s) address");
    }
    test.run_args(&["discover", "m", "--rekor", ""]).fails(2, "usage").tells("it is empty");
    let ran = test.run("discover m --rekor rekor.sigstore.test").fails(1, "key-file-not-found");
    ran.tells("an address: https://HOST");
    // A certificate chain is no log's key.
    let ran = test.run(&format!("discover m --no-host --rekor {LAB}/trust/fulcio.pem")).fails(3, "key-role");
    ran.tells("it is a certificate chain, and the role rekor takes a public key");
}

#[test]
fn a_setting_without_anything_in_it() {
    let test = Test::new();
    test.layout("key-tag-rekor1-oras", "m");
    for text in ["", "\n", "# nothing yet\n  # at all\n"] {
        test.write("keypack.yaml", text);
        test.run("discover m --config keypack.yaml").fails(2, "config-malformed").tells("it holds nothing");
    }
    let fingerprint = "65B7CA595F2850D9DB1DC146138A659A5447A49F";
    test.write("keypack.yaml", format!("revoked:\n  - fingerprint: {fingerprint}\n    reason: lost\n"));
    test.run("discover m --config keypack.yaml --no-host").exits(0);
    let short = &fingerprint[..39];
    test.write("keypack.yaml", format!("revoked:\n  - fingerprint: {short}\n    reason: lost\n"));
    test.run("discover m --config keypack.yaml").fails(2, "config-malformed").tells("40 of a GPG key");
}
