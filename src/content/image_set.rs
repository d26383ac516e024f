//! oc-mirror's ImageSetConfiguration as a list of images, read leniently: its fields vary between versions, and only
//! oc-mirror knows what most of them expand to.

use serde::Deserialize;

use super::{ImageList, ListedImage};
use crate::registry::{Host, RegistryRef};

#[derive(Deserialize)]
struct ImageSet {
    kind: Option<String>,
    mirror: Option<Mirror>,
}

/// A key without a value counts as missing: `operators:`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Mirror {
    additional_images: Option<Vec<Named>>,
    operators: Option<Vec<Operator>>,
    platform: Option<Platform>,
    helm: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name: String,
    target_repo: Option<String>,
    target_tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operator {
    catalog: String,
    target_catalog: Option<String>,
    target_tag: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Platform {
    release: Option<String>,
    channels: Option<Vec<serde_json::Value>>,
}

/// Whether a text is, or looks like, an ImageSetConfiguration rather than a plain list.
pub fn is_image_set(text: &str) -> bool {
    let kind = |line: &str| line.trim_start_matches(['"', '\'']).starts_with("kind");
    let named = |line: &str| line.contains("ImageSetConfiguration");
    text.trim_start().starts_with('{') && named(text) || text.lines().any(|line| kind(line) && named(line))
}

/// Parses an ImageSetConfiguration. Errors include the line.
pub fn parse_image_set(text: &str) -> Result<ImageList, String> {
    let mirror = read(text)?;
    let platform = mirror.platform.unwrap_or_default();
    let operators = mirror.operators.unwrap_or_default();
    let mut list = ImageList::default();
    let release =
        platform.release.map(|name| Named { name, target_repo: Some(RELEASE.into()), target_tag: None });
    let catalogs = operators.iter().map(|operator| Named {
        name: operator.catalog.clone(),
        target_repo: operator.target_catalog.clone(),
        target_tag: operator.target_tag.clone(),
    });
    for image in mirror.additional_images.unwrap_or_default().into_iter().chain(release).chain(catalogs) {
        match image.listed() {
            Ok(image) => list.images.push(image),
            Err(name) => list.others.push(format!("{name:?}, which is not in a registry")),
        }
    }
    let mut expands = |count: usize, what: &str, but: &str| {
        if count > 0 {
            list.others.push(format!("{count} {what}{}{but}", if count == 1 { "" } else { "s" }));
        }
    };
    expands(platform.channels.unwrap_or_default().len(), "release channel", "");
    expands(operators.len(), "operator catalog", ", apart from the catalogs' own images");
    expands(usize::from(mirror.helm.is_some()), "helm section", "");
    Ok(list)
}

/// The images that an ImageSetConfiguration names one by one: a cluster pulls these by their names at the source.
pub fn additional_images(text: &str) -> Result<Vec<ListedImage>, String> {
    let images = read(text)?.additional_images.unwrap_or_default();
    Ok(images.into_iter().filter_map(|image| image.listed().ok()).collect())
}

fn read(text: &str) -> Result<Mirror, String> {
    // The lines after the first show an excerpt of the text.
    let first = |e: &str| e.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let set: ImageSet = serde_saphyr::from_str(text).map_err(|e| match e.without_snippet() {
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "it holds several YAML documents; keep the ImageSetConfiguration, without --- after it".into()
        }
        e => first(&e.to_string()),
    })?;
    if set.kind.as_deref() != Some("ImageSetConfiguration") {
        return Err("its kind is not ImageSetConfiguration".to_owned());
    }
    Ok(set.mirror.unwrap_or_default())
}

impl Named {
    /// The image; as an error, the name of one that is not in a registry.
    fn listed(self) -> Result<ListedImage, String> {
        let source = reference(&self.name).ok_or(self.name)?;
        let mirrored = mirrored(&source, self.target_repo, self.target_tag);
        Ok(ListedImage { source, destination: None, mirrored })
    }
}

/// An image reference as oc-mirror reads it. A name without a registry host would mean Docker Hub, which keypack never
/// assumes.
fn reference(name: &str) -> Option<RegistryRef> {
    let name = name.trim().trim_start_matches("docker://");
    let host = name.split_once('/')?.0;
    Host::is_evident(host).then(|| name.parse().ok())?
}

