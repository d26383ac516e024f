//! Key files and trusted roots as sources: unusable entries are reported, the rest is used.
#![allow(clippy::disallowed_methods, reason = "sources are files")]

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Material, Role},
    keysource::{Gathered, KeyFile, KeySourceError},
    resolve::{Question, resolve},
};
use serde_json::{Value, json};

use super::{
    lab::{form, key, lab},
    test_keys,
};

const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBr00soeFXsZazx7AW2Rf6BoGiLg/jzCPRcjj1vQKhZXmFQnQVZYTFIUWfrjhkqlBVJZj5Lt09W/1JYlrHjNPqOj8A+P/WnGqier+qooiuHg9tAs6wjjk8g2u1LXYvLja04Km3a8c3I3UtxqMQwaXgV4z2WOMrH0zcViIoMAeJprB+uA4=";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn root(&self, change: impl FnOnce(&mut Value)) -> Result<Gathered, KeySourceError> {
        let mut json: Value =
            serde_json::from_slice(&std::fs::read(lab().join("trust/trusted_root.json")).unwrap()).unwrap();
        change(&mut json);
        let mut gathered = Gathered::default();
        gathered.add_trusted_root(&self.file("root.json", json.to_string()))?;
        Ok(gathered)
    }

    fn key(&self, bytes: impl AsRef<[u8]>) -> Result<Gathered, KeySourceError> {
        let mut gathered = Gathered::default();
        gathered.add_key_file(&KeyFile { role: None, path: self.file("some.pub", bytes) })?;
        Ok(gathered)
    }
}

#[test]
fn both_versions_of_a_trusted_root_and_both_spellings() {
    let folder = Folder::new();
    for media in [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ] {
        let gathered = folder.root(|j| j["mediaType"] = media.into()).unwrap();
        assert_eq!((gathered.candidates.len(), gathered.unusable.len()), (5, 0), "{media}");
        assert!(gathered.candidates.iter().all(|c| c.provenance.source == "root.json"));
    }
    for media in ["", "application/json", "application/vnd.dev.sigstore.trustedroot+json;version=0.3"] {
        let error = folder.root(|j| j["mediaType"] = media.into()).unwrap_err();
        assert_eq!(error.code().as_str(), "trusted-root-malformed", "{media}");
    }
    let missing = folder.root(|j| drop(j.as_object_mut().unwrap().remove("mediaType"))).unwrap_err();
    assert_eq!(missing.code().as_str(), "trusted-root-malformed");
}

#[test]
fn a_log_with_an_unsupported_key_does_not_spoil_the_root() {
    let gathered = Folder::new()
        .root(|j| {
            let mut log = j["tlogs"][0].clone();
            log["publicKey"]["rawBytes"] = P521.into();
            log["publicKey"]["keyDetails"] = "PKIX_ECDSA_P521_SHA_512".into();
            j["tlogs"].as_array_mut().unwrap().insert(0, log);
        })
        .unwrap();
    assert_eq!(gathered.candidates.len(), 5);
    let [unusable] = gathered.unusable.as_slice() else { panic!("{:?}", gathered.unusable) };
    assert_eq!(unusable.problem.code.as_str(), "key-unsupported");
    assert!(unusable.entry.as_deref().unwrap().starts_with("tlogs[0]"), "{:?}", unusable.entry);
    let form = form("key-bundle-rekor1");
    let signature = form.read().unwrap();
    let resolution = resolve(
        &[Question { image: form.image, signature: &signature }],
        &gathered.candidates,
        jiff::Timestamp::now(),
    );
    assert_eq!(resolution.keys.len(), 1, "the good log of the same root is proved");
}

type Damage = fn(&mut Value);

#[test]
fn entries_that_are_damaged_do_not_spoil_the_root() {
    let folder = Folder::new();
    let damages: [(&str, Damage); 9] = [
        ("no base64", |j| j["tlogs"][0]["publicKey"]["rawBytes"] = "*".into()),
        ("no key", |j| j["tlogs"][0]["publicKey"]["rawBytes"] = "".into()),
        ("no publicKey", |j| drop(j["tlogs"][0].as_object_mut().unwrap().remove("publicKey"))),
        ("a number", |j| j["ctlogs"][0] = json!(1)),
        ("id of no base64", |j| j["ctlogs"][0]["logId"]["keyId"] = "*".into()),
        ("a time", |j| j["tlogs"][1]["publicKey"]["validFor"]["start"] = "yesterday".into()),
        ("no certificates", |j| j["certificateAuthorities"][0]["certChain"]["certificates"] = json!([])),
        ("no certificate", |j| {
            j["timestampAuthorities"][0]["certChain"]["certificates"][1]["rawBytes"] = "AAAA".into();
        }),
        ("wrong order", |j| {
            j["timestampAuthorities"][0]["certChain"]["certificates"].as_array_mut().unwrap().reverse();
        }),
    ];
    for (name, damage) in damages {
        let gathered = folder.root(damage).unwrap();
        assert_eq!((gathered.candidates.len(), gathered.unusable.len()), (4, 1), "{name}");
        assert_eq!(gathered.unusable[0].source, "root.json", "{name}");
        assert!(!gathered.unusable[0].problem.message.is_empty(), "{name}");
    }
}

