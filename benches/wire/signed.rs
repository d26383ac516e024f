//! Signed images, written as a registry stores them.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::oci::Digest;
use sigstore_crypto::KeyPair;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Images in one repository.
const EACH: usize = 100;

/// Fills a registry's storage with so many images, each signed on its `.sig` tag, and gives the key as PEM.
pub(crate) fn mirror(storage: &Path, images: usize) -> String {
    let pair = KeyPair::generate_ecdsa_p256().unwrap();
    let root = storage.join("docker/registry/v2");
    let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    for number in 0..images {
        let repository = Repository { root: &root, name: format!("mirror/app-{}", number / EACH) };
        let note = format!(r#","annotations":{{"n":"{number}"}}"#);
        let config = repository.blob("application/vnd.oci.image.config.v1+json", config, "");
        let image = repository.manifest(&config, "", &note, &format!("v{number}"));
        let payload = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"origin.test/app-{}"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            number / EACH
        );
        let signature = BASE64.encode(pair.sign(payload.as_bytes()).unwrap().as_bytes());
        let layer = repository.blob(
            "application/vnd.dev.cosign.simplesigning.v1+json",
            &payload,
            &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
        );
        repository.manifest(&config, &layer, "", &format!("sha256-{}.sig", image.hex()));
    }
    let key = BASE64.encode(pair.public_key_der().unwrap().as_bytes());
    let lines: Vec<_> = key.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

struct Repository<'a> {
    root: &'a Path,
    name: String,
}

impl Repository<'_> {
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, digest: Digest) {
        self.write(&format!("repositories/{}/{path}/link", self.name), &digest.to_string());
    }

    fn data(&self, text: &str) -> Digest {
        let digest = Digest::of(text.as_bytes());
        let hex = digest.hex();
        self.write(&format!("blobs/sha256/{}/{hex}/data", &hex[..2]), text);
        digest
    }

    /// A blob, as its descriptor.
    fn blob(&self, media_type: &str, text: &str, more: &str) -> String {
        let digest = self.data(text);
        self.link(&format!("_layers/sha256/{}", digest.hex()), digest);
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}{more}}}"#, text.len())
    }

    fn manifest(&self, config: &str, layers: &str, more: &str, tag: &str) -> Digest {
        let digest = self.data(&format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layers}]{more}}}"#
        ));
        let hex = digest.hex();
        self.link(&format!("_manifests/revisions/sha256/{hex}"), digest);
        self.link(&format!("_manifests/tags/{tag}/current"), digest);
        self.link(&format!("_manifests/tags/{tag}/index/sha256/{hex}"), digest);
        digest
    }
}
