use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use keypack::registry::Options;
use keypack::{
    content::{ContentError, Location, Stored, open_destination},
    events::Progress,
};

use super::support::{Spelling, answers, artifact, copy, files, holds, layout, open, tar_of};

/// Pushes an artifact with this content to a destination as the user would write it.
fn push(place: &str, content: &str) -> Result<Stored, ContentError> {
    let location = Location::parse(place, Path::exists).unwrap();
    let sink = open_destination(&location, &Options::default, &Progress::default())?.sink;
    assert_eq!(sink.place(), place);
    sink.put(&artifact(content), &location.reference().unwrap())
}

fn pushed(place: &str, content: &str) -> (usize, bool) {
    let stored = push(place, content).unwrap();
    assert_eq!(stored.digest, artifact(content).manifest.digest());
    let (path, tag) = place.rsplit_once(':').unwrap();
    assert!(holds(path, &artifact(content), tag));
    (stored.written, stored.tagged)
}

fn refused(place: &str) -> (&'static str, String) {
    let error = push(place, "x").unwrap_err();
    (error.code().as_str(), error.to_string())
}

#[test]
fn a_new_layout_is_made_and_a_second_push_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/layout");
    let place = format!("oci:{}:keys", path.display());
    assert_eq!(pushed(&place, "one"), (3, true));
    let before = stamps(&path);
    assert_eq!(pushed(&place, "one"), (0, false));
    assert_eq!(stamps(&path), before, "not even a time changed");
    assert_eq!(pushed(&place, "two"), (2, true), "the config is there");
    assert_eq!(open(format!("oci:{}", path.display())).unwrap().manifests("").unwrap().len(), 1);
}

fn stamps(path: &Path) -> Vec<(String, i64, i64, u64)> {
    let stamp = |(name, _): (String, Vec<u8>)| {
        let data = fs::metadata(path.join(&name)).unwrap();
        (name, data.mtime(), data.mtime_nsec(), data.ino())
    };
    files(path).into_iter().map(stamp).collect()
}

#[test]
fn beside_images_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    copy(&layout("key-bundle-rekor1-oras"), folder.path());
    fs::write(folder.path().join("README"), "foreign").unwrap();
    let index = folder.path().join("index.json");
    let strange = fs::read_to_string(&index).unwrap().replacen(
        r#"{"schemaVersion":2"#,
        r#"{"x-kept":[1.0, 12345678901234567890123],"schemaVersion":2"#,
        1,
    );
    fs::write(&index, &strange).unwrap();
    fs::set_permissions(&index, fs::Permissions::from_mode(0o664)).unwrap();
    let place = format!("oci:{}", folder.path().display());
    let (before, said) = (files(folder.path()), answers(&*open(&place).unwrap()));

    assert_eq!(pushed(&format!("{place}:keys"), "one"), (2, true), "the config is there");
    for (name, bytes) in &before {
        let now = fs::read(folder.path().join(name)).unwrap();
        if name == "index.json" {
            let (now, strange) = (String::from_utf8(now).unwrap(), strange.strip_suffix("]}").unwrap());
            assert!(now.starts_with(strange), "{now}");
        } else {
            assert_eq!(&now, bytes, "{name}");
        }
    }
    assert_eq!(files(folder.path()).len(), before.len() + 2, "no file is left over");
    assert_eq!(fs::metadata(&index).unwrap().mode() & 0o777, 0o664);
    let now = answers(&*open(&place).unwrap());
    assert!(said.iter().all(|line| now.contains(line)), "the images answer as before");

    assert_eq!(pushed(&format!("{place}:keys"), "two"), (2, true));
    assert_eq!(pushed(&format!("{place}:keys2"), "two"), (0, true), "another name for it");
}

#[test]
fn what_is_no_layout_is_not_made_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    fs::write(folder.path().join("photo.jpg"), "x").unwrap();
    let (code, message) = refused(&format!("oci:{at}:k"));
    assert_eq!(code, "wrong-place");
    assert!(message.contains("photo.jpg"), "{message}");
    let (code, message) = refused(&format!("oci:{at}/photo.jpg:k"));
    assert_eq!(code, "wrong-place");
    assert!(message.contains("oci-archive"), "{message}");
    assert_eq!(refused(&format!("oci:{at}/photo.jpg/x:k")).0, "write-failed");
    let error = open_destination(
        &Location::parse("dir:x", Path::exists).unwrap(),
        &Options::default,
        &Progress::default(),
    )
    .err()
    .unwrap();
    assert_eq!(error.code().as_str(), "unsupported");
    assert_eq!(files(folder.path()), [("photo.jpg".to_owned(), b"x".to_vec())]);
}

