//! Whether the clock of the host can be right.

use keypack::ops::{
    self, Context, Env,
    verify::{Authentication, Request},
};

use super::{TRUST, Test, pulled, storage};

/// The lab's mirror, with keys that were pulled.
fn request(test: &Test) -> Request {
    Request {
        places: vec![test.path("storage").display().to_string()],
        keys_dir: Some(test.path("keys")),
        authentication: Authentication {
            state_dir: Some(test.state().join("keypack")),
            ..Authentication::default()
        },
        ..Request::default()
    }
}

#[test]
fn a_clock_that_is_behind_the_pack_verifies_nothing() {
    let test = pulled(None);
    let created =
        test.json("keys/keypack.json")["created"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let at = |seconds: i64| {
        let now = created + jiff::SignedDuration::from_secs(seconds);
        ops::verify(&request(&test), &Context::new(now, Env::default()))
    };
    assert!(at(60).unwrap().is_verified());
    assert_eq!(at(-60).unwrap_err().code.as_str(), "clock-behind");
    assert_eq!(at(-200_000).unwrap_err().code.as_str(), "version-from-the-future");
}

#[test]
fn a_pack_that_is_over_verifies_nothing() {
    let test = Test::new();
    storage(&test);
    let line = format!("collect storage {TRUST} -o made --state there --expires 2027-06-01");
    let pack = test.run(&line).exits(0).after("Pack: ");
    test.run("push made oci-archive:keys.tar:k").exits(0);
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
    let at = |time: &str| ops::verify(&request(&test), &Context::new(time.parse().unwrap(), Env::default()));
    assert!(at("2027-05-31T00:00:00Z").unwrap().is_verified());
    assert_eq!(at("2027-06-01T00:00:01Z").unwrap_err().code.as_str(), "pack-expired");
}
