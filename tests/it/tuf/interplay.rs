//! TUF together with everything else that decides about a pack: changed keys, rules, revocations, kept keys, other
//! anchors, state.

use serde_json::Value;

use super::{FROM, chain_file, collected, keeper::Keeper, scene, trusted_root};

const ROOT: &str = "--tuf-root repo.root.json";

/// The key of the lab's Rekor, by its fingerprint, and its URL.
const REKOR: &str = "sha256:e69e8241a86926434b03c31cf128899cbf3c1f73466f07acae0363289213df19";
const AT: &str = "http://127.0.0.1:5021";

/// A trusted root with another key at the URL of the lab's first Rekor; with or without the lab's own after it.
fn other_rekor(lab_too: bool) -> Vec<u8> {
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    let key = root["ctlogs"][0].clone();
    let logs = root["tlogs"].as_array_mut().unwrap();
    let at = logs.iter().position(|l| l["baseUrl"] == AT).unwrap();
    let mut other = logs[at].clone();
    other["publicKey"]["rawBytes"] = key["publicKey"]["rawBytes"].clone();
    other["logId"] = key["logId"].clone();
    if lab_too {
        logs.push(other);
    } else {
        logs[at] = other;
    }
    serde_json::to_vec(&root).unwrap()
}

fn relist(keeper: &mut Keeper, test: &super::program::Test, root: Vec<u8>) {
    keeper.listed[0].bytes = root;
    keeper.renew();
    keeper.write(test, "repo");
}

fn rekors(test: &super::program::Test) -> usize {
    test.names("keys").iter().filter(|name| name.starts_with("rekor-")).count()
}

#[test]
fn another_key_at_a_known_address_waits_for_a_person_though_its_repository_lists_it() {
    let test = scene();
    test.layout("key-bundle-rekor1-oras", "n");
    let mut keeper = Keeper::new(&other_rekor(false));
    keeper.write(&test, "repo");
    // The whole instance: the other key at that URL, which no image needs.
    test.run(&format!("collect oci:m {FROM} --include instance -o keys")).exits(0);
    assert_eq!(rekors(&test), 1);
    relist(&mut keeper, &test, other_rekor(true));
    let line = format!("collect oci:n --key lab/trust/cosign.pub {FROM} -o keys");
    for _ in 0..3 {
        test.run(&line).fails(4, "incomplete").says("key-changed").says(REKOR);
        assert_eq!(rekors(&test), 1, "it is refused until it is named, however often it is tried");
    }
    // The existing pack can still be carried, and its chain authenticates it.
    let inventory = test.json("keys/keypack.json");
    let signer = inventory["keys"].as_array().unwrap().iter().find(|k| k["role"] == "signer").unwrap();
    let pin = format!("--pin signer:{}", signer["id"].as_str().unwrap());
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {ROOT} {pin} -o out")).exits(0);
    test.run(&format!("{line} --accept-change {REKOR}")).exits(0);
    assert_eq!(rekors(&test), 2);
    test.run(&line).exits(0);
}

#[test]
fn a_key_that_the_repository_withdrew_is_told_while_it_is_kept() {
    let test = scene();
    test.layout("key-bundle-rekor1-oras", "n");
    let mut keeper = Keeper::new(&trusted_root());
    keeper.write(&test, "repo");
    let with_key = format!("--key lab/trust/cosign.pub {FROM} -o keys");
    test.run(&format!("collect oci:n oci:m {with_key}")).exits(0);
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    root["tlogs"].as_array_mut().unwrap().retain(|log| log["baseUrl"] != AT);
    relist(&mut keeper, &test, serde_json::to_vec(&root).unwrap());
    test.layout("key-bundle-rekor2-oras", "o");
    let ran = test.run(&format!("collect oci:o oci:m {with_key}")).exits(0);
    ran.tells("rekor-e69e8241.pub").tells("no longer lists it in this form").tells("--prune");
    assert_eq!(rekors(&test), 1);
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {ROOT} -o out")).fails(3, "key-not-in-tuf").tells("--prune");
    let ran = test.run(&format!("collect oci:o oci:m {with_key} --prune")).exits(0);
    assert!(!ran.err.contains("no longer lists"), "{}", ran.err);
    assert_eq!(rekors(&test), 0);
}

