//! Content that a registry refuses is not absent, and is counted as unreadable.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::fault::{Asked, Reply, Server};
use crate::support::{
    mirror::{self, Content},
    program::{Ran, TRUST, Test},
};

const LINE: &str = "--plain-http --retry-times 0 --no-host --images-table";

fn discover(server: &Server, what: &str) -> Ran {
    Test::new().run(&format!("discover docker://{}{what} {LINE} {TRUST}", server.host()))
}

/// A registry that lists these tags, with `SIG` for the signature's tag.
fn listing(
    tags: &'static [&'static str],
    quirk: impl Fn(&Content, &Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Server {
    mirror::start(move |content, asked| {
        if asked.line().ends_with("/tags/list") {
            let tags = tags.iter().map(|tag| format!("{:?}", tag.replace("SIG", &content.signature_tag())));
            return Some(Reply::ok(format!(r#"{{"tags":[{}]}}"#, tags.collect::<Vec<_>>().join(","))));
        }
        quirk(content, asked)
    })
}

fn is_signature(content: &Content, asked: &Asked) -> bool {
    asked.target.ends_with(&content.signature_tag())
}

#[test]
fn an_image_whose_signature_tag_is_not_given_is_not_unsigned() {
    let replies = [
        Reply::new(401),
        Reply::new(403),
        // It is listed.
        Reply::new(404),
        Reply::new(412),
        Reply::new(429),
        Reply::new(500),
        Reply::ok("<html>").header("Content-Type", "text/html"),
        Reply::hangup(),
    ];
    for reply in replies {
        let name = format!("{reply:?}");
        let server = listing(&["SIG", "v1"], move |content, asked| {
            is_signature(content, asked).then(|| reply.clone())
        });
        for what in ["", "/team/app", "/team/app:v1"] {
            let ran = discover(&server, what);
            assert_eq!(ran.code, 4, "{what} {name}: {} {}", ran.out, ran.err);
            let row = "1 image: 0 signed, 0 unsigned, 1 unreadable";
            assert!(ran.out.contains(row) && ran.out.contains("  unreadable"), "{what} {name}: {}", ran.out);
        }
    }
}

#[test]
fn a_tag_that_is_not_given_counts_as_an_image_that_cant_be_read() {
    for status in [401, 403, 404, 412, 500] {
        let server = listing(&["SIG", "bad", "v1"], move |_, asked| {
            asked.target.ends_with("/manifests/bad").then(|| Reply::new(status))
        });
        let ran = discover(&server, "").fails(4, "incomplete");
        // A tag that is listed but does not exist is reported, and is not an image.
        let images = if status == 404 {
            "1 image: 1 signed, 0 unsigned"
        } else {
            "2 images: 1 signed, 0 unsigned, 1 unreadable"
        };
        ran.says(images).says("bad");
    }
}

#[test]
fn where_only_a_list_tells_an_image_is_not_called_unsigned() {
    let server = listing(&["v1"], |_, _| None);
    let ran = discover(&server, "").exits(0).says("v1  no signature listed").tells("--images");
    assert!(!ran.out.contains("  unsigned"), "{}", ran.out);
    // Requested by name, the image is known to be unsigned.
    let server = listing(&["v1"], |content, asked| is_signature(content, asked).then(|| Reply::new(404)));
    let ran = discover(&server, "/team/app:v1").exits(0).says("v1  unsigned");
    assert!(!ran.err.contains("listed"), "{}", ran.err);
}

/// A login page instead of the referrers list: the fallback tag is requested, and if it does not exist, the image
/// stays in doubt.
#[test]
fn a_login_in_the_place_of_referrers_is_no_absence() {
    let logins = [
        Reply::new(302).header("Location", "/login"),
        Reply::new(302).header("Location", "ftp://login.test/"),
    ];
    for reply in logins {
        let server = mirror::start(move |content, asked| match asked.target.as_str() {
            "/login" => Some(Reply::ok("<html>sign in</html>").header("Content-Type", "text/html")),
            _ if is_signature(content, asked) => Some(Reply::new(404)),
            target if target.ends_with("/tags/list?n=1000") => Some(Reply::ok(r#"{"tags":["v1"]}"#)),
            target => target.contains("/referrers/").then(|| reply.clone()),
        });
        let ran = discover(&server, "/team/app:v1").exits(0).says("v1  no signature listed");
        ran.tells("requires a login").tells("--authfile");
        let asked =
            server.lines().iter().any(|line| line.contains("/manifests/sha256-") && !line.contains(".sig"));
        assert!(asked, "the fallback tag: {:?}", server.lines());
    }
}

const MANY: &[&str] =
    &["SIG", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "ta", "tb", "tc", "td", "v1"];

#[test]
fn a_registry_that_dies_is_not_asked_for_the_rest() {
    let dead = Arc::new(AtomicBool::new(false));
    // It answers for the list and the signature, and then stops answering.
    let server = listing(MANY, move |_, asked| {
        let dies = asked.target.ends_with("/manifests/t1");
        (dead.fetch_or(dies, Ordering::SeqCst) || dies).then(Reply::hangup)
    });
    let ran =
        Test::new().run(&format!("discover docker://{}/team/app {LINE} --jobs 1 {TRUST}", server.host()));
    let ran = ran.fails(4, "incomplete").says("15 unreadable").says(" times)");
    // Once for the signature that exists, and once for everything after it.
    assert_eq!(ran.out.matches("stopped answering").count(), 2, "{}", ran.out);
    let asked = server.lines().iter().filter(|line| line.contains("/manifests/t")).count();
    assert_eq!(asked, 3, "{:?}", server.lines());
}

#[test]
fn things_that_get_no_answer_say_nothing_of_the_rest() {
    let server = listing(MANY, |_, asked| (asked.target.contains("/manifests/t")).then(Reply::hangup));
    let ran = discover(&server, "/team/app").fails(4, "incomplete");
    let ran = ran.says("14 images: 1 signed, 0 unsigned, 13 unreadable");
    assert!(!ran.out.contains("stopped"), "{}", ran.out);
}

/// Without a list, an image's signatures are requested by their conventional names.
#[test]
fn an_attestation_is_found_where_the_list_is_refused() {
    let server = mirror::start(|content, asked| {
        if asked.line().ends_with("/tags/list") || is_signature(content, asked) {
            return Some(Reply::new(if is_signature(content, asked) { 404 } else { 403 }));
        }
        let attestation = format!("{}.att", content.image.replace(':', "-"));
        let mut renamed = asked.clone();
        renamed.target = format!("/v2/team/app/manifests/{}", content.signature);
        asked.target.ends_with(&attestation).then(|| content.answer(&renamed))
    });
    discover(&server, "/team/app:v1").says("0 signed, 0 unsigned, 1 signed otherwise");
}

/// If the registry refuses the referrers request, the referrers are unknown; a signature that is found in another way counts.
#[test]
fn an_image_whose_referrers_are_refused_is_not_unsigned() {
    for status in [401, 403, 412, 429, 500, 503] {
        for tags in [&["v1"][..], &["SIG", "v1"]] {
            let is_signed = tags.len() > 1;
            let server = listing(tags, move |content, asked| {
                let hidden = !is_signed && is_signature(content, asked);
                (hidden || asked.target.contains("/referrers/"))
                    .then(|| Reply::new(if hidden { 404 } else { status }))
            });
            for what in ["", "/team/app:v1"] {
                let ran = discover(&server, what).fails(4, "incomplete");
                let row = if is_signed {
                    "1 image: 1 signed, 0 unsigned"
                } else {
                    "1 image: 0 signed, 0 unsigned, 1 unreadable"
                };
                ran.says(row);
            }
        }
    }
}

/// An image of which not even the digest could be read is in the counts of `verify` too.
#[test]
fn verify_counts_a_tag_that_is_not_given() {
    let server = listing(&["SIG", "bad", "v1"], |_, asked| {
        asked.target.ends_with("/manifests/bad").then(|| Reply::new(403))
    });
    let line = format!("verify docker://{} --plain-http --retry-times 0 {TRUST}", server.host());
    let test = Test::new();
    test.run(&line).fails(4, "not-all-read").says("2 images: 1 good, 1 unreadable");
    let found = test.run(&format!("{line} --format json")).json();
    let counts = &found["counts"];
    assert_eq!(
        (&counts["images"], &counts["good"], &counts["unreadable"]),
        (&2.into(), &1.into(), &1.into())
    );
}
