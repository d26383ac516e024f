use std::{collections::BTreeSet, fs, path::Path};

use super::{
    keypack, run,
    set::{cache, mirror_to_disk, write},
    trust,
};

fn discover(home: &Path, places: &[&str]) -> (i32, String, String) {
    run(keypack(home).arg("discover").args(places).args(trust()))
}

/// The last paragraph: counts.
fn counts(out: &str) -> &str {
    out.trim_end().rsplit("\n\n").next().unwrap_or_default()
}

#[test]
fn segments_are_read_as_one_storage_in_every_form() {
    let lab = tempfile::tempdir().unwrap();
    let cache = cache(lab.path());
    let home = tempfile::tempdir().unwrap();
    let (code, whole, error) = discover(home.path(), &[&format!("oc-mirror:{}", cache.display())]);
    assert_eq!(code, 0, "{error}");
    assert!(counts(&whole).contains("6 keys needed: 6 at hand and proved"), "{whole}");
    // 2 KiB: nearly every larger blob becomes an exception segment of its own.
    for (size, least) in [(1 << 30, 1), (200_000, 2), (2_000, 50)] {
        let out = lab.path().join(format!("out-{size}"));
        let segments = mirror_to_disk(&cache, &out, size, &mut BTreeSet::new());
        assert!(segments >= least, "{segments} segments of {size}");
        let (code, found, error) = discover(home.path(), &[&format!("oc-mirror:{}", out.display())]);
        assert_eq!((code, counts(&found)), (0, counts(&whole)), "{error}");
        assert!(error.contains("archive segment"), "{error}");
        // A bare path is recognised, and a single segment is a source too.
        assert_eq!(counts(&discover(home.path(), &[out.to_str().unwrap()]).1), counts(&whole));
    }
}

#[test]
fn an_incremental_archive_says_what_it_lacks_and_takes_it_from_a_cache_or_an_earlier_set() {
    let lab = tempfile::tempdir().unwrap();
    let cache = cache(lab.path());
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (lab.path().join("first"), lab.path().join("second"));
    let mut history = BTreeSet::new();
    mirror_to_disk(&cache, &first, 1 << 20, &mut history);
    // Nothing is new: all links are there, and no blob.
    mirror_to_disk(&cache, &second, 1 << 20, &mut history);
    let place = format!("oc-mirror:{}", second.display());

    let (code, _, error) = discover(home.path(), &[&place]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("nothing-readable") && error.contains("--cache-dir"), "{error}");

    let whole = counts(&discover(home.path(), &[&format!("oc-mirror:{}", first.display())]).1).to_owned();
    let (code, out, error) = discover(home.path(), &[&place, "--cache-dir", lab.path().to_str().unwrap()]);
    assert_eq!((code, counts(&out)), (0, whole.as_str()), "{error}");
    // The cache in oc-mirror's default place is found and reported.
    let (code, out, error) = discover(lab.path(), &[&place]);
    assert_eq!((code, counts(&out)), (0, whole.as_str()), "{error}");
    assert!(error.contains(cache.to_str().unwrap()), "{error}");
    let variable =
        run(keypack(home.path()).env("OC_MIRROR_CACHE", lab.path()).args(["discover", &place]).args(trust()));
    assert_eq!((variable.0, counts(&variable.1)), (0, whole.as_str()), "{}", variable.2);
    // An earlier set provides its blobs.
    let (code, _, error) = discover(home.path(), &[&place, &format!("oc-mirror:{}", first.display())]);
    assert_eq!(code, 0, "{error}");
}

#[test]
fn some_blobs_elsewhere_are_a_state_of_their_own() {
    let lab = tempfile::tempdir().unwrap();
    let cache = cache(lab.path());
    let home = tempfile::tempdir().unwrap();
    let out = lab.path().join("out");
    // Every second blob was in an earlier archive.
    let blobs = super::set::files(&cache, "docker/registry/v2/blobs");
    let mut history: BTreeSet<_> = blobs.into_iter().step_by(2).collect();
    mirror_to_disk(&cache, &out, 1 << 20, &mut history);
    let (code, found, error) = discover(home.path(), &[&format!("oc-mirror:{}", out.display())]);
    assert_eq!(code, 4, "{error}");
    assert!(found.contains("blob-elsewhere") && error.contains("--cache-dir"), "{found}{error}");
}

#[test]
fn a_workspace_without_images_is_not_unsigned() {
    let home = tempfile::tempdir().unwrap();
    let lab = tempfile::tempdir().unwrap();
    cache(lab.path());
    let root = home.path().join("ws");
    let signature = format!("working-dir/signatures/4.20.1-x86_64-sha256-{}", "a".repeat(64));
    write(&root.join(signature), b"\x90\x0d");
    write(&root.join("working-dir/dry-run/mapping.txt"), b"");
    // Not even if the cache of another mirror is there.
    for home in [home.path(), lab.path()] {
        let (code, out, error) = discover(home, &[&format!("oc-mirror:{}", root.display())]);
        assert_eq!(code, 1, "{out}{error}");
        assert!(error.contains("nothing-readable") && error.contains("docker://HOST/PREFIX"), "{error}");
    }
}

