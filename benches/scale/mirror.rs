//! Mirrors of many signed images with one key, one config and no layers, so that they are made in seconds.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::oci::Digest;
use sigstore_crypto::KeyPair;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Images in one repository.
const EACH: usize = 100;

/// Where to write the files of a mirror.
pub(crate) enum Place {
    /// In a folder.
    Folder(PathBuf),
    /// Into a tar.
    Tar(Box<tar::Builder<BufWriter<File>>>),
}

impl Place {
    pub(crate) fn folder(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }

    #[allow(dead_code, reason = "shared by two benches")]
    pub(crate) fn tar(path: &Path) -> Self {
        Self::Tar(Box::new(tar::Builder::new(BufWriter::new(File::create(path).unwrap()))))
    }

    fn write(&mut self, name: &str, content: &str) {
        match self {
            Self::Folder(root) => {
                let path = root.join(name);
                let result = fs::write(&path, content);
                if result.is_err() {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, content).unwrap();
                }
            }
            Self::Tar(tar) => {
                let mut header = tar::Header::new_ustar();
                header.set_size(content.len() as u64);
                header.set_mode(0o644);
                tar.append_data(&mut header, name, content.as_bytes()).unwrap();
            }
        }
    }

    fn end(self) {
        if let Self::Tar(tar) = self {
            tar.into_inner().unwrap().flush().unwrap();
        }
    }
}

/// A blob and its descriptor.
struct Content {
    digest: Digest,
    text: String,
    descriptor: String,
}

impl Content {
    fn new(media_type: &str, text: String, more: &str) -> Self {
        let digest = Digest::of(text.as_bytes());
        let descriptor =
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}{more}}}"#, text.len());
        Self { digest, text, descriptor }
    }

    fn manifest(config: &Self, layers: &str, more: &str) -> Self {
        let config = &config.descriptor;
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layers}]{more}}}"#
        );
        Self::new(MANIFEST, text, "")
    }
}

/// An image, the payload of its signature, and the manifest on its `.sig` tag.
struct Signed {
    number: usize,
    image: Content,
    payload: Content,
    signature: Content,
}

/// The images one by one, all signed with the same key.
fn signed(images: usize, pair: &KeyPair, config: &Content) -> impl Iterator<Item = Signed> {
    (0..images).map(move |number| {
        let image = Content::manifest(config, "", &format!(r#","annotations":{{"n":"{number}"}}"#));
        let payload = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"origin.test/app-{}"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            number / EACH,
            image.digest
        );
        let signature = BASE64.encode(pair.sign(payload.as_bytes()).unwrap().as_bytes());
        let payload = Content::new(
            "application/vnd.dev.cosign.simplesigning.v1+json",
            payload,
            &format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#),
        );
        let signature = Content::manifest(config, &payload.descriptor, "");
        Signed { number, image, payload, signature }
    })
}

fn config() -> Content {
    Content::new("application/vnd.oci.image.config.v1+json", CONFIG.to_owned(), "")
}

fn pem(pair: &KeyPair) -> String {
    let key = BASE64.encode(pair.public_key_der().unwrap().as_bytes());
    let lines: Vec<_> = key.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Writes a registry's storage with this many images, each signed on its `.sig` tag, and returns the key as PEM.
pub(crate) fn storage(mut place: Place, images: usize) -> String {
    const ROOT: &str = "docker/registry/v2";
    let (pair, config) = (KeyPair::generate_ecdsa_p256().unwrap(), config());
    let blob = |place: &mut Place, content: &Content| {
        let hex = content.digest.hex();
        place.write(&format!("{ROOT}/blobs/sha256/{}/{hex}/data", &hex[..2]), &content.text);
    };
    let link = |place: &mut Place, number: usize, path: &str, digest: Digest| {
        let name = format!("{ROOT}/repositories/mirror/app-{}/{path}/link", number / EACH);
        place.write(&name, &digest.to_string());
    };
    blob(&mut place, &config);
    for Signed { number, image, payload, signature } in signed(images, &pair, &config) {
        if number % EACH == 0 {
            link(&mut place, number, &format!("_layers/sha256/{}", config.digest.hex()), config.digest);
        }
        link(&mut place, number, &format!("_layers/sha256/{}", payload.digest.hex()), payload.digest);
        for content in [&image, &payload, &signature] {
            blob(&mut place, content);
        }
        let tags = [format!("v{number}"), format!("sha256-{}.sig", image.digest.hex())];
        for (tag, manifest) in tags.into_iter().zip([&image, &signature]) {
            let hex = manifest.digest.hex();
            for path in [
                format!("_manifests/revisions/sha256/{hex}"),
                format!("_manifests/tags/{tag}/current"),
                format!("_manifests/tags/{tag}/index/sha256/{hex}"),
            ] {
                link(&mut place, number, &path, manifest.digest);
            }
        }
    }
    place.end();
    pem(&pair)
}

/// Writes an OCI layout with this many images, each signed on its `.sig` tag, and returns the key as PEM.
#[allow(dead_code, reason = "shared by two benches")]
pub(crate) fn layout(mut place: Place, images: usize) -> String {
    let (pair, config) = (KeyPair::generate_ecdsa_p256().unwrap(), config());
    let blob = |place: &mut Place, content: &Content| {
        place.write(&format!("blobs/sha256/{}", content.digest.hex()), &content.text);
    };
    place.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    blob(&mut place, &config);
    let mut entries = Vec::new();
    for Signed { number, image, payload, signature } in signed(images, &pair, &config) {
        for content in [&image, &payload, &signature] {
            blob(&mut place, content);
        }
        let tags = [format!("v{number}"), format!("sha256-{}.sig", image.digest.hex())];
        for (tag, manifest) in tags.into_iter().zip([&image, &signature]) {
            let descriptor = manifest.descriptor.trim_end_matches('}');
            entries.push(format!(r#"{descriptor},"annotations":{{"{REF_NAME}":"{tag}"}}}}"#));
        }
    }
    place.write("index.json", &format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")));
    place.end();
    pem(&pair)
}
