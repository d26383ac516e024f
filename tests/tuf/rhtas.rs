//! Repositories as RHTAS and older keepers make them: single targets, and trusted roots with the faults that are known.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{FROM, keeper::Keeper, scene, trusted_root};

/// The single targets of the lab, as RHTAS names them.
fn single(test: &crate::program::Test, keeper: &mut Keeper, usages: bool) {
    let files = [
        ("rekor.pub", "rekor.pub", "Rekor"),
        ("ctfe.pub", "ctfe.pub", "CTFE"),
        ("fulcio_v1.crt.pem", "fulcio.pem", "Fulcio"),
        ("tsa.certchain.pem", "tsa.pem", "TSA"),
    ];
    for (path, file, usage) in files {
        keeper.list(path, &test.read(&format!("lab/trust/{file}")), usages.then_some(usage));
    }
}

#[test]
fn single_targets_by_their_usage_and_by_their_names() {
    for usages in [true, false] {
        let test = scene();
        test.layout("keyless-bundle-rekor1-oras", "n");
        let mut keeper = Keeper::new(&trusted_root());
        keeper.listed.clear();
        keeper.files.clear();
        single(&test, &mut keeper, usages);
        keeper.periods = false;
        keeper.sign_root(&[]);
        keeper.publish();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:n {FROM} -o keys")).exits(0);
        let inventory = test.json("keys/keypack.json");
        let keys = inventory["keys"].as_array().unwrap();
        for role in ["rekor", "ctlog", "fulcio"] {
            let key =
                keys.iter().find(|k| k["role"] == role).unwrap_or_else(|| panic!("{role}: {inventory:#}"));
            assert_eq!(key["provenance"][0]["grade"], "tuf");
            assert_eq!(key["url"].is_string(), usages, "the address is in the custom metadata");
        }
        test.run("push keys oci:p:k").exits(0);
        test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0).tells("nobody tells");
    }
}

/// Changes the bytes of each log's key or of each certificate of a trusted root.
fn spoil(lists: &[&str], change: impl Fn(&[Vec<u8>]) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    let decode = |v: &Value| BASE64_STANDARD.decode(v.as_str().unwrap()).unwrap();
    for list in lists {
        for entry in root[*list].as_array_mut().unwrap() {
            if let Some(raw) = entry.pointer_mut("/publicKey/rawBytes") {
                *raw = BASE64_STANDARD.encode(&change(&[decode(raw)])[0]).into();
            } else {
                let chain = entry["certChain"]["certificates"].as_array().unwrap();
                let all: Vec<_> = chain.iter().map(|c| decode(&c["rawBytes"])).collect();
                let changed = change(&all)
                    .into_iter()
                    .map(|b| serde_json::json!({ "rawBytes": BASE64_STANDARD.encode(b) }));
                entry["certChain"]["certificates"] = changed.collect();
            }
        }
    }
    serde_json::to_vec(&root).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

#[test]
fn the_trusted_root_of_rhtas_1_3_2_is_named_and_the_single_targets_stand_in() {
    let test = scene();
    let logs = spoil(&["tlogs", "ctlogs"], |all| {
        all.iter().map(|der| pem("PUBLIC KEY", der).into_bytes()).collect()
    });
    let chains = spoil(&["certificateAuthorities", "timestampAuthorities"], |all| {
        vec![all.iter().map(|der| pem("CERTIFICATE", der)).collect::<String>().into_bytes()]
    });
    test.layout("keyless-bundle-rekor1-oras", "n");
    for root in [logs, chains] {
        let mut keeper = Keeper::new(&root);
        keeper.write(&test, "repo");
        let discover = format!("discover oci:n {FROM}");
        let ran = test.run(&discover).exits(4);
        assert!(
            ran.out.contains("trusted-root-rhtas") || ran.err.contains("trusted-root-rhtas"),
            "{}{}",
            ran.out,
            ran.err
        );
        assert!(ran.out.contains("RHTAS") || ran.err.contains("RHTAS"));
        single(&test, &mut keeper, true);
        keeper.renew();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:n {FROM} -o keys --state s")).exits(0);
        test.run("push keys oci:p:k").exits(0);
        test.run("pull oci:p:k --tuf-root repo.root.json -o out --state t").exits(0);
        for place in ["p", "out", "keys", "s", "t"] {
            std::fs::remove_dir_all(test.path(place)).unwrap();
        }
    }
}

#[test]
fn other_known_faults_are_lived_with_or_told() {
    let test = scene();
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    for entry in root["tlogs"].as_array_mut().unwrap() {
        let id = entry.as_object_mut().unwrap().remove("logId").unwrap();
        entry["checkpointKeyId"] = id;
        entry["publicKey"]["validFor"].as_object_mut().unwrap().remove("start");
    }
    root["certificateAuthorities"][0]["uri"] = "http://fulcio-server.trusted-artifact-signer.svc".into();
    Keeper::new(&serde_json::to_vec(&root).unwrap()).write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0).tells("inside its own cluster");
}

#[test]
fn certificates_in_targets_of_their_own_become_chains() {
    let test = scene();
    test.layout("keyless-bundle-rekor2-oras", "n");
    let tsa = String::from_utf8(test.read("lab/trust/tsa.pem")).unwrap();
    let blocks: Vec<_> =
        tsa.split_inclusive("-----END CERTIFICATE-----\n").filter(|b| b.contains("BEGIN")).collect();
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    // Spoilt, so that the single targets are asked.
    for entry in root["timestampAuthorities"].as_array_mut().unwrap() {
        entry["certChain"]["certificates"][0]["rawBytes"] = "AAAA".into();
    }
    let mut keeper = Keeper::new(&serde_json::to_vec(&root).unwrap());
    for (index, block) in blocks.iter().enumerate() {
        // The root first: the order of names is not that of the chain.
        keeper.list(&format!("tsa_{}.crt.pem", blocks.len() - index), block.as_bytes(), Some("TSA"));
    }
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:n {FROM} -o keys")).exits(0);
    let file = test.names("keys").into_iter().find(|n| n.starts_with("tsa-")).unwrap();
    assert_eq!(test.read(&format!("keys/{file}")), test.read("lab/trust/tsa.pem"));
}
