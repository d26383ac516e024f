use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use super::{
    keypack, run,
    set::{cache, disk_to_mirror, files, mirror_to_disk},
    trust,
};

struct Lab {
    folder: tempfile::TempDir,
    cache: PathBuf,
    home: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        Self { folder, cache, home: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self, name: &str) -> String {
        format!("oc-mirror:{}", self.at(name).display())
    }

    /// Runs keypack; it must exit with this code.
    fn keypack(&self, code: i32, args: &[&str]) -> (String, String) {
        let (got, out, error) = run(keypack(self.home.path()).args(args));
        assert_eq!(got, code, "{args:?}\n{out}{error}");
        (out, error)
    }

    /// Collects and pushes; returns the pack digest.
    fn send(&self, root: &str, more: &[&str]) -> String {
        let place = self.place(root);
        let trust = trust();
        let mut args = vec!["collect", &place];
        args.extend(trust.iter().map(String::as_str).chain(more.iter().copied()));
        let (out, _) = self.keypack(0, &args);
        let keys = self.at(root).join("keys");
        self.keypack(0, &["push", keys.to_str().unwrap(), &place]);
        digest(&out)
    }
}

fn digest(out: &str) -> String {
    out.lines().find_map(|line| line.strip_prefix("Pack: ")).unwrap().to_owned()
}

fn segments(root: &Path) -> Vec<(String, Vec<u8>)> {
    let names = files(root, "").into_iter().filter(|name| name.starts_with("mirror_"));
    names.map(|name| (name.clone(), fs::read(root.join(name)).unwrap())).collect()
}

#[test]
fn the_pack_travels_in_a_segment_of_its_own_and_twice_in_a_row() {
    let lab = Lab::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 400_000, &mut BTreeSet::new());
    let before = segments(&lab.at("out"));
    let first = lab.send("out", &["--include", "all"]);
    let after = segments(&lab.at("out"));
    assert_eq!(after[..before.len()], before, "existing segments are untouched");
    assert_eq!(after.len(), before.len() + 1);
    // USTAR, one entry, 0644, and nothing in it depends on the host.
    let (name, bytes) = after.last().unwrap();
    assert_eq!(*name, format!("mirror_{:06}.tar", after.len()));
    let mut tar = tar::Archive::new(bytes.as_slice());
    let mut entries = tar.entries().unwrap().map(Result::unwrap);
    let entry = entries.next().unwrap();
    assert_eq!(entry.path().unwrap().to_str(), Some("working-dir/keypack/keypack.oci.tar"));
    assert_eq!((entry.header().mode().unwrap(), entry.header().as_ustar().is_some()), (0o644, true));
    assert!(entries.next().is_none());
    let loose = lab.at("out").join("working-dir/keypack/keypack.oci.tar");
    assert_eq!(fs::metadata(&loose).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(files(&lab.at("out"), "working-dir"), ["working-dir/keypack/keypack.oci.tar"]);

    // Carried; pulled before disk-to-mirror, with only the digest.
    let carry = |to: &str| {
        fs::create_dir_all(lab.at(to)).unwrap();
        for (name, bytes) in segments(&lab.at("out")) {
            fs::write(lab.at(to).join(name), bytes).unwrap();
        }
    };
    carry("in");
    lab.keypack(3, &["pull", &lab.place("in")]);
    assert!(!lab.at("in").join("keys").exists());
    lab.keypack(0, &["pull", &lab.place("in"), "--digest", &first]);
    assert!(lab.at("in").join("keys/keypack.json").is_file());
    disk_to_mirror(&lab.at("in"), &lab.at("enclave/.oc-mirror/.cache"), false);

    // Pushing again changes nothing; after a rotation only our segment changes, and it is shorter now.
    let (_, error) = lab.keypack(0, &["push", lab.at("out/keys").to_str().unwrap(), &lab.place("out")]);
    assert!(error.contains("nothing was written"), "{error}");
    assert_eq!(segments(&lab.at("out")), after);
    let second = lab.send("out", &["--prune"]);
    assert_ne!(first, second);
    let rotated = segments(&lab.at("out"));
    assert_eq!(rotated[..before.len()], before);
    assert_eq!(rotated.len(), after.len());
    assert_ne!(rotated, after);
    carry("in");
    // The working-dir still contains the first: the segment counts, as it will for disk-to-mirror.
    lab.keypack(3, &["pull", &lab.place("in"), "--digest", &first]);
    lab.keypack(0, &["pull", &lab.place("in"), "--digest", &second]);
    disk_to_mirror(&lab.at("in"), &lab.at("enclave/.oc-mirror/.cache"), false);
    for (name, _) in segments(&lab.at("in")) {
        fs::remove_file(lab.at("in").join(name)).unwrap();
    }
    // Restored over the longer first one by a version that does not truncate.
    lab.keypack(0, &["pull", &lab.place("in"), "--digest", &second]);
}

