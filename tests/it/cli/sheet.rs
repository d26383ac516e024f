//! The page that two people sign, the key-set digest, and expiry dates.

use keypack::oci::Digest;

use super::program::{TRUST, Test};

const SOURCE: &str = "lab/layouts/key-bundle-rekor1-oras";
const SIGNER: &str = "sha256:43ef7bc87c44704aa997d44437f45c362729aee88ee5fcd4b5a2cac39811b24f";

fn collect(test: &Test, more: &str) {
    test.run(&format!("collect {SOURCE} {TRUST} {more}")).exits(0);
}

fn key_set(test: &Test, place: &str) -> String {
    test.run(&format!("inspect {place}")).exits(0).after("Key set: ")
}

fn now_and(days: i64) -> String {
    let second = jiff::Timestamp::now().as_second() + days * 24 * 60 * 60;
    jiff::Timestamp::from_second(second).unwrap().to_string()
}

#[test]
fn the_sheet_has_what_two_people_compare() {
    let test = Test::new();
    collect(&test, "-o keys --given-by Ada --collected-by Ada --expires 90d");
    let ran = test.run("inspect keys --sheet").exits(0);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    let pack = test.run("inspect keys").exits(0).after("Pack: sha256:");
    for digest in [pack, key_set(&test, "keys").replace("sha256:", "")] {
        let groups: Vec<_> = (0..64).step_by(4).map(|at| &digest[at..at + 4]).collect();
        assert!(
            ran.out.contains(&groups[..8].join(" ")) && ran.out.contains(&groups[8..].join(" ")),
            "{}",
            ran.out
        );
    }
    let program = Digest::of(&std::fs::read(env!("CARGO_BIN_EXE_keypack")).unwrap());
    let ran = ran.says(SIGNER).says("given by Ada").says("COLLECTED HERE at").says(&program.to_string());
    assert_eq!(ran.out.matches("Signature ____").count(), 2);
    assert!(ran.out.contains("CHANGES SINCE THE LAST SHEET\n  not compared"), "{}", ran.out);
    // What changed since another pack.
    test.push("keys", "oci:m:keys");
    test.run("inspect keys --sheet --since oci:m:keys")
        .exits(0)
        .says("CHANGES SINCE THE LAST SHEET\n  that was default version ")
        .says("SAME KEY SET")
        .says("nothing new to approve");
    let revoke =
        format!("collect {SOURCE} --key lab/trust/cosign.pub -o keys --revoke {SIGNER} --reason stolen");
    test.run(&revoke).exits(4);
    let ran = test.run("inspect keys --sheet --since oci:m:keys").exits(0);
    ran.says("ANOTHER KEY SET").says("REVOKED (1)").says("stolen").says("- signer-43ef7bc8.pub");
    test.run("inspect keys --since oci:m:keys").exits(2);
}

