//! A root together with other anchors and with state; repositories and packs in every location and under every name.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{
    FROM, chain_file, chain_files, collected, edit_pack,
    fault::{Reply, Server},
    keeper::Keeper,
    replace_chain, scene, trusted_root,
};

const ROOT: &str = "--tuf-root repo.root.json";

/// The URL of the lab's first Rekor.
const AT: &str = "http://127.0.0.1:5021";

/// Signs a keys/ as the organisation would, and writes its public key to `org.pub`.
fn sign_inventory(test: &super::program::Test, keys: &str) {
    let org = super::keeper::key();
    test.write("org.pub", org.public_key_der().unwrap().to_pem());
    let json = test.read(&format!("{keys}/keypack.json"));
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let digest = hex::decode(keypack::oci::Digest::of(&json).hex()).unwrap();
    let bundle = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "org" } },
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": base64(&digest) },
            "signature": base64(org.sign(&json).unwrap().as_bytes()),
        },
    });
    test.write(&format!("{keys}/keypack.json.sigstore.json"), bundle.to_string());
}

#[test]
fn beside_a_verifying_key() {
    let (test, keeper) = collected();
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {ROOT} --verify-key lab/trust/cosign.pub -o out"))
        .fails(3, "pack-unsigned");
    sign_inventory(&test, "keys");
    test.push("keys", "oci:s:k");
    let both = format!("{ROOT} --verify-key org.pub");
    test.run(&format!("pull oci:s:k {both} -o out"))
        .exits(0)
        .tells("a signature of the inventory by")
        .tells("by the TUF repository of the root");
    assert!(test.tree("out") == test.tree("keys"), "vouched for as a whole");
    // Each of the two must hold.
    test.run(&format!("pull oci:s:k {ROOT} --verify-key lab/trust/cosign.pub -o no"))
        .fails(3, "pack-signature-refused");
    test.run("pull oci:s:k --tuf-root builtin --verify-key org.pub -o no").fails(3, "tuf-signatures");
    let pin = format!("--pin signer:{}", "0".repeat(64));
    test.run(&format!("pull oci:s:k {both} {pin} -o no")).fails(3, "pin-not-met");
    // The signer's version is remembered, and so is TUF's: an older pack of either is refused.
    let mut newer = keeper;
    newer.renew();
    newer.write(&test, "repo");
    let enclave = |line: &str| test.run(&format!("{line} --state enclave -o two"));
    test.run(&format!("collect oci:m {FROM} --include instance -o keys")).exits(0);
    let old_key = test.read("org.pub");
    sign_inventory(&test, "keys");
    test.push("keys", "oci:t:k");
    enclave(&format!("pull oci:t:k {both}")).exits(0);
    test.write("org.pub", old_key);
    enclave(&format!("pull oci:s:k {both}")).fails(3, "tuf-rollback");
    enclave("pull oci:s:k --verify-key org.pub").exits(0).tells("its versions start afresh");
    assert!(!test.has("no"));
}

#[test]
fn first_contact_says_that_an_older_state_can_not_be_told() {
    let (test, _) = collected();
    test.push("keys", "oci:p:k");
    let pull = format!("pull oci:p:k {ROOT} -o out --state enclave");
    test.run(&pull).exits(0).tells("has no record of this TUF repository");
    let again = test.run(&pull).exits(0);
    assert!(!again.err.contains("has no record of this TUF repository"), "{}", again.err);
    test.run(&format!("{pull} --require-state")).exits(0);
    // A lineage that is only known through a digest says nothing about the repository.
    let digest = keypack::oci::Digest::of(&test.read("keys/keypack.json"));
    let ran = test.run(&format!("pull oci:p:k --digest {digest} -o two --state other")).exits(0);
    assert!(!ran.err.contains("leaves out"), "{}", ran.err);
    test.run(&format!("pull oci:p:k {ROOT} -o two --state other --require-state")).fails(3, "no-state");
    let ran = test.run(&format!("pull oci:p:k {ROOT} --digest {digest} -o two --state other")).exits(0);
    assert!(!ran.err.contains("leaves out"), "the whole is vouched for, as it was collected: {}", ran.err);
}

