use std::{fs, path::Path};

use keypack::{
    content::{Completeness, Name},
    oci::{Descriptor, Digest},
};

use super::support::{artifact, open, outcome};

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join("docker/registry/v2").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_tag_is_told_and_the_others_are_listed() {
    let root = tempfile::tempdir().unwrap();
    let image = artifact("x").manifest;
    let (digest, hex) = (image.digest().to_string(), image.digest().hex());
    let tags = "repositories/ns/deep/app/_manifests/tags";
    let revisions = "repositories/ns/deep/app/_manifests/revisions/sha256";
    write(root.path(), &format!("blobs/sha256/{}/{hex}/data", &hex[..2]), image.bytes());
    write(root.path(), &format!("{revisions}/{hex}/link"), digest.as_bytes());
    write(root.path(), &format!("{tags}/good/current/link"), digest.as_bytes());
    write(root.path(), &format!("{tags}/newline/current/link"), format!("{digest}\n").as_bytes());
    write(root.path(), &format!("{tags}/gone/index/sha256/{hex}/link"), digest.as_bytes());
    let bad: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("path", b"sha256:../../../../etc/passwd"),
        ("upper", b"SHA256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
        ("two", b"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n\n"),
        ("binary", &[0xff; 71]),
        ("html", &[b'<'; 500]),
    ];
    for (tag, bytes) in bad {
        write(root.path(), &format!("{tags}/{tag}/current/link"), bytes);
    }
    // A digest that differs from its name.
    let other = Digest::of(b"other").hex();
    write(root.path(), &format!("{revisions}/{other}/link"), digest.as_bytes());
    write(root.path(), "repositories/ns/deep/app/_uploads/0-1/data", b"half");
    write(root.path(), "repositories/ns/deep/_layers/sha256/x/link", b"no _manifests: no repository");

    let source = open(root.path().to_str().unwrap()).unwrap();
    assert_eq!(source.abilities().completeness, Completeness::Partial);
    assert_eq!(source.repositories().unwrap(), ["ns/deep/app"]);
    let listed = source.manifests("ns/deep/app").unwrap();
    let names: Vec<_> = listed.iter().map(|l| l.name.clone()).collect();
    assert_eq!(names, [Name::Tag("good".into()), Name::Tag("newline".into())]);
    let mut problems = Vec::new();
    source.list("ns/deep/app", &mut |listed| problems.extend(listed.err())).unwrap();
    assert_eq!(problems.len(), 8, "{problems:?}");
    for problem in &problems {
        assert!(["malformed", "too-large"].contains(&problem.code().as_str()), "{problem}");
    }
    for (tag, _) in bad {
        assert!(source.resolve("ns/deep/app", tag).is_err(), "{tag}");
    }
    assert_eq!(source.resolve("ns/deep/app", "gone").unwrap(), None);
}

#[test]
fn a_link_without_its_blob_is_not_an_error() {
    let root = tempfile::tempdir().unwrap();
    let digest = Digest::of(b"in an earlier archive");
    write(root.path(), "repositories/app/_manifests/tags/v1/current/link", digest.to_string().as_bytes());
    let source = open(root.path().to_str().unwrap()).unwrap();
    let found = source.resolve("app", "v1").unwrap().unwrap();
    assert_eq!(found, Descriptor::of_digest(digest));
    assert_eq!(outcome(&*source, "app", &found, 100), "absent");
    assert_eq!(source.manifests("app").unwrap().len(), 1);
}