#[test]
fn a_revoked_key_that_the_repository_still_lists() {
    let (test, _) = collected();
    test.push("keys", "oci:p:k");
    let keys = test.json("keys/keypack.json");
    let fulcio = keys["keys"].as_array().unwrap().iter().find(|k| k["role"] == "fulcio").unwrap();
    let id = fulcio["id"].as_str().unwrap().to_owned();
    for include in ["needed", "instance", "all"] {
        let line = format!("collect oci:m {FROM} --include {include} -o keys");
        let ran = test.run(&format!("{line} --revoke {id} --reason stolen")).exits(4);
        ran.tells("is revoked, and is left out");
        assert!(!test.names("keys").iter().any(|name| name.starts_with("fulcio-127-")), "{include}");
        // This host remembers it without being told again.
        test.run(&format!("{line} --prune")).exits(4).tells("is revoked, and is left out");
        assert!(!test.names("keys").iter().any(|name| name.starts_with("fulcio-127-")), "{include}");
    }
    // The enclave learns it from a pack that another anchor authenticates as a whole.
    let digest = test.push("keys", "oci:q:k").pack_digest.to_string();
    let enclave = |line: &str| test.run(&format!("{line} --state enclave -o out"));
    enclave(&format!("pull oci:p:k {ROOT}")).exits(0);
    enclave(&format!("pull oci:q:k {ROOT} --digest {digest}")).exits(0).tells("revoked");
    // From then on the chain alone does not bring it back, although TUF still lists it.
    let out = test.tree("out");
    enclave(&format!("pull oci:p:k {ROOT}")).fails(3, "key-revoked");
    enclave(&format!("pull oci:p:k {ROOT} --allow-rollback-unsafe --reason x")).fails(3, "key-revoked");
    assert!(test.tree("out") == out, "the directory changed");
    // If no pack revoked it, the configuration may.
    test.write("r.yaml", format!("revoked:\n  - fingerprint: {id}\n    reason: stolen\n"));
    test.run(&format!("pull oci:p:k {ROOT} --state new -o two --config r.yaml")).fails(3, "key-revoked");
    assert!(!test.has("two"));
}

#[test]
fn a_chain_whose_every_key_is_revoked_leaves_the_pack() {
    let test = scene();
    test.layout("key-bundle-rekor2-oras", "n");
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:m oci:n --key lab/trust/cosign.pub {FROM} -o keys")).exits(0);
    let file = chain_file(&test, "keys");
    let keys = test.json("keys/keypack.json");
    let revoke: String = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["role"] != "signer")
        .map(|key| format!(" --revoke {}", key["fingerprint"].as_str().unwrap()))
        .collect();
    let line = format!("collect oci:m oci:n --key lab/trust/cosign.pub {FROM} -o keys");
    test.run(&format!("{line}{revoke} --reason stolen")).exits(4);
    assert!(!test.has(&format!("keys/{file}")), "a chain that vouches for nothing in the pack");
    assert_eq!(test.json("keys/keypack.json").get("tuf"), None);
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {ROOT} -o out")).fails(3, "tuf-chain-missing");
}

#[test]
fn what_is_included_and_what_is_pruned() {
    let test = scene();
    Keeper::new(&trusted_root()).write(&test, "repo");
    let mut counts = Vec::new();
    for include in ["needed", "instance", "all"] {
        test.run(&format!("collect oci:m {FROM} --include {include} -o {include}")).exits(0);
        counts.push(test.json(&format!("{include}/keypack.json"))["keys"].as_array().unwrap().len());
        test.run(&format!("push {include} oci:{include}.d:k")).exits(0);
        let ran = test.run(&format!("pull oci:{include}.d:k {ROOT} -o {include}.out"));
        if include == "all" {
            // The built-in keys are included too, and this repository does not list them.
            ran.fails(3, "key-not-in-tuf").tells("-sigstore.pub");
            continue;
        }
        let ran = ran.exits(0);
        assert_eq!(ran.err.contains("that the pack leaves out"), include == "needed", "{}", ran.err);
    }
    assert!(counts[0] < counts[1] && counts[1] < counts[2], "{counts:?}");
    // When pruned without the repository, its keys and its chain are both removed; the keys that the images need come
    // from elsewhere.
    test.run("collect oci:m --trusted-root lab/trust/trusted_root.json --prune -o all").exits(0);
    assert_eq!(test.json("all/keypack.json").get("tuf"), None);
    assert_eq!(test.json("all/keypack.json")["keys"].as_array().unwrap().len(), counts[0]);
}