#[test]
fn a_long_chain_is_remembered_from_its_first_root_on() {
    // More roots than an enclave ever saw at once: without the last ones, the chain is an older state.
    let (test, mut keeper) = collected();
    let old = {
        let mut files = keeper.files.clone();
        files.remove("root.json");
        files
    };
    for _ in 0..20 {
        keeper.root.version += 1;
        keeper.sign_root(&[]);
    }
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    keeper.renew();
    keeper.write(&test, "repo");
    test.run(&format!("collect oci:m {FROM} -o keys")).exits(0);
    test.push("keys", "oci:p:k");
    let enclave = |line: &str| test.run(&format!("{line} {ROOT} -o out --state enclave"));
    enclave("pull oci:p:k").exits(0);
    replace_chain(&test, &old);
    enclave("pull oci:f:k").fails(3, "tuf-rollback");
}

#[test]
fn a_rollback_that_is_allowed_moves_no_counter_of_those_who_number_packs() {
    let (test, keeper) = {
        let test = scene();
        let mut keeper = Keeper::new(&trusted_root());
        let before = keeper.files.clone();
        keeper.renew();
        keeper.write(&test, "repo");
        test.run(&format!("collect oci:m {FROM} --created 2026-01-01T00:00:00Z -o keys")).exits(0);
        keeper.files = before;
        (test, keeper)
    };
    let enclave = |line: &str| test.run(&format!("{line} -o out --state enclave"));
    let digest = test.push("keys", "oci:p:k").pack_digest.to_string();
    enclave(&format!("pull oci:p:k {ROOT} --digest {digest}")).exits(0);
    let mut old = keeper.files.clone();
    old.remove("root.json");
    replace_chain(&test, &old);
    enclave(&format!("pull oci:f:k {ROOT}")).fails(3, "tuf-rollback");
    enclave(&format!("pull oci:f:k {ROOT} --allow-rollback-unsafe --reason restored"))
        .exits(0)
        .tells("older state of a TUF repository");
    // Nothing authenticates the number of the rebuilt pack: the next pack with a digest is newer than the first.
    let from_a_file = "collect oci:m --trusted-root lab/trust/trusted_root.json --prune -o keys";
    test.run(&format!("{from_a_file} --created 2026-02-01T00:00:00Z")).exits(0);
    let digest = test.push("keys", "oci:n:k").pack_digest.to_string();
    enclave(&format!("pull oci:n:k --digest {digest}")).exits(0);
    let state = test.json("enclave/default.json");
    assert_eq!(state["acceptances"][0]["reason"], "restored");
    assert_eq!(state["highest"]["digest"]["digest"], digest);
}

#[test]
fn repositories_of_one_name_stay_two() {
    let test = scene();
    test.layout("key-bundle-rekor1-oras", "n");
    let (one, mut two) = (Keeper::new(&trusted_root()), Keeper::new(&trusted_root()));
    let mut root: Value = serde_json::from_slice(&trusted_root()).unwrap();
    root["tlogs"].as_array_mut().unwrap().retain(|log| log["baseUrl"] != AT);
    two.listed.clear();
    two.files.clear();
    two.list("rekor.pub", &test.read("lab/trust/rekor.pub"), Some("Rekor"));
    two.sign_root(&[]);
    two.publish();
    let mut one = one;
    one.listed[0].bytes = serde_json::to_vec(&root).unwrap();
    one.files.clear();
    one.sign_root(&[]);
    one.publish();
    one.write(&test, "a/repo");
    two.write(&test, "b/repo");
    let roots = "--tuf-root a/repo.root.json --tuf-root b/repo.root.json";
    test.run(&format!(
        "collect oci:m oci:n --key lab/trust/cosign.pub --tuf a/repo --tuf b/repo {roots} -o keys"
    ))
    .exits(0);
    assert_eq!(test.json("keys/keypack.json")["tuf"].as_array().unwrap().len(), 2);
    let keys = test.json("keys/keypack.json");
    let signer = keys["keys"].as_array().unwrap().iter().find(|k| k["role"] == "signer").unwrap();
    let pin = format!("--pin signer:{}", signer["id"].as_str().unwrap());
    test.push("keys", "oci:p:k");
    test.run(&format!("pull oci:p:k {roots} {pin} -o out")).exits(0);
    assert_eq!(chain_files(&test, "out").len(), chain_files(&test, "keys").len());
    // A root alone authenticates only its own keys.
    test.run(&format!("pull oci:p:k --tuf-root b/repo.root.json {pin} -o two")).fails(3, "key-not-pinned");
}

