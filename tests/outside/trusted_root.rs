//! The exported trusted root in the hands of its readers: cosign and sigstore-go verify the lab's images with it, off the network, and
//! refuse what they must; and what each consumer's form holds does the same, taken out as the consumer takes it.

use std::{path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{
    find::find,
    program::{TRUST, Test},
};

const WHO: &str =
    "--certificate-identity https://ci.test/build.yml@main --certificate-oidc-issuer https://issuer.test";

pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        ("cosign verifies with every form", "cosign", by_cosign as fn(&Path)),
        ("sigstore-go verifies bundles", "sigstore-go-verification", by_sigstore_go),
    ];
    let trial = |(name, program, run): (&str, &str, fn(&Path))| match find(program) {
        Some(path) => Trial::test(format!("trusted_root::{name}"), move || {
            run(&path);
            Ok(())
        }),
        None => {
            Trial::test(format!("trusted_root::{name}: no {program} here"), || Ok(())).with_ignored_flag(true)
        }
    };
    trials.into_iter().map(trial).collect()
}

/// A host with the keys that these layouts need.
fn host(layouts: &[&str]) -> Test {
    let test = Test::new();
    let all: Vec<_> = layouts.iter().map(|name| format!("lab/layouts/{name}")).collect();
    let pack = test.run(&format!("collect {} {TRUST} -o made --state there", all.join(" "))).exits(0);
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {} -o keys", pack.after("Pack: "))).exits(0);
    test
}

/// Whether the program succeeds where there is no network.
fn accepts(test: &Test, program: &Path, line: &str) -> bool {
    let mut command = Command::new("unshare");
    command.arg("-rn").arg(program).args(line.split(' ')).current_dir(test.path("")).env_clear();
    let output = command.env("HOME", test.path("home")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    for network in ["dial tcp", "lookup ", "tuf"] {
        assert!(!said.contains(network), "it asked the network: {line}: {said}");
    }
    output.status.success()
}

fn by_cosign(cosign: &Path) {
    let test = host(&[
        "key-tag-rekor1-cosignsave",
        "keyless-bundle-rekor2-cosignsave",
        "keyless-tag-rekor1-cosignsave",
    ]);
    let signer = test.names("keys").into_iter().find(|name| name.starts_with("signer-")).unwrap();
    let key = format!("--key keys/{signer}");
    for form in ["plain", "kyverno", "policy-controller", "flux", "rhacs"] {
        test.run(&format!("export trusted-root --as {form} -o {form}")).exits(0);
    }
    let yaml = |path: &str| -> Value {
        serde_saphyr::from_str(&String::from_utf8(test.read(path)).unwrap()).unwrap()
    };
    let kyverno = yaml("kyverno/trustedRoot.yaml")["trustedRoot"]["value"].as_str().unwrap().to_owned();
    let flux = decoded(&yaml("flux/keypack.yaml")["data"]["trusted_root.json"]);
    let controller = by_policy_controller(&yaml("policy-controller/keypack.yaml")["spec"]["sigstoreKeys"]);
    let roots = [
        ("plain", test.read("plain/trusted_root.json"), true),
        ("kyverno", kyverno.into_bytes(), true),
        ("flux", flux, true),
        ("rhacs", test.read("rhacs/trusted_root.json"), true),
        // Without Rekor v2.
        ("policy-controller", controller.to_string().into_bytes(), false),
    ];
    for (form, root, has_rekor2) in roots {
        test.write("root.json", root);
        let verify = |layout: &str, who: &str| {
            let line = format!(
                "verify --local-image --offline=true --trusted-root root.json {who} lab/layouts/{layout}-cosignsave"
            );
            accepts(&test, cosign, &line)
        };
        assert!(verify("key-tag-rekor1", &key), "{form}");
        assert!(verify("keyless-tag-rekor1", WHO), "{form}");
        assert_eq!(verify("keyless-bundle-rekor2", WHO), has_rekor2, "{form}");
        let other = WHO.replace("build.yml", "other.yml");
        assert!(!verify("keyless-tag-rekor1", &other) && !verify("keyless-bundle-rekor2", &other), "{form}");
        assert!(!verify("key-tag-notlog", &key), "{form}: it is in no log");
        assert!(!verify("key-tag-rekor1", "--key lab/trust/rekor.pub"), "{form}: another key");
    }
    // Without the log, nothing that is in it counts.
    let mut without = test.json("plain/trusted_root.json");
    without["tlogs"] = json!([]);
    test.write("root.json", without.to_string());
    let line = format!(
        "verify --local-image --offline=true --trusted-root root.json {key} lab/layouts/key-tag-rekor1-cosignsave"
    );
    assert!(!accepts(&test, cosign, &line));
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// The trusted root that policy-controller makes of a TrustRoot (pkg/apis/config/sigstore_keys.go, ConvertSigstoreKeys): without dates,
/// and with the ids of logs computed from their keys.
fn by_policy_controller(keys: &Value) -> Value {
    let ders = |value: &Value| -> Vec<Vec<u8>> {
        let text = String::from_utf8(decoded(value)).unwrap();
        let blocks = text.split("-----BEGIN").skip(1);
        let body =
            |block: &str| block.lines().skip(1).take_while(|line| !line.starts_with('-')).collect::<String>();
        blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
    };
    let start = json!({"start": "1970-01-01T00:00:00Z"});
    let log = |log: &Value| {
        let der = ders(&log["publicKey"]).remove(0);
        let id = keypack::oci::Digest::of(&der);
        json!({
            "baseUrl": log["baseURL"], "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": STANDARD.encode(&der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start},
            "logId": {"keyId": STANDARD.encode(id.as_bytes())},
        })
    };
    let authority = |authority: &Value| {
        let chain =
            ders(&authority["certChain"]).into_iter().map(|der| json!({"rawBytes": STANDARD.encode(der)}));
        json!({
            "subject": authority["subject"], "uri": authority["uri"],
            "certChain": {"certificates": chain.collect::<Vec<_>>()}, "validFor": start,
        })
    };
    let all = |name: &str, make: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        keys[name].as_array().unwrap().iter().map(make).collect()
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": all("tLogs", &log), "ctlogs": all("ctLogs", &log),
        "certificateAuthorities": all("certificateAuthorities", &authority),
        "timestampAuthorities": all("timestampAuthorities", &authority),
    })
}

