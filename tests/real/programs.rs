//! Keys as other programs write them.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use keypack::key::{Algorithm, Material, parse_key_file};

/// Program, package, name, test.
type Case = (&'static str, &'static str, &'static str, fn());

/// The tests that need a program.
pub const CASES: &[Case] = &[
    ("openssl", "openssl", "private_keys_of_openssl", private_keys_of_openssl),
    ("openssl", "openssl", "public_keys_of_openssl", public_keys_of_openssl),
    ("openssl", "openssl", "keys_that_cannot_verify_of_openssl", keys_that_cannot_verify_of_openssl),
    ("openssl", "openssl", "openssl_reads_what_we_write", openssl_reads_what_we_write),
    ("ssh-keygen", "openssh-client", "private_keys_of_ssh", private_keys_of_ssh),
    ("gpg", "gnupg", "private_keys_of_gnupg", private_keys_of_gnupg),
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
    assert_eq!(error.code(), "private-key", "{what}: {error}");
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
            // With the key's numbers in words before it, as Red Hat publishes its own.
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
    assert_eq!(public.code(), "key-malformed", "an SSH public key is another format, not a secret");
}

fn private_keys_of_gnupg() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "gpg --batch --quiet --passphrase  --quick-generate-key x@example.com ed25519");
    private(&run(dir.path(), "gpg --batch --armor --export-secret-keys"), "in armour");
    private(&run(dir.path(), "gpg --batch --export-secret-keys"), "in binary");
    let public = parse_key_file(&run(dir.path(), "gpg --batch --export")).unwrap_err();
    assert_eq!(public.code(), "key-malformed", "a public OpenPGP key is no secret");
    let parsed = parse_key_file(&run(dir.path(), "gpg --batch --armor --export")).unwrap();
    assert!(parsed.material.is_empty() && parsed.unusable.len() == 1);
}
