//! Lists of images: a file with one reference per line, or oc-mirror's `mapping.txt`
//! (`docker://SOURCE=docker://DESTINATION`).

use std::collections::BTreeMap;

use thiserror::Error;

use crate::registry::{Host, RegistryRef};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// The image, by the name that it was mirrored from.
    pub source: RegistryRef,
    /// The destination according to the list.
    pub destination: Option<RegistryRef>,
    /// Its path and tag under a mirror's prefix, if they differ from the source's (`targetRepo`, `targetTag`).
    pub mirrored: Option<RegistryRef>,
}

impl ListedImage {
    /// Its repository at a mirror, and its reference there.
    fn at(&self, host: &Host, prefix: &str) -> (String, &RegistryRef) {
        let there = self.destination.iter().chain([&self.source]).find(|reference| reference.host == *host);
        if let Some(there) = there {
            return (there.repository.clone(), there);
        }
        let there = self.mirrored.as_ref().unwrap_or(&self.source);
        (join(prefix, &there.repository), there)
    }

    /// Whether it comes from oc-mirror's own cache, which disk-to-mirror serves as `localhost:PORT`: that is not a
    /// source.
    pub fn is_of_cache(&self) -> bool {
        self.source.host.as_str().starts_with("localhost:")
    }
}

/// The content of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageList {
    /// The images listed individually.
    pub images: Vec<ListedImage>,
    /// Descriptions of other entries, which are not looked up.
    pub others: Vec<String>,
}

/// A line that is not an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of the list is not an image: {reason}")]
pub struct ListError {
    /// The line number, counting from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Images of one registry: tags and digests by repository.
pub type Images = BTreeMap<String, Vec<String>>;

/// Parses a list. Empty lines and comments, from a `#` at the beginning or after a blank, are skipped.
pub fn parse_list(text: &str) -> Result<ImageList, ListError> {
    let mut list = ImageList::default();
    for (index, line) in text.lines().enumerate() {
        let is_comment = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
        let end = line.match_indices('#').map(|(at, _)| at).find(is_comment);
        let line = line[..end.unwrap_or(line.len())].trim();
        if line.is_empty() {
            continue;
        }
        let read = |text: &str| {
            let text = text.trim();
            let reference = text.strip_prefix("docker://").unwrap_or(text);
            if !reference.split_once('/').is_some_and(|(host, _)| Host::is_evident(host))
                && !text.starts_with("docker://")
            {
                return Err(ListError {
                    line: index + 1,
                    reason: format!("{text:?} does not start with a registry host"),
                });
            }
            let parsed = reference.parse::<RegistryRef>();
            parsed.map_err(|e| ListError { line: index + 1, reason: e.to_string() })
        };
        // oc-mirror splits at the first equals sign; no reference contains one.
        let (source, destination) = match line.split_once('=') {
            // A mapping of oc-mirror also lists images from disk: `oci:///catalog=docker://…`.
            Some((source, _)) if source.contains("://") && !source.starts_with("docker://") => {
                list.others.push(format!("{source:?}, which is not in a registry"));
                continue;
            }
            Some((source, destination)) => (read(source)?, Some(read(destination)?)),
            None => (read(line)?, None),
        };
        list.images.push(ListedImage { source, destination, mirrored: None });
    }
    Ok(list)
}

/// The locations of the listed images: at their own registries or, with `mirror`, at that host under that prefix. There
/// the path is kept after the prefix and the domain is dropped, as in oc-mirror, skopeo sync and most mirrors.
pub fn locate(list: &[ListedImage], mirror: Option<(&Host, &str)>) -> BTreeMap<Host, Images> {
    let mut located: BTreeMap<Host, Images> = BTreeMap::new();
    for image in list {
        let (host, repository, reference) = match mirror {
            None => (image.source.host.clone(), image.source.repository.clone(), &image.source),
            Some((host, prefix)) => {
                let (repository, there) = image.at(host, prefix);
                (host.clone(), repository, there)
            }
        };
        let name = match (&reference.digest, &reference.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".into(),
        };
        let names = located.entry(host).or_default().entry(repository).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    located
}

/// The repositories of the list at that mirror, each with the one that it was copied from, both as `HOST/REPOSITORY`.
pub fn copied(list: &[ListedImage], (host, prefix): (&Host, &str)) -> Vec<(String, String)> {
    let of_others = list.iter().filter(|image| image.source.host != *host && !image.is_of_cache());
    let named = of_others.map(|image| {
        let source = format!("{}/{}", image.source.host, image.source.repository);
        (format!("{host}/{}", image.at(host, prefix).0), source)
    });
    named.collect()
}

fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", prefix.trim_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_mappings_are_read() {
        let text = "# by hand\n\nquay.io/a/b:1\n  docker://quay.io/a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  \n\
                    docker://r.io/x/y:2=docker://mirror:5000/ns/x/y:2\nr.io/z # the web server\n\t# \u{e9}\n\
                    oci:///var/x=docker://mirror:5000/ns/var/x:latest\n";
        let ImageList { images: list, others } = parse_list(text).unwrap();
        assert_eq!(list.len(), 4);
        assert_eq!(others, ["\"oci:///var/x\", which is not in a registry"]);
        let mirror = Host::parse("mirror:5000").unwrap();
        let located = locate(&list, Some((&mirror, "ns")));
        assert_eq!(located[&mirror]["ns/a/b"].len(), 2);
        assert_eq!(located[&mirror]["ns/x/y"], ["2"]);
        assert_eq!(located[&mirror]["ns/z"], ["latest"]);
        let own = locate(&list, None);
        assert_eq!(own[&Host::parse("r.io").unwrap()]["x/y"], ["2"]);
    }

    #[test]
    fn a_line_that_is_no_image_is_told_by_number() {
        assert_eq!(parse_list("quay.io/a:1\nbusybox\n").unwrap_err().line, 2);
        assert_eq!(parse_list("quay.io/A:1\n").unwrap_err().line, 1);
        assert_eq!(parse_list("docker://r.io/x=\n").unwrap_err().line, 1);
        let address = parse_list("https://quay.io/a/b:1\n").unwrap_err();
        assert!(address.reason.contains("without a scheme"), "{address}");
    }

    #[test]
    fn digests_are_read_as_people_copy_them() {
        let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let upper = hex.to_uppercase();
        for text in [format!("sha256:{hex}"), hex.into(), upper.clone(), format!("SHA256:{upper}")] {
            let list = parse_list(&format!("quay.io/a/b:1@{text}\n")).unwrap();
            assert_eq!(list.images[0].source.digest.unwrap().hex(), hex, "{text}");
        }
        for text in [&hex[..40], "sha512:00", "", &format!("{hex}0")] {
            assert!(parse_list(&format!("quay.io/a/b@{text}\n")).is_err(), "{text}");
        }
    }
}
