//! Servers that provide keys: our own Rekor, and Red Hat's URLs, which our own proxy answers.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use super::{
    fault::{Asked, Reply, Server},
    lab::{Say, block, bytes},
    place::{EPOCH, owner, signed_image},
    program::{Ran, Test},
};

const PUBLIC_KEY: &str = "/api/v1/log/publicKey";
const LOG: &str = "/api/v1/log";

/// A certificate for these names, and a folder with its CA for --cert-dir.
pub fn tls(test: &Test, names: &[&str]) -> Arc<rustls::ServerConfig> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    test.write("certs/ca.crt", params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(params, key);
    let pair = KeyPair::generate().unwrap();
    let names: Vec<_> = names.iter().map(|n| (*n).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&pair, &issuer).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.serialize_pem().as_bytes()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

fn lab_key(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/lab/trust/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A log whose key is the lab's.
fn rekor(asked: &Asked) -> Reply {
    match asked.target.as_str() {
        PUBLIC_KEY => Reply::ok(lab_key("rekor.pub")),
        LOG => Reply::ok(r#"{"inactiveShards":[]}"#),
        _ => Reply::new(404),
    }
}

fn discover(test: &Test, more: &str) -> Ran {
    test.run(&format!(
        "discover --format json --no-host --retry-times 0 --key lab/trust/cosign.pub \
         oci:lab/layouts/key-bundle-rekor1-oras {more}"
    ))
}

fn log_key(ran: &Ran) -> serde_json::Value {
    let report = ran.json();
    let keys = report["keys"].as_array().unwrap();
    keys.iter().find(|k| k["key"].as_str().unwrap().starts_with("rekor:")).cloned().unwrap_or_default()
}

#[test]
fn a_rekor_is_asked_for_its_key() {
    let test = Test::new();
    let server = Server::start(rekor);
    let ran = discover(&test, &format!("--rekor {}", server.url(""))).exits(0);
    assert_eq!(log_key(&ran)["provenance"][0]["grade"], "file", "nothing vouches for http");
    assert!(ran.err.contains("without TLS"), "{}", ran.err);
    assert_eq!(server.lines(), ["GET /api/v1/log", "GET /api/v1/log/publicKey"]);
    let named = test.run(&format!(
        "collect --no-host --key lab/trust/cosign.pub oci:lab/layouts/key-bundle-rekor1-oras -o keys --rekor {}/",
        server.url("")
    ));
    named.exits(0);
    assert!(test.names("keys").iter().any(|n| n.starts_with("rekor-e69e8241")), "{:?}", test.names("keys"));
}

#[test]
fn what_tls_vouches_for_is_told_and_what_it_does_not_is_not() {
    let test = Test::new();
    let server = Server::start_tls(tls(&test, &["127.0.0.1"]), rekor);
    let url = server.url("");
    let ran = discover(&test, &format!("--rekor {url} --cert-dir certs")).exits(0);
    assert_eq!(log_key(&ran)["provenance"][0]["grade"], "tls");
    assert!(!ran.err.contains("without TLS"), "{}", ran.err);
    // Any server is accepted: TLS does not vouch for that.
    let ran = discover(&test, &format!("--rekor {url} --tls-verify=false")).exits(0);
    assert_eq!(log_key(&ran)["provenance"][0]["grade"], "file");
    discover(&test, &format!("--rekor {url}")).fails(1, "tls");
}

#[test]
fn an_inactive_shard_has_the_key() {
    let test = Test::new();
    let server = Server::start(|asked| match asked.target.as_str() {
        PUBLIC_KEY => Reply::ok(lab_key("cosign.pub")),
        LOG => {
            Reply::ok(r#"{"inactiveShards":[{"treeID":"1 &x=/"},{"treeID":"404"}],"treeID":"9","new":[]}"#)
        }
        "/api/v1/log/publicKey?treeID=1+%26x%3D%2F" => Reply::ok(lab_key("rekor.pub")),
        _ => Reply::new(404),
    });
    let ran = discover(&test, &format!("--rekor {}", server.url(""))).exits(0);
    let source = log_key(&ran)["provenance"][0]["source"].clone();
    // No recorded URL has a query.
    assert_eq!(source, format!("{} of the tree 1x", server.url(PUBLIC_KEY)));
    // A shard without a key is reported, and does not affect the others.
    assert_eq!(ran.json()["unusable"][0]["entry"], "inactive shard");
}

#[test]
fn servers_that_are_no_rekor() {
    type Answer = Box<dyn Fn() -> Reply + Send + Sync>;
    let test = Test::new();
    let elsewhere = Server::start(rekor);
    let target = elsewhere.url(PUBLIC_KEY);
    let answers: [(&str, i32, Answer); 8] = [
        ("rekor-answer", 1, Box::new(|| Reply::ok("<!DOCTYPE html><html>log in</html>"))),
        ("rekor-answer", 1, Box::new(|| Reply::new(404))),
        ("rekor-answer", 1, Box::new(|| Reply::ok(""))),
        ("answer-too-long", 1, Box::new(|| Reply::ok("x".repeat(1 << 16)).endless())),
        ("rekor-answer", 1, Box::new(|| Reply::new(500))),
        ("unreachable", 1, Box::new(|| Reply::ok("x".repeat(100)).cut(10))),
        ("rekor-answer", 1, Box::new(move || Reply::new(302).header("Location", target.clone()))),
        (
            "rekor-answer",
            1,
            Box::new(|| Reply::ok("-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n")),
        ),
    ];
    for (code, exit, answer) in answers {
        let server = Server::start(move |asked| match asked.target.as_str() {
            LOG => Reply::ok("{}"),
            _ => answer(),
        });
        let ran = discover(&test, &format!("--rekor {}", server.url("")));
        assert_eq!(ran.code, exit, "{code}: {}", ran.err);
        assert!(ran.err.contains(&format!("[{code}]")), "{code}: {}", ran.err);
    }
    elsewhere.assert_no_credentials();
}

/// keypack waits once for an unreachable host, and reports the step and what to do.
#[test]
fn a_rekor_that_is_not_there_is_asked_once() {
    let test = Test::new();
    let line = "discover oci:lab/layouts/key-bundle-rekor1-oras --no-host --rekor http://127.0.0.1:1 --retry-times 1";
    let ran = test.run(line).fails(1, "unreachable");
    let ran =
        ran.tells("keypack: asking http://127.0.0.1:1 for its keys\n").tells("check the name, the port");
    assert_eq!(ran.err.matches("trying again").count(), 1, "{}", ran.err);
}

/// The key is well-formed but another one: no signature names it, and the need stays open.
#[test]
fn a_rekor_with_the_wrong_key() {
    let test = Test::new();
    let server = Server::start(|asked| match asked.target.as_str() {
        PUBLIC_KEY => Reply::ok(lab_key("cosign.pub")),
        _ => Reply::ok("<html>"),
    });
    let ran = discover(&test, &format!("--rekor {}", server.url(""))).exits(4);
    assert_eq!(log_key(&ran), serde_json::Value::Null);
    let collected = test.run(&format!(
        "collect --no-host --key lab/trust/cosign.pub oci:lab/layouts/key-bundle-rekor1-oras -o keys --rekor {}",
        server.url("")
    ));
    collected.exits(4);
    assert!(test.names("keys").iter().all(|n| !n.starts_with("rekor-")), "{:?}", test.names("keys"));
}

const NAMES: [&str; 4] = [
    "access.redhat.com",
    "security.access.redhat.com",
    "rekor-server-default.apps.rosa.rekor-prod.2jng.p3.openshiftapps.com",
    "tuf-default.apps.rosa.rekor-prod.2jng.p3.openshiftapps.com",
];

/// A proxy that sends every name to one server.
fn proxy(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test program.
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || tunnel(client, to));
        }
    });
    address
}

