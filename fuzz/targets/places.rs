//! Sources in memory: a namespace of files, and the two layouts over one.

#![allow(dead_code, reason = "no target uses all of it")]

use std::collections::{BTreeMap, BTreeSet};

use keypack::{
    content::{ContentError, Files, OpenFile},
    discover::Image,
    oci::Digest,
    resolve::Question,
};

/// Files by their paths.
pub(crate) struct Memory(BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn place(&self, name: &str) -> String {
        format!("memory/{name}")
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile<'_>>, ContentError> {
        let file = self.0.get(name);
        Ok(file.map(|bytes| OpenFile { size: bytes.len() as u64, reader: Box::new(bytes.as_slice()) }))
    }

    fn size(&self, name: &str) -> Result<Option<u64>, ContentError> {
        Ok(self.0.get(name).map(|bytes| bytes.len() as u64))
    }

    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str, bool)) -> Result<(), ContentError> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let inside = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        let children: BTreeSet<_> = inside
            .map(|rest| rest.split_once('/').map_or((rest, false), |(name, _)| (name, true)))
            .collect();
        for (name, is_dir) in &children {
            take(name, *is_dir);
        }
        Ok(())
    }
}

/// The parts, with `@1` to `@9` replaced by the digests of the previous parts.
pub(crate) fn linked(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut done: Vec<Vec<u8>> = Vec::new();
    for part in parts.iter().take(12) {
        let mut out = Vec::new();
        let mut bytes = part.iter().peekable();
        while let Some(&byte) = bytes.next() {
            let named = bytes.peek().filter(|_| byte == b'@').map(|n| n.wrapping_sub(b'1'));
            match named.and_then(|n| done.get(usize::from(n))) {
                Some(blob) => {
                    bytes.next();
                    out.extend(Digest::of(blob).to_string().into_bytes());
                }
                None => out.push(byte),
            }
        }
        done.push(out);
    }
    done
}

/// An OCI layout: the last of the blobs is index.json.
pub(crate) fn layout(blobs: &[Vec<u8>]) -> Memory {
    let mut files =
        BTreeMap::from([("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())]);
    if let Some((index, blobs)) = blobs.split_last() {
        files.insert("index.json".into(), index.clone());
        files.extend(blobs.iter().map(|b| (format!("blobs/sha256/{}", Digest::of(b).hex()), b.clone())));
    }
    Memory(files)
}

/// A registry's storage: every blob has a tag, and is tagged as the signature of the previous one.
pub(crate) fn storage(blobs: &[Vec<u8>]) -> Memory {
    const BASE: &str = "docker/registry/v2";
    let mut files = BTreeMap::new();
    for (n, blob) in blobs.iter().enumerate() {
        let digest = Digest::of(blob);
        files.insert(
            format!("{BASE}/blobs/sha256/{}/{}/data", &digest.hex()[..2], digest.hex()),
            blob.clone(),
        );
        let mut tags = vec![format!("t{n}")];
        if let Some(before) = n.checked_sub(1) {
            tags.push(format!("sha256-{}.sig", Digest::of(&blobs[before]).hex()));
            tags.push(format!("sha256-{}", Digest::of(&blobs[before]).hex()));
        }
        let manifests = format!("{BASE}/repositories/a/b/_manifests");
        let link = digest.to_string().into_bytes();
        files.insert(format!("{manifests}/revisions/sha256/{}/link", digest.hex()), link.clone());
        for tag in tags {
            files.insert(format!("{manifests}/tags/{tag}/current/link"), link.clone());
        }
    }
    Memory(files)
}

/// The readable signatures of an image.
pub(crate) fn questions(image: &Image) -> impl Iterator<Item = Question<'_>> {
    let readable = image.signatures.iter().filter_map(|s| s.content.as_ref().ok());
    readable.map(|signature| Question { image: image.digest, signature })
}