#[test]
fn the_page_in_html_has_the_same_and_no_name_becomes_markup() {
    let test = Test::new();
    let hostile = r#"</td></table><script>alert('1')</script>&lt;<img src=x onerror="alert(2)">"#;
    let name = "<b onclick=x>&quot;'.pub";
    test.write(name, std::fs::read("testdata/lab/trust/cosign.pub").unwrap());
    test.write("rules.yaml", "rules: [{scope: r.example/a, signers: [{key: signer-43ef7bc8}], log: none}]\n");
    let mut line = vec!["collect", SOURCE, "--trusted-root", "lab/trust/trusted_root.json", "--key", name];
    line.extend([
        "-o",
        "keys",
        "--accept-rules",
        "rules.yaml",
        "--collected-by",
        hostile,
        "--given-by",
        hostile,
    ]);
    test.run_args(&line).exits(0);
    let other = "sha256:".to_owned() + &"a".repeat(64);
    line.extend(["--revoke", &other, "--reason", hostile]);
    test.run_args(&line).exits(0);
    let html = test.run("inspect keys --sheet=html").exits(0).out;
    let tags: std::collections::BTreeSet<&str> =
        html.split('<').skip(1).map(|part| part.split_once('>').unwrap().0).collect();
    let allowed = [
        "!doctype html",
        "html lang=\"en\"",
        "head",
        "meta charset=\"utf-8\"",
        "style",
        "title",
        "body",
        "h1",
        "h2",
        "p",
        "p class=\"detail\"",
        "div class=\"key\"",
        "code",
        "pre",
        "table",
        "table class=\"names\"",
        "tr",
        "th",
        "td",
        "meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"",
    ];
    let known = |tag: &str| {
        allowed.contains(&tag)
            || tag
                .strip_prefix('/')
                .is_some_and(|tag| allowed.iter().any(|a| a.split(' ').next() == Some(tag)))
    };
    let odd: Vec<_> = tags.iter().filter(|tag| !known(tag)).collect();
    assert_eq!(odd, [&""; 0]);
    assert!(!html.contains("http:") && !html.contains("https:"), "nothing is loaded: {html}");
    // Without the markup it is the page in text.
    let (_, body) = html.split_once("</h1>").unwrap();
    let plain: String =
        body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect::<String>();
    let text = test.run("inspect keys --sheet=text").exits(0).out;
    assert_eq!(squeezed(&plain), squeezed(text.strip_prefix("KEY SHEET").unwrap()));
    test.run("inspect keys --sheet=pdf").exits(2).tells("text, html");
    test.run("inspect --sheet keys").exits(0).says("KEY SHEET");
}

/// An attacker's key fits the attacker's signatures, so that a key fits is never said without who vouches for it.
#[test]
fn every_view_of_a_key_says_what_it_fits_and_who_vouches_for_it() {
    let test = Test::new();
    let sources = "lab/layouts/key-bundle-rekor1-oras lab/layouts/key-tag-rekor1-cosignsave";
    let of_file = "no one (the file cosign.pub, giver not recorded)";
    let ran = test.run(&format!("discover {sources} {TRUST}")).exits(0);
    ran.says("signer-43ef7bc8              fits 2 signatures").says(&format!("vouched for by {of_file}"));
    let report = test.run(&format!("discover {sources} {TRUST} --format json")).exits(0).json();
    let signer =
        report["keys"].as_array().unwrap().iter().find(|key| key["name"] == "signer-43ef7bc8").unwrap();
    assert_eq!((&signer["proofs"], &signer["givenBy"]), (&2.into(), &serde_json::Value::Null));

    let all = "--include all --given-by Ada -o keys --format json";
    let report = test.run(&format!("collect {sources} {TRUST} {all}")).exits(0).json();
    assert!(report["keys"].as_array().unwrap().iter().all(|key| key["givenBy"] == "Ada"));
    let by = "the file cosign.pub, given by Ada";
    let ran = test.run("inspect keys").exits(0);
    ran.says("  fits        a signature\n")
        .says("  fits        no signature that is known\n")
        .says(&format!("  vouched for by {by}"));
    let ran = test.run("inspect keys --sheet").exits(0);
    ran.says("(signer key), fits a signature")
        .says("fits no signature that is known")
        .says(&format!("    vouched for by {by}"));
    let digest = test.push("keys", "oci:m:keys").pack_digest;
    let ran = test.run(&format!("pull oci:m:keys --digest {digest} -o in")).exits(0);
    let ran = ran.says(&format!("signer-43ef7bc8.pub          fits a signature; vouched for by {by}\n"));
    assert_eq!(
        ran.out.matches("; vouched for by ").count(),
        test.json("in/keypack.json")["keys"].as_array().unwrap().len()
    );
    let json = test.run(&format!("pull oci:m:keys --digest {digest} -o in --format json")).exits(0).json();
    assert!(
        json["keys"].as_array().unwrap().iter().any(|key| key["proved"] == false && key["givenBy"] == "Ada")
    );
    // Pins say which keys, and nothing about what they fit.
    let shown = test.run("inspect keys").exits(0).out;
    let pins = shown
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pin "))
        .map(|pin| format!(" --pin {}", pin.trim()));
    let pins: String = pins.collect();
    test.run(&format!("pull oci:m:keys{pins} -o pinned"))
        .exits(0)
        .says("fits no signature that is known; vouched for by a pin\n");
}