#[test]
fn links_in_a_layout_do_not_lead_the_writer_out() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(&layout("key-tag-notlog-oras"), folder.path());
    fs::rename(folder.path().join("blobs"), outside.path().join("blobs")).unwrap();
    symlink(outside.path().join("blobs"), folder.path().join("blobs")).unwrap();
    let before = files(outside.path());
    let index = fs::read(folder.path().join("index.json")).unwrap();
    assert_eq!(refused(&format!("oci:{}:k", folder.path().display())).0, "read-failed");
    assert_eq!(files(outside.path()), before);
    assert_eq!(fs::read(folder.path().join("index.json")).unwrap(), index);
}

#[test]
fn what_a_crash_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let place = format!("oci:{}:keys", root.display());
    let stray = format!(".keypack-{}-0.tmp", std::process::id());
    // Before the marker, and after it.
    fs::write(root.join(&stray), "half").unwrap();
    assert_eq!(pushed(&place, "one"), (3, true));
    fs::remove_file(root.join("index.json")).unwrap();
    assert_eq!(pushed(&place, "one"), (0, true));
    // Half a blob, and one with other bytes, under their own names.
    let blobs = root.join("blobs/sha256");
    fs::write(blobs.join(&stray), "half").unwrap();
    fs::write(blobs.join(artifact("one").manifest.digest().hex()), "half").unwrap();
    let layer = blobs.join(artifact("one").blobs[1].digest().hex());
    fs::write(layer, "eno").unwrap();
    assert_eq!(pushed(&place, "one"), (2, false));
    assert_eq!(fs::read(root.join(&stray)).unwrap(), b"half", "not ours to remove");
    assert_eq!(fs::read(blobs.join(&stray)).unwrap(), b"half");
    // A partial index.json from someone else is refused, not replaced.
    fs::write(root.join("index.json"), r#"{"schemaVersion":2,"mani"#).unwrap();
    assert_eq!(refused(&place).0, "malformed");
    assert_eq!(fs::read(root.join("index.json")).unwrap(), br#"{"schemaVersion":2,"mani"#);
}

#[test]
fn pushes_at_the_same_time_do_not_lose_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["oci", "oci-archive"] {
        let path = folder.path().join(kind);
        pushed(&format!("{kind}:{}:first", path.display()), "first");
        std::thread::scope(|scope| {
            for n in 0..8 {
                let place = format!("{kind}:{}:t{n}", path.display());
                scope.spawn(move || assert_eq!(push(&place, &n.to_string()).unwrap().written, 2));
            }
        });
        let source = open(format!("{kind}:{}", path.display())).unwrap();
        assert_eq!(source.manifests("").unwrap().len(), 9, "{kind}");
    }
}

#[test]
fn a_new_archive_is_made_and_a_second_push_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.tar");
    let place = format!("oci-archive:{}:keys", path.display());
    assert_eq!(pushed(&place, "one"), (3, true));
    let before = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino());
    assert_eq!(pushed(&place, "one"), (0, false));
    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino()), before);
    fs::remove_file(&path).unwrap();
    pushed(&place, "one");
    assert_eq!(fs::read(&path).unwrap(), before.0, "same inputs, same bytes");
    assert_eq!(files(folder.path()).len(), 1);
    let plain = |e: tar::Entry<'_, &[u8]>| {
        let h = e.header();
        assert!(h.as_ustar().is_some() && h.entry_type().is_file());
        assert_eq!(
            (h.uid().unwrap(), h.gid().unwrap(), h.mtime().unwrap(), h.mode().unwrap()),
            (0, 0, 0, 0o644)
        );
        e.path().unwrap().to_str().unwrap().to_owned()
    };
    let names: Vec<_> =
        tar::Archive::new(&before.0[..]).entries().unwrap().map(|e| plain(e.unwrap())).collect();
    assert_eq!((names[0].as_str(), names[4].as_str(), names.len()), ("oci-layout", "index.json", 5));
    assert_eq!(before.0[before.0.len() - 1024..], [0; 1024]);
}

/// The raw bytes of every entry except one, headers included.
fn raw_entries(tar: &[u8], but: &str) -> Vec<Vec<u8>> {
    let mut from = 0;
    let mut raw = Vec::new();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let end = usize::try_from(entry.raw_file_position() + entry.size().next_multiple_of(512)).unwrap();
        if !entry.path().unwrap().ends_with(but) {
            raw.push(tar[from..end].to_vec());
        }
        from = end;
    }
    raw
}

