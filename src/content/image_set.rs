//! oc-mirror's ImageSetConfiguration as a list of images, read leniently: its fields differ from version to version,
//! and of most only oc-mirror knows what they expand to.

use serde::Deserialize;

use super::{ImageList, ListedImage};
use crate::registry::{Host, RegistryRef};

#[derive(Deserialize)]
struct ImageSet {
    kind: Option<String>,
    mirror: Option<Mirror>,
}

/// A key without a value is as good as none: `operators:`.
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
struct Operator {
    catalog: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Platform {
    release: Option<String>,
    channels: Option<Vec<serde_json::Value>>,
}

/// Whether a text is an ImageSetConfiguration rather than a plain list, also one that only looks like it.
pub fn is_image_set(text: &str) -> bool {
    let kind = |line: &str| line.trim_start_matches(['"', '\'']).starts_with("kind");
    let named = |line: &str| line.contains("ImageSetConfiguration");
    text.trim_start().starts_with('{') && named(text) || text.lines().any(|line| kind(line) && named(line))
}

/// Reads an ImageSetConfiguration. What is wrong is told with its line.
pub fn parse_image_set(text: &str) -> Result<ImageList, String> {
    // The lines after the first show the place in the text.
    let first = |e: &str| e.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let set: ImageSet = serde_saphyr::from_str(text).map_err(|e| first(&e.to_string()))?;
    if set.kind.as_deref() != Some("ImageSetConfiguration") {
        return Err("its kind is not ImageSetConfiguration".to_owned());
    }
    let mirror = set.mirror.unwrap_or_default();
    let platform = mirror.platform.unwrap_or_default();
    let operators = mirror.operators.unwrap_or_default();
    let mut list = ImageList::default();
    let plain = |name: &String| Named { name: name.clone(), target_repo: None, target_tag: None };
    let release = platform.release.iter().map(plain);
    let catalogs = operators.iter().map(|operator| plain(&operator.catalog));
    for image in mirror.additional_images.unwrap_or_default().into_iter().chain(release).chain(catalogs) {
        match reference(&image.name) {
            Some(source) => {
                let mirrored = mirrored(&source, image.target_repo, image.target_tag);
                list.images.push(ListedImage { source, destination: None, mirrored });
            }
            None => list.others.push(format!("{:?}, which is not in a registry", image.name)),
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

/// An image as oc-mirror takes it. A name without a registry host would mean Docker Hub, which keypack never guesses.
fn reference(name: &str) -> Option<RegistryRef> {
    let name = name.trim().trim_start_matches("docker://");
    let host = name.split_once('/')?.0;
    Host::is_evident(host).then(|| name.parse().ok())?
}

/// The name that an image has behind a mirror's prefix, where the set gives it another one.
fn mirrored(source: &RegistryRef, repository: Option<String>, tag: Option<String>) -> Option<RegistryRef> {
    (repository.is_some() || tag.is_some()).then(|| RegistryRef {
        host: source.host.clone(),
        repository: repository.unwrap_or_else(|| source.repository.clone()),
        tag: tag.or_else(|| source.tag.clone()),
        digest: source.digest,
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
        assert_eq!(list.others.len(), 3, "{:?}", list.others);
        let mirror = Host::parse("mirror:5000").unwrap();
        let located = crate::content::locate(&list.images, Some((&mirror, "ns")));
        let names: Vec<_> = located[&mirror].keys().collect();
        assert_eq!(names, ["ns/c/d", "ns/redhat/redhat-operator-index", "ns/ubi9/ubi"]);
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
        let error =
            parse_image_set("kind: ImageSetConfiguration\nmirror:\n  additionalImages: 7\n").unwrap_err();
        assert!(error.contains("line 3") && !error.contains('\n'), "{error}");
        assert_eq!(
            parse_image_set("kind: ImageSetConfiguration\nmirror: {}\n").unwrap(),
            ImageList::default()
        );
    }
}
