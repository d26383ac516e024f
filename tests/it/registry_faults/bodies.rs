//! Downloads that break, stall, or return something else.

use std::time::Duration;

use keypack::{content::Source, oci::Descriptor, registry::credentials::CredentialStore};

use super::{
    CONTENT, Count, anonymous, blob,
    fault::{Reply, Server},
    manifest, read, sent,
    support::{code, options, registry},
};

/// Serves a blob, with `first` applied to the first answer.
fn breaking(content: &'static [u8], first: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Server {
    let n = Count::default();
    Server::start(move |_| if n.next() == 0 { first(Reply::ok(content)) } else { Reply::ok(content) })
}

#[test]
fn a_broken_download_begins_again() {
    let server = breaking(CONTENT, |reply| reply.cut(7));
    assert_eq!(read(&anonymous(&server), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_stalled_download_begins_again() {
    let server = breaking(CONTENT, |reply| reply.stall(7));
    let mut options = options(CredentialStore::anonymous());
    options.http.silence = Duration::from_secs(2);
    assert_eq!(read(&registry(&server.host(), options), &blob(CONTENT)).unwrap().unwrap(), CONTENT);
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_download_that_always_breaks_ends() {
    let server = Server::start(|_| Reply::ok(CONTENT).cut(3));
    assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), "unreachable");
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
        (b"0123", "size-mismatch"),
    ] {
        let server = Server::start(move |_| Reply::ok(bytes));
        assert_eq!(code(read(&anonymous(&server), &blob(CONTENT))), expected);
    }
    let server = Server::start(|_| Reply::ok(vec![b'x'; 1000]).endless());
    let unsized_blob = Descriptor { size: None, ..blob(CONTENT) };
    assert_eq!(code(read(&anonymous(&server), &unsized_blob)), "too-large");
}
