//! Repositories as RHTAS and older maintainers make them: single targets, and trusted roots with known faults.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{FROM, keeper::Keeper, scene, trusted_root};

/// The single targets of the lab, as RHTAS names them.
fn single(test: &super::program::Test, keeper: &mut Keeper, usages: bool) {
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
        test.push("keys", "oci:p:k");
        test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0).tells("it is not known when");
    }
}

/// Changes the bytes of each log's key or of each certificate in a trusted root.
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
        assert!(ran.out.contains("repo trusted_root.json"), "the target is named: {}", ran.out);
        assert!(ran.out.contains("RHTAS") || ran.err.contains("RHTAS"));
        single(&test, &mut keeper, true);
        keeper.renew();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:n {FROM} -o keys --state s")).exits(0);
        test.push("keys", "oci:p:k");
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
    // Broken, so that the single targets are read.
    for entry in root["timestampAuthorities"].as_array_mut().unwrap() {
        entry["certChain"]["certificates"][0]["rawBytes"] = "AAAA".into();
    }
    let mut keeper = Keeper::new(&serde_json::to_vec(&root).unwrap());
    for (index, block) in blocks.iter().enumerate() {
        // The root first: the order of the names is not that of the chain.
        keeper.list(&format!("tsa_{}.crt.pem", blocks.len() - index), block.as_bytes(), Some("TSA"));
    }
    keeper.renew();
    keeper.write(&test, "repo");
    let ran = test.run(&format!("collect oci:n {FROM} --include instance -o keys")).exits(0);
    assert_eq!(test.names("keys").iter().filter(|name| name.starts_with("tsa-")).count(), 1);
    // A certificate that issued another one is a link in that one's chain, not an unusable authority.
    assert!(!format!("{}{}", ran.out, ran.err).contains("chain-refused"), "{}{}", ran.out, ran.err);
    let file = test.names("keys").into_iter().find(|n| n.starts_with("tsa-")).unwrap();
    assert_eq!(test.read(&format!("keys/{file}")), test.read("lab/trust/tsa.pem"));
}

#[test]
fn single_targets_stand_in_only_where_a_list_has_nothing_good() {
    // One log of two is broken: the trusted root still says which logs there are, and no single target adds one.
    let test = scene();
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    let logs = root["tlogs"].as_array_mut().unwrap();
    assert!(logs.len() > 1);
    logs.iter_mut().find(|log| log["baseUrl"] == "http://127.0.0.1:5021").unwrap()["publicKey"]["rawBytes"] =
        "AAAA".into();
    let mut keeper = Keeper::new(&serde_json::to_vec(&root).unwrap());
    single(&test, &mut keeper, true);
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} --include instance -o keys")).exits(0);
    assert!(!test.names("keys").iter().any(|name| name.starts_with("rekor-")), "{:?}", test.names("keys"));
    assert!(super::chain_files(&test, "keys").keys().all(|path| !path.ends_with(".rekor.pub")));
}

#[test]
fn more_single_keys_than_any_repository_lists() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.listed.clear();
    for n in 0..64 {
        keeper.list(&format!("rekor_{n}.pub"), &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    }
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("discover oci:m {FROM}")).exits(4);
    keeper.list("rekor_64.pub", &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("discover oci:m {FROM}"))
        .fails(3, "tuf-too-large")
        .tells("more than 64 targets that are keys");
}

#[test]
fn an_address_that_is_empty_is_none() {
    let test = scene();
    test.layout("keyless-bundle-rekor1-oras", "n");
    let mut keeper = Keeper::new(&trusted_root());
    keeper.listed.clear();
    single(&test, &mut keeper, true);
    for target in &mut keeper.listed {
        target.custom.as_mut().unwrap()["sigstore"]["uri"] = "".into();
    }
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:n {FROM} -o keys")).exits(0);
    let inventory = test.json("keys/keypack.json");
    assert!(
        inventory["keys"].as_array().unwrap().iter().all(|key| key.get("url").is_none()),
        "{inventory:#}"
    );
}

#[test]
fn of_two_issuers_of_one_name_the_one_that_signed_is_the_link() {
    // Like the two public-good roots: the names are the same, so the signature decides.
    let (first, second) = (super::test_keys::root("one name"), super::test_keys::root("one name"));
    let pem =
        |authority: &super::test_keys::Authority| super::test_keys::chain(&[&authority.certificate]).to_pem();
    for issuer in [&first, &second] {
        let test = scene();
        let link = issuer.issue("intermediate");
        let mut keeper = Keeper::new(&trusted_root());
        keeper.listed.clear();
        // The longest name in the public-good repository: with a hash in front it does not fit unsplit into a tar
        // header.
        keeper.list("fulcio_intermediate_v1.crt.pem", pem(&link).as_bytes(), Some("Fulcio"));
        keeper.list("fulcio.crt.pem", pem(&first).as_bytes(), Some("Fulcio"));
        keeper.list("fulcio_v1.crt.pem", pem(&second).as_bytes(), Some("Fulcio"));
        keeper.renew();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} --include all -o keys")).exits(4);
        let whole = format!("{}{}", pem(&link), pem(issuer));
        let other = pem(if std::ptr::eq(issuer, &raw const first) { &second } else { &first });
        let found: Vec<_> = test
            .names("keys")
            .into_iter()
            .filter(|n| n.starts_with("fulcio-") && !n.contains("sigstore"))
            .collect();
        let mut found: Vec<_> =
            found.iter().map(|n| String::from_utf8(test.read(&format!("keys/{n}"))).unwrap()).collect();
        found.sort_by_key(String::len);
        assert_eq!(found, [other, whole]);
        assert!(super::chain_files(&test, "keys").keys().any(|path| path.len() > 100));
    }
}

#[test]
fn what_the_repository_does_not_say_is_dropped_and_not_compared() {
    // Its targets give no URL, and a file that was given as well does.
    let test = scene();
    test.layout("keyless-bundle-rekor1-oras", "n");
    let mut keeper = Keeper::new(&trusted_root());
    keeper.listed.clear();
    single(&test, &mut keeper, false);
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:n {FROM} --trusted-root lab/trust/trusted_root.json -o keys")).exits(0);
    let urls = |keys: &str| {
        let inventory = test.json(&format!("{keys}/keypack.json"));
        inventory["keys"].as_array().unwrap().iter().filter(|key| key["url"].is_string()).count()
    };
    assert!(urls("keys") > 0);
    test.push("keys", "oci:p:k");
    test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0);
    assert_eq!(urls("out"), 0);
}

#[test]
fn a_key_that_is_listed_twice_is_as_one_of_the_two_entries_says() {
    for first in [true, false] {
        let test = scene();
        let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
        let logs = root["ctlogs"].as_array_mut().unwrap();
        let mut again = logs[0].clone();
        again["publicKey"]["validFor"]["end"] = "2099-01-01T00:00:00Z".into();
        logs.insert(if first { 0 } else { logs.len() }, again);
        Keeper::new(&serde_json::to_vec(&root).unwrap()).write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
        test.push("keys", "oci:p:k");
        test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0);
    }
}
