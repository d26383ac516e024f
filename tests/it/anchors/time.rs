//! Packs of the wrong time. The clock is the machine's own, so the packs are dated around it.

use super::{OLD, program::TRUST, scene};

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

#[test]
fn a_pack_that_expired_or_is_from_tomorrow() {
    let test = scene();
    for (name, created, more, code) in [
        ("expired", at(-10), "--expires 5d", "pack-expired"),
        ("future", at(3), "", "clock-behind"),
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
