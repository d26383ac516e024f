//! The registry client against a faulty server. Every case states the error's code, and that no credentials reached
//! another origin: another port, and another name of the same address, are other origins.
mod bodies;
mod interrupt;
mod lists;
mod log_keys;
mod manifests;
mod mirrors;
mod not_read;
mod oci_client;
mod patience;
mod programs;
mod progress;
mod push;
mod redirects;
mod self_signed;
mod signature_repository;
mod tokens;
mod vendors;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::support::{fault, registry as support};
use fault::{Asked, Reply, Server};
use keypack::{
    content::{ContentError, RegistrySource, fetch},
    oci::{Blob, Descriptor, Digest, media},
    registry::credentials::CredentialStore,
};
use support::{alice, artifact, options, registry};

const BASIC: &str = "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==";

/// Counts the requests that a server answered.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Behind HTTP Basic: a request without credentials gets a challenge.
fn basic(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.header("authorization") {
        Some(BASIC) => answer(asked),
        _ => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="r""#),
    })
}

fn anonymous(server: &Server) -> RegistrySource {
    registry(&server.host(), options(CredentialStore::anonymous()))
}

fn with_alice(server: &Server) -> RegistrySource {
    registry(&server.host(), options(alice()))
}

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media::LAYER_GZIP.into(),
        size: Some(bytes.len() as u64),
        ..Descriptor::of_digest(Digest::of(bytes))
    }
}

fn read(registry: &RegistrySource, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, ContentError> {
    Ok(fetch(registry, "a/b", descriptor, 1 << 20)?.map(Blob::into_bytes))
}

fn manifest() -> Vec<u8> {
    artifact(b"layer").manifest.into_bytes()
}

fn sent(bytes: Vec<u8>) -> Reply {
    Reply::ok(bytes).header("Content-Type", media::MANIFEST)
}

/// A blob to be read.
const CONTENT: &[u8] = b"0123456789abcdefghij";
