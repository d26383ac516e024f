//! Maintains a TUF repository: makes its keys, signs its metadata, and makes the mistakes that a test asks for.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use sigstore_tuf::canonical_json::to_canonical_bytes;

use super::program::Test;

/// The files of a repository, by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A role: its keys, its threshold, its version, how many days it is valid.
pub(crate) struct Role {
    pub(crate) keys: Vec<KeyPair>,
    pub(crate) threshold: usize,
    pub(crate) version: u64,
    pub(crate) days: i64,
}

/// A target with its custom metadata.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) custom: Option<Value>,
}

pub(crate) struct Keeper {
    pub(crate) root: Role,
    pub(crate) timestamp: Role,
    pub(crate) snapshot: Role,
    pub(crate) targets: Role,
    /// A delegated role: its name, its paths, and what it lists.
    pub(crate) delegated: Option<(String, Role, Vec<String>, Vec<Target>)>,
    pub(crate) listed: Vec<Target>,
    pub(crate) consistent: bool,
    /// Whether the root says how long a timestamp is valid.
    pub(crate) periods: bool,
    /// The day of all signatures.
    pub(crate) at: Timestamp,
    pub(crate) files: Files,
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate_ecdsa_p256().unwrap()
}

fn role(keys: usize, threshold: usize, days: i64) -> Role {
    Role { keys: (0..keys).map(|_| key()).collect(), threshold, version: 1, days }
}

/// The key as metadata contains it, and its id.
pub(crate) fn declared(key: &KeyPair) -> (String, Value) {
    let pem = key.public_key_der().unwrap().to_pem();
    let value = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } });
    (keypack::oci::Digest::of(pem.as_bytes()).hex(), value)
}

/// Signs with these keys.
pub(crate) fn sign<'a>(signed: &Value, keys: impl IntoIterator<Item = &'a KeyPair>) -> Vec<u8> {
    let bytes = to_canonical_bytes(signed).unwrap();
    let signatures: Vec<_> = keys
        .into_iter()
        .map(|key| json!({ "keyid": declared(key).0, "sig": hex::encode(key.sign(&bytes).unwrap().as_bytes()) }))
        .collect();
    serde_json::to_vec_pretty(&json!({ "signed": signed, "signatures": signatures })).unwrap()
}

impl Role {
    fn json(&self) -> Value {
        let ids: Vec<_> = self.keys.iter().map(|key| declared(key).0).collect();
        json!({ "keyids": ids, "threshold": self.threshold })
    }
}

impl Keeper {
    /// A repository as of now whose only target is this trusted root.
    pub(crate) fn new(trusted_root: &[u8]) -> Self {
        let target = Target { path: "trusted_root.json".into(), bytes: trusted_root.into(), custom: None };
        let mut keeper = Self {
            root: role(3, 2, 365),
            timestamp: role(1, 1, 7),
            snapshot: role(1, 1, 30),
            targets: role(2, 2, 100),
            delegated: None,
            listed: vec![target],
            consistent: true,
            periods: true,
            at: Timestamp::from_second(Timestamp::now().as_second()).unwrap(),
            files: Files::new(),
        };
        keeper.sign_root(&[]);
        keeper.publish();
        keeper
    }

    /// A target that contains one key.
    pub(crate) fn list(&mut self, path: &str, bytes: &[u8], usage: Option<&str>) {
        let custom = usage.map(|usage| {
            json!({ "sigstore": { "usage": usage, "status": "Active", "uri": format!("https://{usage}.test") } })
        });
        self.listed.push(Target { path: path.into(), bytes: bytes.into(), custom });
    }

    /// Moves the repository to some days ago, or to the future.
    pub(crate) fn on_day(&mut self, days: i64) {
        self.at = self.at.checked_add((days * 24).hours()).unwrap();
    }

    fn end(&self, role: &Role) -> String {
        self.at.checked_add((role.days * 24).hours()).unwrap().to_string()
    }

    fn head(&self, kind: &str, role: &Role) -> Value {
        json!({ "_type": kind, "spec_version": "1.0.31", "version": role.version, "expires": self.end(role) })
    }

    /// Signs the root of the current version with its keys and with those of the previous one.
    pub(crate) fn sign_root(&mut self, before: &[KeyPair]) {
        let mut signed = self.head("root", &self.root);
        let roles = [
            ("root", &self.root),
            ("timestamp", &self.timestamp),
            ("snapshot", &self.snapshot),
            ("targets", &self.targets),
        ];
        let mut keys = serde_json::Map::new();
        for (name, role) in roles {
            keys.extend(role.keys.iter().map(declared));
            signed["roles"][name] = role.json();
            if self.periods {
                signed["roles"][name]["x-tuf-on-ci-expiry-period"] = role.days.into();
            }
        }
        signed["keys"] = keys.into();
        signed["consistent_snapshot"] = self.consistent.into();
        let bytes = sign(&signed, self.root.keys.iter().chain(before));
        self.files.insert(format!("{}.root.json", self.root.version), bytes.clone());
        // RHTAS serves it under this name too.
        self.files.insert("root.json".into(), bytes);
    }

