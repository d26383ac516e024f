//! Keys as other programs write them.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::support::program::{TRUST, Test};

use keypack::{
    key::{Algorithm, Material, OpenPgpFault, OpenPgpKey, parse_key_file},
    signature::UntrustedGpg,
};

/// Program, package, name, test.
type Case = (&'static str, &'static str, &'static str, fn());

/// The tests that need a program.
pub const CASES: &[Case] = &[
    ("openssl", "openssl", "private_keys_of_openssl", private_keys_of_openssl),
    ("openssl", "openssl", "public_keys_of_openssl", public_keys_of_openssl),
    ("openssl", "openssl", "keys_that_cannot_verify_of_openssl", keys_that_cannot_verify_of_openssl),
    ("openssl", "openssl", "openssl_reads_what_we_write", openssl_reads_what_we_write),
    ("openssl", "openssl", "packs_that_openssl_signed", packs_that_openssl_signed),
    ("ssh-keygen", "openssh-client", "private_keys_of_ssh", private_keys_of_ssh),
    ("gpg", "gnupg", "private_keys_of_gnupg", private_keys_of_gnupg),
    ("gpg", "gnupg", "keys_and_signatures_of_gnupg", keys_and_signatures_of_gnupg),
];

fn run(dir: &Path, command: &str) -> Vec<u8> {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(dir)
        .env("GNUPGHOME", dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn private(bytes: &[u8], what: &str) {
    assert!(!bytes.is_empty(), "{what}");
    let error = parse_key_file(bytes).expect_err(what);
    assert_eq!(error.code().as_str(), "private-key", "{what}: {error}");
}

const KEYS: [&str; 5] = [
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
    "genpkey -algorithm ed25519",
    "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
];

fn private_keys_of_openssl() {
    let dir = tempfile::tempdir().unwrap();
    for make in KEYS {
        run(dir.path(), &format!("openssl {make} -out key.pem"));
        private(&std::fs::read(dir.path().join("key.pem")).unwrap(), make);
        let encrypt = "-v2 aes-128-cbc -passout pass:x";
        let mut forms = vec![
            "pkcs8 -topk8 -nocrypt -in key.pem -outform DER".to_owned(),
            format!("pkcs8 -topk8 -in key.pem {encrypt}"),
            format!("pkcs8 -topk8 -in key.pem -outform DER {encrypt}"),
        ];
        if !make.contains("ed25519") {
            forms.push("pkey -in key.pem -traditional".into());
            forms.push("pkey -in key.pem -traditional -outform DER".into());
        }
        for form in forms {
            private(&run(dir.path(), &format!("openssl {form}")), &format!("{make}; {form}"));
        }
        run(dir.path(), "openssl req -x509 -new -key key.pem -subj /CN=x -out cert.pem");
        let bag = "openssl pkcs12 -export -inkey key.pem -in cert.pem -passout pass:x";
        private(&run(dir.path(), bag), bag);
    }
}

/// As docs/trust.md says: the holder of a key needs only openssl.
fn packs_that_openssl_signed() {
    let test = Test::new();
    let collect = "collect oci:lab/layouts/key-bundle-rekor1-oras";
    test.run(&format!("{collect} {TRUST} -o keys")).exits(0);
    let dir = test.path("");
    let signers = [("rsa", KEYS[3]), ("p256", KEYS[0]), ("p384", KEYS[1]), ("ed25519", KEYS[2])];
    for (name, make) in signers {
        run(&dir, &format!("openssl {make} -out {name}.key"));
        run(&dir, &format!("openssl pkey -in {name}.key -pubout -out {name}.pub"));
        let signature = format!("-out keys/keypack.json.{name}.sig");
        run(
            &dir,
            &if name == "ed25519" {
                format!("openssl pkeyutl -sign -rawin -inkey {name}.key -in keys/keypack.json {signature}")
            } else {
                format!("openssl dgst -sha256 -sign {name}.key {signature} keys/keypack.json")
            },
        );
    }
    test.run("push keys oci:out:v1").exits(0);
    for (name, _) in signers {
        let pull = format!("pull oci:out:v1 --verify-key {name}.pub -o {name} --state state-{name}");
        test.run(&pull).exits(0).tells("authenticated by a signature of the inventory by the key sha256:");
    }
    let all = signers.map(|(name, _)| format!("--verify-key {name}.pub")).join(" ");
    let ran = test.run(&format!("pull oci:out:v1 {all} --threshold 4 -o all")).exits(0);
    let _ = ran.tells("4 of 4 given keys signed");
    // Of another inventory, whoever made it.
    test.run(&format!("{collect} {TRUST} -o keys --collected-by somebody")).exits(0);
    run(&dir, "openssl dgst -sha256 -sign p256.key -out keys/keypack.json.p256.sig all/keypack.json");
    test.run("push keys oci:out:v2").exits(0);
    test.run("pull oci:out:v2 --verify-key p256.pub -o no").fails(3, "pack-signature-refused");
}

fn public_keys_of_openssl() {
    let dir = tempfile::tempdir().unwrap();
    let algorithms = [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Ed25519, Algorithm::Rsa];
    for (make, algorithm) in KEYS.iter().zip(algorithms) {
        run(dir.path(), &format!("openssl {make} -out key.pem"));
        let mut seen = None;
        let mut forms = vec!["pkey -in key.pem -pubout", "pkey -in key.pem -pubout -outform DER"];
        if algorithm == Algorithm::Rsa {
            forms.push("rsa -in key.pem -RSAPublicKey_out");
            forms.push("rsa -in key.pem -RSAPublicKey_out -outform DER");
            // With the key's numbers as text before it, as Red Hat publishes its own.
            forms.push("pkey -in key.pem -pubout -text_pub");
        }
        for form in forms {
            let parsed = parse_key_file(&run(dir.path(), &format!("openssl {form}"))).unwrap();
            let [Material::Key(key)] = parsed.material.as_slice() else { panic!("{form}: {parsed:?}") };
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(seen.get_or_insert_with(|| key.clone()), key, "{form}");
        }
        run(dir.path(), "openssl req -x509 -new -key key.pem -subj /CN=x -out cert.pem");
        let words = run(dir.path(), "openssl x509 -in cert.pem -text");
        let parsed = parse_key_file(&words).unwrap();
        let [Material::Chain(chain)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(chain.first().public_key().unwrap(), seen.unwrap());
    }
}

fn keys_that_cannot_verify_of_openssl() {
    let dir = tempfile::tempdir().unwrap();
    for make in [
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        "genpkey -algorithm ed448",
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
    ] {
        run(dir.path(), &format!("openssl {make} -out key.pem"));
        let parsed = parse_key_file(&run(dir.path(), "openssl pkey -in key.pem -pubout")).unwrap();
        assert!(parsed.material.is_empty() && parsed.unusable.len() == 1, "{make}: {parsed:?}");
    }
    run(dir.path(), &format!("openssl {} -out key.pem", KEYS[0]));
    let compressed = run(dir.path(), "openssl pkey -in key.pem -pubout -ec_conv_form compressed");
    let parsed = parse_key_file(&compressed).unwrap();
    assert!(parsed.material.is_empty() && parsed.unusable.len() == 1, "{parsed:?}");
}

fn openssl_reads_what_we_write() {
    let dir = tempfile::tempdir().unwrap();
    for make in &KEYS[..4] {
        run(dir.path(), &format!("openssl {make} -out key.pem"));
        let text = run(dir.path(), "openssl pkey -in key.pem -pubout");
        let parsed = parse_key_file(&text).unwrap();
        let [Material::Key(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(key.to_pem().as_bytes(), text, "{make}");
    }
}

fn private_keys_of_ssh() {
    let dir = tempfile::tempdir().unwrap();
    for (index, form) in
        ["-t ed25519", "-t ecdsa", "-t rsa", "-t rsa -m PEM", "-t rsa -m PKCS8"].iter().enumerate()
    {
        run(dir.path(), &format!("ssh-keygen -q {form} -N passphrase -f key{index}"));
        private(&std::fs::read(dir.path().join(format!("key{index}"))).unwrap(), form);
    }
    let public = parse_key_file(&std::fs::read(dir.path().join("key0.pub")).unwrap()).unwrap_err();
    assert_eq!(public.code().as_str(), "key-malformed", "an SSH public key is another format, not a secret");
}

fn private_keys_of_gnupg() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "gpg --batch --quiet --passphrase  --quick-generate-key x@example.com ed25519");
    private(&run(dir.path(), "gpg --batch --armor --export-secret-keys"), "in armour");
    private(&run(dir.path(), "gpg --batch --export-secret-keys"), "in binary");
    let binary = parse_key_file(&run(dir.path(), "gpg --batch --export")).unwrap();
    assert_eq!(binary, parse_key_file(&run(dir.path(), "gpg --batch --armor --export")).unwrap());
    assert!(
        matches!(binary.material.as_slice(), [Material::OpenPgp(_)]),
        "a public OpenPGP key is no secret"
    );
}

fn gpg_key(dir: &Path, name: &str) -> OpenPgpKey {
    let parsed = parse_key_file(&run(dir, &format!("gpg --batch --armor --export {name}"))).unwrap();
    let [Material::OpenPgp(key)] = parsed.material.as_slice() else { panic!("{parsed:?}") };
    key.clone()
}

/// Signs as `skopeo copy --sign-by` does, and returns the message.
fn signed_by_gpg(dir: &Path, name: &str, options: &str) -> Vec<u8> {
    let payload = r#"{"critical":{"identity":{"docker-reference":"r.test/a:1"},"image":{"docker-manifest-digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"type":"atomic container signature"},"optional":{}}"#;
    std::fs::write(dir.join("payload"), payload).unwrap();
    run(
        dir,
        &format!(
            "gpg --batch --yes --pinentry-mode loopback --passphrase {options} -u {name} -o message --sign payload"
        ),
    );
    std::fs::read(dir.join("message")).unwrap()
}

fn verified(key: &OpenPgpKey, message: &[u8]) -> Result<(), OpenPgpFault> {
    let gpg = UntrustedGpg::parse(message).unwrap();
    assert!(key.is_named(gpg.message.issuer(), gpg.message.key_id()));
    key.verify(&gpg.message, jiff::Timestamp::now())
}

fn keys_and_signatures_of_gnupg() {
    let dir = tempfile::tempdir().unwrap();
    let at = |command: &str| run(dir.path(), command);
    for (name, algorithm) in
        [("rsa", "rsa3072"), ("ed", "ed25519"), ("p256", "nistp256"), ("p384", "nistp384")]
    {
        at(&format!(
            "gpg --batch --quiet --passphrase  --quick-generate-key {name}@x.test {algorithm} sign 1y"
        ));
        let key = gpg_key(dir.path(), name);
        assert_eq!(key.user_ids(), [format!("{name}@x.test")]);
        assert!(key.expires().is_some() && !key.is_weak());
        for options in ["", " --compress-algo none", " --compress-algo zlib", " --digest-algo SHA512"] {
            verified(&key, &signed_by_gpg(dir.path(), name, options))
                .unwrap_or_else(|e| panic!("{name} {options}: {e}"));
        }
        // And GnuPG imports the block that we write into an empty keyring, and verifies with it.
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("ours.asc"), key.to_armour()).unwrap();
        std::fs::write(other.path().join("message"), signed_by_gpg(dir.path(), name, "")).unwrap();
        run(other.path(), "gpg --batch --quiet --import ours.asc");
        let status = run(other.path(), "gpg --batch --quiet --status-fd 1 --verify message");
        assert!(
            String::from_utf8_lossy(&status).contains(&format!("VALIDSIG {}", key.fingerprint())),
            "{name}"
        );
        let written = run(other.path(), "gpg --batch --armor --export-options export-minimal --export");
        assert_eq!(parse_key_file(&written).unwrap().material, [Material::OpenPgp(key)], "{name}");
    }
    // A subkey for signing, then a revocation.
    at("gpg --batch --quiet --passphrase  --quick-generate-key sub@x.test ed25519 cert never");
    let fingerprint = gpg_key(dir.path(), "sub").fingerprint().to_owned();
    at(&format!("gpg --batch --quiet --passphrase  --quick-add-key {fingerprint} ed25519 sign never"));
    let message = signed_by_gpg(dir.path(), "sub", "");
    verified(&gpg_key(dir.path(), "sub"), &message).unwrap();
    let certificate =
        std::fs::read_to_string(dir.path().join(format!("openpgp-revocs.d/{fingerprint}.rev"))).unwrap();
    std::fs::write(dir.path().join("revoke"), certificate.replace(":-----", "-----")).unwrap();
    at("gpg --batch --quiet --import revoke");
    let revoked = gpg_key(dir.path(), "sub");
    assert!(revoked.is_revoked() && matches!(verified(&revoked, &message), Err(OpenPgpFault::Revoked(_))));
    // SHA-1, as old programs signed.
    let weak = signed_by_gpg(dir.path(), "rsa", " --digest-algo SHA1");
    assert!(matches!(verified(&gpg_key(dir.path(), "rsa"), &weak), Err(OpenPgpFault::Hash(_))));
    // Two signatures in one message.
    let two = signed_by_gpg(dir.path(), "rsa", " -u ed");
    assert_eq!(UntrustedGpg::parse(&two).unwrap_err().code().as_str(), "signature-unsupported");
}
