//! Images with signatures of every kind, written into the storage of a real registry.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::support::docker_registry::DockerRegistry;

/// A running registry with the content written to it, and the key files that policies name.
pub struct Content {
    registry: DockerRegistry,
    files: tempfile::TempDir,
    pub rekor: KeyPair,
    number: usize,
}

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The payload that cosign signs.
pub fn payload(reference: &str, image: &str) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": image},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}

/// The annotations of a layer with a signature.
pub fn annotations(signature: &[u8]) -> BTreeMap<String, String> {
    [("dev.cosignproject.cosign/signature".to_owned(), BASE64.encode(signature))].into()
}

/// A key that signs.
pub trait Sign {
    fn make(&self, bytes: &[u8]) -> Vec<u8>;
}

impl Sign for KeyPair {
    fn make(&self, bytes: &[u8]) -> Vec<u8> {
        self.sign(bytes).unwrap()
    }
}

/// A key made by openssl(1), which signs with SHA-256 whatever the key is.
struct OpenSsl {
    folder: tempfile::TempDir,
    options: Vec<String>,
}

/// Makes a key with openssl(1): the signing key, and its public key. `options` are for signing.
pub fn openssl_key(make: &[&str], options: &[&str]) -> (Box<dyn Sign>, String) {
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), &[make, &["-out", "key.pem"]].concat());
    let pem = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]);
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    (Box::new(OpenSsl { folder, options }), String::from_utf8(pem).unwrap())
}

fn openssl(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").current_dir(folder).args(args).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Sign for OpenSsl {
    fn make(&self, bytes: &[u8]) -> Vec<u8> {
        fs::write(self.folder.path().join("text"), bytes).unwrap();
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        openssl(
            self.folder.path(),
            &[&["dgst", "-sha256", "-sign", "key.pem"], options.as_slice(), &["text"]].concat(),
        )
    }
}

/// A layer of a signature manifest.
pub struct Layer {
    pub media_type: &'static str,
    pub payload: Vec<u8>,
    pub annotations: BTreeMap<String, String>,
    /// Whether its blob exists.
    pub stored: bool,
}

impl Layer {
    pub fn signed(key: &dyn Sign, payload: Vec<u8>) -> Self {
        let annotations = annotations(&key.make(&payload));
        Self { media_type: SIMPLE, payload, annotations, stored: true }
    }

    /// With another annotation.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(format!("dev.sigstore.cosign/{name}"), value.into());
        self
    }
}

impl Content {
    pub fn new() -> Self {
        let content = Self {
            registry: DockerRegistry::plain(),
            files: tempfile::tempdir().unwrap(),
            rekor: KeyPair::generate().unwrap(),
            number: 0,
        };
        content.file("rekor.pub", content.rekor.public_key_pem());
        content
    }

    pub fn host(&self) -> &str {
        self.registry.host()
    }

    /// The registry's data folder.
    pub fn storage(&self) -> PathBuf {
        self.registry.storage()
    }

    /// The folder of the key files.
    pub fn files(&self) -> PathBuf {
        self.files.path().to_owned()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.files.path().join(name), content).unwrap();
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.registry.storage().join("docker/registry/v2").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn data(&self, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let hex = &digest[7..];
        self.write(&format!("blobs/sha256/{}/{hex}/data", &hex[..2]), bytes);
        digest
    }