#[test]
fn one_root_given_twice_is_one() {
    let (test, _) = collected();
    test.push("keys", "oci:p:k");
    test.write("pull.yaml", "tufRoots: [repo.root.json, repo.root.json]\n");
    let ran = test.run("pull oci:p:k -o out --config pull.yaml").exits(0);
    assert_eq!(ran.err.matches("authenticated by the TUF repository").count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("tuf-repo-").count(), 1, "{}", ran.err);
}

#[test]
fn without_the_network_a_repository_in_a_directory_is_read() {
    let test = scene();
    Keeper::new(&trusted_root()).write(&test, "repo");
    let away = "--tuf https://tuf.example.org --tuf-root repo.root.json";
    for verb in ["discover oci:m", "collect oci:m -o keys"] {
        test.run(&format!("{verb} {away} --no-network")).fails(2, "usage").tells("--no-network forbids");
    }
    test.write("off.yaml", "network: false\nsources:\n  tuf:\n    - repository: https://tuf.example.org\n");
    test.run("collect oci:m --config off.yaml -o keys").fails(2, "usage");
    assert!(!test.has("keys"));
    test.run(&format!("collect oci:m {FROM} --no-network -o keys")).exits(0);
}

#[test]
fn an_address_with_more_than_a_place_is_refused() {
    let test = scene();
    Keeper::new(&trusted_root()).write(&test, "repo");
    for address in
        ["https://tuf.example.org/?a=b", "https://tuf.example.org/#a", "https://me:secret@tuf.example.org"]
    {
        let ran = test.run(&format!("collect oci:m --tuf {address} --tuf-root repo.root.json -o keys"));
        let ran = ran.fails(2, "usage");
        assert!(!ran.err.contains("secret"), "{}", ran.err);
    }
}

/// A registry that serves the layout `l` as `a/b`.
fn registry(test: &super::program::Test) -> Server {
    let index = test.json("l/index.json");
    let blobs = test.tree("l/blobs/sha256");
    Server::start(move |asked| {
        let named = |name: &str| {
            let manifests = index["manifests"].as_array().unwrap().iter();
            let tagged = |m: &&serde_json::Value| {
                m["annotations"]["org.opencontainers.image.ref.name"] == name || m["digest"] == name
            };
            Some(manifests.clone().find(tagged)?["digest"].as_str()?.to_owned())
        };
        let Some(path) = asked.target.strip_prefix("/v2/") else { return Reply::new(404) };
        if path.is_empty() {
            return Reply::ok("{}");
        }
        let digest = match path.strip_prefix("a/b/manifests/") {
            Some(name) => named(name),
            None => path.strip_prefix("a/b/blobs/").map(str::to_owned),
        };
        let blob = digest.as_deref().and_then(|d| blobs.get(d.strip_prefix("sha256:")?));
        blob.map_or(Reply::new(404), |bytes| {
            Reply::ok(bytes.clone()).header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        })
    })
}

