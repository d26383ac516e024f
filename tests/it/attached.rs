//! What copying tools put on the tag `sha256-<hex>` and similar conventional tags: each is reported as what it is.

use std::fs;

use keypack::{
    content::{DirFiles, Source, Storage},
    discover::{Discovery, Kind, Other, Target, discover},
    oci::{Digest, media},
};

use super::walk::{INDEX, descriptor, good, layout, list, put, walk};

fn digest_tag(text: &str) -> String {
    format!("sha256-{}", Digest::of(text.as_bytes()).hex())
}

fn of(text: &str) -> String {
    descriptor(media::MANIFEST, &Digest::of(text.as_bytes()), text.len())
}

/// A manifest that refers to `subject`, of this artifact type.
fn referrer(subject: &str, artifact_type: &str) -> String {
    let empty = descriptor(media::EMPTY, &Digest::of(b"{}"), 2);
    let subject = of(subject);
    format!(
        r#"{{"schemaVersion":2,"artifactType":"{artifact_type}","config":{{{empty}}},"layers":[],"subject":{{{subject}}}}}"#
    )
}

/// oc-mirror v2 tags an image that was named by its digest as `sha256-<its own hex>` (openshift/oc-mirror#981).
#[test]
fn an_image_whose_tag_is_its_own_digest() {
    let folder = tempfile::tempdir().unwrap();
    let (_, media_type, image) = good();
    let multi = list(&[of(&image)]);
    let (image_tag, multi_tag) = (digest_tag(&image), digest_tag(&multi));
    layout(folder.path(), &[(&image_tag, media_type, image), (&multi_tag, INDEX, multi)]);
    let found = walk(folder.path());
    let mut seen: Vec<_> = found.images.iter().map(|i| (i.tags.to_vec(), i.kind.clone())).collect();
    seen.sort_by_key(|(_, kind)| *kind == Kind::Index);
    assert_eq!(seen, [(vec![image_tag], Kind::Image), (vec![multi_tag], Kind::Index)]);
    assert!(found.images.iter().all(|i| i.signatures.is_empty() && i.problems.is_empty()), "{found:?}");
    assert!(found.images[0].label().contains("@sha256:"), "{}", found.images[0].label());
}

/// An archive set without the blobs of earlier runs, and a copy of only one architecture, are not damaged.
#[test]
fn what_is_elsewhere_in_an_archive_by_digest_is_not_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("docker/registry/v2");
    let write = |path: String, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let (_, _, image) = good();
    // The second architecture was not copied.
    let multi = list(&[of(&image), of("another architecture")]);
    let gone = Digest::of(b"in an earlier archive");
    for (digest, text) in [
        (Digest::of(image.as_bytes()), Some(&image)),
        (Digest::of(multi.as_bytes()), Some(&multi)),
        (gone, None),
    ] {
        let hex = digest.hex();
        for (is_signature, tag) in [(false, format!("sha256-{hex}")), (true, format!("sha256-{hex}.sig"))] {
            if is_signature && text.is_some() {
                continue;
            }
            let target = if is_signature { Digest::of(b"its signature") } else { digest };
            let link = format!("repositories/a/_manifests/tags/{tag}/current/link");
            write(link, &target.to_string());
        }
        if let Some(text) = text {
            write(format!("blobs/sha256/{}/{hex}/data", &hex[..2]), text);
        }
    }
    let files = DirFiles::open(folder.path()).unwrap();
    let found = walk_source(&Storage::open("storage", files).unwrap());
    assert_eq!(found.images.len(), 3, "{found:?}");
    for image in &found.images {
        assert!(image.problems.is_empty() && image.signatures.is_empty(), "{image:?}");
        assert_eq!(image.kind == Kind::Absent, image.digest == gone);
    }
}

fn walk_source(source: &dyn Source) -> Discovery {
    discover(&[Target { source, only: None }], &mut |_| {}).unwrap()
}

#[test]
fn a_list_of_referrers_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_, media_type, image) = good();
    let notation = referrer(&image, "application/vnd.cncf.notary.signature");
    let sbom = referrer(&image, "application/spdx+json");
    let tag = digest_tag(&image);
    let referrers = list(&[of(&notation), of(&sbom)]);
    layout(folder.path(), &[("v1", media_type, image), (&tag, INDEX, referrers)]);
    for text in [&notation, &sbom] {
        put(folder.path(), text);
    }
    let found = walk(folder.path());
    assert_eq!(found.images.len(), 1, "{found:?}");
    assert_eq!(found.images[0].tags, ["v1"]);
    let mut others = found.images[0].others.clone();
    others.sort();
    assert_eq!(others, [Other::Notation, Other::Sbom]);
    assert!(found.images[0].signatures.is_empty());
}

/// A copy of only some architectures keeps the tag and has another digest.
#[test]
fn a_filtered_list_of_images_is_not_a_list_of_referrers() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, image) = good();
    let whole = list(&[of(&image), of("another architecture")]);
    let tag = digest_tag(&whole);
    let filtered = list(&[of(&image)]);
    layout(folder.path(), &[(&tag, INDEX, filtered)]);
    put(folder.path(), &image);
    let found = walk(folder.path());
    assert_eq!(found.images.len(), 1, "{found:?}");
    assert_eq!((&found.images[0].kind, &found.images[0].tags), (&Kind::Index, &[tag].into()));
    assert!(found.images[0].signatures.is_empty());
}

#[test]
fn attestations_and_sboms_by_tag_belong_to_their_image() {
    let folder = tempfile::tempdir().unwrap();
    let (_, media_type, image) = good();
    let (att, sbom) = (format!("{}.att", digest_tag(&image)), format!("{}.sbom", digest_tag(&image)));
    let other = referrer(&image, "x/y");
    layout(
        folder.path(),
        &[("v1", media_type, image), (&att, media_type, other.clone()), (&sbom, media_type, other + " ")],
    );
    let found = walk(folder.path());
    assert_eq!(found.images.len(), 1, "{found:?}");
    assert_eq!(found.images[0].others, [Other::Attestation, Other::Sbom]);
}

#[test]
fn a_schema_1_image_is_named_and_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"{"schemaVersion":1,"name":"a","tag":"old","fsLayers":[],"signatures":[]}"#.to_owned();
    layout(
        folder.path(),
        &[("old", "application/vnd.docker.distribution.manifest.v1+prettyjws", old), good()],
    );
    let found = walk(folder.path());
    let old = found.images.iter().find(|image| image.tags == ["old"]).unwrap();
    assert_eq!((&old.kind, old.others.as_slice()), (&Kind::Image, &[Other::Schema1][..]));
    assert!(old.problems.is_empty());
}

#[test]
fn one_sha512_in_a_list_is_a_problem_of_that_image() {
    let folder = tempfile::tempdir().unwrap();
    let (_, media_type, image) = good();
    let sha512 = format!(r#""mediaType":"m","digest":"sha512:{}","size":1"#, "a".repeat(128));
    let text = list(&[sha512, of(&image)]);
    layout(folder.path(), &[("v1", media_type, image), ("multi", INDEX, text)]);
    let found = walk(folder.path());
    let multi = found.images.iter().find(|image| image.tags == ["multi"]).unwrap();
    assert_eq!((&multi.kind, multi.problems.len()), (&Kind::Index, 1), "{multi:?}");
    assert_eq!(multi.problems[0].code.as_str(), "digest-unsupported");
    assert!(found.images.iter().any(|image| image.tags == ["v1"] && image.problems.is_empty()));
}
