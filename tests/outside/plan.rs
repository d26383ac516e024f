//! `diff --plan` on a mirror with images of two keys: what only one of them verifies, the scopes that bridge a policy with one key, and
//! skopeo under the new policy with these scopes.

use std::{collections::BTreeSet, path::Path, process::Command};

use libtest_mimic::Trial;
use rcgen::{KeyPair, PublicKeyData};
use serde_json::Value;

use crate::{
    admission::content::{Content, Layer, digest, payload},
    support::{find::find, program::Test},
};

const SOURCE: &str = "quay.example/acme";

pub(crate) fn trials() -> Vec<Trial> {
    let skopeo = find("skopeo").filter(|_| find("docker-registry").is_some());
    match skopeo {
        Some(skopeo) => vec![Trial::test("plan::from one key to another", move || {
            rotation(&skopeo);
            Ok(())
        })],
        None => vec![
            Trial::test("plan::from one key to another: needs docker-registry and skopeo", || Ok(()))
                .with_ignored_flag(true),
        ],
    }
}

/// More images than an object of OpenShift has scopes: each has one for its tag and one for its digest.
const OLD_IMAGES: usize = 130;

fn rotation(skopeo: &Path) {
    let test = Test::new();
    let mut content = Content::new();
    let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
    let mut add = |name: &str, tag: &str, signers: &[usize]| {
        let repository = format!("acme/{name}");
        let image = content.image(&repository, Some(tag), "amd64");
        let signed = |key: &usize| Layer::signed(&keys[*key], payload(&format!("{SOURCE}/{name}"), &image));
        let layers: Vec<_> = signers.iter().map(signed).collect();
        if !layers.is_empty() {
            content.attach(&repository, &image, &layers);
        }
        [format!("{SOURCE}/{name}:{tag}"), format!("{SOURCE}/{name}@{image}")]
    };
    // One repository has images of both keys.
    let only_old: BTreeSet<_> = (0..OLD_IMAGES).flat_map(|n| add("app", &format!("v{n}"), &[0])).collect();
    let only_new: BTreeSet<_> = add("app", "new", &[1]).into_iter().collect();
    add("both", "v1", &[0, 1]);
    add("unsigned", "v1", &[]);
    let host = content.host().to_owned();
    let old = packed(&test, &host, "old", &keys, &[0]);
    let new = packed(&test, &host, "new", &keys, &[1]);
    let plan = |consumer: &str| -> Value {
        let line = format!(
            "diff {old} {new} --plan {consumer} --images docker://{host} --plain-http --map {host}/acme={SOURCE} --format json"
        );
        test.run(&line).exits(0).json()["plan"].clone()
    };
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    for consumer in ["openshift@4.22", "skopeo@1.9"] {
        let plan = plan(consumer);
        let images = &plan["images"];
        assert_eq!(names(&images["onlyOld"]), only_old, "{consumer}");
        assert_eq!(names(&images["onlyNew"]), only_new, "{consumer}");
        assert_eq!((images["both"].clone(), images["neither"].clone()), (2.into(), 2.into()), "{consumer}");
        assert_eq!(images["bridged"], only_old.len(), "{consumer}: as evaluated");
        let scopes: BTreeSet<_> =
            plan["bridge"].as_array().unwrap().iter().flat_map(|object| names(&object["scopes"])).collect();
        assert_eq!(scopes, only_old, "{consumer}");
        assert!(plan["steps"]["back"].to_string().contains("2 pulls"), "{plan}");
    }
    let openshift = plan("openshift@4.22");
    let bridge = openshift["bridge"].as_array().unwrap();
    let sizes: Vec<_> = bridge.iter().map(|object| object["scopes"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [256, 2 * OLD_IMAGES - 256], "the CRD takes 256");
    // The object is one that OpenShift takes.
    for object in bridge {
        test.write("object.yaml", object["text"].as_str().unwrap());
        let verify = format!(
            "verify docker://{host}/acme/app --plain-http --map {host}/acme={SOURCE} --policy object.yaml"
        );
        test.run(&verify).exits(0);
    }
    // The new policy for a consumer with one key, alone and with the scopes.
    let map = format!("--map {host}/acme={SOURCE}");
    test.run(&format!(
        "export policy-json --for skopeo@1.17 --keys-dir new {map} -o after --state new-state"
    ))
    .exits(0);
    let old_image = &format!("{SOURCE}/app:v0");
    let new_image = &format!("{SOURCE}/app:new");
    assert!(!pull(&test, skopeo, &host, old_image) && pull(&test, skopeo, &host, new_image));
    let mut policy = test.json("after/policy.json");
    let members: Value =
        serde_json::from_str(plan("skopeo@1.9")["bridge"][0]["text"].as_str().unwrap()).unwrap();
    for (scope, requirement) in members.as_object().unwrap() {
        policy["transports"]["docker"][scope] = requirement.clone();
    }
    test.write("after/policy.json", policy.to_string());
    for image in [old_image, new_image, &format!("{SOURCE}/both:v1"), only_old.last().unwrap()] {
        assert!(pull(&test, skopeo, &host, image), "{image}");
    }
    assert!(!pull(&test, skopeo, &host, &format!("{SOURCE}/unsigned:v1")));
}

/// A pack whose rule names these keys, pulled here.
fn packed(test: &Test, host: &str, name: &str, keys: &[KeyPair], signers: &[usize]) -> String {
    let id = |key: &KeyPair| format!("{{key: \"signer:{}\"}}", &digest(&key.subject_public_key_info())[7..]);
    for (number, key) in keys.iter().enumerate() {
        test.write(&format!("{number}.pub"), key.public_key_pem());
    }
    let signers: Vec<_> = signers.iter().map(|number| id(&keys[*number])).collect();
    let rules = format!(
        "rules:\n  - scope: {SOURCE}\n    signers: [{}]\n    log: none\n    signedIdentity: {{type: matchRepository}}\n",
        signers.join(", ")
    );
    test.write("rules.yaml", rules);
    let line = format!(
        "collect docker://{host} --plain-http --key 0.pub --key 1.pub --include all --accept-rules rules.yaml -o made-{name} --state there-{name}"
    );
    let pack = test.run(&line).after("Pack: ");
    test.push(&format!("made-{name}"), &format!("oci-archive:{name}.tar:k"));
    test.run(&format!("pull oci-archive:{name}.tar:k --digest {pack} -o {name} --state {name}-state"))
        .exits(0);
    name.to_owned()
}

fn pull(test: &Test, skopeo: &Path, host: &str, name: &str) -> bool {
    let conf = format!(
        "[[registry]]\nlocation = \"{SOURCE}\"\n[[registry.mirror]]\nlocation = \"{host}/acme\"\ninsecure = true\n"
    );
    test.write("registries.conf", conf);
    let mut command = Command::new(skopeo);
    command
        .env_clear()
        .env("HOME", test.path("home"))
        .env("PATH", "/usr/bin:/bin")
        .current_dir(test.path(""));
    command.args(["--policy", "after/policy.json", "--registries.d", "after/registries.d"]);
    command.args([
        "--registries-conf",
        "registries.conf",
        "--override-os",
        "linux",
        "--override-arch",
        "amd64",
        "copy",
    ]);
    let output = command.arg(format!("docker://{name}")).arg("dir:out").output().unwrap();
    let _ = std::fs::remove_dir_all(test.path("out"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("invalid policy"), "{said}");
    output.status.success()
}
