#![cfg_attr(fuzzing, no_main)]
//! A TUF repository whose keyholder signs whatever the input contains: through the whole workflow, the delegations,
//! the trusted root and the single keys.

mod input;

use std::{cell::OnceCell, collections::BTreeSet};

use keypack::{
    key::Grade,
    limits,
    oci::Digest,
    trust::tuf::{Chain, RepositoryPath, Root, describe, verify},
};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use sigstore_tuf::canonical_json::to_canonical_bytes;

/// Signs the roles with one key, writes the digests of lower files into the higher ones, and verifies.
///
/// The parts: additions to the root, the timestamp, the snapshot, the targets and a delegated role, as JSON objects
/// whose members replace existing ones; then pairs of a target's path and its bytes.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let Some((chain, root)) = repository(&parts) else { return };
    let Ok(root) = Root::new(root) else { return };
    let described = describe(&chain);
    let Ok(verified) = verify(&chain, &root, "fuzz") else { return };
    let described = described.expect("what is verified can be described");
    assert_eq!(described.version("targets"), verified.evidence.version("targets"));
    assert!(!verified.items.candidates.is_empty(), "a repository without a key");
    for item in &verified.items.candidates {
        assert_eq!(item.provenance.grade, Grade::Tuf);
        let path = item.provenance.source.strip_prefix("fuzz/targets/").expect("it is named by its target");
        let known = parts[5.min(parts.len())..].chunks(2).any(|pair| pair[0] == path.as_bytes());
        assert!(known, "{path} is no target");
    }
    // The kept files are sufficient and necessary.
    let kept: BTreeSet<_> = verified.chain.files().map(|(path, _)| path.clone()).collect();
    let given: BTreeSet<_> = chain.files().map(|(path, _)| path.clone()).collect();
    assert!(kept.is_subset(&given));
    let again = verify(&verified.chain, &root, "fuzz").expect("what was kept is verified again");
    assert_eq!(again, verified);
}

fn key() -> (KeyPair, String, Value) {
    let key = KeyPair::generate_ecdsa_p256().unwrap();
    let pem = key.public_key_der().unwrap().to_pem();
    let id = Digest::of(pem.as_bytes()).hex();
    let value = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } });
    (key, id, value)
}

fn sign(signed: &Value) -> Option<Vec<u8>> {
    thread_local! { static KEY: OnceCell<(KeyPair, String, Value)> = const { OnceCell::new() }; }
    KEY.with(|cell| {
        let (key, id, value) = cell.get_or_init(key);
        let text = signed.to_string();
        let text = text.replace("@K", id);
        let mut signed: Value = serde_json::from_str(&text).ok()?;
        for place in ["/keys", "/delegations/keys"] {
            if let Some(keys) = signed.pointer_mut(place).filter(|keys| keys.is_object()) {
                keys[id.as_str()] = value.clone();
            }
        }
        let signature = key.sign(&to_canonical_bytes(&signed).ok()?).ok()?;
        let signatures = json!([{ "keyid": id, "sig": hex(signature.as_bytes()) }]);
        Some(json!({ "signed": signed, "signatures": signatures }).to_string().into_bytes())
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The members of a part, replacing those in the base.
fn over(mut base: Value, parts: &[&[u8]], index: usize) -> Value {
    let more = parts.get(index).and_then(|part| serde_json::from_slice::<Value>(part).ok());
    if let (Some(base), Some(Value::Object(more))) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

fn repository(parts: &[&[u8]]) -> Option<(Chain, Vec<u8>)> {
    let head = |kind: &str| json!({ "_type": kind, "spec_version": "1.0", "version": 1, "expires": "2030-01-01T00:00:00Z" });
    let mut chain = Chain::default();
    let mut put = |path: &str, bytes: &[u8]| {
        let path = RepositoryPath::new(path).ok()?;
        chain.insert(path, bytes.to_vec()).ok()
    };
    let role = json!({ "keyids": ["@K"], "threshold": 1 });
    let mut root = head("root");
    root["keys"] = json!({});
    root["roles"] = json!({ "root": role, "timestamp": role, "snapshot": role, "targets": role });
    let root = sign(&over(root, parts, 0))?;
    let mut targets = head("targets");
    targets["targets"] = json!({});
    let mut delegated = targets.clone();
    let mut listed = serde_json::Map::new();
    for pair in parts.get(5..).unwrap_or_default().chunks_exact(2).take(20) {
        let path = String::from_utf8_lossy(pair[0]).into_owned();
        let hash = Digest::of(pair[1]).hex();
        let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(f, n)| (f, n));
        let slash = if folder.is_empty() { "" } else { "/" };
        let _ = put(&format!("targets/{path}"), pair[1]);
        let _ = put(&format!("targets/{folder}{slash}{hash}.{name}"), pair[1]);
        listed.insert(path, json!({ "length": pair[1].len(), "hashes": { "sha256": hash } }));
    }
    let top = over(targets.clone(), parts, 3);
    targets = top;
    delegated = over(delegated, parts, 4);
    let lists = if targets.get("delegations").is_some() { &mut delegated } else { &mut targets };
    for (path, entry) in listed {
        if let Some(all) = lists["targets"].as_object_mut() {
            let custom = all.get(&path).and_then(|known| known.get("custom")).cloned();
            let mut entry = entry;
            entry["custom"] = custom.unwrap_or_default();
            all.insert(path, entry);
        }
    }
    let mut snapshot = head("snapshot");
    snapshot["meta"] = json!({ "targets.json": { "version": 1 }, "d.json": { "version": 1 } });
    let snapshot = sign(&over(snapshot, parts, 2))?;
    let mut timestamp = head("timestamp");
    timestamp["meta"] = json!({ "snapshot.json": { "version": 1 } });
    let timestamp = sign(&over(timestamp, parts, 1))?;
    put("1.root.json", &root)?;
    put("timestamp.json", &timestamp)?;
    let (targets, delegated) = (sign(&targets)?, sign(&delegated)?);
    for (name, bytes) in [("snapshot.json", &snapshot), ("targets.json", &targets), ("d.json", &delegated)] {
        put(name, bytes)?;
        put(&format!("1.{name}"), bytes)?;
    }
    assert!(chain.files().map(|(_, bytes)| bytes.len() as u64).sum::<u64>() <= limits::TUF_CHAIN);
    Some((chain, root))
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