#[test]
fn the_key_set_stays_while_only_version_and_dates_change() {
    let test = Test::new();
    collect(&test, "-o one --created 2026-11-01T00:00:00Z");
    collect(&test, "-o two --created 2026-11-20T00:00:00Z --expires 900d --name other --collected-by Ada");
    let one = key_set(&test, "one");
    assert_eq!(key_set(&test, "two"), one);
    assert_eq!(test.run("inspect one --format json").exits(0).json()["keySetDigest"], one.as_str());
    test.push("one", "oci:m:one");
    assert_eq!(key_set(&test, "oci:m:one"), one);
    test.run(&format!("collect {SOURCE} {TRUST} -o less --include all")).exits(0);
    assert_ne!(key_set(&test, "less"), one);
    // Another validity period, another rule and a revocation make another set; another URL of a log does not.
    for (change, same) in [
        (r#"{"validity":{"start":"2024-01-01T00:00:00Z","end":"2026-01-01T00:00:00Z"}}"#, false),
        (r#"{"url":"https://elsewhere.example"}"#, true),
    ] {
        let mut inventory = test.json("one/keypack.json");
        let change: serde_json::Value = serde_json::from_str(change).unwrap();
        for (name, value) in change.as_object().unwrap() {
            inventory["keys"][0][name] = value.clone();
        }
        let parsed = keypack::pack::Inventory::parse(inventory.to_string().as_bytes()).unwrap();
        assert_eq!(parsed.key_set().to_string() == one, same, "{change}");
    }
}

#[test]
fn after_a_refresh_pull_says_that_the_keys_are_the_same() {
    let test = Test::new();
    collect(&test, "-o keys --created 2026-11-01T00:00:00Z");
    test.push("keys", "oci:m:one");
    collect(&test, "-o keys --created 2026-11-20T00:00:00Z --refresh-after 1d");
    test.push("keys", "oci:m:two");
    let digest = |place: &str| test.run(&format!("inspect {place}")).exits(0).after("Pack: ");
    let (one, two) = (digest("oci:m:one"), digest("oci:m:two"));
    assert_ne!(one, two);
    let state = "--state there -o in";
    let ran = test.run(&format!("pull oci:m:one --digest {one} {state}")).exits(0);
    assert!(!ran.err.contains("the same key set"), "{}", ran.err);
    let ran = test.run(&format!("pull oci:m:two --digest {two} {state}")).exits(0);
    ran.tells("the same key set as version ").tells(&key_set(&test, "oci:m:two"));
    // Another key set has to be approved.
    test.run(&format!("collect {SOURCE} {TRUST} -o keys --created 2026-11-21T00:00:00Z --include all"))
        .exits(0);
    let three = test.push("keys", "oci:m:three").pack_digest;
    let ran = test.run(&format!("pull oci:m:three --digest {three} {state}")).exits(0);
    assert!(!ran.err.contains("the same key set"), "{}", ran.err);
    test.run("inspect in --state there")
        .exits(0)
        .says("AUTHENTICATED HERE at ")
        .says("by a digest that was given");
}

#[test]
fn ends_are_listed_in_order_and_warned_of_30_days_ahead() {
    let test = Test::new();
    collect(&test, &format!("-o keys --expires {}", now_and(20)));
    let ran = test.run("inspect keys --ages").exits(0);
    let times: Vec<_> = ran.out.lines().map(|line| &line[6..26]).collect();
    assert!(times.is_sorted() && times.len() >= 2, "{}", ran.out);
    assert!(ran.out.starts_with("soon  "), "{}", ran.out);
    let warning = "the pack, by its maker's word ends in 19 days";
    ran.tells(warning);
    test.run("inspect keys --fail-on-stale").fails(4, "pack-stale").says("soon  ");
    let pack = test.run("push keys oci:m:keys").exits(0).tells(warning).after("Pack: ");
    test.run(&format!("pull oci:m:keys --digest {pack} -o in")).exits(0).tells(warning);
    test.run(&format!("verify {SOURCE} --keys-dir in")).exits(0).tells(warning);
    collect(&test, &format!("-o long --expires {}", now_and(100)));
    let ran = test.run("inspect long --fail-on-stale").exits(0);
    assert!(!ran.err.contains("ends in"), "{}", ran.err);
    // Half a year after it was made no pull accepts it, whatever its maker says.
    collect(&test, &format!("-o old --created {} --expires {}", now_and(-170), now_and(900)));
    test.run("inspect old --fail-on-stale").fails(4, "pack-stale").says("by the age that pull takes");
    let ends = test.run("inspect old --format json").exits(0).json()["ends"].clone();
    assert!(ends.as_array().unwrap().iter().all(|end| end["counts"].is_boolean()));
}

/// A log that the mirror's newer signatures are in and the pack lacks is found with the images alone.
#[test]
fn what_newer_signatures_need_and_the_pack_lacks_is_in_the_same_table() {
    let test = Test::new();
    collect(&test, &format!("-o keys --expires {}", now_and(100)));
    test.run(&format!("inspect keys --ages --images {SOURCE} --fail-on-stale")).exits(0);
    let newer = "lab/layouts/keyless-bundle-rekor2-oras";
    let ran = test.run(&format!("inspect keys --images {newer}")).exits(0);
    assert!(ran.out.starts_with("OPEN  now "), "{}", ran.out);
    let ran = ran.says("the Rekor v2 log rekor2.test ").says("which the pack lacks: 1 image need it");
    ran.says("keypack.json                      the pack, by its maker's word");
    test.run(&format!("inspect keys --images {newer} --fail-on-stale"))
        .fails(4, "pack-stale")
        .says("OPEN  now ");
    let json = test.run(&format!("inspect keys --images {newer} --format json")).exits(0).json();
    let ends = json["ends"].as_array().unwrap();
    assert!(ends.iter().any(|end| end["at"].is_null() && end["counts"] == true), "{json:#}");
    // What can't be read may need anything.
    test.layout("key-bundle-rekor1-oras", "damaged");
    for (name, _) in test.tree("damaged/blobs/sha256") {
        if test.read(&format!("damaged/blobs/sha256/{name}")).starts_with(b"{") && name.len() == 64 {
            test.write(&format!("damaged/blobs/sha256/{name}"), "{");
        }
    }
    let ran = test.run("inspect keys --ages --images oci:damaged --fail-on-stale");
    assert_ne!(ran.code, 0, "{}", ran.out);
}

#[test]
fn a_pack_must_end_where_that_is_demanded() {
    let test = Test::new();
    for (name, expires, good) in [("never", "never", false), ("late", "91d", false), ("good", "90d", true)] {
        collect(&test, &format!("-o {name} --expires {expires}"));
        let pack = test.run(&format!("push {name} oci:m:{name}")).exits(0).after("Pack: ");
        let pull = format!("pull oci:m:{name} --digest {pack} -o in-{name} --state of-{name}");
        let ran = test.run(&format!("{pull} --max-expires 90d"));
        if good {
            ran.exits(0)
        } else {
            ran.fails(3, "expires-too-late")
        };
        assert_eq!(test.has(&format!("in-{name}")), good);
        test.write("k.yaml", "maxExpires: 90 days\n");
        test.run(&format!("{pull} --config k.yaml")).exits(if good { 0 } else { 3 });
        test.run(&pull).exits(0);
    }
}
