use std::{fs, io::Write};

use keypack::content::{Files, Segments, TarFiles};
use tar::{Builder, EntryType, Header};

use super::support::{Spelling, files, layout, open, refused, tar_of};

/// A header with this name, whatever the name is.
fn header(name: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// A valid archive of a layout, with more entries at its end.
fn archive(more: impl FnOnce(&mut Builder<Vec<u8>>)) -> tempfile::NamedTempFile {
    let mut good = tar_of(&files(&layout("key-tag-notlog-oras")), Spelling::Ustar);
    good.truncate(good.len() - 1024);
    let mut tar = Builder::new(Vec::new());
    more(&mut tar);
    good.extend(tar.into_inner().unwrap());
    written(&good)
}

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn check(file: &tempfile::NamedTempFile, code: &str, says: &str) {
    let (actual, message) = refused(format!("oci-archive:{}", file.path().display()));
    assert_eq!(actual, code, "{message}");
    assert!(message.contains(says), "{message:?} does not say {says:?}");
    assert!(message.contains(file.path().to_str().unwrap()), "{message}");
}

fn check_entry(name: &str, kind: EntryType, content: &[u8], code: &str, says: &str) {
    check(&archive(|t| t.append(&header(name, kind, content.len() as u64), content).unwrap()), code, says);
}

#[test]
fn names_that_leave_the_archive() {
    for name in ["../x", "a/../../x", "..", "blobs/.."] {
        check_entry(name, EntryType::Regular, b"x", "archive-unsafe", "leads out");
    }
    for name in ["/etc/passwd", "/", "//x"] {
        check_entry(name, EntryType::Regular, b"", "archive-unsafe", "absolute");
    }
    check_entry(".", EntryType::Regular, b"", "archive-unsafe", "no name");
}

#[test]
fn entries_that_are_no_files() {
    for (kind, says) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "fifo"),
        (EntryType::Continuous, "unknown"),
        (EntryType::new(b'V'), "unknown"),
    ] {
        check_entry("blobs/sha256/x", kind, b"", "archive-unsafe", says);
    }
}

#[test]
fn a_link_or_directory_with_content_hides_entries_from_some_readers() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::Char]
    {
        check_entry("x", kind, &[0; 512], "archive-unsafe", "has content");
    }
    check_entry("x/", EntryType::Regular, b"x", "archive-unsafe", "has content");
}

#[test]
fn two_entries_of_one_name() {
    check_entry("index.json", EntryType::Regular, b"{}", "archive-unsafe", "two entries");
    check_entry("./index.json", EntryType::Regular, b"{}", "archive-unsafe", "two entries");
    check_entry("blobs//sha256/../../index.json", EntryType::Regular, b"{}", "archive-unsafe", "leads out");
}

fn pax(records: &[(&str, &str)], name: &str, size: u64) -> tempfile::NamedTempFile {
    archive(|t| {
        t.append_pax_extensions(records.iter().map(|(k, v)| (*k, v.as_bytes()))).unwrap();
        t.append(
            &header(name, EntryType::Regular, size),
            vec![b'x'; usize::try_from(size).unwrap()].as_slice(),
        )
        .unwrap();
    })
}

#[test]
fn a_pax_header_that_gives_another_name() {
    check(&pax(&[("path", "../x")], "harmless", 1), "archive-unsafe", "leads out");
    check(&pax(&[("path", "index.json")], "harmless", 1), "archive-unsafe", "two entries");
    check(&pax(&[("path", "a"), ("path", "b")], "c", 1), "archive-unsafe", "PAX");
    check(&pax(&[("path", "a\0b")], "c", 1), "archive-unsafe", "NUL");
    let long = "n".repeat(5000);
    check(&pax(&[("path", &long)], "c", 1), "archive-unsafe", "longer");
    let fine = pax(&[("path", "extra/name"), ("mtime", "1.5")], "c", 1);
    assert!(open(format!("oci-archive:{}", fine.path().display())).is_ok());
}

#[test]
fn a_pax_header_that_gives_another_size() {
    check(&pax(&[("size", "1"), ("size", "2")], "c", 1), "archive-unsafe", "PAX");
    check(&pax(&[("size", "many")], "c", 1), "archive-unsafe", "PAX");
    check(&pax(&[("size", "9000000000")], "c", 1), "archive-damaged", "ends within");
    check(&pax(&[("size", "18446744073709551615")], "c", 1), "archive-damaged", "");
    check(&pax(&[("size", "0")], "c", 1024), "archive-damaged", "");
}