#[test]
fn an_archive_keeps_what_it_held_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror.tar");
    let place = format!("oci-archive:{}", path.display());
    let held = files(&layout("key-bundle-rekor1-oras"));
    for spelling in [Spelling::Ustar, Spelling::Dotted, Spelling::Gnu, Spelling::Pax] {
        for last in [true, false] {
            // index.json at the end, as skopeo writes it, or first.
            let mut ordered = held.clone();
            ordered.sort_by_key(|(name, _)| (name == "index.json") == last);
            let mut tar = tar_of(&ordered, spelling);
            tar.resize(tar.len().next_multiple_of(10240), 0);
            fs::write(&path, &tar).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            let said = answers(&*open(&place).unwrap());

            assert_eq!(pushed(&format!("{place}:keys"), "one"), (2, true));
            let now = fs::read(&path).unwrap();
            let (before, after) = (raw_entries(&tar, "index.json"), raw_entries(&now, "index.json"));
            assert_eq!(after[..before.len()], before);
            assert_eq!(after.len(), before.len() + 2);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
            let answers = answers(&*open(&place).unwrap());
            assert!(said.iter().all(|line| answers.contains(line)));

            assert_eq!(pushed(&format!("{place}:keys"), "one"), (0, false));
            assert_eq!(fs::read(&path).unwrap(), now, "nothing was written");
            assert_eq!(pushed(&format!("{place}:keys"), "two"), (2, true));
            assert_eq!(files(folder.path()).len(), 1, "no file is left over");
        }
    }
}

#[test]
fn a_damaged_blob_in_an_archive_is_replaced_not_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.tar");
    let place = format!("oci-archive:{}:keys", path.display());
    pushed(&place, "one");
    let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
    fs::write(&path, text.replacen("one", "eno", 1)).unwrap();
    assert_eq!(pushed(&place, "one"), (1, false));
}

#[test]
fn what_is_no_archive_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let docker = tar_of(&[("manifest.json".into(), b"[]".to_vec())], Spelling::Ustar);
    let mut cut = tar_of(&files(&layout("key-tag-notlog-oras")), Spelling::Ustar);
    cut.truncate(cut.len() - 1024);
    for (bytes, code) in [
        (&b"hello"[..], "archive-damaged"),
        (b"", "archive-damaged"),
        (&docker, "wrong-place"),
        (&cut, "archive-damaged"),
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(refused(&format!("oci-archive:{}:k", path.display())).0, code);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert_eq!(refused(&format!("oci-archive:{}:k", folder.path().display())).0, "wrong-place");
    assert_eq!(
        refused(&format!("oci-archive:{}/no/such/k.tar:k", folder.path().display())).0,
        "write-failed"
    );
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn a_link_to_an_archive_stays_and_the_archive_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (data, link) = (folder.path().join("data"), folder.path().join("keys.tar"));
    fs::create_dir(&data).unwrap();
    let place = format!("oci-archive:{}:keys", link.display());
    symlink("data/real.tar", &link).unwrap();
    assert_eq!(refused(&place).0, "read-failed", "it leads nowhere");
    pushed(&format!("oci-archive:{}:old", data.join("real.tar").display()), "old");
    pushed(&place, "one");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(holds(&format!("oci-archive:{}", data.join("real.tar").display()), &artifact("one"), "keys"));
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
}

#[test]
fn too_little_room_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vast.tar");
    let told = rustix::fs::statvfs(folder.path()).unwrap();
    let size = (told.f_bavail * told.f_frsize * 2).next_multiple_of(512);
    // index.json first: everything after it must be copied, even where blocks could be shared.
    let mut held = files(&layout("key-tag-notlog-oras"));
    held.sort_by_key(|(name, _)| name != "index.json");
    let mut bytes = tar_of(&held, Spelling::Ustar);
    bytes.truncate(bytes.len() - 1024);
    let mut header = tar::Header::new_gnu();
    header.set_path("vast").unwrap();
    header.set_size(size);
    header.set_cksum();
    bytes.extend(header.as_bytes());
    fs::write(&path, &bytes).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(bytes.len() as u64 + size + 1024).unwrap();
    let (code, message) = refused(&format!("oci-archive:{}:k", path.display()));
    assert_eq!(code, "no-space", "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(file.metadata().unwrap().len(), bytes.len() as u64 + size + 1024);
}
