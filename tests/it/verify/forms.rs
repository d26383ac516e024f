//! Every form of signature, from a layout and from a registry's data folder.

use super::{super::cli::lab::FORMATS, IDENTITY, TRUST, Test, image, pulled, storage};

#[test]
fn the_nine_forms_are_good_in_a_data_folder_and_who_and_when_is_said() {
    let test = pulled(None);
    let keyed = test.run("verify storage --format json").exits(0).json();
    let keyless = test.run(&format!("verify storage {IDENTITY} --format json")).exits(4).json();
    for (name, form, found, roles) in FORMATS {
        let certified = roles.contains(&"fulcio");
        let found_here = if certified { &keyless } else { &keyed };
        let image = image(found_here, &format!("{name}/img1"));
        assert_eq!(image["state"], "good", "{name}");
        let signature = &image["signatures"][0];
        assert_eq!((&signature["form"], &signature["found"]), (&form.into(), &found.into()), "{name}");
        let logged = roles.iter().any(|role| role.starts_with("rekor"));
        assert_eq!(signature["logged"], logged, "{name}");
        let clock = match () {
            () if roles.contains(&"tsa") => "timestamp".into(),
            () if logged => "log".into(),
            () => serde_json::Value::Null,
        };
        assert_eq!(signature["clock"], clock, "{name}");
        assert_eq!(signature["time"].is_string(), logged, "{name}");
        if certified {
            assert_eq!(signature["signer"]["identity"], "https://ci.test/build.yml@main");
            assert_eq!(signature["signer"]["kind"], "uri");
            assert_eq!(signature["signer"]["issuer"], "https://issuer.test");
        } else {
            assert_eq!(signature["signer"]["key"], "signer-43ef7bc8.pub");
        }
    }
}

#[test]
fn the_nine_forms_are_good_in_layouts() {
    let test = Test::new();
    for (name, _, _, roles) in FORMATS {
        let who = if roles.contains(&"fulcio") { IDENTITY } else { "" };
        let line = format!("verify oci:lab/layouts/{name}-cosignsave {TRUST} {who}");
        test.run(&line).exits(0).says("1 image verified").says("NOT AUTHENTICATED");
    }
}

#[test]
fn a_signature_without_a_log_entry_does_not_count_where_one_is_asked_for() {
    let test = Test::new();
    test.run(&format!("verify oci:lab/layouts/key-tag-notlog-cosignsave {TRUST} --require-log"))
        .fails(4, "nothing-signed");
    test.run(&format!("verify oci:lab/layouts/key-tag-rekor1-cosignsave {TRUST} --require-log")).exits(0);
}

#[test]
fn without_keys_of_ones_own_nothing_is_good() {
    let test = Test::new();
    storage(&test);
    test.run("verify storage").fails(1, "keys-not-found");
    test.write("mine/notes.txt", "hello");
    test.run("verify storage --keys-dir mine").fails(1, "keys-with-foreign-files").tells("notes.txt");
    // No built-in keys, nothing of this host.
    let ran = test.run("verify oci:lab/layouts/key-tag-rekor1-cosignsave --key lab/trust/cosign.pub");
    super::says_nothing_is_verified(ran.fails(4, "images-refused").says("no-key"));
}