/// Older writers put PEM text into `rawBytes`.
#[test]
fn pem_text_where_der_belongs_is_told_by_name() {
    let gathered = Folder::new()
        .root(|j| {
            let Material::Key(rekor) = key(Role::Rekor).material else { panic!() };
            j["tlogs"][0]["publicKey"]["rawBytes"] = BASE64.encode(rekor.to_pem()).into();
        })
        .unwrap();
    assert_eq!(gathered.candidates.len(), 4);
    assert_eq!(gathered.unusable[0].problem.code.as_str(), "trusted-root-rhtas");
    assert!(
        gathered.unusable[0].problem.message.contains("PEM text"),
        "{}",
        gathered.unusable[0].problem.message
    );
}

#[test]
fn another_key_under_the_name_of_a_known_one() {
    let folder = Folder::new();
    let other = BASE64.encode(test_keys::pair().1.spki());
    let forge = |j: &mut Value| j["tlogs"][0]["publicKey"]["rawBytes"] = other.clone().into();
    // Alone, its name is wrong; next to the root with the right key, it is a conflict.
    let alone = folder.root(forge).unwrap();
    assert_eq!(alone.unusable[0].problem.code.as_str(), "key-id-mismatch");
    let mut both = Gathered::default();
    both.add_trusted_root(&lab().join("trust/trusted_root.json")).unwrap();
    both.add_trusted_root(&folder.0.path().join("root.json")).unwrap();
    both.tell_conflicts();
    assert_eq!(both.unusable[0].problem.code.as_str(), "key-conflict");
    assert_eq!(both.candidates.len(), 9);
    // The order of the two sources makes no difference.
    let mut turned = Gathered::default();
    turned.add_trusted_root(&folder.0.path().join("root.json")).unwrap();
    turned.add_trusted_root(&lab().join("trust/trusted_root.json")).unwrap();
    turned.tell_conflicts();
    assert_eq!(turned.unusable[0].problem.code.as_str(), "key-conflict");
}

#[test]
fn a_private_key_in_any_source() {
    let folder = Folder::new();
    let secret = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(folder.key(secret).unwrap_err().code().as_str(), "private-key");
    let mut gathered = Gathered::default();
    let error = gathered.add_trusted_root(&folder.file("cosign.key", secret)).unwrap_err();
    assert_eq!(error.code().as_str(), "private-key");
    let hidden = folder.root(|j| j["tlogs"][0]["publicKey"]["rawBytes"] = secret.into()).unwrap_err();
    assert_eq!(hidden.code().as_str(), "private-key");
    for error in [error, hidden] {
        assert!(!error.to_string().contains("AAAA"));
    }
}

/// Not in PEM, but in the entry itself.
#[test]
fn a_private_key_as_the_key_of_an_entry() {
    let pkcs8 = rcgen::KeyPair::generate().unwrap().serialize_der();
    let gathered =
        Folder::new().root(|j| j["tlogs"][0]["publicKey"]["rawBytes"] = BASE64.encode(&pkcs8).into());
    match gathered {
        Ok(gathered) => {
            assert_eq!(gathered.candidates.len(), 4);
            assert_eq!(gathered.unusable[0].problem.code.as_str(), "private-key");
        }
        Err(error) => assert_eq!(error.code().as_str(), "private-key"),
    }
}

#[test]
fn files_that_are_no_sources() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing");
    let add_key_file = |gathered: &mut Gathered, path: &std::path::Path| {
        gathered.add_key_file(&KeyFile { role: None, path: path.into() })
    };
    for add in [add_key_file, Gathered::add_trusted_root] {
        let mut gathered = Gathered::default();
        assert_eq!(add(&mut gathered, &missing).unwrap_err().code().as_str(), "key-file-not-found");
        assert_eq!(add(&mut gathered, folder.0.path()).unwrap_err().code().as_str(), "key-file-not-found");
        let large = folder.file("large", vec![b' '; (4 << 20) + 1]);
        assert_eq!(add(&mut gathered, &large).unwrap_err().code().as_str(), "too-large");
        assert!(gathered.candidates.is_empty());
    }
    assert_eq!(folder.key("").unwrap_err().code().as_str(), "key-malformed");
    assert_eq!(folder.key("<html>").unwrap_err().code().as_str(), "key-malformed");
    let root = std::fs::read(lab().join("trust/trusted_root.json")).unwrap();
    let error = folder.key(root).unwrap_err();
    assert!(error.to_string().contains("--trusted-root"), "{error}");
    for bytes in ["", "[]", "null", "{", "hello"] {
        let mut gathered = Gathered::default();
        let error = gathered.add_trusted_root(&folder.file("root.json", bytes)).unwrap_err();
        assert_eq!(error.code().as_str(), "trusted-root-malformed", "{bytes:?}");
    }
}

#[test]
fn a_folder_is_not_part_of_what_a_source_is_called() {
    let folder = Folder::new();
    let gathered = folder.key(test_keys::pair().1.to_pem()).unwrap();
    assert_eq!(gathered.candidates[0].provenance.source, "some.pub");
    assert_eq!(gathered.candidates[0].key.role, Role::Signer);
}

#[test]
fn an_rsa_log_of_rekor_v2_and_an_unnamed_one() {
    // Version 0.2 may omit the log id: it is computed, not read.
    let gathered = Folder::new()
        .root(|j| {
            for log in ["/tlogs/0", "/tlogs/1", "/ctlogs/0"] {
                j.pointer_mut(log).unwrap().as_object_mut().unwrap().remove("logId");
            }
        })
        .unwrap();
    assert_eq!(gathered.unusable, []);
    let ids: Vec<_> = gathered.candidates.iter().map(|c| c.key.key_ref()).collect();
    for role in [Role::Rekor, Role::Rekor2, Role::CtLog] {
        assert!(ids.contains(&key(role).key_ref()), "{role}: {ids:?}");
    }
}
