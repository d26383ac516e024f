//! Server certificates that are their own root (rustls/webpki#205, seanmonstar/reqwest#2041).

use std::sync::Arc;

use keypack::{content::Source, registry::credentials::CredentialStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use super::{
    fault::Server,
    manifest, sent,
    support::{code, options, registry},
};

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn server(certificate: &rcgen::Certificate, key: &KeyPair) -> Server {
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Server::start_tls(Arc::new(tls), |_| sent(manifest()))
}

/// Connects to a server with this certificate, with these as the given roots.
fn ask(server: &Server, roots: &str) -> Result<bool, &'static str> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.crt"), roots).unwrap();
    let mut options = options(CredentialStore::anonymous());
    options.plain_http = false;
    options.http.retries = 0;
    options.http.tls.cert_dir = Some(dir.path().into());
    match registry(&server.host(), options).resolve("a/b", "t") {
        Ok(found) => Ok(found.is_some()),
        failed => Err(code(failed)),
    }
}

#[test]
fn a_certificate_that_is_given_itself_is_trusted() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("127.0.0.1").self_signed(&key).unwrap();
    assert_eq!(ask(&server(&certificate, &key), &certificate.pem()), Ok(true));
}

#[test]
fn and_nothing_else_is() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("127.0.0.1").self_signed(&key).unwrap();
    let serving = server(&certificate, &key);
    // The same name and key in other bytes.
    let mut other = params("127.0.0.1");
    other.serial_number = Some(7.into());
    let other = other.self_signed(&key).unwrap();
    assert_eq!(ask(&serving, &other.pem()), Err("tls"));
    // A CA below a given one is not a server.
    let root = KeyPair::generate().unwrap();
    let root_params = params("root.test");
    let root_pem = root_params.self_signed(&root).unwrap().pem();
    let below = params("127.0.0.1").signed_by(&key, &Issuer::new(root_params, root)).unwrap();
    assert_eq!(ask(&server(&below, &key), &root_pem), Err("tls"));
    // Another name, and dates that have passed or not yet begun.
    let named = params("mirror.test").self_signed(&key).unwrap();
    assert_eq!(ask(&server(&named, &key), &named.pem()), Err("tls"));
    for (from, to) in [(2001, 2002), (2901, 2902)] {
        let mut dated = params("127.0.0.1");
        dated.not_before = date_time_ymd(from, 1, 1);
        dated.not_after = date_time_ymd(to, 1, 1);
        let dated = dated.self_signed(&key).unwrap();
        assert_eq!(ask(&server(&dated, &key), &dated.pem()), Err("tls"), "{from}");
    }
}
