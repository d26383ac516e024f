//! Content that would keep a walker busy for ever, or overflow its stack: each test is named after its content.

use std::{fs, path::Path};

use keypack::{
    content::{self, Location},
    discover::{Discovery, Kind, Target, discover},
    limits,
    oci::Digest,
};

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout whose index.json lists these manifests, each with its tag.
pub(crate) fn layout(folder: &Path, manifests: &[(&str, &str, String)]) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let entries: Vec<_> = manifests
        .iter()
        .map(|(tag, media_type, text)| {
            format!(
                r#"{{{},"annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}}}"#,
                descriptor(media_type, &put(folder, text), text.len())
            )
        })
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    fs::write(folder.join("index.json"), index).unwrap();
}

pub(crate) fn put(folder: &Path, text: &str) -> Digest {
    let digest = Digest::of(text.as_bytes());
    fs::write(folder.join("blobs/sha256").join(digest.hex()), text).unwrap();
    digest
}

pub(crate) fn descriptor(media_type: &str, digest: &Digest, size: usize) -> String {
    format!(r#""mediaType":"{media_type}","digest":"{digest}","size":{size}"#)
}

pub(crate) fn list(entries: &[String]) -> String {
    let entries: Vec<_> = entries.iter().map(|e| format!("{{{e}}}")).collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(","))
}

pub(crate) fn walk(folder: &Path) -> Discovery {
    let location = Location::Layout(folder.into(), None);
    let source = content::open_source(&location, &keypack::registry::Options::default).unwrap();
    discover(&[Target { source: source.as_ref(), only: None }], &mut |_| {}).unwrap()
}

pub(crate) fn good() -> (&'static str, &'static str, String) {
    let empty = descriptor("application/vnd.oci.empty.v1+json", &Digest::of(b"{}"), 2);
    let text = format!(r#"{{"schemaVersion":2,"config":{{{empty}}},"layers":[]}}"#);
    ("good", "application/vnd.oci.image.manifest.v1+json", text)
}

/// The one image that can't be read has this code, and the good one next to it was still read.
fn only_problem(found: &Discovery, code: &str) {
    let bad: Vec<_> = found.images.iter().filter(|i| !i.problems.is_empty()).collect();
    assert_eq!(bad.len(), 1, "{found:?}");
    assert_eq!(bad[0].problems[0].code.as_str(), code, "{:?}", bad[0].problems);
    assert_eq!(bad[0].kind, Kind::Unreadable);
    assert!(found.images.iter().any(|i| i.tags == ["good"] && i.kind == Kind::Image));
}

#[test]
fn indexes_in_indexes_without_end() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[]);
    let mut inner = list(&[]);
    for _ in 0..30 {
        let digest = put(folder.path(), &inner);
        inner = list(&[descriptor(INDEX, &digest, inner.len())]);
    }
    layout(folder.path(), &[("loop", INDEX, inner), good()]);
    only_problem(&walk(folder.path()), "malformed");
}

#[test]
fn an_index_that_names_itself() {
    // Content addressing forbids a true loop: the name must be false, and the walk must not follow it twice.
    let folder = tempfile::tempdir().unwrap();
    let claimed = Digest::of(b"myself");
    let text = list(&[descriptor(INDEX, &claimed, 200), descriptor(INDEX, &claimed, 200)]);
    layout(folder.path(), &[("self", INDEX, text.clone()), good()]);
    fs::write(folder.path().join("blobs/sha256").join(claimed.hex()), text).unwrap();
    let found = walk(folder.path());
    assert!(found.images.iter().any(|i| i.tags == ["self"] && i.signatures.is_empty()));
}

#[test]
fn an_index_of_ten_thousand_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        |n: u32| descriptor("application/vnd.oci.image.manifest.v1+json", &Digest::of(&n.to_be_bytes()), 2);
    let text = list(&(0..10_000).map(manifest).collect::<Vec<_>>());
    layout(folder.path(), &[("many", INDEX, text), good()]);
    only_problem(&walk(folder.path()), "malformed");
}

/// The limit is on the content of one list, not on all lists of a source together.
#[test]
fn a_thousand_images_of_eight_architectures() {
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        |n: u32| descriptor("application/vnd.oci.image.manifest.v1+json", &Digest::of(&n.to_be_bytes()), 2);
    let tags: Vec<_> = (0..1000).map(|n| format!("v{n}")).collect();
    let lists = (0..1000).map(|n| list(&(8 * n..8 * n + 8).map(manifest).collect::<Vec<_>>()));
    let images: Vec<_> =
        tags.iter().map(String::as_str).zip(lists).map(|(tag, text)| (tag, INDEX, text)).collect();
    layout(folder.path(), &images);
    let found = walk(folder.path());
    assert_eq!(found.images.len(), 1000);
    assert!(found.images.iter().all(|image| image.kind == Kind::Index && image.problems.is_empty()));
}

#[test]
fn a_manifest_as_deep_as_a_stack() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "1".to_owned() + &"}".repeat(100_000));
    let text = format!(r#"{{"schemaVersion":2,"config":{deep},"layers":[]}}"#);
    layout(folder.path(), &[("deep", "application/vnd.oci.image.manifest.v1+json", text), good()]);
    only_problem(&walk(folder.path()), "manifest-malformed");
}

#[test]
fn a_manifest_with_a_key_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (_, media_type, text) = good();
    let text = text.replace(r#""layers":[]"#, r#""layers":[],"layers":[]"#);
    layout(folder.path(), &[("twice", media_type, text), good()]);
    only_problem(&walk(folder.path()), "manifest-malformed");
}

