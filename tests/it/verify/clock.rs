//! Whether the clock of the host can be right.

use keypack::ops::{
    self, Context, Env,
    verify::{Authentication, Request},
};

use super::pulled;

#[test]
fn a_clock_that_is_behind_the_pack_verifies_nothing() {
    let test = pulled(None);
    let created =
        test.json("keys/keypack.json")["created"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let request = Request {
        places: vec![test.path("storage").display().to_string()],
        keys_dir: Some(test.path("keys")),
        authentication: Authentication {
            state_dir: Some(test.state().join("keypack")),
            ..Authentication::default()
        },
        ..Request::default()
    };
    let at = |seconds: i64| {
        let now = created + jiff::SignedDuration::from_secs(seconds);
        ops::verify(&request, &Context::new(now, Env::default()))
    };
    assert!(at(60).unwrap().is_verified());
    assert_eq!(at(-60).unwrap_err().code.as_str(), "clock-behind");
    assert_eq!(at(-200_000).unwrap_err().code.as_str(), "version-from-the-future");
}
