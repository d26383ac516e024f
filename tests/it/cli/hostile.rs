//! Hostile sources and paths: devices, pipes, links, names meant for the terminal.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

use super::{program::Test, push::collected};

fn pipe(test: &Test, name: &str) {
    mknodat(CWD, test.path(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
}

#[test]
fn devices_and_pipes_are_no_places() {
    let test = Test::new();
    pipe(&test, "pipe");
    for place in ["/dev/zero", "pipe"] {
        for kind in ["", "oci:", "oci-archive:", "dir:"] {
            test.run(&format!("discover {kind}{place}")).fails(1, "wrong-place");
        }
        test.run(&format!("inspect {place}")).fails(1, "wrong-place");
    }
    for name in ["mirror_000001.tar", "working-dir/x"] {
        test.write(&format!("set/{name}"), "");
    }
    fs::remove_file(test.path("set/mirror_000001.tar")).unwrap();
    pipe(&test, "set/mirror_000001.tar");
    test.run("discover oc-mirror:set").fails(1, "wrong-place");
}

#[test]
fn devices_and_links_inside_a_layout() {
    for at in ["index.json", "oci-layout"] {
        let test = Test::new();
        test.layout("key-tag-notlog-oras", "m");
        fs::remove_file(test.path(&format!("m/{at}"))).unwrap();
        pipe(&test, &format!("m/{at}"));
        test.run("discover oci:m").fails(1, "read-failed").tells("it is a pipe");
        fs::remove_file(test.path(&format!("m/{at}"))).unwrap();
        symlink("/dev/zero", test.path(&format!("m/{at}"))).unwrap();
        test.run("discover oci:m").fails(1, "read-failed").tells("leads out of the directory");
    }
}

#[test]
fn key_files_without_end_or_content() {
    let test = Test::new();
    let place = "discover lab/layouts/key-tag-notlog-oras";
    test.run(&format!("{place} --key /dev/zero")).fails(3, "too-large");
    test.run(&format!("{place} --trusted-root /dev/zero")).fails(3, "too-large");
    test.run(&format!("{place} --key /dev/null")).fails(3, "key-malformed");
    let (test, _) = collected();
    test.push("keys", "oci:m:keys");
    test.run("pull oci:m:keys --verify-key /dev/zero -o out").fails(3, "too-large");
    test.run("pull oci:m:keys --verify-key https://keys.test/org.pub -o out").fails(1, "key-file-is-address");
    assert!(!test.has("out"));
}

#[test]
fn targets_that_are_no_directories() {
    let (test, digest) = collected();
    test.push("keys", "oci:m:keys");
    pipe(&test, "pipe");
    test.write("file", "x");
    symlink("nowhere", test.path("dangling")).unwrap();
    symlink("elsewhere", test.path("link")).unwrap();
    fs::create_dir(test.path("elsewhere")).unwrap();
    for target in ["/dev/null", "pipe", "file", "dangling", "link", ".", "..", "/", "file/x", "link/../.."] {
        let ran = test.run(&format!("pull oci:m:keys --digest {digest} -o {target}")).exits(1);
        ran.tells("keypack: error: ").tells("keypack: hint: ");
    }
    assert_eq!((test.read("file"), test.names("elsewhere").len()), (b"x".to_vec(), 0));
    for dest in ["oci-archive:/dev/null:x", "oci-archive:pipe:x", "oci:/proc/self:x"] {
        test.run(&format!("push keys {dest}")).fails(1, "wrong-place");
    }
}

#[test]
fn a_file_in_place_that_is_linked_elsewhere() {
    let (test, digest) = collected();
    test.push("keys", "oci:m:keys");
    test.run(&format!("pull oci:m:keys --digest {digest} -o out")).exits(0);
    // Someone else's file and one in keys/ are the same file: writing through the link would change theirs.
    fs::rename(test.path("out/README.txt"), test.path("theirs")).unwrap();
    fs::hard_link(test.path("theirs"), test.path("out/README.txt")).unwrap();
    fs::set_permissions(test.path("theirs"), fs::Permissions::from_mode(0o600)).unwrap();
    test.run(&format!("pull oci:m:keys --digest {digest} -o out")).exits(0);
    assert_eq!(test.tree("out"), test.tree("keys"));
    let mode = |name: &str| fs::metadata(test.path(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("theirs"), mode("out/README.txt")), (0o600, 0o644));
    assert_eq!(fs::metadata(test.path("theirs")).unwrap().nlink(), 1);
}

#[test]
fn file_names_do_not_reach_the_terminal() {
    let (test, digest) = collected();
    test.push("keys", "oci:m:keys");
    let name = "a\u{1b}[2J\u{9b}31m\u{202e}\u{61c}\u{ad}\u{e0041}\r\nkeypack: all is well";
    test.write(&format!("junk/{name}"), "");
    test.write(&format!("foreign/{name}"), "");
    for line in [
        "discover junk",
        "discover oci:junk",
        "discover dir:junk",
        "discover oc-mirror:junk",
        "inspect junk",
        "push junk oci:x:y",
        &format!("pull oci:m:keys --digest {digest} -o foreign"),
        "push keys oci:junk:x",
    ] {
        let ran = test.run(line).exits(1);
        let text = format!("{}{}", ran.out, ran.err);
        assert!(!text.chars().any(|c| c != '\n' && keypack::display::hidden(c)), "{line}: {text:?}");
        assert!(!text.contains("\nkeypack: all is well"), "{line}: {text}");
    }
}

#[test]
fn a_fallback_tag_that_is_no_index() {
    let test = Test::new();
    test.layout("key-ref11-notlog-oras", "m");
    let mut index = test.json("m/index.json");
    let image = index["manifests"][0].clone();
    let tag = image["digest"].as_str().unwrap().replace(':', "-");
    // The tag that should list the signatures names the image itself, as oc-mirror tags what it mirrors by digest.
    let mut named = image.clone();
    named["annotations"] = json!({ "org.opencontainers.image.ref.name": &tag });
    index["manifests"] = json!([image, named]);
    test.write("m/index.json", index.to_string());
    let report = test.run("discover m --format json").json();
    let images = report["images"].as_array().unwrap();
    assert_eq!((images.len(), &images[0]["tags"]), (1, &json!(["v1", tag])), "it is one image with two tags");
    let found: Vec<_> = images[0]["signatures"].as_array().unwrap().iter().map(|s| &s["found"]).collect();
    assert_eq!(found, ["unlisted"], "the signature is found where it lies, and the tag adds none");
}

#[test]
fn no_flag_weakens_a_check_under_an_innocent_name() {
    let test = Test::new();
    for verb in ["discover", "collect", "push", "pull", "inspect", "diff", "schema"] {
        let help = test.run(&format!("{verb} --help")).exits(0).out;
        for flag in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let flag = flag.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            for word in
                ["insecure", "ignore", "skip", "force", "no-verify", "trust-on", "unverified", "allow-"]
            {
                let danger = flag.contains(word) && !flag.ends_with("-unsafe");
                // This flag adds hosts that may see credentials, and names them.
                assert!(!danger || flag == "--allow-realm", "{verb} {flag}");
            }
        }
    }
}
