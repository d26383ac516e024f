use std::{fs, os::unix::fs::symlink, path::Path};

use keypack::{
    content::fetch_manifest,
    oci::{Blob, Descriptor, Digest},
};

use super::support::{artifact, copy, files, layout, open, outcome, refused};

/// A layout with one image, tag v1.
fn image() -> (tempfile::TempDir, Descriptor) {
    let folder = tempfile::tempdir().unwrap();
    copy(&layout("key-bundle-rekor1-oras"), folder.path());
    let found = open(format!("oci:{}", folder.path().display())).unwrap().resolve("", "v1").unwrap().unwrap();
    (folder, found)
}

fn blob(folder: &Path, digest: &Digest) -> std::path::PathBuf {
    folder.join("blobs/sha256").join(digest.hex())
}

fn index(folder: &Path, entries: &str) {
    fs::write(folder.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#))
        .unwrap();
}

#[test]
fn a_blob_with_other_bytes() {
    let (folder, found) = image();
    let path = blob(folder.path(), &found.digest);
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(outcome(&*source, "", &found, 1 << 20), "digest-mismatch");
}

#[test]
fn a_blob_that_is_shorter_or_longer() {
    let (folder, found) = image();
    let path = blob(folder.path(), &found.digest);
    let bytes = fs::read(&path).unwrap();
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    for other in [&bytes[1..], b"", [&bytes[..], b" "].concat().as_slice()] {
        fs::write(&path, other).unwrap();
        assert_eq!(outcome(&*source, "", &found, 1 << 20), "size-mismatch");
    }
}

#[test]
fn a_blob_that_is_named_and_not_there() {
    let (folder, found) = image();
    fs::remove_file(blob(folder.path(), &found.digest)).unwrap();
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(outcome(&*source, "", &found, 1 << 20), "absent");
    assert_eq!(source.resolve("", "v1").unwrap(), Some(found), "the tag still names it");
}

#[test]
fn a_blob_that_can_not_be_read_is_not_absent() {
    let (folder, found) = image();
    let (path, outside) = (blob(folder.path(), &found.digest), tempfile::NamedTempFile::new().unwrap());
    fs::rename(&path, outside.path()).unwrap();
    symlink(outside.path(), &path).unwrap();
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(outcome(&*source, "", &found, 1 << 20), "read-failed");
}

#[test]
fn blobs_that_are_a_link_to_somewhere_else() {
    let (folder, found) = image();
    let outside = tempfile::tempdir().unwrap();
    fs::rename(folder.path().join("blobs"), outside.path().join("blobs")).unwrap();
    symlink(outside.path().join("blobs"), folder.path().join("blobs")).unwrap();
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(outcome(&*source, "", &found, 1 << 20), "read-failed");
    assert_eq!(source.manifests("").unwrap_err().code().as_str(), "read-failed");
}

#[test]
fn a_manifest_of_4_mib_and_1_byte() {
    let (folder, _) = image();
    let manifest = Blob::new([b"{".to_vec(), vec![b' '; 4 << 20]].concat());
    fs::write(blob(folder.path(), &manifest.digest()), manifest.bytes()).unwrap();
    for size in [manifest.size(), 100] {
        index(
            folder.path(),
            &format!(r#"{{"mediaType":"m","digest":"{}","size":{size}}}"#, manifest.digest()),
        );
        let source = open(format!("oci:{}", folder.path().display())).unwrap();
        let listed = source.manifests("").unwrap();
        let error = fetch_manifest(&*source, "", &listed[0].descriptor).unwrap_err();
        assert_eq!(error.code().as_str(), if size == 100 { "size-mismatch" } else { "too-large" });
        let unsized_ = Descriptor::of_digest(manifest.digest());
        assert_eq!(fetch_manifest(&*source, "", &unsized_).unwrap_err().code().as_str(), "too-large");
    }
}

#[test]
fn a_descriptor_of_2_to_the_62_bytes() {
    let (folder, found) = image();
    index(
        folder.path(),
        &format!(r#"{{"mediaType":"m","digest":"{}","size":{}}}"#, found.digest, 1u64 << 62),
    );
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    let listed = source.manifests("").unwrap();
    assert_eq!(fetch_manifest(&*source, "", &listed[0].descriptor).unwrap_err().code().as_str(), "too-large");
}

#[test]
fn an_index_json_that_is_no_index() {
    let (folder, _) = image();
    let path = folder.path().join("index.json");
    let both = format!(r#"{{"schemaVersion":2,"manifests":[],"config":{{}},"pad":"{}"}}"#, "x".repeat(10));
    let manifest = String::from_utf8(artifact("x").manifest.into_bytes()).unwrap();
    for (text, code) in [
        ("", "malformed"),
        ("[]", "malformed"),
        (manifest.as_str(), "malformed"),
        (both.as_str(), "malformed"),
        (&"[".repeat(4 << 20), "malformed"),
        (&"[".repeat((4 << 20) + 1), "malformed"),
    ] {
        fs::write(&path, text).unwrap();
        let (actual, message) = refused(format!("oci:{}", folder.path().display()));
        assert_eq!(actual, code, "{message}");
        assert!(message.contains("index.json"), "{message}");
    }
    fs::File::create(&path).unwrap().set_len((128 << 20) + 1).unwrap();
    assert_eq!(refused(format!("oci:{}", folder.path().display())).0, "too-large");
}

#[test]
fn a_layout_of_another_version() {
    let (folder, _) = image();
    for text in [r#"{"imageLayoutVersion":"2.0.0"}"#, "{}", "", "[["] {
        fs::write(folder.path().join("oci-layout"), text).unwrap();
        assert_eq!(refused(format!("oci:{}", folder.path().display())).0, "malformed");
    }
    fs::write(folder.path().join("oci-layout"), vec![b' '; 5000]).unwrap();
    assert_eq!(refused(format!("oci:{}", folder.path().display())).0, "too-large");
}

#[test]
fn a_tag_of_two_images_names_neither() {
    let (folder, found) = image();
    let entry = |digest: &Digest| {
        format!(
            r#"{{"mediaType":"m","digest":"{digest}","size":1,"annotations":{{"org.opencontainers.image.ref.name":"latest"}}}}"#
        )
    };
    let other = Digest::of(b"other");
    index(folder.path(), &format!("{},{},{}", entry(&other), entry(&found.digest), entry(&other)));
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(source.resolve("", "latest").unwrap_err().code().as_str(), "malformed");
    let mut both = [found.digest, other];
    both.sort();
    let listed: Vec<_> = source.manifests("").unwrap().iter().take(2).map(|l| l.descriptor.digest).collect();
    assert_eq!(listed, both);
    index(folder.path(), &format!("{},{}", entry(&found.digest), entry(&found.digest)));
    let source = open(format!("oci:{}", folder.path().display())).unwrap();
    assert_eq!(source.resolve("", "latest").unwrap().unwrap().digest, found.digest);
}

#[test]
fn a_referrer_that_is_not_what_its_name_says_is_nobody() {
    let folder = tempfile::tempdir().unwrap();
    copy(&layout("key-bundle-rekor1-cosignsave"), folder.path());
    let place = format!("oci:{}", folder.path().display());
    assert_eq!(open(&place).unwrap().manifests("").unwrap().len(), 2);
    let hex = open(&place).unwrap().manifests("").unwrap()[1].descriptor.digest.hex();
    let path = folder.path().join("blobs/sha256").join(hex);
    fs::write(&path, [fs::read(&path).unwrap(), b" ".to_vec()].concat()).unwrap();
    assert_eq!(open(&place).unwrap().manifests("").unwrap().len(), 1);
}

#[test]
fn a_mistyped_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mirror")).unwrap();
    fs::write(folder.path().join("mirror/keys.txt"), "").unwrap();
    let at = folder.path().display();
    for kind in ["oci:", "oci-archive:", "dir:", ""] {
        let (code, message) = refused(format!("{kind}{at}/miror/x"));
        assert_eq!(code, "not-found", "{message}");
        assert!(message.contains("holds mirror/"), "{message}");
    }
    for (kind, expected) in [("oci:", "an OCI layout"), ("dir:", "dir: form"), ("", "can read")] {
        let (code, message) = refused(format!("{kind}{at}/mirror"));
        assert_eq!(code, "wrong-place", "{message}");
        assert!(message.contains(expected) && message.contains("keys.txt"), "{message}");
    }
    for (place, hint) in [
        (format!("oci-archive:{at}/mirror"), "oci:DIR"),
        (format!("oci:{at}/mirror/keys.txt"), "oci-archive:FILE"),
    ] {
        let (code, message) = refused(place);
        assert_eq!(code, "wrong-place");
        assert!(message.contains(hint), "{message}");
    }
    assert_eq!(refused(format!("oc-mirror:{at}")).0, "wrong-place");
    assert!(!files(folder.path()).is_empty(), "nothing was touched");
}
