//! Help, wrong command lines, and the output on a terminal.

use std::collections::BTreeMap;

use super::program::{TRUST, Test};

const VERBS: [&str; 7] = ["discover", "collect", "push", "pull", "inspect", "diff", "schema"];

#[test]
fn every_verb_shows_an_example_of_itself() {
    let test = Test::new();
    for verb in VERBS {
        let ran = test.run(&format!("{verb} --help")).exits(0).says("Example:");
        let ran = ran.says(&format!("\n  keypack {verb} "));
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{}", ran.out);
    }
    let all = test.run("--help").exits(0);
    for verb in VERBS {
        assert!(all.out.contains(&format!("\n  {verb}")), "{verb}");
    }
    test.run("unpack --help").exits(0).says("keypack pull ");
    test.run("--version").exits(0).says("built-in sigstore public-good root of ");
    test.run("").exits(2);
}

/// The flags of each heading of a help text.
fn headings(help: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut heading = "";
    for line in help.lines() {
        match line.strip_suffix(':') {
            Some(title) if !line.starts_with(' ') => heading = title,
            _ => {}
        }
        if let Some(at) = line.find("--").filter(|at| *at == 6 && line.trim_start().starts_with('-')) {
            let flag = line[at..].split([' ', '[', '=']).next().unwrap();
            all.entry(heading).or_default().push(flag);
        }
    }
    all
}

#[test]
fn a_heading_has_its_own_flags_alone() {
    let test = Test::new();
    let registry = [
        "--authfile",
        "--creds",
        "--cert-dir",
        "--tls-verify",
        "--plain-http",
        "--retry-times",
        "--jobs",
        "--allow-realm",
    ];
    for verb in VERBS {
        let help = test.run(&format!("{verb} --help")).out;
        let headings = headings(&help);
        if verb != "schema" {
            assert_eq!(headings["Registry options"], registry, "{verb}");
        }
        let general = ["--format", "--quiet", "--verbose", "--no-progress", "--config"];
        assert_eq!(headings["General options"], general, "{verb}");
        let examples = help.split_once("\nExample:\n").unwrap().1;
        assert!(examples.lines().all(|line| !line.starts_with("keypack")), "{examples}");
    }
    let (collect, pull) = (test.run("collect --help").out, test.run("pull --help").out);
    assert_eq!(headings(&collect)["State options"], ["--state"]);
    assert!(headings(&collect)["Options"].contains(&"--output"));
    assert!(headings(&collect)["Sources of keys"].contains(&"--tuf"));
    let anchors = ["--digest", "--verify-key", "--threshold", "--pin", "--tuf-root"];
    let anchor = "Anchors: what reached you out of band (all that are given must hold)";
    assert_eq!(headings(&pull)[anchor], anchors);
    assert!(headings(&pull)["State options"].contains(&"--min-version"));
}

#[test]
fn the_examples_are_command_lines() {
    let test = Test::new();
    for verb in VERBS {
        let help = test.run(&format!("{verb} --help")).out;
        for line in help.lines().filter_map(|line| line.strip_prefix("  keypack ")) {
            let line = line.replace("sha256:…", &format!("sha256:{}", "0".repeat(64)));
            let ran = test.run(&line);
            assert!(!ran.err.contains("Usage:"), "{line}: {}", ran.err);
        }
    }
}

#[test]
fn what_clap_refuses_has_a_hint_too() {
    let test = Test::new();
    for line in ["discover", "collect oci:m --nope", "push keys", "pull oci:m --digest sha256:12", "nope"] {
        let ran = test.run(line).exits(2).tells("keypack: error: ").tells("keypack: hint: ");
        assert_eq!(ran.out, "");
    }
    test.run("collect oci:m --expires soon").exits(2).tells("180 days");
    test.run("collect oci:m --expires 3months").exits(2).tells("180 days");
    test.run("pull oci:m --digest 12").exits(2).tells("hexadecimal digits is 2 instead of 64");
}

#[test]
fn flags_of_other_tools_are_pointed_to_ours() {
    let test = Test::new();
    for (flag, ours) in [
        ("--json", "hint: here --json is --format json"),
        ("--insecure", "hint: here --insecure is --tls-verify=false"),
        ("--insecure=true", "hint: here --insecure is --tls-verify=false"),
        ("--src-tls-verify=false", "--tls-verify=false"),
    ] {
        test.run(&format!("discover docker://mirror.test/x {flag}")).exits(2).tells(ours);
    }
}

