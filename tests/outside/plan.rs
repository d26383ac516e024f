//! `diff --plan` on a mirror with images of two keys: what only one of them verifies, the scopes that bridge a policy with one key, and
//! skopeo under the new policy with these scopes.

use std::{collections::BTreeSet, path::Path, process::Command};

use libtest_mimic::Trial;
use rcgen::{KeyPair, PublicKeyData};
use serde_json::Value;

use crate::{
    admission::content::{Content, Layer, digest, payload},
    support::{
        find::{find, verifies_sigstore},
        program::Test,
    },
};

const SOURCE: &str = "quay.example/acme";

pub(crate) fn trials() -> Vec<Trial> {
    let registry = find("docker-registry");
    let skopeo = find("skopeo").filter(|skopeo| verifies_sigstore(skopeo) && registry.is_some());
    let plan = Trial::test("plan::from_one_key_to_another", || {
        from_one_key_to_another();
        Ok(())
    });
    let pulls = Trial::test("plan::skopeo_pulls_under_the_bridge", {
        let skopeo = skopeo.clone();
        move || {
            pulls_under_the_bridge(&skopeo.expect("skopeo"));
            Ok(())
        }
    });
    let needing = |trial: Trial, needs: &str, ready: bool| {
        if ready { trial } else { trial.with_kind(format!("needs {needs}")).with_ignored_flag(true) }
    };
    vec![
        needing(plan, "docker-registry", registry.is_some()),
        needing(pulls, "docker-registry and skopeo (1.10 or newer)", skopeo.is_some()),
    ]
}

/// A mirror whose images have signatures of an old key, of a new one, of both or of none; and the keys/ of two packs, whose rules
/// name one key each.
struct Lab {
    test: Test,
    content: Content,
    only_old: BTreeSet<String>,
    only_new: BTreeSet<String>,
}

impl Lab {
    /// With this many images that only the old key signs, in a repository that has an image of the new key too.
    fn new(old_images: usize) -> Self {
        let mut content = Content::new();
        let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
        let mut add = |name: &str, tag: &str, signers: &[usize]| {
            let repository = format!("acme/{name}");
            let image = content.image(&repository, Some(tag), "amd64");
            let signed =
                |key: &usize| Layer::signed(&keys[*key], payload(&format!("{SOURCE}/{name}"), &image));
            let layers: Vec<_> = signers.iter().map(signed).collect();
            if !layers.is_empty() {
                content.attach(&repository, &image, &layers);
            }
            [format!("{SOURCE}/{name}:{tag}"), format!("{SOURCE}/{name}@{image}")]
        };
        let only_old = (0..old_images).flat_map(|n| add("app", &format!("v{n}"), &[0])).collect();
        let only_new = add("app", "new", &[1]).into_iter().collect();
        add("both", "v1", &[0, 1]);
        add("unsigned", "v1", &[]);
        let test = Test::new();
        packed(&test, content.host(), "old", &keys, &[0]);
        packed(&test, content.host(), "new", &keys, &[1]);
        Self { test, content, only_old, only_new }
    }

    fn plan(&self, consumer: &str) -> Value {
        let (host, map) = (self.content.host(), self.map());
        let line = format!(
            "diff old new --plan {consumer} --images docker://{host} --plain-http {map} -o bridge-{consumer} --state old-state --format json"
        );
        self.test.run(&line).exits(0).json()["plan"].clone()
    }

    fn map(&self) -> String {
        format!("--map {}/acme={SOURCE}", self.content.host())
    }
}

/// More images than an object of OpenShift has scopes: each has one for its tag and one for its digest.
const OLD_IMAGES: usize = 130;

fn from_one_key_to_another() {
    let lab = Lab::new(OLD_IMAGES);
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    for consumer in ["openshift@4.22", "skopeo@1.9"] {
        let plan = lab.plan(consumer);
        let images = &plan["images"];
        assert_eq!(names(&images["onlyOld"]), lab.only_old, "{consumer}");
        assert_eq!(names(&images["onlyNew"]), lab.only_new, "{consumer}");
        assert_eq!((images["both"].clone(), images["neither"].clone()), (2.into(), 2.into()), "{consumer}");
        assert_eq!(images["bridged"], lab.only_old.len(), "{consumer}: as evaluated");
        let scopes: BTreeSet<_> =
            plan["bridge"].as_array().unwrap().iter().flat_map(|object| names(&object["scopes"])).collect();
        assert_eq!(scopes, lab.only_old, "{consumer}");
        assert!(plan["steps"]["back"].to_string().contains("2 pulls"), "{plan}");
    }
    let openshift = lab.plan("openshift@4.22");
    let bridge = openshift["bridge"].as_array().unwrap();
    let sizes: Vec<_> = bridge.iter().map(|object| object["scopes"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [256, 2 * OLD_IMAGES - 256], "the CRD takes 256");
    // The object is one that OpenShift takes.
    let (host, map) = (lab.content.host(), lab.map());
    assert!(
        openshift["steps"]["first"].to_string().contains("after/*.yaml bridge-openshift@4.22/*.yaml)"),
        "{openshift}"
    );
    for object in bridge {
        let file = format!("bridge-openshift@4.22/{}.yaml", object["name"].as_str().unwrap());
        let written = String::from_utf8(lab.test.read(&file)).unwrap();
        assert_eq!(written.split_once('\n').unwrap().1, object["text"]);
        let verify = format!("verify docker://{host}/acme/app --plain-http {map} --policy {file}");
        lab.test.run(&verify).exits(0);
    }
}

/// The new policy for a consumer with one key, alone and with the scopes of the plan.
fn pulls_under_the_bridge(skopeo: &Path) {
    let lab = Lab::new(2);
    let (test, host, map) = (&lab.test, lab.content.host(), lab.map());
    test.run(&format!(
        "export policy-json --for skopeo@1.17 --keys-dir new {map} -o after --state new-state"
    ))
    .exits(0);
    let old_image = &format!("{SOURCE}/app:v0");
    let new_image = &format!("{SOURCE}/app:new");
    assert!(!pull(test, skopeo, host, old_image) && pull(test, skopeo, host, new_image));
    let mut policy = test.json("after/policy.json");
    lab.plan("skopeo@1.9");
    // As jq's `*` does.
    let bridge = test.json("bridge-skopeo@1.9/bridge.json");
    for (scope, requirement) in bridge["transports"]["docker"].as_object().unwrap() {
        policy["transports"]["docker"][scope] = requirement.clone();
    }
    test.write("after/policy.json", policy.to_string());
    for image in [old_image, new_image, &format!("{SOURCE}/both:v1"), lab.only_old.last().unwrap()] {
        assert!(pull(test, skopeo, host, image), "{image}");
    }
    assert!(!pull(test, skopeo, host, &format!("{SOURCE}/unsigned:v1")));
}

/// A pack whose rule names these keys, pulled here.
fn packed(test: &Test, host: &str, name: &str, keys: &[KeyPair], signers: &[usize]) {
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
