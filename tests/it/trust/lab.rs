//! The lab: nine signature forms by real cosign, and the keys of its private instance. A form can be taken apart and
//! reassembled, so that a test changes one thing and leaves the rest genuine.
#![allow(clippy::disallowed_methods, reason = "fixtures are read from disk")]

use std::{collections::BTreeMap, path::PathBuf};

use keypack::{
    key::{
        Candidate, Grade, Key, Material, Provenance, Role, parse_key_file,
        trusted_root::{self, Contents},
    },
    oci::Digest,
    signature::{UntrustedBundle, UntrustedSignature, UntrustedSimple},
    trust::{KeySet, Verifier},
};
use serde_json::Value;

/// The forms, each with the roles of the keys that it needs.
pub const FORMS: [(&str, &[Role]); 9] = [
    ("key-tag-notlog", &[Role::Signer]),
    ("key-ref11-notlog", &[Role::Signer]),
    ("key-bundle-notlog", &[Role::Signer]),
    ("key-tag-rekor1", &[Role::Rekor, Role::Signer]),
    ("key-bundle-rekor1", &[Role::Rekor, Role::Signer]),
    ("key-bundle-rekor2", &[Role::Rekor2, Role::Tsa, Role::Signer]),
    ("keyless-bundle-rekor1", &[Role::Rekor, Role::CtLog, Role::Fulcio]),
    ("keyless-bundle-rekor2", &[Role::Rekor2, Role::CtLog, Role::Fulcio, Role::Tsa]),
    ("keyless-tag-rekor1", &[Role::Rekor, Role::CtLog, Role::Fulcio]),
];

/// A signature in parts.
#[derive(Clone)]
pub enum Parts {
    Simple { payload: Vec<u8>, annotations: BTreeMap<String, String> },
    Bundle(Value),
}

/// One form, taken apart.
#[derive(Clone)]
pub struct Form {
    pub name: &'static str,
    pub roles: &'static [Role],
    pub image: Digest,
    pub parts: Parts,
}

pub fn lab() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/lab")
}

/// A form as `oras cp -r` left it or, if that drops the tag of the signature, as `cosign save` did.
pub fn form(name: &str) -> Form {
    let (name, roles) = *FORMS.iter().find(|(n, _)| *n == name).expect("a form of the lab");
    let tool = if name.contains("-tag-") { "cosignsave" } else { "oras" };
    let blobs = lab().join(format!("layouts/{name}-{tool}/blobs/sha256"));
    let read = |digest: &str| std::fs::read(blobs.join(digest.trim_start_matches("sha256:"))).unwrap();
    for file in std::fs::read_dir(&blobs).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let Ok(manifest) = serde_json::from_slice::<Value>(&bytes) else { continue };
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let content = || read(layer["digest"].as_str().unwrap());
            let parts = match layer["mediaType"].as_str().unwrap() {
                t if t.contains("simplesigning") => Parts::Simple {
                    payload: content(),
                    annotations: serde_json::from_value(layer["annotations"].clone()).unwrap(),
                },
                t if t.contains("sigstore.bundle") => {
                    Parts::Bundle(serde_json::from_slice(&content()).unwrap())
                }
                _ => continue,
            };
            let mut form = Form { name, roles, image: Digest::of(b""), parts };
            form.image = form.read().unwrap().claimed_images()[0];
            return form;
        }
    }
    panic!("{name} holds no signature")
}

pub fn forms() -> Vec<Form> {
    FORMS.iter().map(|(name, _)| form(name)).collect()
}

impl Form {
    /// Reassembles the form.
    pub fn read(&self) -> Result<UntrustedSignature, keypack::signature::SignatureError> {
        match &self.parts {
            Parts::Simple { payload, annotations } => UntrustedSimple::parse(payload.clone(), annotations)
                .map(|s| UntrustedSignature::Simple(Box::new(s))),
            Parts::Bundle(json) => UntrustedBundle::parse(json.to_string().as_bytes())
                .map(|b| UntrustedSignature::Bundle(Box::new(b))),
        }
    }

    /// The same form with something changed in its bundle.
    pub fn with_bundle(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut form = self.clone();
        let Parts::Bundle(json) = &mut form.parts else { panic!("{} is no bundle", self.name) };
        change(json);
        form
    }

    /// The same form with something changed in its payload or annotations.
    pub fn with_simple(&self, change: impl FnOnce(&mut Vec<u8>, &mut BTreeMap<String, String>)) -> Self {
        let mut form = self.clone();
        let Parts::Simple { payload, annotations } = &mut form.parts else { panic!("{}", self.name) };
        change(payload, annotations);
        form
    }