#[test]
fn release_signatures_are_listed_for_their_images() {
    let lab = tempfile::tempdir().unwrap();
    cache(lab.path());
    let root = lab.path().join("out");
    let mut history = BTreeSet::new();
    let name = format!("working-dir/signatures/4.20.1-x86_64-sha256-{}", "b".repeat(64));
    write(&root.join(&name), b"\x90\x0d");
    mirror_to_disk(&lab.path().join(".oc-mirror/.cache"), &root, 1 << 30, &mut history);
    fs::remove_dir_all(root.join("working-dir")).unwrap();
    let (code, out, error) =
        discover(Path::new("/"), &["--format", "json", &format!("oc-mirror:{}", root.display())]);
    assert_eq!(code, 4, "{error}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let images = report["images"].as_array().unwrap();
    let image = images.iter().find(|i| i["digest"] == format!("sha256:{}", "b".repeat(64))).unwrap();
    assert_eq!(image["signatures"][0]["form"], "openpgp");
    assert_eq!(image["signatures"][0]["at"], name);
}

#[test]
fn what_is_no_folder_of_oc_mirror_says_what_it_is() {
    let home = tempfile::tempdir().unwrap();
    let layout = format!("oc-mirror:{}/testdata/lab/layouts/key-tag-rekor1-oras", env!("CARGO_MANIFEST_DIR"));
    let empty = home.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let old = home.path().join("v1");
    write(&old.join("mirror_seq1_000000.tar"), b"x");
    for (place, words) in [
        (layout.as_str(), "oci:DIR"),
        (&format!("oc-mirror:{}", empty.display()), "mirror_NNNNNN.tar"),
        (&format!("oc-mirror:{}", old.display()), "v1"),
        (&format!("oc-mirror:{}/absent", empty.display()), "does not exist"),
    ] {
        let (code, _, error) = discover(home.path(), &[place]);
        assert_eq!(code, 1, "{place}: {error}");
        assert!(error.contains(words), "{place}: {error}");
    }
}

#[test]
fn segments_on_another_disk_are_read_and_what_is_wrong_with_one_is_said() {
    let lab = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let cache = cache(lab.path());
    let disk = lab.path().join("disk");
    assert!(mirror_to_disk(&cache, &disk, 200_000, &mut BTreeSet::new()) > 1);
    let at = lab.path().join("in");
    fs::create_dir(&at).unwrap();
    for segment in super::set::files(&disk, "").iter().filter(|name| name.starts_with("mirror_")) {
        std::os::unix::fs::symlink(disk.join(segment), at.join(segment)).unwrap();
    }
    let place = format!("oc-mirror:{}", at.display());
    let (code, out, error) = discover(home.path(), &[&place]);
    assert_eq!((code, counts(&out).contains("6 keys needed: 6 at hand")), (0, true), "{out}{error}");
    // A folder of such a name stops disk-to-mirror, and is not a segment.
    fs::create_dir(at.join("mirror_000098.tar")).unwrap();
    let (code, _, error) = discover(home.path(), &[&place]);
    assert!(code == 0 && error.contains("mirror_000098.tar") && error.contains("move it away"), "{error}");
    // Truncated to nothing on the way, as by a full disk.
    write(&at.join("mirror_000099.tar"), b"");
    let (code, _, error) = discover(home.path(), &[&place]);
    assert!(code == 1 && error.contains("mirror_000099.tar is damaged: it is empty"), "{error}");
    fs::remove_file(at.join("mirror_000099.tar")).unwrap();
    // The last segment alone has no links; the message says so and does not suggest mirror to mirror.
    let last = super::set::files(&disk, "").into_iter().rfind(|name| name.starts_with("mirror_")).unwrap();
    let (code, _, error) = discover(home.path(), &[&format!("oc-mirror:{}", disk.join(last).display())]);
    assert!(code == 1 && error.contains("put all mirror_NNNNNN.tar"), "{error}");
}

#[test]
fn blobs_that_are_damaged_are_not_told_as_lying_elsewhere() {
    let lab = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let cache = cache(lab.path());
    for blob in super::set::files(&cache, "docker/registry/v2/blobs") {
        write(&cache.join(blob), b"other bytes");
    }
    let out = lab.path().join("out");
    mirror_to_disk(&cache, &out, 1 << 30, &mut BTreeSet::new());
    let (code, _, error) = discover(home.path(), &[&format!("oc-mirror:{}", out.display())]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("problems: the content of sha256:") && !error.contains("--cache-dir"), "{error}");
    assert!(error.contains("damaged or changed in transit"), "{error}");
}