#[test]
fn when_it_is_collected() {
    let test = scene();
    test.layout("key-tag-notlog-oras", "u");
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:u {FROM} --when auto -o keys")).exits(0).tells("no image is signed here");
    assert!(!test.has("keys"));
    test.run(&format!("collect oci:m {FROM} --when never -o keys")).exits(0);
    assert!(!test.has("keys"));
    test.run(&format!("collect oci:u {FROM} --when always -o keys")).exits(0);
    chain_file(&test, "keys");
}

#[test]
fn rules_and_revocations_of_the_pack_are_dropped_aloud() {
    let test = scene();
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    let keys = test.json("keys/keypack.json");
    let fulcio = keys["keys"].as_array().unwrap().iter().find(|k| k["role"] == "fulcio").unwrap();
    // Rules name keys from TUF like any other: by fingerprint, by file, by host.
    let host = keypack::key::origin_of(fulcio["url"].as_str().unwrap());
    for name in [fulcio["fingerprint"].as_str().unwrap(), fulcio["name"].as_str().unwrap(), &host] {
        test.write(
            "rules.yaml",
            format!(
                "rules:\n  - scope: registry.example.org/team\n    signers:\n      - authorities: [\"{name}\"]\n        \
                 identity: a@example.org\n        oidcIssuer: https://issuer.example.org\n    log: none\n"
            ),
        );
        test.run(&format!("collect oci:m {FROM} --accept-rules rules.yaml -o keys")).exits(0);
        assert_eq!(
            test.json("keys/keypack.json")["rules"][0]["scope"],
            "registry.example.org/team",
            "{name}"
        );
    }
    let other = format!("sha256:{}", "1".repeat(64));
    test.run(&format!("collect oci:m {FROM} --revoke {other} --reason x -o keys")).exits(0);
    let digest = test.push("keys", "oci:p:k").pack_digest.to_string();
    let ran = test.run(&format!("pull oci:p:k {ROOT} -o out")).exits(0);
    ran.tells("1 rule").tells("1 revocation").tells("--digest");
    assert_eq!(test.json("out/keypack.json").get("rules"), None);
    let ran = test.run(&format!("pull oci:p:k {ROOT} --digest {digest} -o two")).exits(0);
    assert!(!ran.err.contains("1 rule "), "{}", ran.err);
    assert!(test.json("two/keypack.json")["rules"].is_array());
    // Over a directory with rules, the removed rules are reported before the exchange.
    test.run(&format!("pull oci:p:k {ROOT} -o two")).exits(0).tells("registry.example.org/team");
}

#[test]
fn a_repository_that_is_not_read_again_withdraws_nothing() {
    let test = scene();
    test.layout("key-bundle-rekor1-oras", "n");
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    let mut two = Keeper::new(&trusted_root());
    two.listed.clear();
    two.list("rekor.pub", &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    two.renew();
    two.write(&test, "two");
    let from_two = "--tuf two --tuf-root two.root.json --key lab/trust/cosign.pub";
    let ran = test.run(&format!("collect oci:n {from_two} -o keys")).exits(0);
    assert!(!ran.err.contains("no longer lists"), "{}", ran.err);
    assert_eq!(test.json("keys/keypack.json")["tuf"].as_array().unwrap().len(), 2);
}

#[test]
fn a_repository_that_was_set_up_anew_takes_the_place_of_the_old_one() {
    let (test, _) = collected();
    let before = chain_file(&test, "keys");
    // Another root under the same name; the first images need nothing now.
    Keeper::new(&trusted_root()).write(&test, "repo");
    test.layout("key-bundle-rekor2-oras", "n");
    test.run(&format!("collect oci:n --key lab/trust/cosign.pub {FROM} -o keys")).exits(0);
    let chains: Vec<_> = test.names("keys").into_iter().filter(|name| name.starts_with("tuf-")).collect();
    assert_eq!(chains.len(), 1);
    assert_ne!(chains, [before]);
}
