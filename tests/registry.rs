//! The registry client against a real one: Debian's docker-registry.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]

#[path = "support/docker_registry.rs"]
mod docker_registry;
#[path = "support/fault.rs"]
mod fault;
#[path = "support/registry.rs"]
mod support;
#[path = "support/tokens.rs"]
mod tokens;

use std::{fmt::Write, fs, path::Path};

use docker_registry::{DockerRegistry, lab};
use keypack::{
    content::{
        Name, Sink, Source,
        auth::{Credentials, Keyring},
        fetch, fetch_manifest,
        registry::{AllowedRealm, Extent, Options, Registry},
    },
    oci::{Descriptor, Digest, Document},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::{PASSWORD, USER, alice, artifact, code, options, registry};
use tempfile::TempDir;

fn open(server: &DockerRegistry) -> Registry {
    registry(server.host(), options(Keyring::anonymous()))
}

/// Pushes, pulls and compares.
fn round_trip(registry: &Registry, repository: &str) {
    let artifact = artifact(b"a layer");
    let sink = registry.sink(repository).unwrap();
    let stored = sink.put(&artifact, "v1").unwrap();
    assert_eq!((stored.digest, stored.written, stored.tagged), (artifact.manifest.digest(), 3, true));
    let descriptor = registry.resolve(repository, "v1").unwrap().unwrap();
    assert_eq!(descriptor.media_type, artifact.media_type);
    let (manifest, document) = fetch_manifest(registry, repository, &descriptor).unwrap().unwrap();
    assert_eq!(manifest, artifact.manifest);
    let Document::Manifest(image) = document else { panic!("an index") };
    for (descriptor, blob) in std::iter::once(&image.config).chain(&image.layers).zip(&artifact.blobs) {
        assert_eq!(fetch(registry, repository, descriptor, 100).unwrap().as_ref(), Some(blob));
    }
}

#[test]
fn what_is_pushed_is_pulled() {
    let server = DockerRegistry::plain();
    round_trip(&open(&server), "a/b");
}

#[test]
fn pushing_again_writes_nothing() {
    let server = DockerRegistry::plain();
    let sink = open(&server).sink("a/b").unwrap();
    let counts = |stored: keypack::content::Stored| (stored.written, stored.tagged);
    let first = artifact(b"one");
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (3, true));
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (0, false));
    // Another tag: nothing but the tag. Another layer: the config is there already.
    assert_eq!(counts(sink.put(&first, "u").unwrap()), (0, true));
    assert_eq!(counts(sink.put(&artifact(b"two"), "t").unwrap()), (2, true));
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (0, true));
}

#[test]
fn a_registry_that_lost_a_blob_gets_it_back() {
    let server = DockerRegistry::plain();
    let (registry, artifact) = (open(&server), artifact(b"one"));
    let sink = registry.sink("a/b").unwrap();
    sink.put(&artifact, "t").unwrap();
    let layers = server.storage().join("docker/registry/v2/repositories/a/b/_layers/sha256");
    fs::remove_dir_all(layers.join(artifact.blobs[1].digest().hex())).unwrap();
    let stored = sink.put(&artifact, "t").unwrap();
    assert_eq!((stored.written, stored.tagged), (1, false));
}

#[test]
fn large_blobs_go_up_in_pieces() {
    let server = DockerRegistry::plain();
    let registry = open(&server);
    let layer: Vec<u8> = (0..9_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]).collect();
    let artifact = artifact(&layer);
    registry.sink("a/b").unwrap().put(&artifact, "t").unwrap();
    let small = registry.sink("c/d").unwrap().in_pieces_above(1);
    assert_eq!(small.put(&artifact, "t").unwrap().written, 3);
    for repository in ["a/b", "c/d"] {
        let descriptor = Descriptor { media_type: "x/y".into(), ..Descriptor::of_digest(Digest::of(&layer)) };
        let read = fetch(&registry, repository, &descriptor, 10_000_000).unwrap().unwrap();
        assert_eq!(read.bytes(), layer);
    }
}

