//! Files that the user names, and something else in their place.

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
    // A certificate chain is not a log key.
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

/// PEM as editors, shells and clusters write it.
fn forms(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{pem}").encode_utf16().flat_map(order).collect()
    };
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
    let der: String = pem.lines().filter(|line| !line.contains("---")).collect();
    let wrapped = |text: String| -> String {
        text.as_bytes().chunks(64).map(|line| format!("{}\n", std::str::from_utf8(line).unwrap())).collect()
    };
    vec![
        ("BOM", format!("\u{feff}{pem}").into_bytes()),
        ("UTF-16 of PowerShell", utf16(u16::to_le_bytes, "\u{feff}")),
        ("UTF-16, big end first", utf16(u16::to_be_bytes, "\u{feff}")),
        ("UTF-16 without mark", utf16(u16::to_le_bytes, "")),
        ("CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("base64 of PEM", base64(pem.as_bytes()).into_bytes()),
        ("base64 of PEM in lines", wrapped(base64(pem.as_bytes())).into_bytes()),
        ("base64 of CRLF", base64(pem.replace('\n', "\r\n").as_bytes()).into_bytes()),
        ("base64 of DER", der.clone().into_bytes()),
        ("base64url of DER", der.replace('+', "-").replace('/', "_").replace('=', "").into_bytes()),
        ("escaped", pem.replace('\n', "\\n").into_bytes()),
        ("escaped CRLF in quotes", format!("key: \"{}\"\n", pem.replace('\n', "\\r\\n")).into_bytes()),
        ("indented in YAML", format!("key: |\n  {}", pem.replace('\n', "\n  ")).into_bytes()),
    ]
}

#[test]
fn key_files_are_read_in_the_forms_that_people_have() {
    let test = Test::new();
    test.layout("key-tag-notlog-cosignsave", "m");
    let pem = std::fs::read_to_string(format!("{LAB}/trust/cosign.pub")).unwrap();
    for (form, bytes) in forms(&pem) {
        test.write("k.pub", bytes);
        let ran = test.run("discover oci:m --no-network --no-host --key k.pub");
        assert_eq!(ran.code, 0, "{form}: {}", ran.err);
        ran.says("signer-43ef7bc8");
    }
}

#[test]
fn a_private_key_is_refused_in_every_form() {
    let test = Test::new();
    test.layout("key-tag-notlog-cosignsave", "m");
    let key = rcgen::KeyPair::generate().unwrap();
    for (form, bytes) in forms(&key.serialize_pem()) {
        test.write("k", bytes);
        for flag in ["--key", "--trusted-root", "--rekor"] {
            let ran = test.run(&format!("discover oci:m --no-network --no-host {flag} k"));
            assert!(ran.err.contains("[private-key]"), "{form} {flag}: {}", ran.err);
            ran.exits(3);
        }
    }
}

#[test]
fn what_is_no_key_file_is_called_what_it_is() {
    let test = Test::new();
    test.layout("key-tag-notlog-cosignsave", "m");
    for (bytes, says) in [
        (b"".as_slice(), "it is empty"),
        (b"https://access.redhat.com/security/data/63405576.txt\n", "it holds an address"),
        (b"[InternetShortcut]\r\nURL=https://r.test/k.pub\r\n", "it holds an address"),
        (b"\xff\xfeh\0t\0t\0p\0:\0/\0/\0x\0", "it holds an address"),
        (b"<!DOCTYPE html>", "it looks like a web page"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk0 me@host\n", "it is a key of SSH"),
        (br#"{"kty":"EC","crv":"P-256","x":"a","y":"b"}"#, "it is a JWK"),
        (b"apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\n", "it is a Kubernetes resource"),
        (b"untrusted comment: minisign public key 1\nRWQ\n", "it is a key of minisign"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a pointer of Git LFS"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "it is compressed"),
        (b"log2025-1.rekor.sigstore.dev+cf119915+AZCiJ/sXRNhb\n", "the verifier key of a signed note"),
        (b"aGVsbG8gd29ybGQsIHRoaXMgaXMgbm8ga2V5\n", "it is base64, but not of a key"),
        (b"\x99\x01\x0d\x04garbage", "a packet of it is damaged"),
        (b"null", "it is neither PEM"),
        (
            b"hello this is a text of letters and blanks alone and long enough for a key",
            "it is neither PEM nor a DER key nor a DER certificate",
        ),
    ] {
        test.write("k.pub", bytes);
        let ran = test.run("discover oci:m --no-network --no-host --key k.pub").fails(3, "key-malformed");
        ran.tells(says);
    }
}

#[test]
fn an_address_where_a_file_is_meant() {
    let test = Test::new();
    test.layout("key-tag-notlog-cosignsave", "m");
    for address in
        ["https://r.test/63405576.txt?a=b", "file:///k.pub", "awskms:///alias/k", "k8s://ns/k", "pkcs11:x"]
    {
        for flag in ["--key ", "--key rekor=", "--trusted-root ", "--from-policy="] {
            let ran = test.run(&format!("discover oci:m --no-network --no-host {flag}{address}"));
            ran.fails(1, "key-file-is-address").tells("is an address, but a file is expected");
        }
    }
    // A path with colons in it stays a path.
    test.run("discover oci:m --no-network --no-host --key a:b/c.pub").fails(1, "key-file-not-found");
}

#[test]
fn a_file_with_a_trusted_root_a_line() {
    let test = Test::new();
    test.layout("keyless-tag-rekor1-cosignsave", "m");
    let root: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{LAB}/trust/trusted_root.json")).unwrap()).unwrap();
    let mut empty = root.clone();
    for list in empty.as_object_mut().unwrap().values_mut().filter(|list| list.is_array()) {
        *list = serde_json::json!([]);
    }
    let line = "discover oci:m --no-network --no-host --trusted-root t.jsonl";
    let utf16 = format!("\u{feff}{empty}\r\n{root}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pretty = format!("{empty:#}\n{root:#}");
    for text in [format!("{empty}\n{root}\n").into_bytes(), pretty.into_bytes(), utf16] {
        test.write("t.jsonl", text);
        test.run(line).exits(0).says("1 signed");
    }
    // The same root twice counts once.
    test.write("t.jsonl", format!("{root}\n{root}\n"));
    let twice = test.run(line).exits(0).out;
    test.write("t.jsonl", root.to_string());
    assert_eq!(test.run(line).exits(0).out, twice);
    for text in ["", "\n", "{}", &format!("{root}\n{{}}\n"), &format!("{root}\nrest"), &format!("[{root}]")] {
        test.write("t.jsonl", text);
        test.run(line).fails(3, "trusted-root-malformed");
    }
    // What can't be used is reported with the root that contains it.
    let mut other = root.clone();
    other["ctlogs"][0]["publicKey"]["rawBytes"] = "AAAA".into();
    test.write("t.jsonl", format!("{root}\n{other}\n"));
    test.run(line).exits(0).says("root 2: ctlogs[0]");
}