#[test]
fn from_every_kind_of_place() {
    let (test, _) = collected();
    test.push("keys", "oci:l:image");
    test.run("push keys oci:l:artifact --as artifact").exits(0);
    std::fs::create_dir(test.path("carried")).unwrap();
    test.push("keys", "oci-archive:carried/a.tar:k");
    std::fs::create_dir(test.path("set")).unwrap();
    test.write("set/mirror_000001.tar", super::keeper::tar(&[("x".to_owned(), vec![7; 600])].into()));
    test.push("keys", "oc-mirror:set");
    let server = registry(&test);
    let digest = keypack::oci::Digest::of(&test.read("keys/keypack.json"));
    let host = server.host();
    let places = [
        "oci:l:image".to_owned(),
        "oci:l:artifact".to_owned(),
        "oci-archive:carried/a.tar:k".to_owned(),
        "oc-mirror:set".to_owned(),
        format!("docker://{host}/a/b:image --plain-http"),
        format!("docker://{host}/a/b:artifact --plain-http"),
    ];
    for (n, place) in places.iter().enumerate() {
        test.run(&format!("pull {place} {ROOT} -o keys-{n}")).exits(0);
        assert_eq!(chain_files(&test, &format!("keys-{n}")), chain_files(&test, "keys"), "{place}");
        test.run(&format!("pull {place} {ROOT} --digest {digest} -o both-{n}")).exits(0);
        assert!(test.tree(&format!("both-{n}")) == test.tree("keys"), "{place}");
        test.run(&format!("pull {place} {ROOT} --digest sha256:{} -o no", "0".repeat(64)))
            .fails(3, "anchor-digest-mismatch");
        test.run(&format!("pull {place} --tuf-root builtin --digest {digest} -o no"))
            .fails(3, "tuf-signatures");
        assert!(!test.has("no"), "{place}");
    }
}

#[test]
fn a_chain_with_files_that_nothing_asks_for() {
    let (test, _) = collected();
    let mut more = chain_files(&test, "keys");
    more.insert("7.root.json".into(), b"{}".to_vec());
    more.insert("targets/readme.txt".into(), b"whatever".to_vec());
    replace_chain(&test, &more);
    test.run(&format!("pull oci:f:k {ROOT} -o out")).exits(0);
    assert_eq!(chain_files(&test, "out"), chain_files(&test, "keys"), "only what was verified goes on");
}

#[test]
fn a_chain_under_the_name_of_another_repository() {
    let (test, keeper) = collected();
    let file = chain_file(&test, "keys");
    edit_pack(&test, |files, inventory| {
        let tar = files.remove(&file).unwrap();
        files.insert("tuf-sigstore.tar".into(), tar);
        let record = &mut inventory["tuf"][0];
        record["name"] = "tuf-sigstore".into();
        record["file"] = "tuf-sigstore.tar".into();
        record["repository"] = "https://tuf-repo-cdn.sigstore.dev".into();
    });
    test.run("pull oci:f:k --tuf-root builtin -o out").fails(3, "tuf-signatures");
    test.run(&format!("pull oci:f:k {ROOT} -o out")).exits(0);
    let out = test.json("out/keypack.json");
    let root = keypack::oci::Digest::of(keeper.first_root());
    assert_eq!(out["tuf"][0]["repository"], format!("TUF root {root}"));
    assert_eq!(out["tuf"][0]["name"], format!("tuf-{}", &root.hex()[..8]));
}

#[test]
fn a_newer_root_beside_the_older_one_takes_packs_of_before() {
    // The officer brings the new root before the first pack that knows it.
    let (test, mut keeper) = collected();
    test.push("keys", "oci:p:k");
    keeper.rotate("root");
    test.write("second.json", &keeper.files["2.root.json"]);
    test.run(&format!("pull oci:p:k {ROOT} --tuf-root second.json -o out")).exits(0);
}
