//! A folder of oc-mirror with a release of OpenShift, in the form in which oc-mirror leaves one: the storage of a registry,
//! and the signatures of releases in the working-dir. The release is built like a real one, with keys of the test's own.
#![allow(dead_code, unreachable_pub, reason = "shared by two test programs")]

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use flate2::{Compression, write::GzEncoder};
use keypack::oci::Digest;
use pgp::composed::SignedSecretKey;
use rcgen::{KeyPair, SigningKey};
use serde_json::{Value, json};
use std::io::Write;

use crate::{
    gpg::{
        lab::{Say, block, bytes, message, payload_for},
        place::{EPOCH, owner},
    },
    support::program::Test,
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
pub const CONTENT: &str = "quay.io/openshift-release-dev/ocp-v4.0-art-dev";
pub const REFERENCES: &str = "release-manifests/image-references";
pub const POLICY: &str = "release-manifests/0000_90_openshift-cluster-image-policy.yaml";

/// The mirror in `in`, and the keys of its maker.
pub struct Mirror {
    pub test: Test,
    /// Signs the releases.
    pub owner: SignedSecretKey,
    /// Signs the images; the policy names it.
    pub key: KeyPair,
}

/// A tar with these entries, uncompressed.
pub fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if let Some(target) = name.strip_suffix('@') {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, target, std::str::from_utf8(content).unwrap()).unwrap();
        } else {
            tar.append_data(&mut header, name, *content).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

pub fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

/// The GPG signature of a release.
pub fn gpg(owner: &SignedSecretKey, release: Digest) -> Vec<u8> {
    let content = payload_for(release, &format!("{RELEASE}:4.22.7-x86_64"));
    message(&Say::default().sign(&owner.primary_key, &content), &content)
}

impl Mirror {
    /// An empty one.
    pub fn new() -> Self {
        let test = Test::at_epoch(EPOCH);
        let owner = owner();
        test.write("owner.asc", bytes(&block(&owner, &Say::default())));
        let key = KeyPair::generate().unwrap();
        test.write("signer.pub", key.public_key_pem());
        Self { test, owner, key }
    }

    /// The same with a whole release 4.22.7, and an image of another publisher.
    pub fn with_release() -> Self {
        let mirror = Self::new();
        mirror.release("4.22.7", &[RELEASE, CONTENT], "");
        mirror.image("ubi9/ubi", Some("latest"), "amd64", &[], &json!({}));
        mirror
    }

    fn blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let hex = digest.hex();
        self.test.write(&format!("in/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]), bytes);
        let layers = format!("in/docker/registry/v2/repositories/{repository}/_layers");
        self.test.write(&format!("{layers}/sha256/{hex}/link"), digest.to_string());
        digest
    }

    /// A list of images of one repository, each for an architecture.
    pub fn list(&self, repository: &str, tag: Option<&str>, images: &[(Digest, &str)]) -> Digest {
        let entry = |(digest, architecture): &(Digest, &str)| {
            let hex = digest.hex();
            let blob = format!("in/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
            json!({
                "mediaType": MANIFEST, "digest": digest.to_string(), "size": self.test.read(&blob).len(),
                "platform": {"os": "linux", "architecture": architecture},
            })
        };
        let manifests: Vec<_> = images.iter().map(entry).collect();
        let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.put(repository, tag, &list)
    }

    /// Writes a manifest to a repository.
    pub fn put(&self, repository: &str, tag: Option<&str>, manifest: &Value) -> Digest {
        let digest = self.blob(repository, manifest.to_string().as_bytes());
        let folder = format!("in/docker/registry/v2/repositories/{repository}/_manifests");
        self.test.write(&format!("{folder}/revisions/sha256/{}/link", digest.hex()), digest.to_string());
        if let Some(tag) = tag {
            self.test.write(&format!("{folder}/tags/{tag}/current/link"), digest.to_string());
        }
        digest
    }

    /// An image with these layers, the uppermost last.
    pub fn image(
        &self,
        repository: &str,
        tag: Option<&str>,
        architecture: &str,
        layers: &[Vec<u8>],
        labels: &Value,
    ) -> Digest {
        let config = json!({
            "os": "linux", "architecture": architecture, "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []}, "history": [{"comment": repository}],
        });
        let config = config.to_string().into_bytes();
        let layer = |bytes: &Vec<u8>| {
            json!({
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": self.blob(repository, bytes).to_string(), "size": bytes.len(),
            })
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.blob(repository, &config).to_string(), "size": config.len(),
            },
            "layers": layers.iter().map(layer).collect::<Vec<_>>(),
            "annotations": {"tag": tag.unwrap_or_default()},
        });
        self.put(repository, tag, &manifest)
    }

    /// The signature of an image as cosign writes it, under this name.
    pub fn sign(&self, repository: &str, image: Digest, name: &str) {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": name},
                "image": {"docker-manifest-digest": image.to_string()},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        let signature = BASE64.encode(self.key.sign(&payload).unwrap());
        let empty = b"{}";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.blob(repository, empty).to_string(), "size": empty.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": self.blob(repository, &payload).to_string(), "size": payload.len(),
                "annotations": {"dev.cosignproject.cosign/signature": signature},
            }],
        });
        self.put(repository, Some(&format!("sha256-{}.sig", image.hex())), &manifest);
    }

    /// Writes it where oc-mirror does.
    pub fn gpg_sign(&self, version: &str, release: Digest) {
        let name = format!("in/working-dir/signatures/{version}-x86_64-sha256-{}", release.hex());
        self.test.write(&name, gpg(&self.owner, release));
    }

    /// The policy with these scopes. `annotations` are lines of YAML.
    pub fn policy(&self, scopes: &[&str], annotations: &str) -> String {
        let key = BASE64.encode(self.key.public_key_pem());
        format!(
            "apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nmetadata:\n  name: openshift\n  annotations:\n    \
             include.release.openshift.io/self-managed-high-availability: \"true\"\n{annotations}spec:\n  scopes: {}\n  policy:\n    \
             rootOfTrust:\n      policyType: PublicKey\n      publicKey:\n        keyData: {key}\n",
            json!(scopes)
        )
    }

    /// The images of a release, signed: what image-references says of them.
    pub fn images(&self, version: &str) -> String {
        let mut tags = Vec::new();
        for name in ["machine-config-operator", "rhel-coreos", "etcd"] {
            let tag = format!("{version}-x86_64-{name}");
            let image = self.image("openshift/release", Some(&tag), "amd64", &[], &json!({"name": tag}));
            let whole = format!("{CONTENT}@{image}");
            self.sign("openshift/release", image, &whole);
            tags.push(
                json!({"name": name, "annotations": {}, "from": {"kind": "DockerImage", "name": whole}}),
            );
        }
        json!({
            "kind": "ImageStream", "apiVersion": "image.openshift.io/v1",
            "metadata": {"name": version, "creationTimestamp": null}, "spec": {"tags": tags},
        })
        .to_string()
    }

    /// A release with its images, all signed.
    pub fn release(&self, version: &str, scopes: &[&str], annotations: &str) -> Digest {
        let (references, policy) = (self.images(version), self.policy(scopes, annotations));
        let manifests = tar(&[(REFERENCES, references.as_bytes()), (POLICY, policy.as_bytes())]);
        let release = self.release_of(
            version,
            &[gzip(&tar(&[("usr/bin/cluster-version-operator", b"elf")])), gzip(&manifests)],
        );
        self.gpg_sign(version, release);
        release
    }

    /// A release with these layers; its own cosign signature comes with it, and the GPG signature does not.
    pub fn release_of(&self, version: &str, layers: &[Vec<u8>]) -> Digest {
        let tag = format!("{version}-x86_64");
        let labels = json!({"io.openshift.release": version});
        let release = self.image("openshift/release-images", Some(&tag), "amd64", layers, &labels);
        self.sign("openshift/release-images", release, &format!("{RELEASE}:{tag}"));
        release
    }

    /// Collects the keys on another host and pulls them here, to `in/keys`.
    pub fn pull_keys(&self) {
        let line = "collect oc-mirror:in --key gpg=owner.asc --key signer=signer.pub --no-network --no-host -o made --state there";
        let ran = self.test.run(line);
        let pack = ran.after("Pack: ");
        self.test.push("made", "oci-archive:keys.tar:k");
        self.test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o in/keys")).exits(0);
    }
}