fn tunnel(mut client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let mut head = BufReader::new(client.try_clone()?);
    loop {
        let mut line = String::new();
        head.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut server = TcpStream::connect(to)?;
    let (mut down, mut up) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        std::io::copy(&mut down, &mut up).map(|_| up.shutdown(std::net::Shutdown::Both))
    });
    server.write_all(head.buffer())?;
    std::io::copy(&mut client, &mut server)?;
    server.shutdown(std::net::Shutdown::Both)
}

/// Runs with Red Hat's names pointing to our server.
fn at_red_hats(
    test: &Test,
    line: &str,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Ran, Vec<String>) {
    let server = Server::start_tls(tls(test, &NAMES), answer);
    let proxy = proxy(server.host().parse().unwrap());
    let ran = test.run_with(line, &[("HTTPS_PROXY", &format!("http://{proxy}"))]);
    (ran, server.lines())
}

const COLLECT: &str = "collect dir:image -o keys --no-host --cert-dir certs";
const GPG_KEY: &str = "GET /security/data/fd431d51.txt";

#[test]
fn red_hats_address_gives_the_key_that_proves_a_signature() {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    signed_image(&test, &owner, "registry.redhat.io/ubi9/ubi:latest");
    let key = bytes(&block(&owner, &Say::default()));
    let (ran, asked) = at_red_hats(&test, COLLECT, move |_| Reply::ok(key.clone()));
    let ran = ran.exits(0);
    assert_eq!(asked, [GPG_KEY], "only what is needed is asked for");
    assert!(
        ran.out.contains("https://access.redhat.com/security/data/fd431d51.txt, over https"),
        "{}",
        ran.out
    );
}

