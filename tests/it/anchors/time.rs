//! Packs with the wrong time. The clock is the machine's own, so the packs are dated relative to it.

use keypack::oci::Digest;
use serde_json::Value;

use super::{
    OLD,
    program::{TRUST, Test},
    scene,
};

fn at(days: i64) -> String {
    let now = jiff::Timestamp::now().as_second() + days * 24 * 60 * 60;
    jiff::Timestamp::from_second(now).unwrap().to_string()
}

#[test]
fn an_old_pack_is_told_and_a_very_old_one_refused() {
    let test = scene();
    let pull = format!("pull oci:m:old --digest {OLD} -o out");
    test.run(&format!("{pull} --max-age 180d")).fails(3, "pack-too-old");
    assert!(!test.has("out"));
    test.run(&format!("{pull} --max-age 180d --allow-stale-unsafe")).exits(2);
    let ran = test.run(&format!("{pull} --max-age 180d --allow-stale-unsafe --reason none-newer --state s"));
    ran.exits(0).tells("ask for a newer one");
    assert_eq!(test.json("s/default.json")["acceptances"][0]["flag"], "--allow-stale-unsafe");
}

/// A keys/ whose inventory `change` edits, pushed as the layout's tag; returns its pack digest.
fn changed(test: &Test, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let line = format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} -o {name}");
    test.run(&line).exits(0);
    let mut inventory = test.json(&format!("{name}/keypack.json"));
    change(&mut inventory);
    let json = inventory.to_string();
    test.write(&format!("{name}/keypack.json"), &json);
    test.run(&format!("push {name} oci:m:{name}")).exits(0);
    Digest::of(json.as_bytes()).to_string()
}

#[test]
fn a_version_or_a_date_ahead_of_the_clock() {
    let test = scene();
    let future = [
        ("created", Value::from(at(3))),
        ("version", u64::MAX.into()),
        ("version", (u64::MAX - 1).into()),
        ("version", (jiff::Timestamp::now().as_second() + 2 * 24 * 60 * 60).into()),
    ];
    for (n, (field, value)) in future.into_iter().enumerate() {
        let name = format!("k{n}");
        let digest = changed(&test, &name, |inventory| inventory[field] = value);
        let pull = format!("pull oci:m:{name} --digest {digest} -o out{n} --state s{n}");
        test.run(&pull).fails(3, "version-from-the-future").tells("this host's clock says");
        test.run(&format!("{pull} --allow-stale-unsafe --reason why")).fails(3, "version-from-the-future");
        assert!(!test.has(&format!("out{n}")));
        test.run(&format!("{pull} --accept-future-unsafe")).exits(2);
        test.run(&format!("{pull} --accept-future-unsafe --reason drill")).exits(0);
        let logged = &test.json(&format!("s{n}/default.json"))["acceptances"][0];
        assert_eq!((&logged["flag"], &logged["reason"]), (&"--accept-future-unsafe".into(), &"drill".into()));
        // The collector does not count up from it either.
        let line = format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} -o {name}");
        test.run(&line).fails(3, "version-from-the-future").tells("move it away");
    }
    let line = format!("collect lab/layouts/key-bundle-rekor1-oras {TRUST} -o new --created {}", at(3));
    test.run(&line).fails(3, "version-from-the-future");
    assert!(!test.has("new"));
}

#[test]
fn a_pack_that_expired_or_is_from_tomorrow() {
    let test = scene();
    for (name, created, more, code) in [
        ("expired", at(-10), "--expires 5d", "pack-expired"),
        ("middling", at(-100), "", ""),
        ("fresh", at(0), "--expires 5d", ""),
    ] {
        let line = format!(
            "collect lab/layouts/key-bundle-rekor1-oras {TRUST} -o {name} --created {created} {more}"
        );
        let digest = test.run(&line).exits(0).after("Pack: ");
        test.run(&format!("push {name} oci:m:{name}")).exits(0);
        let pull = format!("pull oci:m:{name} --digest {digest} -o out --state {name}-state --max-age 180d");
        let ran = test.run(&pull);
        match code {
            "" if name == "middling" => drop(ran.exits(0).tells("the pack was made 100 days ago")),
            "" => assert!(!ran.exits(0).err.contains("days ago")),
            code => {
                ran.fails(3, code);
                let unsafely = format!("{pull} --allow-stale-unsafe --reason why");
                test.run(&unsafely).fails(3, code);
                assert!(!test.has("out"));
            }
        }
    }
}
