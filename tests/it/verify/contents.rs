//! What is judged beside cosign's signatures of single images: indexes, attestations, GPG.

use keypack::oci::Digest;
use serde_json::json;

use super::{
    super::gpg::{
        lab::{Say, block, bytes, message, payload_for},
        place::{owner, signed_image},
    },
    IDENTITY, TRUST, Test, blob, image, keep, linked, pulled, says_nothing_is_verified,
};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout `m` with an index `v1` of a signed image for amd64 and of one without a signature for arm64.
fn index(test: &Test) {
    test.layout("key-tag-notlog-cosignsave", "m");
    let mut layout = test.json("m/index.json");
    let signed = layout["manifests"][0].clone();
    let digest = signed["digest"].as_str().unwrap().to_owned();
    let mut other = test.json(&format!("m/blobs/sha256/{}", &digest[7..]));
    other["annotations"] = json!({"architecture": "arm64"});
    let add = |bytes: String| {
        let digest = Digest::of(bytes.as_bytes()).to_string();
        test.write(&format!("m/blobs/sha256/{}", &digest[7..]), &bytes);
        (digest, bytes.len())
    };
    let (arm, size) = add(other.to_string());
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {"mediaType": OCI, "digest": digest, "size": signed["size"], "platform": {"os": "linux", "architecture": "amd64"}},
            {"mediaType": OCI, "digest": arm, "size": size, "platform": {"os": "linux", "architecture": "arm64"}},
        ],
    });
    let (list, size) = add(list.to_string());
    layout["manifests"].as_array_mut().unwrap().push(json!({
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": list, "size": size,
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }));
    test.write("m/index.json", layout.to_string());
}

#[test]
fn the_platforms_that_are_asked_for_decide_about_an_index() {
    let test = Test::new();
    index(&test);
    let run = |more: &str| test.run(&format!("verify oci:m {TRUST} --require-signed {more}"));
    says_nothing_is_verified(run("").fails(4, "not-all-signed"));
    run("--platform linux/amd64").exits(0).says("verified");
    says_nothing_is_verified(run("--platform linux/arm64").exits(4));
    says_nothing_is_verified(run("--platform linux/amd64 --platform linux/arm64").exits(4));
    says_nothing_is_verified(run("--platform linux/s390x").fails(4, "not-all-read"));
    run("--platform linux").exits(2);
    let found =
        test.run(&format!("verify oci:m {TRUST} --format json --platform linux/amd64")).exits(0).json();
    let platforms: Vec<_> =
        found["images"].as_array().unwrap().iter().map(|i| (&i["state"], &i["platform"])).collect();
    assert!(platforms.contains(&(&json!("good"), &json!("linux/amd64"))), "{found:#}");
    assert!(platforms.iter().any(|(state, _)| *state == "good-by-list"), "{found:#}");
}

#[test]
fn an_attestation_is_listed_with_its_predicate_and_is_no_signature() {
    let test = Test::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/anchors");
    test.layout_of(fixtures, "signed-attested", "m");
    test.write("org.pub", std::fs::read(format!("{fixtures}/org.pub")).unwrap());
    let found = test.run("verify oci:m --key org.pub --format json").fails(4, "nothing-signed").json();
    let attested: Vec<_> = found["images"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|image| !image["attestations"].as_array().unwrap().is_empty())
        .collect();
    assert_eq!(attested.len(), 1, "{found:#}");
    assert_eq!(attested[0]["state"], "signed-otherwise");
    assert_eq!(attested[0]["signatures"], json!([]));
    let attestation = &attested[0]["attestations"][0];
    assert_eq!(attestation["state"], "good", "{attestation:#}");
    assert!(attestation["predicate"].as_str().unwrap().starts_with("https://"), "{attestation:#}");
    assert_eq!(found["counts"]["attestations"], 1);
    says_nothing_is_verified(test.run("verify oci:m --key org.pub").exits(4));
}

#[test]
fn gpg_signatures_beside_an_image_are_judged() {
    let (test, owner) = (Test::new(), owner());
    signed_image(&test, &owner, "registry.example/team/app:v1");
    let line = "verify dir:image --key owner.asc --format json";
    let found = test.run(line).exits(0).json();
    let signature = &found["images"][0]["signatures"][0];
    assert_eq!((&signature["form"], &signature["state"]), (&json!("openpgp"), &json!("good")));
    assert_eq!(signature["reference"], "registry.example/team/app:v1");
    // Another owner's key, another image, a byte that differs.
    let other = super::super::gpg::lab::secret();
    test.write("other.asc", bytes(&block(&other, &Say::default())));
    says_nothing_is_verified(test.run("verify dir:image --key other.asc").fails(4, "images-refused"));
    let manifest = String::from_utf8(test.read("image/manifest.json")).unwrap();
    test.write("image/manifest.json", manifest.replace("\"layers\":[]", "\"layers\":[ ]"));
    says_nothing_is_verified(test.run(line).exits(4));
    test.write("image/manifest.json", manifest);
    let mut signature = test.read("image/signature-1");
    let last = signature.len() - 1;
    signature[last - 20] ^= 1;
    test.write("image/signature-1", signature);
    says_nothing_is_verified(test.run(line).exits(4));
}