fn by_sigstore_go(verifier: &Path) {
    let layouts =
        ["key-bundle-rekor1", "key-bundle-rekor2", "keyless-bundle-rekor1", "keyless-bundle-rekor2"];
    let stored: Vec<_> = layouts.iter().map(|name| format!("{name}-oras")).collect();
    let test = host(&stored.iter().map(String::as_str).collect::<Vec<_>>());
    test.run("export trusted-root -o root").exits(0);
    let signer = test.names("keys").into_iter().find(|name| name.starts_with("signer-")).unwrap();
    for layout in layouts {
        let (image, bundle) = bundle(&test, &format!("lab/layouts/{layout}-oras"));
        test.write("bundle.json", bundle);
        let keyless = layout.starts_with("keyless");
        let verify = |who: &str, digest: &str| {
            let options = if keyless { "-requireCTlog=true" } else { "-requireCTlog=false" };
            let line = format!(
                "-trustedrootJSONpath root/trusted_root.json {options} {who} -artifact-digest {digest} bundle.json"
            );
            accepts(&test, verifier, &line)
        };
        let (good, bad) = if keyless {
            let who = |san: &str| {
                format!("-expectedIssuer https://issuer.test -expectedSAN https://ci.test/{san}.yml@main")
            };
            (who("build"), who("other"))
        } else {
            (format!("-publicKey keys/{signer}"), "-publicKey lab/trust/rekor.pub".to_owned())
        };
        assert!(verify(&good, &image), "{layout}");
        assert!(!verify(&bad, &image), "{layout}");
        assert!(!verify(&good, &"0".repeat(64)), "{layout}");
    }
}

/// The digest of the image in a layout, in hex, and the bundle that refers to it.
fn bundle(test: &Test, layout: &str) -> (String, Vec<u8>) {
    let blob = |digest: &str| format!("{layout}/blobs/{}", digest.replace(':', "/"));
    let index = test.json(&format!("{layout}/index.json"));
    let manifests = index["manifests"].as_array().unwrap().iter();
    for entry in manifests {
        let manifest = test.json(&blob(entry["digest"].as_str().unwrap()));
        if let Some(image) = manifest["subject"]["digest"].as_str() {
            let layer = manifest["layers"][0]["digest"].as_str().unwrap();
            return (image.strip_prefix("sha256:").unwrap().to_owned(), test.read(&blob(layer)));
        }
    }
    panic!("{layout} has no bundle");
}
