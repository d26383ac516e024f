use std::{
    fs,
    path::{Path, PathBuf},
};

use keypack::{
    content::{Artifact, ContentError, Location, Name, Source, fetch, fetch_manifest, open_source},
    oci::{Blob, Descriptor, Digest, Document, media},
};

/// `testdata/lab`.
pub(crate) fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lab")
}

/// A layout of the lab.
pub(crate) fn layout(name: &str) -> PathBuf {
    lab().join("layouts").join(name)
}

/// The registry storage of the lab, unpacked.
pub(crate) fn storage() -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    let packed = fs::File::open(lab().join("registry-storage.tar.gz")).unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(packed)).unpack(to.path()).unwrap();
    to
}

/// Opens a source as the user would write it.
pub(crate) fn open(text: impl AsRef<str>) -> Result<Box<dyn Source>, ContentError> {
    open_source(&Location::parse(text.as_ref(), Path::exists).unwrap(), &keypack::registry::Options::default)
}

/// The code with which opening fails.
pub(crate) fn refused(text: impl AsRef<str>) -> (&'static str, String) {
    match open(&text) {
        Ok(_) => panic!("{} was opened", text.as_ref()),
        Err(error) => (error.code().as_str(), error.to_string()),
    }
}

/// All regular files under a directory, by relative names, sorted.
pub(crate) fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(root: &Path, at: &Path, into: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut into = Vec::new();
    walk(root, root, &mut into);
    into.sort();
    into
}

/// Copies a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Everything that a source reports, as text: what it lists, what it resolves, and how fetching goes for blobs that
/// exist, that are absent, and that do not match their description.
pub(crate) fn answers(source: &dyn Source) -> Vec<String> {
    let absent = Digest::of(b"nobody has this");
    let mut lines = Vec::new();
    for repository in source.repositories().unwrap() {
        let listed = source.manifests(&repository).unwrap();
        for item in &listed {
            let d = &item.descriptor;
            lines.push(format!("{repository} {:?} {} {:?}", item.name, d.digest, d.size));
            let (blob, document) = fetch_manifest(source, &repository, d).unwrap().unwrap();
            assert_eq!(blob.digest(), d.digest);
            for blob in blobs_of(&document) {
                lines.push(format!("  {}", outcome(source, &repository, &blob, 1 << 20)));
            }
            let longer = Descriptor { size: d.size.map(|s| s + 1), ..d.clone() };
            let shorter = Descriptor { size: d.size.map(|s| s - 1), ..d.clone() };
            let vast = Descriptor { size: Some(1 << 62), ..d.clone() };
            let other = Descriptor { digest: absent, ..d.clone() };
            for asked in [longer, shorter, vast, other, Descriptor::of_digest(d.digest)] {
                lines.push(format!("  {}", outcome(source, &repository, &asked, 1 << 20)));
            }
            lines.push(format!("  at most 10: {}", outcome(source, &repository, d, 10)));
            let unsized_ = Descriptor::of_digest(d.digest);
            lines.push(format!("  at most 10: {}", outcome(source, &repository, &unsized_, 10)));
            for reference in [d.digest.to_string(), tag(&item.name)] {
                let found = source.resolve(&repository, &reference).unwrap();
                lines.push(format!("  {reference}: {:?}", found.map(|d| (d.digest, d.size))));
            }
        }
        for reference in ["absent", "../../x", "", &absent.to_string()] {
            assert_eq!(source.resolve(&repository, reference).unwrap(), None, "{reference}");
        }
        source.list(&repository, &mut |listed| assert!(listed.is_ok())).unwrap();
    }
    for repository in ["absent", "../x", "/etc", "a//b"] {
        assert!(source.manifests(repository).unwrap().is_empty());
        assert_eq!(source.resolve(repository, "v1").unwrap(), None);
    }
    assert!(lines.len() > 5, "{lines:?}");
    lines
}

fn tag(name: &Name) -> String {
    match name {
        Name::Tag(tag) => tag.clone(),
        Name::Untagged | Name::Unlisted => "none".to_owned(),
    }
}

/// The outcome of fetching.
pub(crate) fn outcome(source: &dyn Source, repository: &str, blob: &Descriptor, limit: u64) -> String {
    match fetch(source, repository, blob, limit) {
        Ok(Some(blob)) => format!("{} of {} bytes", blob.digest(), blob.size()),
        Ok(None) => "absent".to_owned(),
        Err(error) => error.code().as_str().to_owned(),
    }
}

/// Config and layers.
pub(crate) fn blobs_of(document: &Document) -> Vec<Descriptor> {
    match document {
        Document::Manifest(m) => std::iter::once(&m.config).chain(&m.layers).cloned().collect(),
        Document::Index(index) => index.manifests.clone(),
    }
}

/// A small artifact.
pub(crate) fn artifact(content: &str) -> Artifact {
    let blobs = vec![Blob::new(b"{}".to_vec()), Blob::new(content.as_bytes().to_vec())];
    let descriptor = |media_type: &str, blob: &Blob| {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, blob.digest(), blob.size())
    };
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        media::MANIFEST,
        descriptor(media::CONFIG, &blobs[0]),
        descriptor(media::LAYER_GZIP, &blobs[1]),
    );
    Artifact { manifest: Blob::new(manifest.into_bytes()), media_type: media::MANIFEST.to_owned(), blobs }
}

/// Whether a destination has the complete artifact under a tag.
pub(crate) fn holds(place: &str, artifact: &Artifact, tag: &str) -> bool {
    let source = open(place).unwrap();
    let Some(found) = source.resolve("", tag).unwrap() else { return false };
    let (manifest, document) = fetch_manifest(&*source, "", &found).unwrap().unwrap();
    let blobs =
        blobs_of(&document).iter().map(|d| fetch(&*source, "", d, 1 << 20).unwrap().unwrap()).collect();
    manifest == artifact.manifest
        && found.media_type == artifact.media_type
        && artifact.blobs == Vec::from_iter::<Vec<Blob>>(blobs)
}

/// How a test's tar writes its entries.
#[derive(Clone, Copy)]
pub(crate) enum Spelling {
    /// USTAR, plain names.
    Ustar,
    /// `./` in front, entries for directories.
    Dotted,
    /// GNU headers.
    Gnu,
    /// PAX headers for every entry, as with an owner above 2097151.
    Pax,
}

/// A tar of these files.
pub(crate) fn tar_of(files: &[(String, Vec<u8>)], spelling: Spelling) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    if matches!(spelling, Spelling::Dotted) {
        for name in ["./", "./blobs/", "./blobs/sha256/"] {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_size(0);
            tar.append_data(&mut header, name, std::io::empty()).unwrap();
        }
    }
    for (name, bytes) in files {
        let mut header = match spelling {
            Spelling::Gnu => tar::Header::new_gnu(),
            _ => tar::Header::new_ustar(),
        };
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let name = if matches!(spelling, Spelling::Dotted) { format!("./{name}") } else { name.clone() };
        if matches!(spelling, Spelling::Pax) {
            let size = bytes.len().to_string();
            let said = [("path", name.as_bytes()), ("size", size.as_bytes()), ("uid", b"1000680000")];
            tar.append_pax_extensions(said).unwrap();
            tar.append_data(&mut header, "short", bytes.as_slice()).unwrap();
        } else {
            tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
    }
    tar.into_inner().unwrap()
}
