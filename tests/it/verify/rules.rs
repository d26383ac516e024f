//! Who should have signed: rules, names, and what happens to images that lack a signature.

use super::{IDENTITY, image, keep, key, linked, pulled, says_nothing_is_verified, strip};

fn keyless(scope: &str, identity: &str) -> String {
    format!(
        "  - scope: {scope}\n    signers:\n      - authorities: [fulcio-98cd189d]\n        identity: {identity}\n        \
         oidcIssuer: https://issuer.test\n    log: required\n"
    )
}

const SIGNER: &str = "https://ci.test/build.yml@main";

#[test]
fn a_mirror_whose_signatures_were_stripped_is_refused_and_never_called_verified() {
    let rules = [
        "rules:\n".to_owned(),
        key("registry.example"),
        keyless("registry.example/keyless-tag-rekor1", SIGNER),
    ];
    let test = pulled(Some(&rules.concat()));
    for other in ["key-bundle", "key-ref", "keyless-bundle"] {
        let all = "storage/docker/registry/v2/repositories";
        for name in test.names(all).iter().filter(|name| name.starts_with(other)) {
            std::fs::remove_dir_all(test.path(&format!("{all}/{name}"))).unwrap();
        }
    }
    test.run("verify storage").exits(0).says("15 images verified");
    strip(&test);
    for line in ["verify storage", "verify storage -v", "verify storage --format json"] {
        says_nothing_is_verified(test.run(line).exits(4)).says("signature-missing");
    }
    // Without rules it is unknown whether they were signed; an entirely unsigned mirror is never success.
    let test = pulled(None);
    keep(&test, "key-tag");
    strip(&test);
    says_nothing_is_verified(test.run("verify storage").fails(4, "nothing-signed"));
}

#[test]
fn one_stripped_image_among_good_ones_is_refused() {
    let test = pulled(Some(&format!("rules:\n{}", key("registry.example/key-tag-notlog"))));
    keep(&test, "key-tag-notlog");
    let image = "storage/docker/registry/v2/repositories/key-tag-notlog/img3";
    let tags = test.names(&format!("{image}/_manifests/tags"));
    let tag = tags.iter().find(|tag| tag.contains(".sig")).unwrap();
    let digest = linked(&test, "key-tag-notlog/img3", tag);
    std::fs::remove_dir_all(test.path(&format!("{image}/_manifests/tags/{tag}"))).unwrap();
    std::fs::remove_dir_all(test.path(&format!("{image}/_manifests/revisions/sha256/{}", &digest[7..])))
        .unwrap();
    let ran = test.run("verify storage").fails(4, "images-refused");
    says_nothing_is_verified(ran.says("key-tag-notlog/img3:v1  signature-missing").says("4 good, 1 refused"));
}

#[test]
fn a_keyless_signature_counts_by_a_rule_or_by_flags_alone() {
    let test = pulled(None);
    keep(&test, "keyless");
    let found = test.run("verify storage --format json").fails(4, "nothing-signed").json();
    let image = image(&found, "keyless-tag-rekor1/img1");
    assert_eq!(image["state"], "unexpected");
    assert_eq!(image["signatures"][0]["problem"]["code"], "signer-without-rule");
    assert_eq!(found["failure"]["code"], "nothing-signed", "one JSON object");
    test.run(&format!("verify storage {IDENTITY}")).exits(0).says("15 images verified");
    test.run(&format!("verify storage {}", IDENTITY.replace("main", "other"))).fails(4, "images-refused");
    test.run(&format!("verify storage {}", IDENTITY.replace("issuer.test", "issuer.other")))
        .fails(4, "images-refused")
        .says("signer-unexpected");
    // The issuer is part of the identity: without it only a private CA's certificates count.
    test.run(&format!("verify storage --certificate-identity {SIGNER}")).fails(4, "images-refused");
    test.run("verify storage --certificate-oidc-issuer https://issuer.test").fails(2, "usage");
    let test = pulled(Some(&format!("rules:\n{}", keyless("registry.example", SIGNER))));
    keep(&test, "keyless");
    test.run("verify storage").exits(0).says("15 images verified");
    let test = pulled(Some(&format!("rules:\n{}", keyless("registry.example", "https://ci.test/other"))));
    keep(&test, "keyless");
    says_nothing_is_verified(test.run("verify storage").fails(4, "images-refused"));
}

#[test]
fn expressions_match_as_cosigns_do_and_that_is_said() {
    let test = pulled(None);
    keep(&test, "keyless");
    let issuer = "--certificate-oidc-issuer https://issuer.test";
    test.run(&format!("verify storage --certificate-identity-regexp build {issuer}"))
        .exits(0)
        .tells("begin it with ^ and end it with $");
    let ran =
        test.run(&format!("verify storage --certificate-identity-regexp ^https://ci[.]test/.*$ {issuer}"));
    assert!(!ran.exits(0).err.contains("begin it with"));
    test.run(&format!("verify storage --certificate-identity-regexp ^build$ {issuer}"))
        .fails(4, "images-refused");
    test.run(&format!("verify storage --certificate-identity-regexp ( {issuer}")).fails(2, "usage");
}

#[test]
fn images_outside_of_every_rule_need_no_signature_unless_all_must_have_one() {
    let test = pulled(Some(&format!("rules:\n{}", key("registry.example/key-tag-notlog"))));
    test.run("verify storage").exits(0).says("30 images verified; 15 without a signature that counts");
    says_nothing_is_verified(test.run("verify storage --require-signed").fails(4, "not-all-signed"));
}

#[test]
fn the_name_that_was_signed_is_a_finding_and_under_a_rule_a_refusal() {
    let map = "--map key-tag-notlog=registry.example/app";
    let test = pulled(None);
    keep(&test, "key-tag-notlog");
    let found = test.run(&format!("verify storage {map} --format json")).exits(0).json();
    let signature = &image(&found, "key-tag-notlog/img1")["signatures"][0];
    assert_eq!(
        (&signature["state"], &signature["problem"]["code"]),
        (&"good".into(), &"name-differs".into())
    );
    let identity = "    signedIdentity: {type: matchRepository}\n";
    let test = pulled(Some(&format!("rules:\n{}{identity}", key("registry.example/app"))));
    keep(&test, "key-tag-notlog");
    says_nothing_is_verified(test.run(&format!("verify storage {map}")).exits(4).says("name-differs"));
    // The lab signed under the name of its registry.
    test.run("verify storage --map key-tag-notlog=127.0.0.1:5012/key-tag-notlog").exits(0);
}