    pub fn blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = self.data(bytes);
        let link = format!("repositories/{repository}/_layers/sha256/{}/link", &digest[7..]);
        self.write(&link, digest.as_bytes());
        digest
    }

    pub fn manifest(&self, repository: &str, tag: Option<&str>, manifest: &Value) -> String {
        let digest = self.data(manifest.to_string().as_bytes());
        let place = format!("repositories/{repository}/_manifests");
        self.write(&format!("{place}/revisions/sha256/{}/link", &digest[7..]), digest.as_bytes());
        if let Some(tag) = tag {
            self.write(&format!("{place}/tags/{tag}/current/link"), digest.as_bytes());
            self.write(&format!("{place}/tags/{tag}/index/sha256/{}/link", &digest[7..]), digest.as_bytes());
        }
        digest
    }

    /// A new image.
    pub fn image(&mut self, repository: &str, tag: Option<&str>, arch: &str) -> String {
        self.labelled(repository, tag, arch, &json!({}))
    }

    /// A new image with labels.
    pub fn labelled(&mut self, repository: &str, tag: Option<&str>, arch: &str, labels: &Value) -> String {
        self.number += 1;
        let layer = format!("layer {}", self.number);
        let config = json!({
            "architecture": arch, "os": "linux", "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer.as_bytes())]},
        });
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.blob(repository, config.as_bytes()), "size": config.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": self.blob(repository, layer.as_bytes()), "size": layer.len(),
            }],
        });
        self.manifest(repository, tag, &manifest)
    }

    /// An index of these images.
    pub fn list(&self, repository: &str, tag: &str, entries: &[(&str, &str)]) -> String {
        let entries: Vec<_> = entries
            .iter()
            .map(|(arch, digest)| {
                let size = self.size(digest);
                json!({"mediaType": MANIFEST, "digest": digest, "size": size,
                       "platform": {"architecture": arch, "os": "linux"}})
            })
            .collect();
        let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        self.manifest(repository, Some(tag), &list)
    }

    /// The SHA-512 of the content with this digest, in hex.
    pub fn sha512(&self, digest: &str) -> String {
        let path = format!("docker/registry/v2/blobs/sha256/{}/{}/data", &digest[7..9], &digest[7..]);
        let bytes = fs::read(self.registry.storage().join(path)).unwrap();
        Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn size(&self, digest: &str) -> u64 {
        let path = format!("docker/registry/v2/blobs/sha256/{}/{}/data", &digest[7..9], &digest[7..]);
        fs::metadata(self.registry.storage().join(path)).unwrap().len()
    }

    /// The tag of an image's signatures.
    pub fn signature_tag(image: &str) -> String {
        format!("{}.sig", image.replace(':', "-"))
    }

    /// Puts signatures where containers/image looks for them.
    pub fn attach(&self, repository: &str, image: &str, layers: &[Layer]) {
        let manifest = self.signature_manifest(repository, layers);
        self.manifest(repository, Some(&Self::signature_tag(image)), &manifest);
    }

    pub fn signature_manifest(&self, repository: &str, layers: &[Layer]) -> Value {
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                let digest =
                    if layer.stored { self.blob(repository, &layer.payload) } else { digest(&layer.payload) };
                json!({"mediaType": layer.media_type, "digest": digest, "size": layer.payload.len(),
                       "annotations": layer.annotations})
            })
            .collect();
        let config = b"{}";
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "digest": self.blob(repository, config), "size": config.len()},
            "layers": layers,
        })
    }

    /// The Rekor entry of a signature, as cosign keeps it. `signer` is the PEM text of the key or the certificate.
    pub fn logged(&self, signer: &str, layer: &Layer, time: i64) -> String {
        self.logged_as(&self.rekor, signer, layer, time, &|_| {})
    }

    pub fn logged_as(
        &self,
        rekor: &dyn Sign,
        signer: &str,
        layer: &Layer,
        time: i64,
        change: &dyn Fn(&mut Value),
    ) -> String {
        let mut body = json!({
            "apiVersion": "0.0.1", "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": &digest(&layer.payload)[7..]}},
                "signature": {
                    "content": layer.annotations["dev.cosignproject.cosign/signature"],
                    "publicKey": {"content": BASE64.encode(signer)},
                },
            },
        });
        change(&mut body);
        // In RFC 8785 order, which is how serde_json writes a map.
        let id = digest(&self.rekor.subject_public_key_info());
        let payload = json!({
            "body": BASE64.encode(body.to_string()), "integratedTime": time, "logID": &id[7..], "logIndex": 7,
        });
        let timestamp = rekor.make(payload.to_string().as_bytes());
        json!({"Payload": payload, "SignedEntryTimestamp": BASE64.encode(timestamp)}).to_string()
    }
}

/// The current time, in seconds.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
