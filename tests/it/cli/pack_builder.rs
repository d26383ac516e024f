//! Packs with one false part each, made from a real one in a layout.

use std::io::Write as _;

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use keypack::{oci::Digest, ops::push::Form};
use serde_json::{Value, json};

use super::{
    program::{Ran, Test},
    push,
};

pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A pack in `oci:m:keys` whose parts can be replaced.
pub(crate) struct PackBuilder {
    pub(crate) test: Test,
    /// The correct pack digest.
    pub(crate) pack: String,
    pub(crate) manifest: Value,
}

/// One entry of the layer's tar.
pub(crate) type Entry = (String, tar::EntryType, Vec<u8>);

impl PackBuilder {
    pub(crate) fn new(form: &str) -> Self {
        let (test, pack) = push::collected();
        let form = if form == "image" { Form::Image } else { Form::Artifact };
        let digest = test.push_as(form, "keys", "oci:m:keys").manifest_digest.to_string();
        let manifest = test.json(&format!("m/blobs/sha256/{}", &digest[7..]));
        Self { test, pack, manifest }
    }

    pub(crate) fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.test.write(&format!("m/blobs/sha256/{}", digest.hex()), bytes);
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    pub(crate) fn blob(&self, descriptor: &Value) -> Vec<u8> {
        self.test.read(&format!("m/blobs/sha256/{}", &descriptor["digest"].as_str().unwrap()[7..]))
    }

    /// Points the tag at the changed manifest.
    pub(crate) fn publish(&self) -> &Self {
        let media_type = self.manifest["mediaType"].as_str().unwrap();
        let mut entry = self.put(media_type, self.manifest.to_string().as_bytes());
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "keys" });
        self.test.write("m/index.json", json!({ "schemaVersion": 2, "manifests": [entry] }).to_string());
        self
    }

    /// The layer's tar, uncompressed.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        let layer = self.blob(&self.manifest["layers"][0]);
        std::io::Read::read_to_end(&mut GzDecoder::new(layer.as_slice()), &mut tar).unwrap();
        tar
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let tar = self.tar();
        let mut archive = tar::Archive::new(tar.as_slice());
        let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), entry.header().entry_type(), bytes)
        };
        archive.entries().unwrap().map(entry).collect()
    }

    /// Replaces the layer with other bytes under a media type.
    pub(crate) fn layer(&mut self, media_type: &str, bytes: &[u8]) -> &mut Self {
        let annotations = self.manifest["layers"][0]["annotations"].clone();
        self.manifest["layers"][0] = self.put(media_type, bytes);
        self.manifest["layers"][0]["annotations"] = annotations;
        self
    }

    /// Replaces the layer with a tar of these entries, with their names used unchanged.
    pub(crate) fn tarred(&mut self, entries: &[Entry]) -> &mut Self {
        self.layer(LAYER, &gzip(&tar(entries)))
    }

    /// Changes the layer's entries.
    pub(crate) fn with(&mut self, change: impl FnOnce(&mut Vec<Entry>)) -> &mut Self {
        let mut entries = self.entries();
        change(&mut entries);
        self.tarred(&entries)
    }

    /// Changes the image config.
    pub(crate) fn config(&mut self, change: impl FnOnce(&mut Value)) -> &mut Self {
        let mut config: Value = serde_json::from_slice(&self.blob(&self.manifest["config"])).unwrap();
        change(&mut config);
        let media_type = self.manifest["config"]["mediaType"].as_str().unwrap().to_owned();
        self.manifest["config"] = self.put(&media_type, config.to_string().as_bytes());
        self
    }

    /// Changes inventory and files as someone who may make packs could: all digests are corrected afterwards,
    /// including the one that `pull` gets.
    pub(crate) fn forged(&mut self, change: impl FnOnce(&mut Value, &mut Vec<Entry>)) -> &mut Self {
        let mut entries = self.entries();
        let at = entries.iter().position(|(name, ..)| name == "keys/keypack.json").unwrap();
        let mut inventory: Value = serde_json::from_slice(&entries.remove(at).2).unwrap();
        change(&mut inventory, &mut entries);
        for record in inventory["files"].as_array_mut().unwrap() {
            let path = format!("keys/{}", record["name"].as_str().unwrap());
            let (.., bytes) = entries.iter().find(|(name, ..)| *name == path).expect("a listed file");
            record["sha256"] = Digest::of(bytes).to_string().into();
            record["size"] = bytes.len().into();
        }
        entries.push(file("keys/keypack.json", inventory.to_string().as_bytes()));
        self.tarred(&entries).labelled(inventory.to_string().as_bytes())
    }

    /// Uses other bytes for the inventory, and their digest as the correct one.
    pub(crate) fn inventory(&mut self, bytes: &[u8]) -> &mut Self {
        self.with(|entries| {
            entries.iter_mut().find(|(name, ..)| name == "keys/keypack.json").unwrap().2 = bytes.to_vec();
        })
        .labelled(bytes)
    }

    fn labelled(&mut self, inventory: &[u8]) -> &mut Self {
        let digest = Digest::of(inventory).to_string();
        self.pack.clone_from(&digest);
        self.config(|config| config["config"]["Labels"]["vnd.keypack.pack-digest"] = digest.into())
    }

    /// Publishes, and pulls with the correct pack digest: refused with this code, and nothing is written.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str) {
        self.refused_by_pull(code);
        self.test.run("inspect oci:m:keys").fails(3, code);
    }

    /// The same for packs that may be inspected.
    #[track_caller]
    pub(crate) fn refused_by_pull(&self, code: &str) {
        self.publish();
        let before = self.test.names("");
        let line = format!("pull oci:m:keys --digest {} -o out", self.pack);
        let ran = self.test.run(&line).fails(3, code);
        let without = self.test.run("pull oci:m:keys -o out").exits(3);
        for text in [ran.err, ran.out, without.err, without.out] {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
        assert_eq!(self.test.names(""), before);
    }

    /// Publishes, and pulls: content that can't be read at all is another kind of failure, and nothing is written
    /// either.
    #[track_caller]
    pub(crate) fn unreadable(&self, code: &str) -> Ran {
        self.publish();
        let before = self.test.names("");
        let ran = self.test.run(&format!("pull oci:m:keys --digest {} -o out", self.pack)).fails(1, code);
        self.test.run("inspect oci:m:keys").fails(1, code);
        assert_eq!(self.test.names(""), before);
        ran
    }

    /// Publishes and pulls: the same keys come out.
    #[track_caller]
    pub(crate) fn accepted(&self) {
        self.publish();
        self.test.run(&format!("pull oci:m:keys --digest {} -o out", self.pack)).exits(0);
        assert_eq!(self.test.tree("out"), self.test.tree("keys"));
    }
}

/// A tar of these entries, with their names used unchanged.
pub(crate) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A regular file in the layer.
pub(crate) fn file(name: &str, bytes: &[u8]) -> Entry {
    (name.to_owned(), tar::EntryType::Regular, bytes.to_owned())
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
