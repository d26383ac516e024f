//! Entries that are odd, and what is not an index.

use std::io;

use super::*;

const D: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn read(text: &[u8]) -> Result<Index, ContentError> {
    Index::read(OpenFile { size: text.len() as u64, reader: Box::new(text) }, "index.json")
}

#[test]
fn an_entry_that_can_not_be_checked_does_not_hide_the_others() {
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let text = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"digest":"{sha512}","size":1}},{{"mediaType":"m","digest":"{D}","size":2,
        "annotations":{{"x":"y","org.opencontainers.image.ref.name":"a"}}}}]}}"#
    );
    let index = read(text.as_bytes()).unwrap();
    assert_eq!(index.problems.len(), 1, "{:?}", index.problems);
    let all: Vec<_> = index.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].0.media_type.as_str(), &all[0].1), ("m", &Name::Tag("a".into())));
    assert_eq!(index.named("a").count(), 1);
    assert_eq!(index.named("b").count(), 0);
    assert_eq!(index.by_digest(&D.parse().unwrap()), Some(all[0].0.clone()));
    assert_eq!(index.by_digest(&Digest::of(b"x")), None);
}

#[test]
fn an_image_with_two_names_has_both() {
    let names = |annotations: &str| {
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"digest":"{D}","size":2,"annotations":{{{annotations}}}}}]}}"#
        );
        read(text.as_bytes()).unwrap().iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let tag = |name: &str| Name::Tag(name.into());
    let short = r#""org.opencontainers.image.ref.name":"v1""#;
    let whole = r#""io.containerd.image.name":"quay.io/a/b:v1""#;
    assert_eq!(names(short), [tag("v1")]);
    assert_eq!(names(whole), [tag("quay.io/a/b:v1")]);
    assert_eq!(names(&format!("{short},{whole}")), [tag("quay.io/a/b:v1"), tag("v1")]);
    let same = whole.replace("io.containerd.image.name", "org.opencontainers.image.ref.name");
    assert_eq!(names(&format!("{same},{whole}")), [tag("quay.io/a/b:v1")]);
    assert_eq!(names(""), [Name::Untagged]);
}

#[test]
fn an_entry_that_is_no_descriptor_does_not_hide_the_others() {
    let good = format!(r#"{{"mediaType":"m","digest":"{D}","size":2}}"#);
    for odd in ["1", "null", "{}", r#"{"digest":1,"size":1}"#, r#"{"digest":"md5:00","size":-1}"#] {
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{odd},{good}]}}"#);
        let index = read(text.as_bytes()).unwrap();
        assert_eq!((index.iter().count(), index.problems.len()), (1, 1), "{odd}");
    }
    // A large number of entries is not accepted either.
    let many = vec!["1"; 100_000].join(",");
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{many},{good}]}}"#);
    let index = read(text.as_bytes()).unwrap();
    assert_eq!((index.iter().count(), index.problems.len()), (1, limits::UNREADABLE_ENTRIES));
}

#[test]
fn bytes_that_are_not_text_are_refused_where_they_are_not_read_too() {
    let text = r#"{"schemaVersion":2,"x":"€?","manifests":null}"#;
    assert!(read(text.as_bytes()).is_ok());
    let mut bytes = text.as_bytes().to_vec();
    let at = bytes.iter().position(|b| *b == b'?').unwrap();
    bytes[at] = 0xe2;
    let error = read(&bytes).map(|_| ()).unwrap_err();
    assert_eq!((error.code().as_str(), error.to_string().contains("UTF-8")), ("malformed", true));
    // A character that is split between two reads.
    let one_by_one = OneByOne(text.as_bytes());
    let file = OpenFile { size: text.len() as u64, reader: Box::new(one_by_one) };
    assert!(Index::read(file, "index.json").is_ok());
}

struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(into.len()).min(1);
        self.0.read(&mut into[..count])
    }
}

#[test]
fn what_is_not_an_index_is_refused() {
    for text in [
        "{}",
        r#"{"schemaVersion":2}"#,
        r#"{"manifests":[]}"#,
        r#"{"schemaVersion":1,"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
        r#"{"schemaVersion":2,"manifests":[]}x"#,
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#,
    ] {
        assert_eq!(read(text.as_bytes()).map(|_| ()).unwrap_err().code().as_str(), "malformed", "{text}");
    }
}

#[test]
fn names_are_kept_as_they_are_and_in_their_order() {
    let hex = &D["sha256:".len()..];
    let long = "n".repeat(usize::from(u16::MAX) + 1);
    let mut names =
        [format!("sha256-{hex}.sig"), format!("sha256-{hex}"), "v1".into(), "sha256-x".into(), String::new()];
    let entry = |name: &str| {
        format!(
            r#"{{"digest":"{D}","size":2,"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
        )
    };
    let all: Vec<_> =
        names.iter().map(String::as_str).chain([long.as_str(), "a\\u0000b"]).map(entry).collect();
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{0},{0}]}}"#, all.join(","));
    let index = read(text.as_bytes()).unwrap();
    names.sort_unstable();
    let found: Vec<_> = index.iter().map(|(_, name)| name).collect();
    assert_eq!(found, names.clone().map(Name::Tag), "each once");
    assert!(names.iter().all(|name| index.named(name).count() == 1));
    assert_eq!(index.named("a\0b").chain(index.named(&long)).chain(index.named(hex)).count(), 0);
    assert_eq!(index.problems.len(), 4, "{:?}", index.problems);
}

/// Sizes are kept in 32 bits.
#[test]
fn a_size_beyond_any_manifest_stays_beyond() {
    let text = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{D}","size":4294967297}}]}}"#
    );
    let index = read(text.as_bytes()).unwrap();
    let sizes: Vec<_> = index.iter().map(|(descriptor, _)| descriptor.size.unwrap()).collect();
    assert_eq!(sizes, [u64::from(u32::MAX)]);
}
