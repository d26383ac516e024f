use std::fs;

use keypack::content::{Name, Segments, Storage, TarFiles, fetch_manifest};

use super::support::{Spelling, answers, files, lab, layout, open, outcome, storage, tar_of};

#[test]
fn a_layout_answers_the_same_as_a_directory_and_as_any_tar() {
    for entry in fs::read_dir(lab().join("layouts")).unwrap() {
        let path = entry.unwrap().path();
        let expected = answers(&*open(format!("oci:{}", path.display())).unwrap());
        assert_eq!(answers(&*open(path.to_str().unwrap()).unwrap()), expected, "bare");
        for spelling in [Spelling::Ustar, Spelling::Dotted, Spelling::Gnu, Spelling::Pax] {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), tar_of(&files(&path), spelling)).unwrap();
            let place = file.path().display();
            assert_eq!(answers(&*open(format!("oci-archive:{place}")).unwrap()), expected, "{path:?}");
            assert_eq!(answers(&*open(place.to_string()).unwrap()), expected, "bare {path:?}");
        }
    }
}

#[test]
fn storage_answers_the_same_as_a_directory_and_as_any_segments() {
    let unpacked = storage();
    let root = unpacked.path().join("storage");
    let expected = answers(&*open(root.to_str().unwrap()).unwrap());
    for inner in ["docker", "docker/registry", "docker/registry/v2"] {
        assert_eq!(answers(&*open(root.join(inner).to_str().unwrap()).unwrap()), expected, "{inner}");
    }

    let all = files(&root);
    let folder = tempfile::tempdir().unwrap();
    let segment = |number: usize, files: &[(String, Vec<u8>)], spelling| {
        let path = folder.path().join(format!("mirror_{number:06}.tar"));
        fs::write(&path, tar_of(files, spelling)).unwrap();
        path
    };
    let one = segment(9, &all, Spelling::Ustar);
    assert_eq!(answers(&*open(one.to_str().unwrap()).unwrap()), expected, "one archive, bare");

    for spelling in [Spelling::Ustar, Spelling::Dotted, Spelling::Gnu, Spelling::Pax] {
        // Any file in any segment, and stale versions of some in earlier ones.
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        for (n, (name, bytes)) in all.iter().enumerate() {
            parts[n * 7 % 3].push((name.clone(), bytes.clone()));
            if n * 7 % 3 == 2 && n % 5 == 0 {
                parts[n % 2].push((name.clone(), b"stale".to_vec()));
            }
        }
        let paths: Vec<_> = parts.iter().enumerate().map(|(n, part)| segment(n, part, spelling)).collect();
        let files = TarFiles::open(&paths, Segments::Set).unwrap();
        assert_eq!(answers(&Storage::open("set", files).unwrap()), expected);
    }
}

#[test]
fn a_layout_and_storage_hold_the_same_image() {
    let unpacked = storage();
    let registry = open(unpacked.path().join("storage").to_str().unwrap()).unwrap();
    for form in ["key-bundle-rekor1", "key-tag-notlog", "keyless-bundle-rekor2"] {
        let source = open(format!("oci:{}:v1", layout(&format!("{form}-oras")).display())).unwrap();
        let repository = format!("{form}/img1");
        let (here, there) = (
            source.resolve("", "v1").unwrap().unwrap(),
            registry.resolve(&repository, "v1").unwrap().unwrap(),
        );
        assert_eq!((here.digest, here.size), (there.digest, there.size));
        assert_eq!(
            fetch_manifest(&*source, "", &here).unwrap(),
            fetch_manifest(&*registry, &repository, &there).unwrap()
        );
    }
}

#[test]
fn manifests_that_cosign_save_leaves_unlisted_are_found() {
    for form in ["key-bundle-notlog", "key-bundle-rekor1", "keyless-bundle-rekor2"] {
        let source = open(format!("oci:{}", layout(&format!("{form}-cosignsave")).display())).unwrap();
        let listed = source.manifests("").unwrap();
        assert_eq!(listed.iter().filter(|l| l.name == Name::Unlisted).count(), 1, "{form}: {listed:?}");
        let referrer = listed.iter().find(|l| l.name == Name::Unlisted).unwrap();
        let (_, document) = fetch_manifest(&*source, "", &referrer.descriptor).unwrap().unwrap();
        let subject = document.subject().unwrap();
        assert!(listed.iter().any(|l| l.descriptor.digest == subject.digest));
    }
}

