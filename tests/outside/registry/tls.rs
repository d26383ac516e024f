//! Which servers TLS trusts, which certificate we present, and unusable files.

use std::{fmt::Write, fs, path::Path};

use keypack::{
    content::Source,
    registry::{Options, credentials::CredentialStore},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::{
    docker_registry::DockerRegistry,
    round_trip,
    support::{code, options, registry},
};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Writes a certificate and its key.
    fn issue(&self, name: &str, certificate: &Path, key: &Path) {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        fs::write(certificate, params.signed_by(&pair, &self.issuer).unwrap().pem()).unwrap();
        fs::write(key, pair.serialize_pem()).unwrap();
    }
}

/// A registry over TLS whose certificate `authority` issued; `clients`: whether clients must present one of its
/// certificates too.
fn over_tls(authority: &Authority, clients: bool) -> DockerRegistry {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    authority.issue("127.0.0.1", &at("server.crt"), &at("server.key"));
    fs::write(at("clients.crt"), &authority.pem).unwrap();
    let mut http = format!(
        "  tls:\n    certificate: {}\n    key: {}\n",
        at("server.crt").display(),
        at("server.key").display()
    );
    if clients {
        let _ = write!(http, "    clientcas:\n      - {}\n", at("clients.crt").display());
    }
    DockerRegistry::start(dir, &http, "", "")
}

fn tls_options(certificates: Option<&Path>) -> Options {
    let mut options = options(CredentialStore::anonymous());
    options.plain_http = false;
    options.http.retries = 0;
    options.http.tls.cert_dir = certificates.map(Into::into);
    options
}

pub(crate) fn tls_trusts_the_authority_that_the_user_names() {
    let authority = Authority::new();
    let server = over_tls(&authority, false);
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("ca.crt"), &authority.pem).unwrap();
    round_trip(&registry(server.host(), tls_options(Some(dir.path()))), "a/b");
    // certs.d: a directory per host and port.
    let certs = TempDir::new().unwrap();
    fs::create_dir(certs.path().join(server.host())).unwrap();
    fs::write(certs.path().join(server.host()).join("any.crt"), &authority.pem).unwrap();
    let mut searching = tls_options(None);
    searching.http.tls.search = vec![certs.path().join("none"), certs.path().into()];
    assert!(registry(server.host(), searching).resolve("a/b", "v1").unwrap().is_some());

    assert_eq!(code(registry(server.host(), tls_options(None)).resolve("a/b", "v1")), "tls");
    fs::write(dir.path().join("ca.crt"), Authority::new().pem).unwrap();
    assert_eq!(code(registry(server.host(), tls_options(Some(dir.path()))).resolve("a/b", "v1")), "tls");
    let mut careless = tls_options(None);
    careless.http.tls.verify = false;
    assert!(registry(server.host(), careless).resolve("a/b", "v1").unwrap().is_some());
}

pub(crate) fn a_bad_certificate_file_is_named() {
    let dir = TempDir::new().unwrap();
    let good = Authority::new().pem;
    for (name, text) in [
        ("ca.crt", "junk"),
        ("ca.crt", ""),
        ("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("client.key", "x"),
        ("client.cert", good.as_str()),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        let error = registry("127.0.0.1:1", tls_options(Some(dir.path()))).resolve("a/b", "t").unwrap_err();
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        assert_eq!(code(Err::<(), _>(error)), "certificate-file", "{name} {text}");
        fs::remove_file(file).unwrap();
    }
    let nowhere = dir.path().join("nowhere");
    let error = registry("127.0.0.1:1", tls_options(Some(&nowhere))).resolve("a/b", "t").unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

pub(crate) fn a_client_certificate_is_shown_where_it_belongs() {
    let authority = Authority::new();
    let server = over_tls(&authority, true);
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("ca.crt"), &authority.pem).unwrap();
    assert_eq!(code(registry(server.host(), tls_options(Some(dir.path()))).resolve("a/b", "t")), "tls");
    authority.issue("client", &dir.path().join("client.cert"), &dir.path().join("client.key"));
    round_trip(&registry(server.host(), tls_options(Some(dir.path()))), "a/b");
}

pub(crate) fn this_machine_may_speak_http_where_certainty_is_waived() {
    let server = DockerRegistry::plain();
    let mut careless = tls_options(None);
    careless.http.tls.verify = false;
    round_trip(&registry(server.host(), careless), "a/b");
    assert_eq!(code(registry(server.host(), tls_options(None)).resolve("a/b", "v1")), "tls");
}