/// A fallback tag's content before its last signature stays in a registry's storage and in copies of it.
#[test]
fn an_older_list_of_referrers_is_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let image = good();
    layout(folder.path(), std::slice::from_ref(&image));
    let (media_type, text) = (image.1, image.2);
    let subject = descriptor(media_type, &Digest::of(text.as_bytes()), text.len());
    let empty = descriptor("application/vnd.oci.empty.v1+json", &Digest::of(b"{}"), 2);
    let sbom = format!(r#"{{"schemaVersion":2,"config":{{{empty}}},"layers":[],"subject":{{{subject}}}}}"#);
    let sbom = descriptor(media_type, &put(folder.path(), &sbom), sbom.len());
    let (older, images) = (list(std::slice::from_ref(&sbom)), list(std::slice::from_ref(&subject)));
    let named = r#","annotations":{"org.opencontainers.image.ref.name":"good"}"#;
    let index = |lists: &[&String]| {
        let of = |text: &&String| descriptor(INDEX, &put(folder.path(), text), text.len());
        let mut entries = vec![sbom.clone(), format!("{subject}{named}")];
        entries.extend(lists.iter().map(of));
        fs::write(folder.path().join("index.json"), list(&entries)).unwrap();
    };
    index(&[&older]);
    let found = walk(folder.path());
    assert_eq!(found.images.len(), 1, "{found:?}");
    assert_eq!(found.images[0].tags, ["good"]);
    // A list of images without a tag is one.
    index(&[&older, &images]);
    assert_eq!(walk(folder.path()).images.len(), 2);
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// A manifest with this many signatures, none of which is present.
fn signatures(count: usize) -> String {
    let layer = |n: usize| format!("{{{}}}", descriptor(SIMPLE, &Digest::of(&n.to_be_bytes()), 8));
    let layers: Vec<_> = (0..count).map(layer).collect();
    let config = descriptor("application/vnd.oci.empty.v1+json", &Digest::of(b"{}"), 2);
    format!(r#"{{"schemaVersion":2,"config":{{{config}}},"layers":[{}]}}"#, layers.join(","))
}

fn codes(found: &Discovery) -> Vec<&'static str> {
    let image = found.images.iter().find(|image| image.tags == ["good"]).unwrap();
    let signatures = image.signatures.iter().filter_map(|signature| signature.content.as_ref().err());
    let mut codes: Vec<_> = signatures
        .map(|problem| &**problem)
        .chain(&image.problems)
        .map(|problem| problem.code.as_str())
        .collect();
    codes.dedup();
    codes
}

#[test]
fn signatures_beyond_those_that_are_read_are_a_problem() {
    let (good, most) = (good(), limits::SIGNATURES_PER_IMAGE);
    let tag = format!("sha256-{}", Digest::of(good.2.as_bytes()).hex());
    for (count, expected) in [(most, vec!["blob-missing"]), (most + 1, vec!["blob-missing", "too-large"])] {
        // In one manifest.
        let folder = tempfile::tempdir().unwrap();
        layout(folder.path(), &[good.clone(), (&format!("{tag}.sig"), MANIFEST, signatures(count))]);
        assert_eq!(codes(&walk(folder.path())), expected, "{count}");
        // In one list.
        let folder = tempfile::tempdir().unwrap();
        let entries: Vec<_> =
            (0..count).map(|n| descriptor(MANIFEST, &Digest::of(&n.to_be_bytes()), 8)).collect();
        layout(folder.path(), &[good.clone(), (&tag, INDEX, list(&entries))]);
        let found = codes(&walk(folder.path()));
        assert_eq!(found.contains(&"too-large"), count > most, "{count} {found:?}");
        // As files.
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("version"), "Directory Transport Version: 1.1\n").unwrap();
        fs::write(folder.path().join("manifest.json"), &good.2).unwrap();
        for n in 1..=count {
            fs::write(folder.path().join(format!("signature-{n}")), n.to_string()).unwrap();
        }
        let location = Location::Dir(folder.path().into());
        let source = content::open_source(&location, &keypack::registry::Options::default).unwrap();
        let found = discover(&[Target { source: source.as_ref(), only: None }], &mut |_| {}).unwrap();
        let told = format!("{found:?}").contains("TooLarge");
        assert_eq!(told, count > most, "{count}");
    }
}

/// If a signature has no `subject` and can't be read, its image is unknown; the signature is still reported.
#[test]
fn a_signature_that_can_not_be_read_and_names_no_image_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[good(), ("saved", MANIFEST, signatures(1))]);
    let found = walk(folder.path());
    let problems = found.images.iter().flat_map(|image| &image.signatures).filter(|s| s.content.is_err());
    assert_eq!(problems.count(), 1, "{found:?}");
}

/// An image whose tag for signatures was used for something else is not one that nobody signed.
#[test]
fn a_tag_for_signatures_that_names_an_index_is_reported() {
    let good = good();
    let tag = format!("sha256-{}.sig", Digest::of(good.2.as_bytes()).hex());
    let folder = tempfile::tempdir().unwrap();
    let entry = descriptor(MANIFEST, &Digest::of(good.2.as_bytes()), good.2.len());
    layout(folder.path(), &[good.clone(), (&tag, INDEX, list(&[entry]))]);
    assert_eq!(codes(&walk(folder.path())), ["signature-malformed"]);
    // What consumers read as no signature.
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[good, (&tag, MANIFEST, signatures(0))]);
    assert_eq!(codes(&walk(folder.path())), [""; 0]);
}
