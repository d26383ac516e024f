//! The registry client against a real one: Debian's docker-registry. If it is missing, the trials are ignored and say
//! how to get it.
mod credentials;
mod oci_client;
mod tls;

use std::fs;

use crate::support::{docker_registry, registry as support, tokens};
use docker_registry::{DockerRegistry, lab};
use keypack::{
    content::{Name, Referrers, RegistrySource, Selection, Sink, Source, fetch, fetch_manifest},
    oci::{Descriptor, Digest, Document},
    registry::credentials::CredentialStore,
};
use libtest_mimic::Trial;
use support::{artifact, code, options, registry};

/// A trial under the name of its function.
macro_rules! trial {
    ($name:ident) => {
        (stringify!($name), $name as fn())
    };
    ($module:ident::$name:ident) => {
        (concat!(stringify!($module), "::", stringify!($name)), $module::$name as fn())
    };
}

const TRIALS: [(&str, fn()); 16] = [
    trial!(credentials::basic_credentials_open_the_door),
    trial!(credentials::tokens_open_one_repository_at_a_time),
    trial!(credentials::a_token_service_under_another_name_must_be_allowed),
    trial!(tls::tls_trusts_the_authority_that_the_user_names),
    trial!(tls::a_bad_certificate_file_is_named),
    trial!(tls::a_client_certificate_is_shown_where_it_belongs),
    trial!(tls::this_machine_may_speak_http_where_certainty_is_waived),
    trial!(what_is_pushed_is_pulled),
    trial!(oci_client::reads_what_keypack_pushed),
    trial!(oci_client::pushes_what_keypack_reads),
    trial!(pushing_again_writes_nothing),
    trial!(a_registry_that_lost_a_blob_gets_it_back),
    trial!(a_large_blob_goes_up),
    trial!(what_is_not_there_is_none),
    trial!(a_read_only_registry_says_so),
    trial!(the_lab_is_read_whole),
];

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let here = docker_registry::program().is_some();
    TRIALS
        .into_iter()
        .map(|(name, trial)| {
            if here {
                return Trial::test(format!("registry::{name}"), move || {
                    trial();
                    Ok(())
                });
            }
            Trial::test(
                format!("registry::{name}: no docker-registry here (apt-get install docker-registry)"),
                || Ok(()),
            )
            .with_ignored_flag(true)
        })
        .collect()
}

fn open(server: &DockerRegistry) -> RegistrySource {
    registry(server.host(), options(CredentialStore::anonymous()))
}

/// Pushes, pulls and compares.
fn round_trip(registry: &RegistrySource, repository: &str) {
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

fn what_is_pushed_is_pulled() {
    let server = DockerRegistry::plain();
    round_trip(&open(&server), "a/b");
}

fn pushing_again_writes_nothing() {
    let server = DockerRegistry::plain();
    let sink = open(&server).sink("a/b").unwrap();
    let counts = |stored: keypack::content::Stored| (stored.written, stored.tagged);
    let first = artifact(b"one");
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (3, true));
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (0, false));
    // Another tag: only the tag is written. Another layer: the config is already there.
    assert_eq!(counts(sink.put(&first, "u").unwrap()), (0, true));
    assert_eq!(counts(sink.put(&artifact(b"two"), "t").unwrap()), (2, true));
    assert_eq!(counts(sink.put(&first, "t").unwrap()), (0, true));
}

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

fn a_large_blob_goes_up() {
    let server = DockerRegistry::plain();
    let registry = open(&server);
    let layer: Vec<u8> = (0..9_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]).collect();
    let artifact = artifact(&layer);
    registry.sink("a/b").unwrap().put(&artifact, "t").unwrap();
    let size = Some(layer.len() as u64);
    let descriptor =
        Descriptor { media_type: "x/y".into(), size, ..Descriptor::of_digest(Digest::of(&layer)) };
    let read = fetch(&registry, "a/b", &descriptor, 10_000_000).unwrap().unwrap();
    assert_eq!(read.bytes(), layer);
}

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
    assert!(registry.with_selection(Selection::Prefix(String::new())).repositories().unwrap().is_empty());
}

fn a_read_only_registry_says_so() {
    let server = lab();
    assert_eq!(code(open(&server).sink("a/b").unwrap().put(&artifact(b"x"), "t")), "registry-answer");
    assert_eq!(open(&server).resolve("a/b", "t").unwrap(), None);
}

fn the_lab_is_read_whole() {
    let server = lab();
    let all = open(&server).with_selection(Selection::Prefix(String::new()));
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
