//! Busy, silent and absent registries.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keypack::{content::Source, http, registry::credentials::CredentialStore};

use super::{
    Count, anonymous,
    fault::{Reply, Server},
    manifest, sent,
    support::{code, options, registry},
};
use crate::support::program::Test;

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    let n = Count::default();
    let server = Server::start(move |_| match n.next() {
        0 => Reply::new(429).header("Retry-After", "1"),
        1 => Reply::new(503)
            .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT"),
        _ => sent(manifest()),
    });
    let heard = Arc::new(Mutex::new(vec![]));
    let ears = heard.clone();
    let mut options = options(CredentialStore::anonymous());
    options.http.notice = Some(http::Notice::new(move |line| ears.lock().unwrap().push(line.to_owned())));
    let registry = registry(&server.host(), options);
    assert!(registry.resolve("a/b", "t").unwrap().is_some());
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    assert!(heard[0].contains("429; trying again in 1 s (1 of 2)"), "{heard:?}");
    assert!(heard[1].contains("503; trying again in 1 s (2 of 2)"), "{heard:?}");
}

#[test]
fn who_asks_for_an_hour_is_not_waited_for() {
    let server = Server::start(|_| Reply::new(429).header("Retry-After", "3600"));
    let error = anonymous(&server).resolve("a/b", "t").unwrap_err();
    assert!(error.to_string().ends_with("asks to wait 3600 s"), "{error}");
    assert_eq!((error.code().as_str(), server.log().len()), ("rate-limited", 1));
}

#[test]
fn patience_ends() {
    for (status, expected) in
        [(429, "rate-limited"), (502, "unavailable"), (503, "unavailable"), (504, "unavailable")]
    {
        let server = Server::start(move |_| Reply::new(status));
        assert_eq!(code(anonymous(&server).resolve("a/b", "t")), expected);
        assert_eq!(server.log().len(), 3, "{status}");
    }
    let server = Server::start(|_| Reply::new(500));
    assert_eq!(code(anonymous(&server).resolve("a/b", "t")), "registry-answer");
    assert_eq!(server.log().len(), 1);
}

/// A registry that accepts four requests at a time gets no more than that after it has said so once, and everything
/// is read.
#[test]
fn a_busy_registry_gets_fewer_requests_at_a_time() {
    const ROOM: usize = 4;
    let (inside, refusals) = (Arc::new(AtomicUsize::new(0)), Count::default());
    let refused = refusals.clone();
    let server = Server::start(move |asked| {
        if asked.target.contains("/tags/") {
            let tags: Vec<_> = (0..200).map(|n| format!("\"t{n}\"")).collect();
            return Reply::ok(format!(r#"{{"tags":[{}]}}"#, tags.join(",")));
        }
        let here = inside.fetch_add(1, Ordering::SeqCst) + 1;
        std::thread::sleep(Duration::from_millis(5));
        inside.fetch_sub(1, Ordering::SeqCst);
        if here > ROOM {
            refused.next();
            return Reply::new(429);
        }
        sent(manifest())
    });
    let mut options = options(CredentialStore::anonymous());
    options.http.retries = 20;
    let jobs = options.http.jobs.clone();
    let listed = registry(&server.host(), options).manifests("a/b").unwrap();
    assert_eq!((listed.len(), jobs.most()), (200, http::JOBS));
    // Sixteen at a time would be refused three times out of four.
    let refused = refusals.next();
    assert!((1..200).contains(&refused), "{refused}");
}

#[test]
fn nobody_there_is_unreachable() {
    let host = Server::start(|_| Reply::new(200)).host();
    assert_eq!(
        code(registry(&host, options(CredentialStore::anonymous())).resolve("a/b", "t")),
        "unreachable"
    );
}

#[test]
fn silence_ends() {
    let server = Server::start(|_| Reply::mute());
    let mut options = options(CredentialStore::anonymous());
    (options.http.silence, options.http.retries) = (Duration::from_millis(200), 1);
    assert_eq!(code(registry(&server.host(), options).resolve("a/b", "t")), "timed-out");
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_body_that_only_drips_is_given_up() {
    let server = Server::start(|_| Reply::new(200).drip());
    let mut options = options(CredentialStore::anonymous());
    (options.http.silence, options.http.retries) = (Duration::from_secs(1), 0);
    // Without the rule this would take hours; on a very busy machine the header may be late instead.
    let code = code(registry(&server.host(), options).resolve("a/b", "t"));
    assert!(["unreachable", "timed-out"].contains(&code), "{code}");
}

#[test]
fn a_proxy_is_used_but_not_for_this_machine() {
    let proxy = Server::start(|_| sent(manifest()));
    let test = Test::new();
    let through = |host: &str| {
        let line = format!("discover docker://{host}/a/b:t --plain-http");
        test.run_with(&line, &[("HTTP_PROXY", &proxy.url(""))])
    };
    through("mirror.invalid:5000");
    assert_eq!(proxy.lines()[0], "GET http://mirror.invalid:5000/v2/a/b/manifests/t");
    let (server, before) = (Server::start(|_| Reply::new(404)), proxy.log().len());
    through(&server.host()).exits(1);
    assert_eq!(proxy.log().len(), before);
    assert!(!server.log().is_empty());
}