#[test]
fn a_pax_header_that_is_malformed_or_sparse() {
    let file = archive(|t| {
        t.append(&header("x", EntryType::XHeader, 8), &b"99 path\n"[..]).unwrap();
        t.append(&header("c", EntryType::Regular, 0), &b""[..]).unwrap();
    });
    check(&file, "archive-damaged", "malformed");
    check(
        &pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "index.json")], "c", 1),
        "archive-unsafe",
        "sparse",
    );
    let mut sparse = header("s", EntryType::GNUSparse, 0);
    sparse.as_gnu_mut().unwrap().set_real_size(0);
    sparse.set_cksum();
    check(&archive(|t| t.append(&sparse, &b""[..]).unwrap()), "archive-unsafe", "sparse");
}

#[test]
fn a_global_header_may_comment_and_nothing_else() {
    let global = |record: &'static [u8]| {
        archive(|t| {
            t.append(&header("/GlobalHead.1.1", EntryType::XGlobalHeader, record.len() as u64), record)
                .unwrap();
        })
    };
    let comment = global(b"16 comment=0123\n");
    assert!(open(format!("oci-archive:{}", comment.path().display())).is_ok());
    check(&global(b"12 path=a/b\n"), "archive-unsafe", "PAX");
    check(&global(b"10 size=4\n"), "archive-unsafe", "PAX");
}

#[test]
fn an_extension_of_8_gib_is_not_read() {
    for kind in [EntryType::XHeader, EntryType::GNULongName, EntryType::GNULongLink, EntryType::XGlobalHeader]
    {
        let file = archive(|t| t.append(&header("x", kind, 8 << 30), &b""[..]).unwrap());
        file.as_file().set_len(16 << 30).unwrap();
        check(&file, "archive-damaged", "longer than 65536");
    }
}

#[test]
fn a_header_that_is_damaged() {
    let good = fs::read(archive(|_| {}).path()).unwrap();
    for (at, byte) in [(5, b'x'), (124, b'9'), (148, 0xff), (257, b'x')] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        check(&written(&bytes), "archive-damaged", "at byte 0");
    }
    // base-256, 2^63 and more.
    let mut huge = header("x", EntryType::Regular, 0);
    huge.as_old_mut().size = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    huge.set_cksum();
    check(&archive(|t| t.append(&huge, &b""[..]).unwrap()), "archive-damaged", "");
}

#[test]
fn an_archive_that_is_cut_anywhere() {
    let good = fs::read(archive(|_| {}).path()).unwrap();
    let marker = good.len() - 1024;
    for cut in (1..=marker).step_by(37).chain((512..=marker).step_by(512)).chain(marker + 1..marker + 512) {
        check(&written(&good[..cut]), "archive-damaged", "");
    }
    check(&written(b""), "archive-damaged", "empty");
    // Some tools write only one block of the end marker.
    let one = written(&good[..marker + 512]);
    assert!(open(format!("oci-archive:{}", one.path().display())).is_ok());
}

#[test]
fn content_after_a_lone_block_of_zeros() {
    let mut bytes = fs::read(archive(|_| {}).path()).unwrap();
    bytes.truncate(bytes.len() - 512);
    bytes.extend(tar_of(&[("x".into(), vec![1])], Spelling::Ustar));
    check(&written(&bytes), "archive-damaged", "lone block");
}

#[test]
fn an_archive_that_is_compressed_or_something_else() {
    let good = fs::read(archive(|_| {}).path()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&good).unwrap();
    check(&written(&gzip.finish().unwrap()), "wrong-place", "gunzip");
    check(&written(&[&b"\x28\xb5\x2f\xfd"[..], &good].concat()), "wrong-place", "unzstd");
    check(&written(b"PK\x03\x04 and so on"), "wrong-place", "zip file");
    check(&written(&[b'x'; 4096]), "archive-damaged", "");
    let docker = written(&tar_of(&[("manifest.json".into(), b"[]".to_vec())], Spelling::Ustar));
    let (code, message) = refused(docker.path().to_str().unwrap());
    assert_eq!(code, "wrong-place");
    assert!(message.contains("docker-archive"), "{message}");
    let (code, message) = refused(format!("oci-archive:{}", docker.path().display()));
    assert_eq!(code, "wrong-place");
    assert!(message.contains("skopeo copy docker-archive:… oci-archive:…"), "{message}");
}

