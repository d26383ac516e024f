use std::io::Write;

use super::*;

const PATH: &str = "release-manifests/policy.yaml";

struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// An entry with this name as it is written, which `Header::set_path` would refuse.
    fn add(mut self, name: &str, kind: EntryType, bytes: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.append(&header, bytes).unwrap();
        self
    }

    fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.add(name, EntryType::Regular, bytes)
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn look(tar: &[u8]) -> Result<Seen<'static>, String> {
    scan(tar, &[PATH], &Cell::new(64 << 20)).map_err(|fault| match fault {
        Fault::Io(e) => e.to_string(),
        Fault::Entry { path, is } => format!("{path} {is}"),
        Fault::Large(path) => format!("{path} is too large"),
    })
}

fn found(tar: Tar) -> String {
    let seen = look(&tar.bytes()).unwrap();
    let text = seen.files.get(PATH).map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    match (text, seen.hidden.contains(PATH)) {
        (Some(text), _) => text,
        (None, true) => "hidden".into(),
        (None, false) => "open".into(),
    }
}

#[test]
fn a_name_is_the_same_however_it_is_written() {
    for name in [
        PATH,
        "./release-manifests/policy.yaml",
        "/release-manifests/policy.yaml",
        "release-manifests//./policy.yaml",
    ] {
        assert_eq!(found(Tar::new().file(name, b"x")), "x", "{name}");
    }
    assert_eq!(
        found(Tar::new().file("policy.yaml", b"x").file("a/release-manifests/policy.yaml", b"y")),
        "open"
    );
    assert!(look(&Tar::new().file("a/../release-manifests/policy.yaml", b"x").bytes()).is_err());
}

#[test]
fn the_last_entry_of_a_layer_counts() {
    let link = |tar: Tar| tar.add(PATH, EntryType::Symlink, b"");
    assert_eq!(found(Tar::new().file(PATH, b"first").file(PATH, b"last")), "last");
    assert_eq!(found(link(Tar::new()).file(PATH, b"last")), "last");
    for kind in
        [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::GNUSparse]
    {
        let tar = Tar::new().file(PATH, b"first").add(PATH, kind, b"");
        let fault = look(&tar.bytes());
        assert!(fault.is_err(), "{kind:?}");
    }
}

#[test]
fn whiteouts_remove_what_is_below_and_not_what_is_beside_them() {
    for name in [
        "release-manifests/.wh.policy.yaml",
        ".wh.release-manifests",
        "./release-manifests/.wh..wh..opq",
        ".wh..wh..opq",
    ] {
        assert_eq!(found(Tar::new().file(name, b"")), "hidden", "{name}");
        assert_eq!(found(Tar::new().file(PATH, b"x").file(name, b"")), "x", "{name}");
    }
    for name in
        ["release-manifests/.wh.policy", ".wh.release", "other/.wh..wh..opq", "release-manifests/.wh."]
    {
        assert_eq!(found(Tar::new().file(name, b"")), "open", "{name}");
    }
}

#[test]
fn a_folder_of_the_path_that_is_none() {
    for kind in [EntryType::Symlink, EntryType::Regular, EntryType::Link] {
        let tar = Tar::new().file(PATH, b"x").add("release-manifests", kind, b"");
        assert_eq!(look(&tar.bytes()).err().unwrap(), "release-manifests is not a folder");
    }
    let folder = Tar::new().add("release-manifests/", EntryType::Directory, b"").file(PATH, b"x");
    assert_eq!(found(folder), "x");
}

#[test]
fn long_names_and_long_headers() {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("path", PATH.as_bytes())]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(1);
    header.set_cksum();
    tar.append(&header, &b"x"[..]).unwrap();
    assert_eq!(found(Tar(tar)), "x");
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("comment", vec![b'x'; 1 << 20].as_slice())]).unwrap();
    assert!(look(&tar.into_inner().unwrap()).err().unwrap().contains("a header is longer than"));
    let large = vec![0; usize::try_from(limits::IMAGE_FILE).unwrap() + 1];
    assert!(look(&Tar::new().file(PATH, &large).bytes()).err().unwrap().contains("too large"));
}

/// A gzip of these bytes, followed by `count` MiB of zeros.
fn bomb(start: &[u8], count: usize) -> Vec<u8> {
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    [gzip(start), gzip(&vec![0; 1 << 20]).repeat(count)].concat()
}

#[test]
fn what_unpacks_to_more_than_the_limit_ends_there() {
    // Zeros are the end of a tar: nothing more is unpacked.
    let unpacked = Cell::new(1 << 20);
    assert!(scan(bomb(b"", 64).as_slice(), &[PATH], &unpacked).is_ok());
    assert!(unpacked.get() > 0);
    // A file of 8 MiB, which must be passed over.
    let mut header = tar::Header::new_ustar();
    header.set_path("zeros").unwrap();
    header.set_size(8 << 20);
    header.set_cksum();
    assert!(scan(bomb(header.as_bytes(), 9).as_slice(), &[PATH], &unpacked).is_err());
    assert_eq!(unpacked.get(), 0);
    // A sparse file that is said to have a PiB.
    let mut header = tar::Header::new_gnu();
    header.set_path("sparse").unwrap();
    header.set_entry_type(EntryType::GNUSparse);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1 << 50);
    gnu.sparse[0].set_offset(1 << 50);
    gnu.sparse[0].set_length(0);
    header.set_size(0);
    header.set_cksum();
    let tar = [header.as_bytes().to_vec(), Tar::new().file(PATH, b"x").bytes()].concat();
    assert_eq!(look(&tar).unwrap().files[PATH], b"x");
}