#[test]
fn a_dir_image_answers_like_its_layout() {
    let source = open(format!("oci:{}", layout("key-tag-notlog-oras").display())).unwrap();
    let found = source.resolve("", "v1").unwrap().unwrap();
    let (manifest, document) = fetch_manifest(&*source, "", &found).unwrap().unwrap();
    let tree = tempfile::tempdir().unwrap();
    let image = tree.path().join("registry.example:5000/ns/app:v1");
    fs::create_dir_all(&image).unwrap();
    fs::write(image.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    fs::write(image.join("manifest.json"), manifest.bytes()).unwrap();
    for number in [1, 2, 4] {
        fs::write(image.join(format!("signature-{number}")), format!("signature {number}")).unwrap();
    }
    let blobs = super::support::blobs_of(&document);
    for blob in &blobs {
        let hex = blob.digest.hex();
        fs::copy(layout("key-tag-notlog-oras").join("blobs/sha256").join(&hex), image.join(&hex)).unwrap();
    }
    for (place, repository, name) in [
        (image.display().to_string(), "", Name::Untagged),
        (tree.path().display().to_string(), "registry.example:5000/ns/app", Name::Tag("v1".into())),
    ] {
        let dir = open(format!("dir:{place}")).unwrap();
        assert_eq!(dir.repositories().unwrap(), [repository]);
        let listed = dir.manifests(repository).unwrap();
        assert_eq!((&listed[0].name, listed.len()), (&name, 1));
        assert_eq!(listed[0].descriptor.digest, found.digest);
        assert_eq!(fetch_manifest(&*dir, repository, &listed[0].descriptor).unwrap().unwrap().0, manifest);
        for blob in &blobs {
            assert_eq!(outcome(&*dir, repository, blob, 1 << 20), outcome(&*source, "", blob, 1 << 20));
        }
        // The number after a gap is not read: skopeo counts up.
        let mut signatures = Vec::new();
        let sidecars = dir.abilities().sidecars.unwrap();
        sidecars.attachments(repository, &found.digest, &mut |a| signatures.push(a)).unwrap();
        assert_eq!(
            signatures.iter().map(|a| a.bytes.as_slice()).collect::<Vec<_>>(),
            [b"signature 1", b"signature 2"]
        );
        assert!(open(&place).is_ok(), "bare");
    }
}

#[test]
fn a_dir_image_of_several_architectures_has_signatures_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let instance = super::support::artifact("amd64").manifest;
    let hex = instance.digest().hex();
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{}","size":{}}}]}}"#,
        keypack::oci::media::MANIFEST,
        instance.digest(),
        instance.size()
    );
    fs::write(folder.path().join("manifest.json"), &index).unwrap();
    fs::write(folder.path().join(format!("{hex}.manifest.json")), instance.bytes()).unwrap();
    fs::write(folder.path().join("signature-1"), "of the list").unwrap();
    fs::write(folder.path().join(format!("{hex}.signature-1")), "of the instance").unwrap();
    let dir = open(format!("dir:{}", folder.path().display())).unwrap();
    let found = dir.resolve("", &instance.digest().to_string()).unwrap().unwrap();
    assert_eq!(fetch_manifest(&*dir, "", &found).unwrap().unwrap().0, instance);
    let of = |digest| {
        let mut found = Vec::new();
        let sidecars = dir.abilities().sidecars.unwrap();
        sidecars.attachments("", &digest, &mut |a| found.push(a.bytes)).unwrap();
        found.remove(0)
    };
    assert_eq!(of(instance.digest()), b"of the instance");
    assert_eq!(of(dir.manifests("").unwrap()[0].descriptor.digest), b"of the list");
}