#[test]
fn an_unpacked_docker_archive_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    let list = r#"[{"Config":"c.json","RepoTags":["a/b:1"],"Layers":["l/layer.tar"]}]"#;
    fs::write(folder.path().join("manifest.json"), list).unwrap();
    for place in [folder.path().display().to_string(), format!("dir:{}", folder.path().display())] {
        let (code, message) = refused(place);
        assert_eq!(code, "wrong-place");
        assert!(message.contains("unpacked docker-archive"), "{message}");
    }
}

#[test]
fn a_docker_archive_is_called_one_though_its_layers_are_links() {
    // As `podman save` writes it: the legacy layer.tar of each layer is a link to the blob.
    let save = |more: &[(&str, EntryType)]| {
        let mut tar = Builder::new(Vec::new());
        tar.append(&header("0a.tar", EntryType::Regular, 1), &b"x"[..]).unwrap();
        tar.append(&header("0b/layer.tar", EntryType::Symlink, 0), &b""[..]).unwrap();
        for (name, kind) in more {
            tar.append(&header(name, *kind, 2), &b"[]"[..]).unwrap();
        }
        written(&tar.into_inner().unwrap())
    };
    let docker = save(&[("manifest.json", EntryType::Regular)]);
    check(&docker, "wrong-place", "skopeo copy docker-archive:… oci-archive:…");
    // The link is still refused in an OCI archive, or in neither format.
    check(&save(&[]), "archive-unsafe", "symbolic link");
    let both = save(&[("manifest.json", EntryType::Regular), ("index.json", EntryType::Regular)]);
    check(&both, "archive-unsafe", "symbolic link");
}

#[test]
fn a_set_of_segments_ignores_what_is_no_file_and_refuses_what_leaves() {
    let segment = |kind, name: &str, content: &[u8]| {
        let mut tar = Builder::new(Vec::new());
        tar.append(&header("docker/a", EntryType::Regular, 1), &b"1"[..]).unwrap();
        tar.append(&header(name, kind, content.len() as u64), content).unwrap();
        tar.append(&header("docker/a", EntryType::Regular, 1), &b"2"[..]).unwrap();
        written(&tar.into_inner().unwrap())
    };
    let open = |file: &tempfile::NamedTempFile| TarFiles::open(&[file.path().to_owned()], Segments::Set);
    for kind in
        [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Directory, EntryType::new(b'Z')]
    {
        let files = open(&segment(kind, "docker/b", b"")).unwrap();
        assert_eq!(files.read("docker/b", 9).unwrap(), None);
        assert_eq!(files.read("docker/a", 9).unwrap().unwrap(), b"2", "the last wins");
    }
    for (kind, name, content) in [
        (EntryType::Regular, "../docker/b", &b""[..]),
        (EntryType::Regular, "/docker/b", b""),
        (EntryType::Symlink, "docker/b", &[0; 512]),
    ] {
        assert_eq!(
            open(&segment(kind, name, content)).err().unwrap().code().as_str(),
            "archive-unsafe",
            "{name}"
        );
    }
}

#[test]
fn an_entry_of_9_gib_is_stepped_over() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let size: u64 = 9 << 30;
    let mut at = file.reopen().unwrap();
    // base-256 in one, PAX in the other, as Go writes it.
    at.write_all(header("big", EntryType::Regular, size).as_bytes()).unwrap();
    std::io::Seek::seek(&mut at, std::io::SeekFrom::Current(size.cast_signed())).unwrap();
    let mut tar = Builder::new(&at);
    tar.append_pax_extensions([("size", size.to_string().as_bytes())]).unwrap();
    tar.append(&header("big2", EntryType::Regular, 0), &b""[..]).unwrap();
    std::mem::forget(tar);
    std::io::Seek::seek(&mut at, std::io::SeekFrom::Current(size.cast_signed())).unwrap();
    at.write_all(&tar_of(&[("after".into(), b"here".to_vec())], Spelling::Ustar)).unwrap();
    let files = TarFiles::open(&[file.path().to_owned()], Segments::One).unwrap();
    assert_eq!(files.size("big").unwrap(), Some(size));
    assert_eq!(files.size("big2").unwrap(), Some(size));
    assert_eq!(files.read("after", 10).unwrap().unwrap(), b"here");
}
