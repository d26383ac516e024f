//! The keys of a log, fetched from its URL: how far the connection vouches for them.

use keypack::{
    http::Client,
    key::{Grade, Role},
    keysource::Gathered,
};

use super::{
    Reply, Server,
    redirects::certified,
    support::{alice, options},
};

const KEY: &[u8] = include_bytes!("../../../testdata/lab/trust/rekor.pub");

fn answer() -> Reply {
    Reply::ok(KEY)
}

/// The grades of the keys from the log at this URL.
fn grades(url: &str, change: impl FnOnce(&mut keypack::http::Options)) -> Vec<Grade> {
    let mut options = options(alice()).http;
    change(&mut options);
    let mut gathered = Gathered::default();
    gathered.add_rekor(&url.parse().unwrap(), &Client::new(options)).unwrap();
    assert!(gathered.candidates.iter().all(|c| c.key.role == Role::Rekor));
    gathered.candidates.iter().map(|c| c.provenance.grade).collect()
}

#[test]
fn a_certificate_that_nobody_looked_at_is_worth_no_more_than_a_file() {
    let (certificates, tls) = certified();
    let server = Server::start_tls(tls, |asked| match asked.line().as_str() {
        "GET /api/v1/log/publicKey" => answer(),
        _ => Reply::new(404),
    });
    let url = format!("https://{}", server.host());
    assert_eq!(grades(&url, |o| o.tls.cert_dir = Some(certificates.path().into())), [Grade::Tls]);
    assert_eq!(grades(&url, |o| o.tls.verify = false), [Grade::File]);
}

#[test]
fn without_tls_it_is_worth_no_more_than_a_file() {
    let server = Server::start(|_| answer());
    assert_eq!(grades(&server.url("").replace("/v2", ""), |_| {}), [Grade::File]);
}