    /// The keys that it needs, from the lab.
    pub fn keys(&self) -> Vec<Key> {
        keys().into_iter().filter(|k| self.roles.contains(&k.role)).collect()
    }

    pub fn judge(&self, keys: &[Key]) -> Result<keypack::trust::Verified, &'static str> {
        let signature = self.read().map_err(|e| e.code().as_str())?;
        verifier(keys)?.judge(&signature, &self.image, jiff::Timestamp::now()).map_err(|e| e.code().as_str())
    }

    pub fn prove(&self, keys: &[Key]) -> Result<keypack::trust::Verified, &'static str> {
        let signature = self.read().map_err(|e| e.code().as_str())?;
        verifier(keys)?.prove(&signature, &self.image, jiff::Timestamp::now()).map_err(|e| e.code().as_str())
    }

    /// Why the key with this role, one of these, is not proved.
    pub fn unproved(&self, keys: &[Key], role: Role) -> &'static str {
        match self.prove(keys) {
            Err(code) => code,
            Ok(verified) => {
                assert!(verified.keys().iter().all(|k| k.role != role), "{}: {verified:?}", self.name);
                let refused = verified.refused().iter().find(|(key, _)| key.role == role);
                refused.unwrap_or_else(|| panic!("{}: {verified:?}", self.name)).1.code().as_str()
            }
        }
    }

    /// Judges with exactly the keys that it needs; returns the code of the refusal.
    pub fn refused(&self) -> &'static str {
        match self.judge(&self.keys()) {
            Ok(verified) => panic!("{} was accepted: {verified:?}", self.name),
            Err(code) => code,
        }
    }
}

pub fn provenance(source: &str) -> Provenance {
    Provenance {
        grade: Grade::File,
        source: source.into(),
        sha256: Digest::of(source.as_bytes()),
        date: None,
    }
}

/// Everything in a trusted root.
pub fn root(json: &[u8], source: &str) -> Vec<Candidate> {
    let Contents { candidates, unusable, .. } = trusted_root::read(json, &provenance(source)).unwrap();
    assert_eq!(unusable, []);
    candidates
}

pub fn lab_root() -> Vec<Candidate> {
    root(&std::fs::read(lab().join("trust/trusted_root.json")).unwrap(), "lab")
}

/// A key file of the lab, in the role given by its name or, without one, as signers' keys.
pub fn file(name: &str) -> Vec<Candidate> {
    let role = Role::of_file_name(name).unwrap_or(Role::Signer);
    bare(role, &std::fs::read(lab().join("trust").join(name)).unwrap(), name)
}

/// What `--key ROLE=FILE` reads from these bytes.
pub fn bare(role: Role, bytes: &[u8], source: &str) -> Vec<Candidate> {
    let material = parse_key_file(bytes).unwrap().material;
    material.into_iter().map(|key| Candidate::new(role, key, provenance(source)).unwrap()).collect()
}

/// A candidate in its role.
pub fn usable(candidate: &Candidate) -> Key {
    candidate.key.clone()
}

/// The same key in another role.
pub fn given_as(role: Role, candidate: &Candidate) -> Candidate {
    let Candidate { key, provenance } = candidate.clone();
    let bare = Key::new(role, key.material).unwrap().at(key.url);
    Candidate { key: Key { validity: key.validity, ..bare }, provenance }
}

/// A verifier with exactly these keys.
pub fn verifier(keys: &[Key]) -> Result<Verifier, &'static str> {
    KeySet::new(keys.to_vec()).map(Verifier::new).map_err(|_| "key-conflict")
}

/// Every key of the lab.
pub fn keys() -> Vec<Key> {
    lab_root().iter().chain(&file("cosign.pub")).map(usable).collect()
}

/// The lab's key of one role.
pub fn key(role: Role) -> Key {
    keys().into_iter().find(|k| k.role == role).unwrap()
}

/// Another key under the name of the lab's key, as an attacker would have to plant it.
pub fn impostor(role: Role, material: Material) -> Key {
    Key { material, ..key(role) }
}

/// These keys without those of one role.
pub fn without(keys: &[Key], role: Role) -> Vec<Key> {
    keys.iter().filter(|k| k.role != role).cloned().collect()
}

/// These keys with one replaced by another of its role.
pub fn swapped(keys: &[Key], other: Key) -> Vec<Key> {
    let mut keys = without(keys, other.role);
    keys.push(other);
    keys
}