#[test]
fn red_hats_addresses_are_left_alone_unless_they_are_needed() {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    let key = bytes(&block(&owner, &Say::default()));
    for (reference, more, code) in [
        ("registry.redhat.io/ubi9/ubi:latest", "--no-network", 4),
        ("registry.redhat.io/ubi9/ubi:latest", "--key owner.asc", 0),
        ("registry.redhat.io.evil.test/ubi9/ubi:latest", "", 4),
        ("quay.io/somebody/else:1", "", 4),
    ] {
        signed_image(&test, &owner, reference);
        let key = key.clone();
        let (ran, asked) =
            at_red_hats(&test, &format!("discover dir:image --no-host --cert-dir certs {more}"), move |_| {
                Reply::ok(key.clone())
            });
        ran.exits(code);
        assert_eq!(asked, Vec::<String>::new(), "{reference} {more}");
    }
}

/// TLS says that Red Hat's server sent it, and nothing more: it is in no table and proves nothing.
#[test]
fn another_key_at_red_hats_address() {
    let test = Test::at_epoch(EPOCH);
    signed_image(&test, &owner(), "quay.io/openshift-release-dev/ocp-release:4.20.1-x86_64");
    let other = bytes(&block(&owner(), &Say::default()));
    let (ran, asked) =
        at_red_hats(&test, &format!("{COLLECT} --include all --key lab/trust/cosign.pub"), move |_| {
            Reply::ok(other.clone())
        });
    let ran = ran.exits(4);
    assert_eq!(asked, [GPG_KEY]);
    assert!(ran.out.contains("missing"), "{}", ran.out);
    assert!(test.names("keys").iter().all(|name| !name.starts_with("gpg-")), "{:?}", test.names("keys"));
}

#[test]
fn no_way_to_red_hat_is_one_warning_and_blocks_nothing() {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    signed_image(&test, &owner, "registry.redhat.io/ubi9/ubi:latest");
    let line = "discover dir:image --no-host --cert-dir certs";
    tls(&test, &NAMES);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = test.run_with(line, &[("HTTPS_PROXY", &format!("http://{nobody}"))]);
    let (page, _) = at_red_hats(&test, line, |_| Reply::ok("<html>log in</html>"));
    let (gone, _) = at_red_hats(&test, line, |_| Reply::new(404));
    let (moved, _) = at_red_hats(&test, line, |_| {
        Reply::new(302).header("Location", "https://security.access.redhat.com/x")
    });
    for ran in [closed, page, gone, moved] {
        let ran = ran.exits(4);
        assert_eq!(ran.err.matches("published keys are not available").count(), 1, "{}", ran.err);
        assert!(ran.err.contains("--no-network"), "{}", ran.err);
    }
}

/// It is meant for the user's own registry, and for no other host.
#[test]
fn red_hats_addresses_are_checked_though_tls_is_not() {
    let test = Test::at_epoch(EPOCH);
    let owner = owner();
    signed_image(&test, &owner, "registry.redhat.io/ubi9/ubi:latest");
    let key = bytes(&block(&owner, &Say::default()));
    // Nothing trusts the server's CA.
    let line = "discover dir:image --no-host --tls-verify=false";
    let (ran, asked) = at_red_hats(&test, line, move |_| Reply::ok(key.clone()));
    let ran = ran.exits(4);
    assert_eq!(asked, Vec::<String>::new());
    assert_eq!(ran.err.matches("published keys are not available").count(), 1, "{}", ran.err);
}