/// The repository into which oc-mirror puts release images, whatever their name (its `release` collector).
const RELEASE: &str = "openshift/release-images";

/// The name of an image under a mirror's prefix, if the set changes it: `targetRepo` or `targetCatalog` replaces the
/// whole path, `targetTag` the tag. If a tag is given, that is the name at the mirror, because a catalog filtered by
/// oc-mirror gets another digest. An empty value counts as missing.
fn mirrored(source: &RegistryRef, repository: Option<String>, tag: Option<String>) -> Option<RegistryRef> {
    let said = |value: Option<String>| value.filter(|value| !value.is_empty());
    let (repository, tag) = (said(repository), said(tag));
    (repository.is_some() || tag.is_some()).then(|| RegistryRef {
        host: source.host.clone(),
        repository: repository.unwrap_or_else(|| source.repository.clone()),
        digest: source.digest.filter(|_| tag.is_none()),
        tag: tag.or_else(|| source.tag.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "\
kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
archiveSize: 4
mirror:
  platform:
    architectures: [amd64]
    release: quay.io/openshift-release-dev/ocp-release:4.20.1-x86_64
    channels:
      - name: stable-4.20
        minVersion: 4.20.1
  operators:
    - catalog: registry.redhat.io/redhat/redhat-operator-index:v4.20
      packages: [{name: web-terminal}]
    - catalog: registry.redhat.io/redhat/certified-operator-index@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
      targetCatalog: ours/certified
      targetTag: v4.20-2
  additionalImages:
    - name: registry.redhat.io/ubi9/ubi:latest
    - name: docker://quay.io/a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
      targetRepo: c/d
    - name: oci:///var/images/x
  aFieldOfTomorrow: {x: 1}
";

    #[test]
    fn images_are_listed_and_the_rest_is_told() {
        assert!(is_image_set(SET));
        let list = parse_image_set(SET).unwrap();
        let names: Vec<_> = list.images.iter().map(|image| image.source.to_string()).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names[0].starts_with("registry.redhat.io/ubi9/ubi"));
        assert_eq!(list.others.len(), 3, "{:?}", list.others);
        let mirror = Host::parse("mirror:5000").unwrap();
        let located = crate::content::locate(&list.images, Some((&mirror, "ns")));
        let names: Vec<_> =
            located[&mirror].iter().map(|(name, tags)| format!("{name} {}", tags.join(","))).collect();
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            names,
            [
                format!("ns/c/d {digest}"),
                "ns/openshift/release-images 4.20.1-x86_64".into(),
                "ns/ours/certified v4.20-2".into(),
                "ns/redhat/redhat-operator-index v4.20".into(),
                "ns/ubi9/ubi latest".into(),
            ]
        );
    }

    #[test]
    fn keys_without_a_value_and_other_spellings_are_read() {
        let sets = [
            "kind: \"ImageSetConfiguration\"\nmirror:\n  additionalImages: null\n  operators:\n  platform:\n",
            "kind:   ImageSetConfiguration # of the team\nmirror:\n  platform: {channels: null, graph: true}\n",
            "{\"kind\":\"ImageSetConfiguration\",\"mirror\":{}}",
        ];
        for set in sets {
            assert!(is_image_set(set), "{set}");
            assert_eq!(parse_image_set(set), Ok(ImageList::default()), "{set}");
        }
        let delete = "apiVersion: x\nkind: DeleteImageSetConfiguration\n";
        assert!(is_image_set(delete) && parse_image_set(delete).is_err());
    }

    #[test]
    fn what_is_no_image_set_says_where() {
        assert!(!is_image_set("quay.io/a/b:1\n"));
        assert!(parse_image_set("kind: Other\n").is_err());
        let two = parse_image_set("---\nkind: ImageSetConfiguration\n---\nkind: Other\n").unwrap_err();
        assert!(two.contains("several YAML documents"), "{two}");
        let error =
            parse_image_set("kind: ImageSetConfiguration\nmirror:\n  additionalImages: 7\n").unwrap_err();
        assert!(error.contains("line 3") && !error.contains('\n'), "{error}");
        assert_eq!(
            parse_image_set("kind: ImageSetConfiguration\nmirror: {}\n").unwrap(),
            ImageList::default()
        );
    }
}