#[test]
fn a_blob_is_mounted_from_another_repository() {
    let server = DockerRegistry::plain();
    let (registry, artifact) = (open(&server), artifact(b"one"));
    registry.sink("a/b").unwrap().put(&artifact, "t").unwrap();
    for from in ["a/b", "not/there"] {
        let sink = registry.sink(&format!("copy/of-{}", from.replace('/', "-"))).unwrap().mounting_from(from);
        assert!(sink.put(&artifact, "t").unwrap().tagged);
    }
}

#[test]
fn what_is_not_there_is_none() {
    let server = DockerRegistry::plain();
    let registry = open(&server);
    assert_eq!(registry.resolve("a/b", "t").unwrap(), None);
    assert!(registry.manifests("a/b").unwrap().is_empty());
    assert!(registry.referrers("a/b", &Digest::of(b"x")).unwrap().is_empty());
    for media_type in ["", "x/y", "application/vnd.oci.image.manifest.v1+json"] {
        let descriptor =
            Descriptor { media_type: media_type.into(), ..Descriptor::of_digest(Digest::of(b"x")) };
        assert!(fetch(&registry, "a/b", &descriptor, 10).unwrap().is_none(), "{media_type:?}");
    }
    assert!(registry.with_extent(Extent::Prefix(String::new())).repositories().unwrap().is_empty());
}

#[test]
fn a_read_only_registry_says_so() {
    let server = lab();
    assert_eq!(code(open(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")), "registry-answer");
    assert_eq!(open(&server).resolve("a/b", "t").unwrap(), None);
}

#[test]
fn the_lab_is_read_whole() {
    let server = lab();
    let all = open(&server).with_extent(Extent::Prefix(String::new()));
    let repositories = all.repositories().unwrap();
    assert!(!repositories.is_empty());
    let (mut images, mut signatures) = (0, 0);
    for repository in &repositories {
        for listed in all.manifests(repository).unwrap() {
            let Name::Tag(tag) = &listed.name else { panic!("no tag") };
            let (_, document) = fetch_manifest(&all, repository, &listed.descriptor).unwrap().unwrap();
            assert!(all.referrers(repository, &listed.descriptor.digest).unwrap().is_empty());
            images += 1;
            let is_signature = tag.strip_suffix(".sig").is_some();
            if let (true, Document::Manifest(image)) = (is_signature, document) {
                for layer in &image.layers {
                    assert!(fetch(&all, repository, layer, 1 << 20).unwrap().is_some());
                    signatures += 1;
                }
            }
        }
    }
    assert!(images > repositories.len() && signatures > 0, "{images} {signatures}");
}

// ---- TLS ----

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

/// A registry over TLS whose certificate `authority` made; `clients`: who must show one of it as well.
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
    let mut options = options(Keyring::anonymous());
    options.plain_http = false;
    options.net.retries = 0;
    options.net.tls.cert_dir = certificates.map(Into::into);
    options
}

#[test]
fn tls_trusts_the_authority_that_the_user_names() {
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
    searching.net.tls.search = vec![certs.path().join("none"), certs.path().into()];
    assert!(registry(server.host(), searching).resolve("a/b", "v1").unwrap().is_some());

    assert_eq!(code(registry(server.host(), tls_options(None)).resolve("a/b", "v1")), "tls");
    fs::write(dir.path().join("ca.crt"), Authority::new().pem).unwrap();
    assert_eq!(code(registry(server.host(), tls_options(Some(dir.path()))).resolve("a/b", "v1")), "tls");
    let mut careless = tls_options(None);
    careless.net.tls.verify = false;
    assert!(registry(server.host(), careless).resolve("a/b", "v1").unwrap().is_some());
}

#[test]
fn a_bad_certificate_file_is_named() {
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

#[test]
fn a_client_certificate_is_shown_where_it_belongs() {
    let authority = Authority::new();
    let server = over_tls(&authority, true);
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("ca.crt"), &authority.pem).unwrap();
    assert!(registry(server.host(), tls_options(Some(dir.path()))).resolve("a/b", "t").is_err());
    authority.issue("client", &dir.path().join("client.cert"), &dir.path().join("client.key"));
    round_trip(&registry(server.host(), tls_options(Some(dir.path()))), "a/b");
}

#[test]
fn this_machine_may_speak_http_where_certainty_is_waived() {
    let server = DockerRegistry::plain();
    let mut careless = tls_options(None);
    careless.net.tls.verify = false;
    round_trip(&registry(server.host(), careless), "a/b");
    assert_eq!(code(registry(server.host(), tls_options(None)).resolve("a/b", "v1")), "tls");
}

// ---- credentials ----

#[test]
fn basic_credentials_open_the_door() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("htpasswd");
    // bcrypt of the test password, with few rounds.
    fs::write(&file, format!("{USER}:$2y$04$y4nLLoYXVHxYxdiI8uUCnuXqQFFBu7cgQer1s9pt5LxgzMx1P1zwK\n"))
        .unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display());
    let server = DockerRegistry::start(dir, "", &auth, "");
    round_trip(&registry(server.host(), options(alice())), "a/b");
    let error = open(&server).resolve("a/b", "v1").unwrap_err();
    assert!(error.to_string().contains("none are known"), "{error}");
    assert_eq!(code(Err::<(), _>(error)), "unauthorized");
    let wrong = Keyring::given(Credentials::password(USER, "wrong"));
    let wrong = registry(server.host(), options(wrong));
    assert_eq!(code(wrong.resolve("a/b", "v1")), "unauthorized");
    assert_eq!(code(wrong.with_extent(Extent::Prefix(String::new())).repositories()), "unauthorized");
}

