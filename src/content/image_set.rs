//! oc-mirror's ImageSetConfiguration as a list of images, read leniently: its fields differ from version to version,
//! and of most only oc-mirror knows what they expand to.

use serde::Deserialize;

use super::{Host, ListedImage, RegistryRef};

#[derive(Deserialize)]
struct ImageSet {
    kind: Option<String>,
    mirror: Option<Mirror>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Mirror {
    additional_images: Vec<Named>,
    operators: Vec<Operator>,
    platform: Platform,
    helm: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Operator {
    catalog: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Platform {
    release: Option<String>,
    channels: Vec<serde_json::Value>,
}

/// What an ImageSetConfiguration names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageSetList {
    /// The images that it names one by one, catalogs included.
    pub images: Vec<ListedImage>,
    /// What it names otherwise, which is not looked up: in words.
    pub expands: Vec<String>,
}

/// Whether a text is an ImageSetConfiguration rather than a plain list.
pub fn is_image_set(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "kind: ImageSetConfiguration")
}

/// Reads an ImageSetConfiguration. What is wrong is told with its line.
pub fn parse_image_set(text: &str) -> Result<ImageSetList, String> {
    let set: ImageSet = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
    if set.kind.as_deref() != Some("ImageSetConfiguration") {
        return Err("its kind is not ImageSetConfiguration".to_owned());
    }
    let mirror = set.mirror.unwrap_or_default();
    let mut list = ImageSetList::default();
    let names = mirror.additional_images.iter().map(|image| &image.name);
    let release = mirror.platform.release.iter();
    let catalogs = mirror.operators.iter().map(|operator| &operator.catalog);
    for name in names.chain(release).chain(catalogs) {
        match reference(name) {
            Some(source) => list.images.push(ListedImage { source, destination: None }),
            None => list.expands.push(format!("{name:?}, which is not in a registry")),
        }
    }
    let mut expands = |count: usize, what: &str| {
        if count > 0 {
            list.expands.push(format!("{count} {what}"));
        }
    };
    expands(mirror.platform.channels.len(), "release channel(s)");
    expands(mirror.operators.len(), "operator catalog(s), apart from the catalogs' own images");
    expands(usize::from(mirror.helm.is_some()), "helm section");
    Ok(list)
}

/// An image as oc-mirror takes it. A name without a registry host would mean Docker Hub, which keypack never guesses.
fn reference(name: &str) -> Option<RegistryRef> {
    let name = name.trim().trim_start_matches("docker://");
    let host = name.split_once('/')?.0;
    Host::is_evident(host).then(|| name.parse().ok())?
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
    channels:
      - name: stable-4.20
        minVersion: 4.20.1
  operators:
    - catalog: registry.redhat.io/redhat/redhat-operator-index:v4.20
      packages: [{name: web-terminal}]
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
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names[0].starts_with("registry.redhat.io/ubi9/ubi"));
        assert_eq!(list.expands.len(), 3, "{:?}", list.expands);
    }

    #[test]
    fn what_is_no_image_set_says_where() {
        assert!(!is_image_set("quay.io/a/b:1\n"));
        assert!(parse_image_set("kind: Other\n").is_err());
        let error =
            parse_image_set("kind: ImageSetConfiguration\nmirror:\n  additionalImages: 7\n").unwrap_err();
        assert!(error.contains("line 3"), "{error}");
        assert_eq!(
            parse_image_set("kind: ImageSetConfiguration\nmirror: {}\n").unwrap(),
            ImageSetList::default()
        );
    }
}
