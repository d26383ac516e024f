//! `--pin`: the exact set of keys, and nothing else from the pack.

use keypack::{
    key::{Chain, KeyRef, Material, Role, Validity, parse_key_file},
    pack::{
        Anchor, Build, Demand, Expiry, Form, Include, Pin, UnverifiedPack, authenticate, build, parse,
        to_artifact,
    },
};

use crate::trust::test_keys;
use serde_json::Value;

use super::{program::Test, scene};

/// The pins of a pack, as `inspect` prints them.
fn pins(test: &Test, place: &str) -> Vec<String> {
    let ran = test.run(&format!("inspect {place}")).exits(0);
    ran.out.lines().filter_map(|l| l.trim().strip_prefix("pin ")).map(|p| p.trim().to_owned()).collect()
}

fn flags(pins: &[String]) -> String {
    pins.iter().map(|pin| format!(" --pin {pin}")).collect()
}

#[test]
fn the_exact_set_rebuilds_the_directory_from_the_keys_alone() {
    let test = scene();
    let all = pins(&test, "oci:m:newer");
    assert_eq!(all.len(), 4);
    let pull = format!("pull oci:m:newer{} -o out", flags(&all));
    test.run(&pull).exits(0).tells("authenticated by the pins, as the exact set of keys");
    let inventory = test.json("out/keypack.json");
    let text = inventory.to_string();
    for dropped in ["validity\":{\"", "kept", "trusted_root.json\",\"grade", "http://127.0.0.1", "2024-02-01"]
    {
        assert!(!text.contains(dropped), "{dropped} came from the pack: {text}");
    }
    for key in inventory["keys"].as_array().unwrap() {
        assert_eq!(key["provenance"][0]["grade"], "pinned");
        assert_eq!(key["provenance"].as_array().unwrap().len(), 1);
    }
    assert!(test.names("out").iter().all(|name| !name.ends_with(".sigstore.json")), "nobody signed this");
    assert_eq!(test.run("inspect out --format json").exits(0).json()["authenticated"], Value::Bool(true));

    let before = test.tree("out");
    test.run(&pull).exits(0).tells("already installed");
    assert_eq!(test.tree("out"), before);
}

#[test]
fn one_key_too_many_or_too_few() {
    let test = scene();
    let all = pins(&test, "oci:m:newer");
    for left_out in 0..all.len() {
        let mut some = all.clone();
        let pin = some.remove(left_out);
        test.run(&format!("pull oci:m:newer{} -o out", flags(&some))).fails(3, "key-not-pinned").tells(&pin);
    }
    // All keys that no pin names, in one go.
    let mut ran = test.run(&format!("pull oci:m:newer --pin {} -o out", all[0])).fails(3, "key-not-pinned");
    for pin in &all[1..] {
        ran = ran.tells(pin);
    }
    // A pack from which a key was removed: the pins of the newer one for the older.
    test.run(&format!("pull oci:m:old{} -o out", flags(&all))).fails(3, "pin-not-met");
    assert!(!test.has("out"));
}

#[test]
fn a_key_in_another_role() {
    let test = scene();
    let all = pins(&test, "oci:m:old");
    let lie: Vec<_> = all.iter().map(|pin| pin.replace("signer:", "rekor:")).collect();
    test.run(&format!("pull oci:m:old{} -o out", flags(&lie))).fails(3, "key-not-pinned");
}

#[test]
fn a_chain_pinned_by_its_key_alone() {
    // A known key in the attacker's certificate, with the attacker's root behind it: this is why pins cover
    // certificates.
    let test = scene();
    let pem = test.read("fx/newer/fulcio-98cd189d.pem");
    let Material::Chain(chain) = parse_key_file(&pem).unwrap().material.remove(0) else { panic!() };
    let key = chain.first().public_key().unwrap().fingerprint();
    let all = pins(&test, "oci:m:newer");
    let by_key: Vec<_> = all.iter().map(|pin| pin.replace(&chain.fingerprint().hex(), &key.hex())).collect();
    assert_ne!(all, by_key);
    test.run(&format!("pull oci:m:newer{} -o out", flags(&by_key))).fails(3, "key-not-pinned");
}

#[test]
fn a_foreign_ca_behind_a_pinned_certificate() {
    // Every link verifies, and the first certificate is the pinned one. Consumers would trust the last.
    let root = test_keys::root("sigstore");
    let intermediate = root.issue("sigstore-intermediate");
    let evil = test_keys::root("sigstore-g2");
    let cross = evil.certify(&root.certificate, &[]);
    let honest = test_keys::chain(&[&intermediate.certificate, &root.certificate]);
    let hostile = test_keys::chain(&[&intermediate.certificate, &cross, &evil.certificate]);
    for role in [Role::Fulcio, Role::Tsa] {
        let pins = vec![Pin::of(role, &Material::Chain(honest.clone()), None)];
        let code = |chain: &Chain| {
            let pack = pack_of(role, chain);
            let anchors = [Anchor::Pins(pins.clone())];
            authenticate(pack, &demand(&anchors)).map_or_else(|e| e.code().as_str(), |_| "accepted")
        };
        assert_eq!(code(&honest), "accepted", "{role}");
        assert_eq!(code(&hostile), "key-not-pinned", "{role}");
    }
}

