//! Downloads that break, stall, or bring something else.

use std::time::Duration;

use keypack::{
    content::{Source, auth::Keyring},
    oci::Descriptor,
};

use super::{
    CONTENT, Count, anonymous, blob,
    fault::{Reply, Server},
    manifest, read, sent,
    support::{code, options, registry},
};

/// Serves a blob, with `first` done to the first answer, and with ranges if `ranges`.
fn breaking(
    content: &'static [u8],
    ranges: bool,
    first: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    let n = Count::default();
    Server::start(move |asked| {
        let from =
            asked.header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match (n.next(), from) {
            (0, _) => first(Reply::ok(content)),
            (_, Some(from)) if ranges => Reply::new(206)
                .header("Content-Range", format!("bytes {from}-{}/{}", content.len() - 1, content.len()))
                .body(&content[from..]),
            _ => Reply::ok(content),
        }
    })
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let server = breaking(CONTENT, true, |reply| reply.cut(7));
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log()[1].header("range"), Some("bytes=7-"));
}

#[test]
fn a_registry_without_ranges_sends_the_whole_again() {
    let server = breaking(CONTENT, false, |reply| reply.cut(7));
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
}

#[test]
fn a_stalled_download_goes_on_where_it_stalled() {
    let server = breaking(CONTENT, true, |reply| reply.stall(7));
    let mut options = options(Keyring::anonymous());
    options.net.silence = Duration::from_secs(2);
    assert_eq!(read(&registry(&server.host(), options), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_range_that_was_not_asked_for_is_refused() {
    let n = Count::default();
    let server = Server::start(move |_| match n.next() {
        0 => Reply::ok(CONTENT).cut(7),
        _ => Reply::new(206).header("Content-Range", "bytes 0-19/20").body(CONTENT),
    });
    assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), "read-failed");
}

#[test]
fn a_download_that_always_breaks_ends() {
    let server = Server::start(|_| Reply::ok(CONTENT).cut(3));
    assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), "read-failed");
    assert_eq!(server.log().len(), 3);
}

#[test]
fn a_manifest_that_breaks_off_is_asked_for_again() {
    let server = {
        let n = Count::default();
        Server::start(move |_| if n.next() == 0 { sent(manifest()).cut(9) } else { sent(manifest()) })
    };
    assert!(anonymous(&server).resolve("a/b", "t").unwrap().is_some());
}

#[test]
fn other_bytes_than_named_are_refused() {
    for (bytes, expected) in [
        (&b"0123456789abcdefghiX"[..], "digest-mismatch"),
        (b"0123456789abcdefghijk", "size-mismatch"),
        (b"0123", "read-failed"),
    ] {
        let server = Server::start(move |_| Reply::ok(bytes));
        assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), expected);
    }
    let server = Server::start(|_| Reply::ok(vec![b'x'; 1000]).endless());
    let unsized_blob = Descriptor { size: None, ..blob(CONTENT) };
    assert_eq!(code(read(&anonymous(&server), &unsized_blob)), "too-large");
}