#[test]
fn tokens_open_one_repository_at_a_time() {
    let dir = TempDir::new().unwrap();
    let bundle = dir.path().join("tokens.crt");
    let service = tokens::start(&bundle, "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    let auth = |realm: String| {
        format!(
            "auth:\n  token:\n    realm: {realm}\n    service: keypack-registry\n    issuer: keypack-tests\n    \
             rootcertbundle: {}\n",
            bundle.display()
        )
    };
    let server = DockerRegistry::start(dir, "", &auth(service.url("/token")), "");
    let registry = registry(server.host(), options(alice()));
    round_trip(&registry, "public/a");
    round_trip(&registry, "private/b");
    // One to push and one to pull, for each of the two.
    assert_eq!(service.log().len(), 4);
    let mounting = registry.sink("private/c").unwrap().mounting_from("private/b");
    assert!(mounting.put(&artifact(b"a layer"), "t").unwrap().tagged);

    let anybody = open(&server);
    assert!(anybody.resolve("public/a", "v1").unwrap().is_some());
    assert_eq!(code(anybody.resolve("private/b", "v1")), "unauthorized");
    assert_eq!(code(anybody.sink("public/a").unwrap().put(&artifact(b"x"), "t")), "unauthorized");
    let all = registry.with_extent(Extent::Prefix(String::new()));
    assert_eq!(code(all.repositories()), "catalog-refused");
    let wrong = Keyring::given(Credentials::password(USER, "wrong"));
    assert_eq!(
        code(support::registry(server.host(), options(wrong)).resolve("public/a", "v1")),
        "unauthorized"
    );
}

#[test]
fn a_token_service_under_another_name_must_be_allowed() {
    let dir = TempDir::new().unwrap();
    let bundle = dir.path().join("tokens.crt");
    let service = tokens::start(&bundle, "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    let auth = format!(
        "auth:\n  token:\n    realm: {}\n    service: keypack-registry\n    issuer: keypack-tests\n    \
         rootcertbundle: {}\n",
        service.alias("/token"),
        bundle.display()
    );
    let server = DockerRegistry::start(dir, "", &auth, "");
    assert_eq!(code(registry(server.host(), options(alice())).resolve("a/b", "v1")), "realm-refused");
    assert!(service.log().is_empty());
    let mut allowing = options(alice());
    allowing.allowed = vec![AllowedRealm::parse("localhost").unwrap()];
    round_trip(&registry(server.host(), allowing), "a/b");
    assert!(!PASSWORD.is_empty());
}
