#![cfg_attr(fuzzing, no_main)]
//! A registry that answers arbitrarily: status, challenge, links and bodies are the input. A blob never gets another
//! digest, and no credentials go to another host.

mod input;
mod server;

use keypack::{
    content::{Referrers, RegistrySource, Selection, Source, fetch, fetch_manifest},
    http, limits,
    oci::{Descriptor, Digest},
    registry::{
        Host, Options,
        credentials::{CredentialStore, Credentials},
    },
};

/// Requests tags, a manifest and a blob.
pub fn run(data: &[u8]) {
    let address = server::answering(&input::parts(data));
    let options = Options {
        http: http::Options { retries: 0, ..http::Options::default() },
        plain_http: true,
        credentials: CredentialStore::given(Credentials::password("alice", "hunter2")),
        ..Options::default()
    };
    let host = Host::parse(&address).unwrap();
    let registry = RegistrySource::new(host, Selection::Prefix(String::new()), options);
    for repository in registry.repositories().unwrap_or_default().iter().take(3) {
        let _ = registry.manifests(repository);
    }
    let _ = registry.referrers("a/b", &Digest::of(b"x"));
    if let Ok(Some(descriptor)) = registry.resolve("a/b", "latest")
        && let Ok(Some((blob, _))) = fetch_manifest(&registry, "a/b", &descriptor)
    {
        assert_eq!(blob.digest(), descriptor.digest);
    }
    let wanted = Descriptor::of_digest(Digest::of(b"hello"));
    if let Ok(Some(blob)) = fetch(&registry, "a/b", &wanted, limits::PACK_FILE) {
        assert_eq!(blob.bytes(), b"hello");
    }
    assert!(!server::strangers_saw_credentials(), "credentials went elsewhere");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
