//! Mirrors of many signed images: one config, no layers, so that they are made in seconds.

use std::{
    collections::BTreeMap,
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

    #[allow(dead_code, reason = "shared by several benches")]
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

/// An image, its signature, and the manifest that holds it.
pub(crate) struct Signed {
    number: usize,
    image: Content,
    payload: Content,
    signature: Content,
    /// Whether the signature lies on the image's `.sig` tag; else its manifest has no tag and refers to the image.
    is_tagged: bool,
}

/// The manifest of an image that is like no other.
pub(crate) fn image(number: usize) -> String {
    Content::manifest(&config(), "", &format!(r#","annotations":{{"n":"{number}"}}"#)).text
}

/// The name that the image was signed by.
pub(crate) fn reference(number: usize) -> String {
    format!("origin.test/app-{}", number / EACH)
}

/// An image with a signature on its `.sig` tag.
pub(crate) fn tagged(number: usize, payload: String, annotations: &BTreeMap<String, String>) -> Signed {
    let annotations = serde_json::to_string(annotations).unwrap();
    let payload = Content::new(
        "application/vnd.dev.cosign.simplesigning.v1+json",
        payload,
        &format!(r#","annotations":{annotations}"#),
    );
    let signature = Content::manifest(&config(), &payload.descriptor, "");
    Signed { number, image: Content::new(MANIFEST, image(number), ""), payload, signature, is_tagged: true }
}

/// An image with a bundle that refers to it.
#[allow(dead_code, reason = "shared by several benches")]
pub(crate) fn referred(number: usize, bundle: String) -> Signed {
    let image = Content::new(MANIFEST, image(number), "");
    let payload = Content::new("application/vnd.dev.sigstore.bundle.v0.3+json", bundle, "");
    let subject = format!(r#","subject":{}"#, image.descriptor);
    let signature = Content::manifest(&config(), &payload.descriptor, &subject);
    Signed { number, image, payload, signature, is_tagged: false }
}

/// Images one by one, all signed with one key and nothing more, and the key as PEM.
#[allow(dead_code, reason = "shared by several benches")]
pub(crate) fn by_key(images: usize) -> (String, impl Iterator<Item = Signed>) {
    let pair = KeyPair::generate_ecdsa_p256().unwrap();
    let key = pem(&pair);
    let signed = (0..images).map(move |number| {
        let digest = Digest::of(image(number).as_bytes());
        let payload = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"{}"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            reference(number)
        );
        let signature = BASE64.encode(pair.sign(payload.as_bytes()).unwrap().as_bytes());
        let annotations = BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), signature)]);
        tagged(number, payload, &annotations)
    });
    (key, signed)
}

fn config() -> Content {
    Content::new("application/vnd.oci.image.config.v1+json", CONFIG.to_owned(), "")
}

fn pem(pair: &KeyPair) -> String {
    let key = BASE64.encode(pair.public_key_der().unwrap().as_bytes());
    let lines: Vec<_> = key.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Writes a registry's storage with these images.
pub(crate) fn storage(mut place: Place, images: impl Iterator<Item = Signed>) {
    const ROOT: &str = "docker/registry/v2";
    let config = config();
    let blob = |place: &mut Place, content: &Content| {
        let hex = content.digest.hex();
        place.write(&format!("{ROOT}/blobs/sha256/{}/{hex}/data", &hex[..2]), &content.text);
    };
    let link = |place: &mut Place, number: usize, path: &str, digest: Digest| {
        let name = format!("{ROOT}/repositories/mirror/app-{}/{path}/link", number / EACH);
        place.write(&name, &digest.to_string());
    };
    blob(&mut place, &config);
    for Signed { number, image, payload, signature, is_tagged } in images {
        if number % EACH == 0 {
            link(&mut place, number, &format!("_layers/sha256/{}", config.digest.hex()), config.digest);
        }
        link(&mut place, number, &format!("_layers/sha256/{}", payload.digest.hex()), payload.digest);
        for content in [&image, &payload, &signature] {
            blob(&mut place, content);
        }
        let tag = format!("sha256-{}.sig", image.digest.hex());
        for (tag, manifest) in [(Some(format!("v{number}")), &image), (is_tagged.then_some(tag), &signature)]
        {
            let hex = manifest.digest.hex();
            link(&mut place, number, &format!("_manifests/revisions/sha256/{hex}"), manifest.digest);
            let Some(tag) = tag else { continue };
            link(&mut place, number, &format!("_manifests/tags/{tag}/current"), manifest.digest);
            link(&mut place, number, &format!("_manifests/tags/{tag}/index/sha256/{hex}"), manifest.digest);
        }
    }
    place.end();
}

/// Writes an OCI layout with these images.
#[allow(dead_code, reason = "shared by several benches")]
pub(crate) fn layout(mut place: Place, images: impl Iterator<Item = Signed>) {
    let blob = |place: &mut Place, content: &Content| {
        place.write(&format!("blobs/sha256/{}", content.digest.hex()), &content.text);
    };
    place.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    blob(&mut place, &config());
    let mut entries = Vec::new();
    for Signed { number, image, payload, signature, is_tagged } in images {
        for content in [&image, &payload, &signature] {
            blob(&mut place, content);
        }
        let tag = format!("sha256-{}.sig", image.digest.hex());
        for (tag, manifest) in [(Some(format!("v{number}")), &image), (is_tagged.then_some(tag), &signature)]
        {
            let descriptor = manifest.descriptor.trim_end_matches('}');
            entries.push(match tag {
                Some(tag) => format!(r#"{descriptor},"annotations":{{"{REF_NAME}":"{tag}"}}}}"#),
                None => manifest.descriptor.clone(),
            });
        }
    }
    place.write("index.json", &format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")));
    place.end();
}