fn demand(anchors: &[Anchor]) -> Demand<'_> {
    Demand { anchors, manifest_signatures: &[], lineage: "default", now: jiff::Timestamp::now() }
}

/// The log with this key under this origin.
fn log(pem: &[u8], origin: &str) -> Include {
    let material = parse_key_file(pem).unwrap().material.remove(0);
    let Material::Key(key) = &material else { panic!() };
    let id = keypack::key::note_key_id(origin, key);
    include(KeyRef { role: Role::Rekor2, id }, material, Some(origin))
}

#[test]
fn a_log_under_another_origin() {
    // The id by which signatures name a Rekor v2 log is derived from its origin: with another origin, no signature
    // finds its key, and with a second one, a key counts for a log that was not pinned.
    let pem = include_bytes!("../../../testdata/anchors/ed25519.pub");
    let ours = || log(pem, "log.example");
    let other = || log(pem, "evil.example");
    let whole = Pin::of(Role::Rekor2, &ours().material, Some("log.example"));
    assert!(whole.to_string().ends_with("@log.example"));
    let code = |pin: &Pin, keys: Vec<Include>| {
        let anchors = [Anchor::Pins(vec![pin.clone()])];
        authenticate(pack_with(keys), &demand(&anchors)).map_or_else(|e| e.code().as_str(), |_| "accepted")
    };
    assert_eq!(code(&whole, vec![ours()]), "accepted");
    assert_eq!(code(&whole, vec![other()]), "key-not-pinned");
    assert_eq!(code(&whole, vec![ours(), other()]), "key-not-pinned");
    assert_eq!(code(&whole.short(), vec![ours()]), "pin-incomplete");
    assert_eq!(code(&whole.short(), vec![ours(), other()]), "pin-incomplete");
    // If the inventory is authenticated, so is the origin.
    let pack = pack_with(vec![ours()]);
    let anchors = [Anchor::Digest(pack.digest()), Anchor::Pins(vec![whole.short()])];
    assert!(authenticate(pack, &demand(&anchors)).is_ok());
}

/// A pack with one chain.
fn pack_of(role: Role, chain: &Chain) -> UnverifiedPack {
    let material = Material::Chain(chain.clone());
    pack_with(vec![include(KeyRef { role, id: material.id() }, material, None)])
}

fn include(key: KeyRef, material: Material, origin: Option<&str>) -> Include {
    Include {
        key,
        material,
        url: None,
        origin: origin.map(str::to_owned),
        validity: Validity::default(),
        provenance: Vec::new(),
        ct_required: false,
        proved: false,
    }
}

fn pack_with(keys: Vec<Include>) -> UnverifiedPack {
    let built = build(&Build {
        name: "default",
        keys,
        chains: Vec::new(),
        replaces: None,
        prune: true,
        rules: None,
        revoked: Vec::new(),
        created: jiff::Timestamp::now(),
        expires: Expiry::Never,
        collected_by: None,
        given_by: None,
        refresh_after: Build::default_refresh_after(),
    });
    parse(&to_artifact(&built.unwrap().draft, Form::Image).unwrap()).unwrap()
}

#[test]
fn a_short_fingerprint() {
    let test = scene();
    for pin in ["signer:43ef7bc8", "signer:43ef7bc87c44704a", "signer:sha1:43ef7bc8", "nobody:00"] {
        test.run(&format!("pull oci:m:old --pin {pin} -o out")).exits(2);
    }
}

#[test]
fn pins_beside_a_digest_narrow_it_and_keep_the_inventory() {
    let test = scene();
    let all = pins(&test, "oci:m:old");
    let digest = format!("pull oci:m:old --digest {}", super::OLD);
    test.run(&format!("{digest}{} -o out", flags(&all))).exits(0);
    assert_eq!(test.tree("out"), test.tree("fx/keys"));
    test.run(&format!("{digest} --pin {} -o two", all[0])).fails(3, "key-not-pinned");
}

#[test]
fn pins_know_no_version() {
    let test = scene();
    let all = flags(&pins(&test, "oci:m:old"));
    test.run(&format!("pull oci:m:old{all} --min-version 1 -o out")).fails(2, "usage");
    test.run(&format!("pull oci:m:old{all} --require-state -o out")).fails(3, "no-state");
}
