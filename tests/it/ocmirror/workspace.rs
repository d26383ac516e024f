//! oc-mirror folders that contain less than they seem to, and what keypack says about them.

use std::{collections::BTreeSet, fs, path::Path};

use super::{
    keypack, run,
    set::{cache, files, mirror_to_disk, write},
    trust,
};

fn discover(home: &Path, at: &Path, place: &str) -> (i32, String, String) {
    run(keypack(home).current_dir(at).args(["discover", place]).args(trust()))
}

fn counts(out: &str) -> &str {
    out.trim_end().rsplit("\n\n").next().unwrap_or_default()
}

#[test]
fn the_archives_of_a_working_dir_are_found_in_the_folder_above() {
    let lab = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let out = lab.path().join("out");
    write(&out.join("working-dir/logs/oc-mirror.log"), b"");
    mirror_to_disk(&cache(lab.path()), &out, 1 << 20, &mut BTreeSet::new());
    let place = format!("oc-mirror:{}", out.display());
    let (_, whole, _) = discover(home.path(), &out, &place);
    for (at, place) in
        [(&out, format!("{place}/working-dir")), (&out.join("working-dir"), "oc-mirror:.".into())]
    {
        let (code, found, error) = discover(home.path(), at, &place);
        assert_eq!((code, counts(&found)), (0, counts(&whole)), "{error}");
        assert!(error.contains("in the folder above"), "{error}");
    }
    // Keys are next to the working-dir and never in it.
    let working_dir = out.join("working-dir");
    let ran =
        run(keypack(home.path()).current_dir(&working_dir).args(["collect", "oc-mirror:."]).args(trust()));
    assert_eq!(ran.0, 0, "{}", ran.2);
    assert!(out.join("keys/keypack.json").is_file());
    assert_eq!(files(&out, "working-dir"), ["working-dir/logs/oc-mirror.log"]);
}

#[test]
fn a_folder_with_release_signatures_alone_is_read() {
    let lab = tempfile::tempdir().unwrap();
    let name = format!("4.20.1-x86_64-sha256-{}", "b".repeat(64));
    for folder in ["carried", "x/working-dir"] {
        let folder = lab.path().join(folder);
        write(&folder.join("signatures").join(&name), b"\x90\x0d");
        let (code, out, error) = discover(lab.path(), lab.path(), &format!("oc-mirror:{}", folder.display()));
        assert_eq!(code, 1, "{out}{error}");
        assert!(error.contains("holds a working-dir") && error.contains("nothing-readable"), "{error}");
    }
}

#[test]
fn a_part_of_an_archive_is_called_one() {
    let lab = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let out = lab.path().join("out");
    let segments = mirror_to_disk(&cache(lab.path()), &out, 1 << 20, &mut BTreeSet::new());
    let place = format!("oc-mirror:{}", out.display());
    assert!(!discover(home.path(), &out, &place).2.contains("isc_"), "{segments} segments are whole");
    // As oc-mirror leaves it if archiving fails: the same without the last entries.
    let first = out.join("mirror_000001.tar");
    let mut whole = tar::Archive::new(fs::File::open(&first).unwrap());
    let mut part = tar::Builder::new(Vec::new());
    for entry in whole.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("isc_") {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            part.append_data(&mut entry.header().clone(), name, bytes.as_slice()).unwrap();
        }
    }
    let part = part.into_inner().unwrap();
    fs::write(&first, &part).unwrap();
    let (_, _, error) = discover(home.path(), &out, &place);
    assert!(error.contains("holds no isc_… entry") && error.contains("exit status 1"), "{error}");
    // Or truncated in the middle of a file.
    fs::write(&first, &part[..part.len() / 2 + 100]).unwrap();
    let (code, _, error) = discover(home.path(), &out, &place);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("[archive-damaged]") && error.contains("exit status 1"), "{error}");
}

#[test]
fn nothing_is_pushed_where_nothing_travels() {
    let lab = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let out = lab.path().join("out");
    mirror_to_disk(&cache(lab.path()), &out, 1 << 20, &mut BTreeSet::new());
    let place = format!("oc-mirror:{}", out.display());
    assert_eq!(run(keypack(home.path()).args(["collect", &place]).args(trust())).0, 0);
    let keys = out.join("keys");
    let push = |root: &str| {
        let to = format!("oc-mirror:{}", lab.path().join(root).display());
        run(keypack(home.path()).args(["push", keys.to_str().unwrap(), &to]))
    };
    // Mirror to mirror leaves resources for the cluster and no archive.
    write(&lab.path().join("ws/working-dir/cluster-resources/idms-oc-mirror.yaml"), b"");
    let (code, _, error) = push("ws");
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("[wrong-place]") && error.contains("push to the registry"), "{error}");
    assert_eq!(files(&lab.path().join("ws"), ""), ["working-dir/cluster-resources/idms-oc-mirror.yaml"]);
    // Mirror to disk creates the folder and leaves it empty, even before it has an archive.
    fs::create_dir_all(lab.path().join("m2d/working-dir/cluster-resources")).unwrap();
    assert_eq!(push("m2d").0, 0);
    // Both in one folder: existing archives are carried.
    write(&out.join("working-dir/cluster-resources/idms-oc-mirror.yaml"), b"");
    assert_eq!(push("out").0, 0);
}
