//! Every form of the lab verifies with exactly its keys, and with nothing else.

use keypack::{
    content::{Location, open_source},
    discover::{Target, discover},
    key::{Role, trusted_root},
    oci::Digest,
    signature::UntrustedSignature,
};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};

use super::{
    lab::{FORMS, forms, impostor, key, keys, lab, provenance, swapped, usable, verifier, without},
    test_keys,
};

/// What discover finds in a layout.
fn found(layout: &str) -> Vec<(Digest, UntrustedSignature)> {
    let path = lab().join("layouts").join(layout);
    let source = open_source(&Location::Layout(path, None), &keypack::registry::Options::default).unwrap();
    let discovery =
        discover(&[Target { source: source.as_ref(), only: None }], &mut |_| {}).expect("a readable layout");
    let of = |image: keypack::discover::Image| {
        image.signatures.into_iter().map(move |s| (image.digest, s.content.expect("a readable signature")))
    };
    discovery.images.into_iter().flat_map(of).collect()
}

#[test]
fn every_layout_that_holds_a_signature_verifies_with_exactly_its_keys() {
    let mut verified = 0;
    for (name, roles) in FORMS {
        let keys: Vec<_> = keys().into_iter().filter(|k| roles.contains(&k.role)).collect();
        for tool in ["oras", "cosignsave"] {
            let signatures = found(&format!("{name}-{tool}"));
            // `oras cp -r` drops `.sig` tags.
            let expected = usize::from(!(tool == "oras" && name.contains("-tag-")));
            assert_eq!(signatures.len(), expected, "{name}-{tool}");
            for (image, signature) in signatures {
                let result =
                    verifier(&keys).unwrap().judge(&signature, &image, jiff::Timestamp::now()).unwrap();
                let mut expected: Vec<_> = keys.iter().map(keypack::key::Key::key_ref).collect();
                expected.sort_unstable();
                assert_eq!(result.keys(), expected, "{name}-{tool}");
                let keyless = name.starts_with("keyless");
                assert_eq!(result.identity(), keyless.then_some("https://ci.test/build.yml@main"));
                assert_eq!(result.oidc_issuer(), keyless.then_some("https://issuer.test"));
                verified += 1;
            }
        }
    }
    assert_eq!(verified, 15);
}

#[test]
fn a_key_that_is_not_there_is_named() {
    for form in forms() {
        for role in form.roles {
            let code = form.judge(&without(&form.keys(), *role)).unwrap_err();
            assert_eq!(code, "no-key", "{} without {role}", form.name);
        }
        assert_eq!(form.judge(&[]).unwrap_err(), "no-key", "{}", form.name);
    }
}

#[test]
fn another_image_is_not_what_was_signed() {
    for mut form in forms() {
        form.image = Digest::of(b"another image");
        assert_eq!(form.refused(), "signed-for-other-image", "{}", form.name);
    }
}

/// Real keys of other instances, and generated keys, one by one for each role.
#[test]
fn a_good_key_of_somebody_else_does_not_serve() {
    let mut tried = 0;
    for form in forms() {
        for role in form.roles {
            for other in others(*role) {
                let keys = swapped(&form.keys(), other);
                let code = form.judge(&keys).unwrap_err();
                let expected = if *role == Role::Signer { "signature-does-not-match" } else { "no-key" };
                assert_eq!(code, expected, "{} with another {role}", form.name);
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

/// An attacker who could name keys: another key under the name of the right one.
#[test]
fn another_key_under_the_right_name_does_not_serve() {
    for form in forms() {
        for role in form.roles {
            for other in others(*role) {
                let keys = swapped(&form.keys(), impostor(*role, other.material));
                let code = form.judge(&keys).unwrap_err();
                let expected: &[&str] = match role {
                    Role::Signer => &["signature-does-not-match", "log-entry-refused"],
                    Role::Rekor | Role::Rekor2 => &["log-entry-refused"],
                    Role::CtLog => &["ct-timestamp-refused", "key-unusable"],
                    // The chain no longer matches what the signature says about its issuer.
                    Role::Fulcio | Role::Tsa | Role::Pki | Role::Gpg => &["no-key"],
                };
                assert!(expected.contains(&code), "{} with {role}: {code}", form.name);
            }
        }
    }
}

#[test]
fn keys_in_the_role_of_another_do_not_serve() {
    for form in forms() {
        for role in form.roles.iter().filter(|r| !r.is_chain()) {
            for wrong in Role::ALL.into_iter().filter(|r| r != role && !r.is_chain()) {
                let mut moved = key(*role);
                moved.role = wrong;
                let mut keys = without(&form.keys(), *role);
                keys.push(moved);
                assert!(form.judge(&keys).is_err(), "{}: {role} as {wrong}", form.name);
            }
        }
    }
}

fn others(role: Role) -> Vec<keypack::key::Key> {
    let mut others = Vec::new();
    for (json, source) in
        [(SIGSTORE_PRODUCTION_TRUSTED_ROOT, "production"), (SIGSTORE_STAGING_TRUSTED_ROOT, "staging")]
    {
        let candidates = trusted_root::read(json.as_bytes(), &provenance(source)).unwrap().candidates;
        others.extend(candidates.iter().map(usable).filter(|k| k.role == role));
    }
    if !role.is_chain() {
        others.push(test_keys::key(role));
    }
    others
}
