//! `--threshold`: how many of the organisation's keys must have signed.

use super::{copy, scene};

#[test]
fn as_many_different_keys_as_are_demanded_must_have_signed() {
    let test = scene();
    let pull = "pull oci:m:old --verify-key fx/org.pub --verify-key";
    let ran = test.run(&format!("{pull} fx/other.pub --threshold 2 -o a"));
    let ran =
        ran.fails(3, "threshold-not-met").tells("2 of the given keys must have signed, and 1 did: sha256:");
    assert!(!test.has("a"), "{}", ran.err);
    let ran = test.run(&format!("{pull} fx/p384.pub --threshold 2 -o a")).exits(0);
    let _ = ran.tells("2 of 2 given keys signed; 2 are demanded");
    let ran = test.run(&format!("{pull} fx/p384.pub --verify-key fx/other.pub --threshold 2 -o b")).exits(0);
    let _ = ran.tells("2 of 3 given keys signed; 2 are demanded");
    // A missing signature stays missing, whatever the threshold.
    test.run("pull oci:m:old --verify-key fx/other.pub --threshold 1 -o c")
        .fails(3, "pack-signature-refused");
}

#[test]
fn without_a_threshold_one_key_is_enough_and_that_is_said() {
    let test = scene();
    let ran = test.run("pull oci:m:old --verify-key fx/org.pub --verify-key fx/other.pub -o a").exits(0);
    let _ = ran.tells("1 of 2 given keys signed; one is enough without --threshold");
    let ran = test.run("pull oci:m:old --verify-key fx/org.pub -o b").exits(0);
    assert!(!ran.err.contains("given keys"), "{}", ran.err);
}

#[test]
fn one_key_is_one_however_often_it_is_given_and_has_signed() {
    let test = scene();
    test.write("again.pub", test.read("fx/org.pub"));
    let both = "--verify-key fx/org.pub --verify-key again.pub";
    let ran = test.run(&format!("pull oci:m:old {both} --threshold 2 -o a"));
    let _ = ran.exits(2).tells("the threshold is 2, and 1 key is given");
    copy(&test, "fx/keys", "keys");
    test.write("keys/keypack.json.again.sigstore.json", test.read("fx/keys/keypack.json.sigstore.json"));
    test.push("keys", "oci:n:v1");
    test.run("pull oci:n:v1 --verify-key fx/org.pub --verify-key fx/other.pub --threshold 2 -o a")
        .fails(3, "threshold-not-met");
    assert!(!test.has("a"));
}

#[test]
fn a_threshold_without_enough_keys_is_a_wrong_command_line() {
    let test = scene();
    for line in
        ["--threshold 1", "--verify-key fx/org.pub --threshold 0", "--verify-key fx/org.pub --threshold 2"]
    {
        test.run(&format!("pull oci:m:old {line} -o a")).exits(2);
    }
    assert!(!test.has("a"));
}

#[test]
fn a_setting_says_the_keys_and_the_threshold() {
    let test = scene();
    test.write("etc/org.pub", test.read("fx/org.pub"));
    test.write("etc/other.pub", test.read("fx/other.pub"));
    test.write("etc/p384.pub", test.read("fx/p384.pub"));
    let setting = |keys: &str| format!("verifyKeys:\n  threshold: 2\n  keys: {keys}\n");
    test.write("etc/keypack.yaml", setting("[org.pub, other.pub]"));
    test.run("pull oci:m:old --config etc/keypack.yaml -o a").fails(3, "threshold-not-met");
    test.write("etc/keypack.yaml", setting("[org.pub, p384.pub]"));
    test.run("pull oci:m:old --config etc/keypack.yaml -o a").exits(0).tells("2 of 2 given keys signed");
    // Keys on the command line replace the others, and use their own threshold.
    test.run("pull oci:m:old --config etc/keypack.yaml --verify-key fx/org.pub -o b").exits(0);
}