#[test]
fn mirror_to_disk_takes_what_was_pushed_before_it_and_replaces_our_segment() {
    let lab = Lab::new();
    let mut history = BTreeSet::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut history);
    let digest = lab.send("out", &[]);
    assert_eq!(segments(&lab.at("out")).len(), 2);
    // The next run removes all segments and archives the working-dir.
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut history);
    assert_eq!(segments(&lab.at("out")).len(), 1);
    fs::remove_dir_all(lab.at("out/working-dir")).unwrap();
    lab.keypack(0, &["pull", &lab.place("out"), "--digest", &digest, "-o", "pulled"]);
    // A segment that contains more than the pack is never replaced.
    let one = segments(&lab.at("out"));
    lab.keypack(0, &["push", lab.at("out/keys").to_str().unwrap(), &lab.place("out")]);
    assert_eq!(segments(&lab.at("out"))[..1], one);
    assert_eq!(segments(&lab.at("out")).len(), 2);
}

#[test]
fn of_several_packs_in_the_segments_the_one_that_is_meant_is_found() {
    let lab = Lab::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 400_000, &mut BTreeSet::new());
    let first = lab.send("out", &[]);
    let (old, bytes) = segments(&lab.at("out")).pop().unwrap();
    let second = lab.send("out", &["--include", "all"]);
    // The next archive is smaller, and nobody removed the last segment of the previous one.
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut BTreeSet::new());
    lab.keypack(0, &["push", lab.at("out/keys").to_str().unwrap(), &lab.place("out")]);
    assert!(segments(&lab.at("out")).len() < 3);
    fs::write(lab.at("out").join(&old), bytes).unwrap();
    let all = segments(&lab.at("out"));
    fs::remove_dir_all(lab.at("out/working-dir")).unwrap();

    // Disk-to-mirror reads segments in name order, so the old pack comes last and counts; keypack reports that.
    let tells = |error: &str| error.contains("is older than") && error.contains(&old);
    let (_, error) = lab.keypack(3, &["pull", &lab.place("out")]);
    assert!(tells(&error), "{error}");
    let (_, error) = lab.keypack(0, &["pull", &lab.place("out"), "--digest", &second, "-o", "second"]);
    assert!(tells(&error), "{error}");
    lab.keypack(0, &["pull", &lab.place("out"), "--digest", &first, "-o", "first", "--state", "other"]);
    let none = format!("sha256:{}", "0".repeat(64));
    let (_, error) = lab.keypack(3, &["pull", &lab.place("out"), "--digest", &none, "-o", "none"]);
    assert!(error.contains(&first), "{error}");
    assert_eq!(segments(&lab.at("out")), all);
    // Without it, nothing is wrong: the working-dir that an earlier carry restored is overwritten.
    fs::remove_file(lab.at("out").join(&old)).unwrap();
    let (_, error) = lab.keypack(3, &["pull", &lab.place("out")]);
    assert!(!error.contains("is older than"), "{error}");
}