#[test]
fn an_option_takes_its_value_after_a_blank() {
    let (test, _) = super::push::collected();
    let place = "lab/layouts/key-bundle-rekor1-oras";
    for verify in ["--tls-verify", "--tls-verify true", "--tls-verify false", "--tls-verify=false"] {
        let ran = test.run(&format!("discover {verify} {place} {TRUST}")).exits(0);
        assert!(ran.err.is_empty() || !ran.err.contains("error"), "{}", ran.err);
    }
    test.run(&format!("discover {place} --tls-verify -- false")).exits(2).tells("\"false\" is not a place");
    test.write("policy.json", r#"{"default":[{"type":"insecureAcceptAnything"}]}"#);
    test.run(&format!("discover --from-policy policy.json {place} {TRUST}")).exits(0);
    test.run(&format!("discover {place} {TRUST} --draft-rules draft.yaml")).exits(0);
    assert!(test.has("draft.yaml"));
    test.run(&format!("discover {place} {TRUST} --draft-rules -")).exits(0).says("rules:");
    for flag in ["--draft-rules", "--from-policy"] {
        test.run(&format!("discover {place} {flag}")).exits(2).tells("a value is required");
    }
}

#[test]
fn a_digest_is_read_as_people_copy_it_and_its_digits_are_counted() {
    let (test, digest) = super::push::collected();
    test.run("push keys oci:m:keys").exits(0);
    let hex = digest.trim_start_matches("sha256:");
    for (n, digest) in
        [hex.to_owned(), hex.to_uppercase(), format!("SHA256:{}", hex.to_uppercase())].iter().enumerate()
    {
        test.run(&format!("pull oci:m:keys --digest {digest} -o out{n}")).exits(0);
    }
    test.run(&format!("pull oci:m:keys --digest sha256:{} -o no", &hex[1..]))
        .exits(2)
        .tells("hexadecimal digits is 63 instead of 64");
    assert!(!test.has("no"));
}

#[test]
fn spellings_of_other_tools_and_swapped_arguments_get_a_hint() {
    let test = Test::new();
    test.run(&format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST}")).exits(0);
    test.run("discover oci://mirror.test/x").fails(2, "usage").tells("docker://HOST/REPOSITORY");
    test.run("push keys ocidir://m").fails(2, "usage").tells("oci:DIR");
    test.run("push oci:m:keys keys")
        .fails(2, "usage")
        .tells("the directory comes first: keypack push keys oci:m:keys");
    test.run("push keys m").fails(2, "usage").tells("oci:DIR:TAG");
    test.run("push keys dir:m")
        .fails(2, "unsupported")
        .tells("hint: write docker://HOST/REPO:TAG, oci:DIR:TAG");
    test.run("push keys keys")
        .fails(2, "unsupported")
        .tells("hint: write docker://HOST/REPO:TAG, oci:DIR:TAG");
    test.run("push nokeys oci:m:keys").fails(1, "keys-not-found").tells("keypack collect");
    test.run(&format!("push keys oci:m@sha256:{}", "0".repeat(64)))
        .fails(2, "usage")
        .tells("a tag, not a digest");
    test.run("pull keys").fails(2, "usage").tells("keypack inspect keys prints it");
    assert_eq!(test.names(""), ["keys", "lab"]);
}

#[test]
fn colours_need_a_terminal() {
    let test = Test::new();
    let line = ["discover", "lab/layouts/key-bundle-rekor1-oras"];
    let output =
        test.command().env_remove("NO_COLOR").env("TERM", "xterm-256color").args(line).output().unwrap();
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn a_credentials_file_that_is_named_must_be_there() {
    let test = Test::new();
    let missing = |line: &str| test.run(line).exits(1).tells("nothere.json").tells("[auth-file]");
    missing("pull docker://127.0.0.1:1/a:t --plain-http --authfile nothere.json");
    missing("discover docker://127.0.0.1:1/a:t --plain-http --authfile nothere.json");
    // A source that needs no credentials needs no such file.
    test.run("pull oci:m:t --authfile nothere.json").exits(1).tells("[not-found]");
}
