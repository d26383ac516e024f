//! Signatures as files beside an image or in a lookaside tree: GPG, and certificates of a private CA.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::oci::Digest;
use rcgen::{CertificateParams, SanType, SigningKey, date_time_ymd};
use serde_json::json;

use super::{
    super::{
        gpg::place::{owner, signed_image},
        trust::test_keys::{self, Authority},
    },
    Test, says_nothing_is_verified,
};

/// The digest of the image in the folder `image`.
fn image(test: &Test) -> Digest {
    Digest::of(&test.read("image/manifest.json"))
}

#[test]
fn a_lookaside_tree_has_the_signatures_of_images_that_are_elsewhere() {
    let (test, owner) = (Test::new(), owner());
    signed_image(&test, &owner, "registry.example/team/app:v1");
    let signature = test.read("image/signature-1");
    std::fs::remove_file(test.path("image/signature-1")).unwrap();
    let folder = format!("sigstore/team/app@sha256={}", image(&test).hex());
    let line = "verify dir:image lookaside:sigstore --key owner.asc";
    test.run(line).fails(1, "not-found");
    test.write("sigstore/team/notes.txt", "nothing");
    test.run(line).fails(1, "wrong-place").tells("REPOSITORY@sha256=<digest>");
    // A gap in the numbers hides what follows: the consumers stop there.
    test.write(&format!("{folder}/signature-2"), &signature);
    says_nothing_is_verified(test.run(line).fails(4, "nothing-signed"));
    test.write(&format!("{folder}/signature-1"), &signature);
    test.run(line).exits(0).says("1 image verified");
    test.run("discover dir:image lookaside:sigstore --key owner.asc --no-host").exits(0).says("1 signed");
    // The folder of another image: its name is a claim, and the signature says otherwise.
    std::fs::rename(test.path(&folder), test.path("sigstore/team/other")).unwrap();
    let other = format!("sigstore/team/app@sha256={}", Digest::of(b"other").hex());
    std::fs::rename(test.path("sigstore/team/other"), test.path(&other)).unwrap();
    says_nothing_is_verified(test.run(line).exits(4));
}

/// Signs the image in the folder `image` as cosign does with a certificate of one's own, and writes the CA's chain.
fn certified(test: &Test, root: &Authority, leaf: CertificateParams) {
    let issuing = root.issue("bank signing CA");
    let (certificate, key) = issuing.leaf(leaf);
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "registry.example/team/app"},
            "image": {"docker-manifest-digest": image(test).to_string()},
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string();
    let file = json!({
        "mimeType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "payload": BASE64.encode(&payload),
        "annotations": {
            "dev.cosignproject.cosign/signature": BASE64.encode(key.sign(payload.as_bytes()).unwrap()),
            "dev.sigstore.cosign/certificate": test_keys::chain(&[&certificate]).to_pem(),
        },
    });
    test.write("image/signature-1", format!("\0sigstore-json\n{file}"));
    test.write("bank.pem", test_keys::chain(&[&issuing.certificate, &root.certificate]).to_pem());
}

fn leaf() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![SanType::Rfc822Name("rel@bank.test".try_into().unwrap())];
    params
}

#[test]
fn a_certificate_of_a_private_ca_is_judged_by_this_hosts_clock() {
    let (test, root) = (Test::new(), test_keys::root("bank root"));
    signed_image(&test, &owner(), "registry.example/team/app");
    certified(&test, &root, leaf());
    let line = "verify dir:image --key pki=bank.pem";
    let expected = "--certificate-identity rel@bank.test";
    let found = test.run(&format!("{line} {expected} --format json")).exits(0).json();
    let signature = &found["images"][0]["signatures"][0];
    assert_eq!((&signature["state"], &signature["clock"]), (&json!("good"), &json!("host")), "{signature:#}");
    assert_eq!(signature["signer"]["identity"], "rel@bank.test");
    assert_eq!((&signature["signer"]["kind"], &signature["logged"]), (&json!("email"), &json!(false)));
    // Who signed is known, who should have is not.
    says_nothing_is_verified(test.run(line).fails(4, "nothing-signed").says("rel@bank.test"));
    says_nothing_is_verified(test.run(&format!("{line} --certificate-identity other@bank.test")).exits(4));
    says_nothing_is_verified(test.run(&format!("{line} {expected} --require-log")).exits(4));
    certified(&test, &test_keys::root("bank root"), leaf());
    let chain = test.read("bank.pem");
    certified(&test, &root, leaf());
    test.write("bank.pem", chain);
    says_nothing_is_verified(test.run(&format!("{line} {expected}")).fails(4, "images-refused"));
    let mut ended = leaf();
    ended.not_before = date_time_ymd(2020, 1, 1);
    ended.not_after = date_time_ymd(2021, 1, 1);
    certified(&test, &root, ended);
    says_nothing_is_verified(test.run(&format!("{line} {expected}")).fails(4, "images-refused"));
}