#[test]
fn the_gpg_signature_of_a_release_lies_in_the_working_dir() {
    let (test, owner) = (Test::new(), owner());
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b"{}"), "size": 2}, "layers": []}).to_string();
    let digest = Digest::of(manifest.as_bytes());
    let storage = "in/docker/registry/v2";
    let repository = format!("{storage}/repositories/openshift/release-images");
    for blob in [manifest.as_bytes(), b"{}"] {
        let hex = Digest::of(blob).hex();
        test.write(&format!("{storage}/blobs/sha256/{}/{hex}/data", &hex[..2]), blob);
    }
    test.write(&format!("{repository}/_manifests/tags/4.20.1-x86_64/current/link"), digest.to_string());
    test.write(
        &format!("{repository}/_manifests/revisions/sha256/{}/link", digest.hex()),
        digest.to_string(),
    );
    test.write("owner.asc", bytes(&block(&owner, &Say::default())));
    let sign = |reference: &str, of: Digest| {
        let content = payload_for(of, reference);
        let signature = Say::default().sign(&owner.primary_key, &content);
        let name = format!("in/working-dir/signatures/4.20.1-x86_64-sha256-{}", digest.hex());
        test.write(&name, message(&signature, &content));
    };
    let line = "verify oc-mirror:in --key owner.asc --format json";
    sign("quay.io/openshift-release-dev/ocp-release:4.20.1-x86_64", digest);
    let found = test.run(line).exits(0).json();
    let release = image(&found, "openshift/release-images");
    assert_eq!(
        (&release["state"], &release["signatures"][0]["form"]),
        (&json!("good"), &json!("openpgp")),
        "{release:#}"
    );
    assert_eq!(release["name"], "quay.io/openshift-release-dev/ocp-release");
    assert_eq!(release["signatures"][0].get("problem"), None);
    // Of another image: the name of the file is no proof.
    sign("quay.io/openshift-release-dev/ocp-release:4.20.1-x86_64", Digest::of(b"other"));
    says_nothing_is_verified(test.run(line).exits(4));
}

#[test]
fn a_wrong_signature_of_an_index_is_not_mended_by_its_instances() {
    let test = pulled(None);
    keep(&test, "key-tag-notlog");
    let name = "key-tag-notlog/img1";
    let (image, repository) =
        (linked(&test, name, "v1"), "storage/docker/registry/v2/repositories/key-tag-notlog/img1");
    let size = test.read(&blob(&image)).len();
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": OCI, "digest": image, "size": size, "platform": {"os": "linux", "architecture": "amd64"}}],
    })
    .to_string();
    let digest = Digest::of(list.as_bytes()).to_string();
    test.write(&blob(&digest), &list);
    test.write(&format!("{repository}/_manifests/revisions/sha256/{}/link", &digest[7..]), &digest);
    test.write(&format!("{repository}/_manifests/tags/list/current/link"), &digest);
    let state = || {
        let found = test.run("verify storage --format json").json();
        let images = found["images"].as_array().unwrap().clone();
        images.into_iter().find(|image| image["digest"] == digest.as_str()).unwrap()["state"].clone()
    };
    assert_eq!(state(), "good-by-list", "its one instance is good");
    // The signature of the instance, under the tag of the index.
    let mut signature = test.json(&blob(&linked(&test, name, &format!("{}.sig", image.replace(':', "-")))));
    signature["annotations"] = json!({"of": "the index"});
    let copy = Digest::of(signature.to_string().as_bytes()).to_string();
    test.write(&blob(&copy), signature.to_string());
    test.write(&format!("{repository}/_manifests/revisions/sha256/{}/link", &copy[7..]), &copy);
    test.write(&format!("{repository}/_manifests/tags/{}.sig/current/link", digest.replace(':', "-")), &copy);
    assert_eq!(state(), "refused");
    says_nothing_is_verified(test.run("verify storage").fails(4, "images-refused"));
}

/// An instance of which it is known who signed it, and not whether they should have.
#[test]
fn an_index_that_is_not_good_covers_none_of_its_instances() {
    let test = Test::new();
    test.layout("keyless-tag-rekor1-cosignsave", "m");
    let mut layout = test.json("m/index.json");
    // In the index alone: what the layout itself lists is no instance.
    let instance = layout["manifests"].as_array_mut().unwrap().remove(0);
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": OCI, "digest": instance["digest"], "size": instance["size"], "platform": {"os": "linux", "architecture": "amd64"}}],
    })
    .to_string();
    let digest = Digest::of(list.as_bytes());
    test.write(&format!("m/blobs/sha256/{}", digest.hex()), &list);
    layout["manifests"].as_array_mut().unwrap().push(json!({
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": list.len(),
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }));
    test.write("m/index.json", layout.to_string());
    let line = format!("verify oci:m {TRUST} --platform linux/amd64");
    let found = test.run(&format!("{line} --format json")).fails(4, "nothing-signed").json();
    let states: Vec<_> = found["images"].as_array().unwrap().iter().map(|image| &image["state"]).collect();
    assert!(states.contains(&&json!("unexpected")), "{found:#}");
    assert!(states.iter().all(|state| !state.as_str().unwrap().starts_with("good")), "{found:#}");
    test.run(&format!("{line} {IDENTITY}")).exits(0);
}