    /// A new root, with new keys for `role`, signed by the old and the new keys.
    pub(crate) fn rotate(&mut self, role: &str) {
        let mut before = Vec::new();
        match role {
            "root" => {
                let new = (0..self.root.keys.len()).map(|_| key()).collect();
                before = std::mem::replace(&mut self.root.keys, new);
            }
            "timestamp" => self.timestamp.keys = vec![key()],
            "snapshot" => self.snapshot.keys = vec![key()],
            "none" => {}
            other => panic!("{other}"),
        }
        self.root.version += 1;
        self.sign_root(&before);
        self.publish();
    }

    fn named(&self, version: u64, name: &str) -> String {
        if self.consistent { format!("{version}.{name}") } else { name.to_owned() }
    }

    fn lay(&mut self, targets: &[Target]) -> Value {
        let mut listed = serde_json::Map::new();
        for Target { path, bytes, custom } in targets {
            let hash = keypack::oci::Digest::of(bytes).hex();
            let mut entry = json!({ "length": bytes.len(), "hashes": { "sha256": hash } });
            if let Some(custom) = custom {
                entry["custom"] = custom.clone();
            }
            listed.insert(path.clone(), entry);
            let file = match path.rsplit_once('/') {
                _ if !self.consistent => path.clone(),
                Some((folder, name)) => format!("{folder}/{hash}.{name}"),
                None => format!("{hash}.{path}"),
            };
            self.files.insert(format!("targets/{file}"), bytes.clone());
        }
        listed.into()
    }

    /// Signs targets, snapshot and timestamp at their versions.
    pub(crate) fn publish(&mut self) {
        let mut targets = self.head("targets", &self.targets);
        targets["targets"] = self.lay(&self.listed.clone());
        if self.periods {
            targets["x-tuf-on-ci-expiry-period"] = self.targets.days.into();
        }
        let mut meta = json!({ "targets.json": { "version": self.targets.version } });
        if let Some((name, role, paths, listed)) = self.delegated.take() {
            let mut entry = role.json();
            entry["name"] = name.clone().into();
            entry["terminating"] = true.into();
            entry["paths"] = paths.clone().into();
            let keys: serde_json::Map<_, _> = role.keys.iter().map(declared).collect();
            targets["delegations"] = json!({ "keys": keys, "roles": [entry] });
            let mut delegated = self.head("targets", &role);
            delegated["targets"] = self.lay(&listed);
            let file = self.named(role.version, &format!("{name}.json"));
            self.files.insert(file, sign(&delegated, &role.keys));
            meta[format!("{name}.json")] = json!({ "version": role.version });
            self.delegated = Some((name, role, paths, listed));
        }
        let bytes = sign(&targets, &self.targets.keys);
        self.files.insert(self.named(self.targets.version, "targets.json"), bytes);
        let mut snapshot = self.head("snapshot", &self.snapshot);
        snapshot["meta"] = meta;
        let snapshot = sign(&snapshot, &self.snapshot.keys);
        self.files.insert(self.named(self.snapshot.version, "snapshot.json"), snapshot);
        self.sign_timestamp();
    }

    /// Only the timestamp, with its version increased.
    pub(crate) fn renew_timestamp(&mut self) {
        self.timestamp.version += 1;
        self.sign_timestamp();
    }

    fn sign_timestamp(&mut self) {
        let snapshot = &self.files[&self.named(self.snapshot.version, "snapshot.json")];
        let mut timestamp = self.head("timestamp", &self.timestamp);
        timestamp["meta"] = json!({ "snapshot.json": {
            "version": self.snapshot.version,
            "length": snapshot.len(),
            "hashes": { "sha256": keypack::oci::Digest::of(snapshot).hex() },
        }});
        self.files.insert("timestamp.json".into(), sign(&timestamp, &self.timestamp.keys));
    }

    /// Everything again, with versions increased.
    pub(crate) fn renew(&mut self) {
        for role in [&mut self.timestamp, &mut self.snapshot, &mut self.targets] {
            role.version += 1;
        }
        self.publish();
    }

    /// Writes the repository to a folder, and its first root next to it as `FOLDER.root.json`.
    pub(crate) fn write(&self, test: &Test, folder: &str) {
        if test.has(folder) {
            std::fs::remove_dir_all(test.path(folder)).unwrap();
        }
        for (path, bytes) in &self.files {
            test.write(&format!("{folder}/{path}"), bytes);
        }
        test.write(&format!("{folder}.root.json"), self.first_root());
    }

    pub(crate) fn first_root(&self) -> &[u8] {
        &self.files["1.root.json"]
    }

    /// The path of the file of a role or a target.
    pub(crate) fn path_of(&self, end: &str) -> String {
        let found = self.files.keys().find(|path| path.ends_with(end) && !path.ends_with("root.json"));
        found.or_else(|| self.files.keys().find(|path| path.ends_with(end))).unwrap().clone()
    }
}

/// The files as keypack writes them into a tar.
pub(crate) fn tar(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_path(path).unwrap();
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}
