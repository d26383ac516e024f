//! Packs made from an input's files, and what holds for every accepted pack.
#![allow(dead_code, reason = "no target uses all of it")]

use jiff::Timestamp;
use keypack::{
    content::Artifact,
    key::parse_key_file,
    oci::{Blob, Digest, annotation, media as oci_media},
    pack::{self, Anchor, Demand, Form, INVENTORY, README, SUMS, TRUSTED_ROOT, is_signature, media},
    tree::OutFile,
};
use serde_json::{Value, json};

/// A file with any name.
pub(crate) type File = (Vec<u8>, Vec<u8>);

/// Files by their names, with the digests and sizes in keypack.json changed to those of the files.
pub(crate) fn consistent(parts: &[&[u8]]) -> Vec<File> {
    let pairs = parts.chunks_exact(2).map(|pair| (pair[0].to_vec(), pair[1].to_vec()));
    let mut files: Vec<File> = pairs.take(40).collect();
    let known = files.clone();
    let Some((_, inventory)) = files.iter_mut().find(|(name, _)| name == INVENTORY.as_bytes()) else {
        return files;
    };
    let Ok(mut value) = serde_json::from_slice::<Value>(inventory) else { return files };
    for record in value["files"].as_array_mut().into_iter().flatten().filter(|r| r.is_object()) {
        let name = record["name"].as_str().unwrap_or_default().as_bytes();
        if let Some((_, bytes)) = known.iter().find(|(known, _)| known == name) {
            record["sha256"] = Digest::of(bytes).to_string().into();
            record["size"] = bytes.len().into();
        }
    }
    *inventory = value.to_string().into_bytes();
    files
}

/// `keys/` with these files as a tar, whatever their names.
pub(crate) fn tar(files: &[File]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        let path: Vec<u8> = [b"keys/", name.as_slice()].concat();
        let field = &mut header.as_old_mut().name;
        let length = path.len().min(field.len());
        field[..length].copy_from_slice(&path[..length]);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn descriptor(media_type: &str, blob: &Blob) -> Value {
    json!({ "mediaType": media_type, "digest": blob.digest(), "size": blob.bytes().len() })
}

fn artifact(config: &Value, layers: &[Value], blobs: Vec<Blob>) -> Artifact {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": oci_media::MANIFEST, "artifactType": media::KEYS,
        "config": config, "layers": layers,
    });
    let manifest = Blob::new(manifest.to_string().into_bytes());
    Artifact { manifest, media_type: oci_media::MANIFEST.into(), blobs }
}

/// An image that claims to be a pack, with this layer.
pub(crate) fn image(layer: &[u8]) -> Artifact {
    let labels = json!({ "config": { "Labels": { pack::label::TYPE: media::KEYS } } });
    let config = Blob::new(labels.to_string().into_bytes());
    let layer = Blob::new(layer.to_vec());
    let layers = [descriptor(oci_media::LAYER_GZIP, &layer)];
    artifact(&descriptor(oci_media::CONFIG, &config), &layers, vec![config, layer])
}

/// The same files as raw layers.
pub(crate) fn layers(files: &[File]) -> Artifact {
    let blobs: Vec<_> = files.iter().map(|(_, bytes)| Blob::new(bytes.clone())).collect();
    let inventory = files.iter().position(|(name, _)| name == INVENTORY.as_bytes()).unwrap_or_default();
    let empty = Blob::new(Vec::new());
    let config = descriptor(media::INVENTORY, blobs.get(inventory).unwrap_or(&empty));
    let titled = files.iter().zip(&blobs).map(|((name, _), blob)| {
        let mut layer = descriptor(media::FILE, blob);
        layer["annotations"] = json!({ annotation::TITLE: String::from_utf8_lossy(name) });
        layer
    });
    artifact(&config, &titled.collect::<Vec<_>>(), blobs.clone())
}

/// Reads it as `pull` does. The files of an accepted pack are what its inventory says, it survives being packed again
/// in both forms, and only a correct anchor authenticates it.
pub(crate) fn accept(artifact: &Artifact) -> Option<Vec<OutFile>> {
    let untrusted = pack::parse(artifact).ok()?;
    let draft = untrusted.clone().into_draft().ok()?;
    let files = draft.to_files();
    let inventory = draft.inventory();
    for file in &files {
        let name = file.name.as_str();
        let Some(key) = inventory.keys.iter().find(|key| key.file == name) else {
            let chain = inventory.tuf.iter().any(|chain| chain.file == name);
            let derived = [INVENTORY, SUMS, README, TRUSTED_ROOT].contains(&name);
            assert!(chain || derived || is_signature(name), "{name} is accounted for nowhere");
            continue;
        };
        let material = parse_key_file(&file.bytes).expect("a key that was accepted is read").material;
        assert_eq!(material.len(), 1, "{name} holds more than its key");
        assert_eq!(material[0].fingerprint(), key.fingerprint, "{name} is another key");
    }
    let json = files.iter().find(|f| f.name.as_str() == INVENTORY).expect("a pack has an inventory");
    assert_eq!(Digest::of(&json.bytes), draft.digest());
    assert_eq!(untrusted.digest(), draft.digest());
    assert_eq!(draft.keys().count(), inventory.keys.len());
    for form in [Form::Image, Form::Artifact] {
        let Ok(packed) = pack::to_artifact(&draft, form) else { continue };
        let again = pack::parse(&packed).expect("what is packed is read").into_draft().expect("and is whole");
        assert_eq!(again.to_files(), files, "{form:?} changed the files");
    }
    let check = |anchors: &[Anchor]| {
        let demand = Demand {
            anchors,
            manifest_signatures: &[],
            lineage: &inventory.name,
            now: Timestamp::UNIX_EPOCH,
        };
        pack::authenticate(untrusted.clone(), &demand)
    };
    assert!(check(&[]).is_err(), "it was taken without an anchor");
    assert!(check(&[Anchor::Digest(Digest::of(b"another pack"))]).is_err(), "it was taken for another");
    if let Ok(pack) = check(&[Anchor::Digest(draft.digest())]) {
        assert_eq!(pack.draft(), &draft);
    }
    Some(files)
}
