//! A GPG key through its life: collected, written, carried, pinned, revoked.

use pgp::{composed::ArmorOptions, types::KeyDetails};

use keypack::oci::Digest;

use super::{
    lab::{Say, block, bound, bytes, message, payload_for, revocation},
    place::{EPOCH, owner, signed_image},
    program::Test,
};

fn collected() -> (Test, pgp::composed::SignedSecretKey, String) {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    signed_image(&test, &owner, "r.test/app:v1");
    test.run("collect dir:image --key owner.asc -o keys --no-host").exits(0);
    let file = test.names("keys").into_iter().find(|name| name.starts_with("gpg-")).unwrap();
    (test, owner, file)
}

fn fingerprint(test: &Test) -> String {
    test.json("keys/keypack.json")["keys"][0]["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_written_in_one_form_whatever_it_came_in() {
    let (test, owner, file) = collected();
    let json = test.json("keys/keypack.json");
    let key = &json["keys"][0];
    assert_eq!((key["role"].as_str(), key["algorithm"].as_str()), (Some("gpg"), Some("ed25519")));
    assert_eq!(key["userId"], "lab <lab@example.test>");
    assert_eq!(key["validity"]["start"], "2026-01-01T00:00:00Z");
    assert_eq!(file, format!("gpg-{}.asc", fingerprint(&test)[..8].to_lowercase()));
    let readme = String::from_utf8(test.read("keys/README.txt")).unwrap();
    assert!(readme.contains(&format!("/etc/pki/keypack/{file}")) && readme.contains(&fingerprint(&test)));
    assert!(!test.has("keys/trusted_root.json"), "a GPG key is nothing for sigstore clients");
    // The same from armour with text around it, byte for byte.
    let armour = block(&owner, &Say::default()).to_armored_string(ArmorOptions::default()).unwrap();
    test.write("owner.asc", format!("from the wiki\r\n{}", armour.replace('\n', "\r\n")));
    test.run("collect dir:image --key owner.asc -o again --no-host").exits(0);
    assert_eq!(test.read(&format!("keys/{file}")), test.read(&format!("again/{file}")));
}

#[test]
fn a_pack_is_pulled_by_the_fingerprint_that_gpg_prints() {
    let (test, _, file) = collected();
    test.push("keys", "oci:carry:k");
    let fingerprint = fingerprint(&test);
    let shown = test.run("inspect oci:carry:k");
    let copy = Digest::of(&test.read(&format!("keys/{file}"))).hex();
    assert!(shown.out.contains(&format!("pin         gpg:{fingerprint}@{copy}")), "{}", shown.out);
    let groups: Vec<_> = fingerprint.as_bytes().chunks(4).map(|c| std::str::from_utf8(c).unwrap()).collect();
    let pin = format!("gpg:{} @{copy}", groups.join(" "));
    test.run_args(&["pull", "oci:carry:k", "--pin", &pin, "-o", "in"]).exits(0);
    // Nothing authenticates the old name of the key, so it is renamed.
    let pulled = test.names("in").into_iter().find(|name| name.starts_with("gpg-")).unwrap();
    assert_eq!(test.read(&format!("in/{pulled}")), test.read(&format!("keys/{file}")));
    // Another key, a key id, and another role.
    let mut other = fingerprint.clone();
    other.replace_range(..1, if fingerprint.starts_with('0') { "1" } else { "0" });
    test.run_args(&["pull", "oci:carry:k", "--pin", &format!("gpg:{other}"), "-o", "no"]).exits(3);
    test.run_args(&["pull", "oci:carry:k", "--pin", &format!("gpg:{}", &fingerprint[24..]), "-o", "no"])
        .exits(2);
    let id = test.json("keys/keypack.json")["keys"][0]["id"].as_str().unwrap().to_owned();
    test.run_args(&["pull", "oci:carry:k", "--pin", &format!("signer:{}", &id[7..]), "-o", "no"]).exits(3);
    assert!(!test.has("no"));
}

#[test]
fn an_older_copy_of_a_pinned_key() {
    // Its owner added an expiry later: the older copy has none, so everything signed since would count.
    let (test, owner, _) = collected();
    test.push("keys", "oci:carry:old");
    test.write("owner.asc", bytes(&block(&owner, &Say { expires: Some(4000), day: 20, ..Say::default() })));
    test.run("collect dir:image --key owner.asc -o keys --no-host").exits(0);
    test.push("keys", "oci:carry:new");
    let pin = |place: &str| {
        let shown = test.run(&format!("inspect {place}"));
        shown.out.lines().find_map(|line| line.trim().strip_prefix("pin ")).unwrap().trim().to_owned()
    };
    let (old, new) = (pin("oci:carry:old"), pin("oci:carry:new"));
    test.run(&format!("pull oci:carry:old --pin {new} -o in")).fails(3, "key-not-pinned");
    let bare = new.split('@').next().unwrap();
    let ran = test.run(&format!("pull oci:carry:old --pin {bare} -o in")).fails(3, "pin-incomplete");
    ran.tells("which copy").tells(&old);
    assert!(!test.has("in"));
    test.run(&format!("pull oci:carry:new --pin {new} -o in")).exits(0);
    // If the inventory is authenticated, the fingerprint that the owner publishes is enough.
    let digest = test.run("inspect oci:carry:new").after("Pack: ");
    test.run(&format!("pull oci:carry:new --digest {digest} --pin {bare} -o two")).exits(0);
}

#[test]
fn a_record_that_says_other_words_than_the_key() {
    let (test, _, file) = collected();
    let text = String::from_utf8(test.read("keys/keypack.json")).unwrap();
    let fingerprint = fingerprint(&test);
    for (from, to) in [
        ("lab <lab@example.test>", "Red Hat, Inc. <security@redhat.com>"),
        (fingerprint.as_str(), "567E347AD0044ADE55BA8A5F199E2F91FD431D51"),
        ("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ] {
        test.write("keys/keypack.json", text.replace(from, to));
        let ran = test.run("inspect keys").exits(3);
        assert!(ran.err.contains(&file), "{}", ran.err);
    }
}

#[test]
fn a_secret_key_in_a_pack() {
    let (test, owner, file) = collected();
    let mut armoured = Vec::new();
    pgp::armor::write(&owner, pgp::armor::BlockType::PublicKey, &mut armoured, None, true).unwrap();
    test.write(&format!("keys/{file}"), armoured);
    let ran = test.run("inspect keys").exits(3);
    assert!(ran.err.contains("private"), "{}", ran.err);
    test.write("owner.asc", bytes(&owner));
    let ran = test.run("collect dir:image --key owner.asc -o other --no-host");
    assert!(ran.code == 3 && ran.err.contains("private-key") && !test.has("other"), "{}", ran.err);
}

#[test]
fn a_key_that_its_owner_revoked_does_not_stay() {
    let (test, owner, file) = collected();
    let mut revoked = block(&owner, &Say::default());
    revoked.details.revocation_signatures.push(revocation(&owner));
    test.write("owner.asc", bytes(&revoked));
    let ran = test.run("collect dir:image --key owner.asc -o keys --no-host").exits(3);
    assert!(ran.err.contains("pack-without-keys") && ran.err.contains("that replace them"), "{}", ran.err);
    let another =
        "collect dir:image --key owner.asc --key lab/trust/cosign.pub --include all -o keys --no-host";
    let ran = test.run(another).exits(4);
    assert!(ran.out.contains("revoked by its owner"), "{}", ran.out);
    assert!(!test.has(&format!("keys/{file}")), "{:?}", test.names("keys"));
    let json = test.json("keys/keypack.json");
    assert_eq!(json["revoked"][0]["reason"], "revoked by its owner");
    // The old copy does not bring it back.
    test.write("owner.asc", bytes(&block(&owner, &Say::default())));
    let ran = test.run("collect dir:image --key owner.asc -o keys --no-host").exits(4);
    assert!(ran.err.contains("is revoked"), "{}", ran.err);
}

#[test]
fn a_newer_copy_of_a_key_is_told_as_changed() {
    let (test, owner, file) = collected();
    test.push("keys", "oci:carry:old");
    let renewed = Say { expires: Some(4000), day: 20, ..Say::default() };
    test.write("owner.asc", bytes(&block(&owner, &renewed)));
    test.run("collect dir:image --key owner.asc -o keys --no-host").exits(0);
    let ran = test.run("diff oci:carry:old keys");
    let line = ran.out.lines().find(|l| l.starts_with('~')).unwrap_or_else(|| panic!("{}", ran.out));
    assert!(
        line.contains(&file) && line.contains("file, validity") && line.contains(&fingerprint(&test)),
        "{line}"
    );
}

#[test]
fn signatures_that_can_not_be_read_are_told_by_collect_too() {
    let test = collected().0;
    for n in 1..=7 {
        let manifest = String::from_utf8(test.read("image/manifest.json")).unwrap();
        test.write(&format!("bad{n}/manifest.json"), manifest + &" ".repeat(n));
        test.write(&format!("bad{n}/signature-1"), "hello");
    }
    let ran = test.run("collect dir:image dir:bad1 --key owner.asc -o keys --no-host").exits(4);
    assert!(ran.out.contains("problem signature-malformed: dir:bad1@"), "{}", ran.out);
    let bad: String = (1..=7).map(|n| format!(" dir:bad{n}")).collect();
    let ran = test.run(&format!("collect dir:image{bad} --key owner.asc -o keys --no-host")).exits(4);
    assert_eq!(ran.out.matches("problem signature-malformed").count(), 5, "{}", ran.out);
    assert!(ran.out.contains("and 2 more problems: -v lists them"), "{}", ran.out);
    let ran = test.run(&format!("collect -v dir:image{bad} --key owner.asc -o keys --no-host")).exits(4);
    assert_eq!(ran.out.matches("problem signature-malformed").count(), 7, "{}", ran.out);
}

/// A reproducible build has a time in the past, and its signatures may be newer.
#[test]
fn a_time_of_creation_before_the_signature() {
    let test = Test::at_epoch("1767225600");
    signed_image(&test, &owner(), "r.test/app:v1");
    test.run("collect dir:image --key owner.asc -o keys").exits(0);
    assert_eq!(test.json("keys/keypack.json")["created"], "2026-01-01T00:00:00Z");
    test.run("discover dir:image --key owner.asc").exits(0);
}

/// A key with good and bad signatures, and one that is not available.
#[test]
fn a_key_is_counted_once() {
    let test = Test::new();
    let owner = owner();
    signed_image(&test, &owner, "r.test/app:v1");
    let image = Digest::of(&test.read("image/manifest.json"));
    let content = payload_for(image, "r.test/app:v1");
    let ended = Say { ends: Some(1), ..Say::default() }.sign(&owner.primary_key, &content);
    test.write("image/signature-2", message(&ended, &content));
    let counts = |line: &str| {
        let counts = test.run(line).exits(4).json()["counts"].clone();
        ["needed", "have", "open"].map(|count| counts[count].as_u64().unwrap())
    };
    assert_eq!(counts("discover dir:image --key owner.asc --format json"), [1, 1, 1]);
    assert_eq!(counts("discover dir:image --format json"), [1, 0, 1]);
    test.run("discover dir:image --key owner.asc")
        .exits(4)
        .says("1 key needed: 1 at hand and proved, 1 open");
}

/// The record in the inventory has the primary key's fingerprint alone: once the file is gone, only what the state kept of
/// it shows that it falls under the revocation of its subkey.
#[test]
fn a_key_that_was_revoked_by_its_subkey_stays_so_after_its_file_is_gone() {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    signed_image(&test, &owner, "r.test/app:v1");
    let mut with_subkey = block(&owner, &Say { flags: Some((true, true)), ..Say::default() });
    with_subkey.public_subkeys.push(bound(&owner, &owner, &Say::default(), true));
    let subkey = hex::encode_upper(with_subkey.public_subkeys[0].fingerprint().as_bytes());
    test.write("owner.asc", bytes(&with_subkey));
    test.run("collect dir:image --key owner.asc -o made --no-host").exits(0);
    let pack = test.push("made", "oci:carry:k").pack_digest;
    test.run(&format!("pull oci:carry:k --digest {pack} --max-age 40000d -o keys --state there")).exits(0);
    let verify = "verify dir:image --keys-dir keys --state there";
    test.run(verify).exits(0);
    let file = test.names("keys").into_iter().find(|name| name.starts_with("gpg-")).unwrap();
    let revoke = format!("revoke {subkey} --reason lost --keys-dir keys --state there --format json");
    let done = test.run(&revoke).exits(0).json();
    assert_eq!((&done["keys"][0]["file"], &done["left"]), (&file.as_str().into(), &0.into()));
    assert!(!test.has(&format!("keys/{file}")));
    let again = test.run(&revoke).exits(0).json();
    assert_eq!((&again["recorded"], &again["keys"][0]["file"]), (&"again".into(), &file.as_str().into()));
    test.run("inspect keys --state there")
        .exits(0)
        .says("minus 1 revoked here")
        .says(&format!("revoked here: {file}"));
    test.run(verify).fails(3, "revoked-here");
    // A copy of the file, put back, does not count either.
    test.write(&format!("keys/{file}"), test.read(&format!("made/{file}")));
    let shown = test.run("inspect keys --state there --format json").exits(0).json();
    assert_eq!(shown["revokedHere"][0]["stillThere"], true);
    test.run(verify).fails(3, "revoked-here");
}
