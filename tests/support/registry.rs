//! Shared by the registry tests: options without long pauses, recognisable credentials, small artifacts.

use std::time::Duration;

use keypack::{
    content::{Artifact, ContentError, RegistrySource, Selection},
    http,
    oci::{Blob, media},
    registry::{
        Host, Options,
        credentials::{CredentialStore, Credentials},
    },
};

/// The password that must never appear where it does not belong.
pub const PASSWORD: &str = "correct horse";
/// Its user.
pub const USER: &str = "alice";

/// Plain http, two retries, almost no pauses.
pub fn options(credentials: CredentialStore) -> Options {
    let http = http::Options {
        retries: 2,
        pause: Duration::from_millis(1),
        silence: Duration::from_secs(20),
        ..http::Options::default()
    };
    Options { http, plain_http: true, credentials, ..Options::default() }
}

/// Alice's credentials.
pub fn alice() -> CredentialStore {
    CredentialStore::given(Credentials::password(USER, PASSWORD))
}

/// The repository `a/b` of a registry.
pub fn registry(host: &str, options: Options) -> RegistrySource {
    RegistrySource::new(Host::parse(host).unwrap(), Selection::Repositories(vec!["a/b".into()]), options)
}

/// An image of one config and one layer.
pub fn artifact(layer: &[u8]) -> Artifact {
    let config = Blob::new(b"{}".to_vec());
    let layer = Blob::new(layer.to_vec());
    let manifest = manifest(&config, &layer);
    Artifact {
        manifest: Blob::new(manifest.into_bytes()),
        media_type: media::MANIFEST.into(),
        blobs: vec![config, layer],
    }
}

fn manifest(config: &Blob, layer: &Blob) -> String {
    let descriptor = |media_type: &str, blob: &Blob| {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, blob.digest(), blob.size())
    };
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        media::MANIFEST,
        descriptor(media::CONFIG, config),
        descriptor(media::LAYER_GZIP, layer)
    )
}

/// The expected error's code. No error shows the password in any form.
pub fn code<T>(result: Result<T, ContentError>) -> &'static str {
    let Err(error) = result else { panic!("this had to fail") };
    let text = format!("{error} {error:?} {}", keypack::diag::Diagnostic::from(&error).hint);
    assert!(!text.contains(PASSWORD), "{text}");
    assert!(!text.contains("YWxpY2U6"), "{text}");
    error.code().as_str()
}