#[test]
fn what_is_pushed_can_be_read_by_another_user_whatever_the_umask() {
    let lab = Lab::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut BTreeSet::new());
    lab.send("out", &[]);
    let (keys, place) = (lab.at("out/keys"), lab.place("out"));
    let mode = |name: &str| fs::metadata(lab.at(name)).unwrap().permissions().mode() & 0o777;
    let carried = "out/working-dir/keypack/keypack.oci.tar";
    let push = || {
        let line = "umask 077; exec \"$0\" push \"$1\" \"$2\"";
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", line, env!("CARGO_BIN_EXE_keypack")]).arg(&keys).arg(&place);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    fs::remove_dir_all(lab.at("out/working-dir")).unwrap();
    fs::remove_file(lab.at("out/mirror_000002.tar")).unwrap();
    push();
    for (name, expected) in [
        ("out/working-dir", 0o755),
        ("out/working-dir/keypack", 0o755),
        (carried, 0o644),
        ("out/mirror_000002.tar", 0o644),
    ] {
        assert_eq!(mode(name), expected, "{name}");
    }
    // An existing file with the right bytes that its owner can't overwrite is repaired.
    for name in [carried, "out/mirror_000002.tar"] {
        fs::set_permissions(lab.at(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    fs::write(lab.at("out/working-dir/keypack/.keypack-7-0.tmp"), "left by a killed push").unwrap();
    push();
    assert_eq!((mode(carried), mode("out/mirror_000002.tar")), (0o644, 0o644));
    assert_eq!(files(&lab.at("out"), "working-dir"), ["working-dir/keypack/keypack.oci.tar"]);
}

#[test]
fn before_the_first_run_there_is_no_segment_to_add() {
    let lab = Lab::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut BTreeSet::new());
    lab.send("out", &[]);
    fs::create_dir(lab.at("new")).unwrap();
    let keys = lab.at("out/keys");
    lab.keypack(0, &["push", keys.to_str().unwrap(), &lab.place("new")]);
    assert_eq!(files(&lab.at("new"), ""), ["working-dir/keypack/keypack.oci.tar"]);
    // keypack refuses to push where nothing is carried from.
    for wrong in ["new/working-dir", ".oc-mirror/.cache", "absent"] {
        lab.keypack(1, &["push", keys.to_str().unwrap(), &lab.place(wrong)]);
    }
    fs::create_dir_all(lab.at("linked/working-dir")).unwrap();
    symlink("/tmp", lab.at("linked/working-dir/keypack")).unwrap();
    let (_, error) = lab.keypack(1, &["push", keys.to_str().unwrap(), &lab.place("linked")]);
    assert!(error.contains("symbolic link"), "{error}");
}

#[test]
fn the_pack_is_found_as_an_image_of_the_set_by_its_digest() {
    let lab = Lab::new();
    mirror_to_disk(&lab.cache, &lab.at("out"), 1 << 30, &mut BTreeSet::new());
    let digest = lab.send("out", &[]);
    // As additionalImages carries it: an ordinary image in the storage.
    let layout = lab.at("layout");
    lab.keypack(0, &["push", lab.at("out/keys").to_str().unwrap(), &format!("oci:{}:v1", layout.display())]);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let manifest = index["manifests"][0]["digest"].as_str().unwrap();
    let storage = lab.cache.join("docker/registry/v2");
    for name in files(&layout, "blobs/sha256") {
        let hex = name.rsplit('/').next().unwrap();
        let to = storage.join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
        super::set::write(&to, &fs::read(layout.join(&name)).unwrap());
    }
    let links = storage.join("repositories/keypack/trust/_manifests");
    for link in ["tags/bundle-2026.11/current".to_owned(), format!("revisions/sha256/{}", &manifest[7..])] {
        super::set::write(&links.join(link).join("link"), manifest.as_bytes());
    }
    mirror_to_disk(&lab.cache, &lab.at("plain"), 400_000, &mut BTreeSet::new());
    lab.keypack(0, &["pull", &lab.place("plain"), "--digest", &digest]);
    assert!(lab.at("plain/keys/keypack.json").is_file());
}
