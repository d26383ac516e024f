//! Which repositories may be read with `use-sigstore-attachments`, as a file for registries.d.
//!
//! By containers-registries.d(5), only the section of the most specific scope counts for an image; a repository
//! is a scope, `docker.io/library/busybox` in full; and no scope may appear in two places. So one file names every
//! repository that was checked, and neither a registry nor `default-docker`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Form, Image, Kind},
    oci::Digest,
};

/// The first line of every file that keypack writes: such a file may be replaced.
const MARK: &str = "# Written by keypack discover --write-registries-d.";

/// The images of one registry that were asked for.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// The place, as the discovery names it.
    pub place: String,
    /// The registry: `HOST[:PORT]`.
    pub host: String,
    /// The tags or digests of each repository.
    pub images: &'a BTreeMap<String, Vec<String>>,
}

/// Whether signatures are to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attachments {
    /// There are some, or it is not known whether there are.
    On,
    /// Every image that was asked for was read, and none has a signature.
    Off,
}

/// What was found in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Repository {
    /// Its scope.
    pub scope: String,
    /// Images with a signature that oc-mirror mirrors: a tag `sha256-<hex>.sig`.
    #[serde(serialize_with = "number")]
    pub signed: Vec<String>,
    /// Images that were read and have no signature.
    pub unsigned: Vec<String>,
    /// Images whose only signatures are bundles, which oc-mirror leaves behind.
    pub bundles: Vec<String>,
    /// Images that could not be read completely.
    pub unread: Vec<String>,
}

impl Repository {
    /// The decision: verification is switched off only if everything is known.
    pub(crate) const fn attachments(&self) -> Attachments {
        let known = self.unread.is_empty() && self.signed.is_empty() && self.bundles.is_empty();
        if known && !self.unsigned.is_empty() { Attachments::Off } else { Attachments::On }
    }
}

fn number<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(names.len() as u64)
}

/// The repositories that were checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RegistriesD {
    /// By scope.
    pub repositories: Vec<Repository>,
}

impl RegistriesD {
    /// Decides for each repository that was asked for. What the discovery does not show counts as not read.
    pub(crate) fn decide<S>(asked: &[Asked<'_>], discovery: &Discovery<S>) -> Self {
        let mut repositories: BTreeMap<String, Repository> = BTreeMap::new();
        for registry in asked {
            // A problem without an image may be anywhere in the place. Missing names are handled below.
            let about_any = |problem: &Diagnostic| problem.code != Code::NameUnknown;
            let doubtful = discovery
                .places
                .iter()
                .any(|place| place.name == registry.place && place.problems.iter().any(about_any));
            for (name, references) in registry.images {
                let images: Vec<_> = discovery
                    .images
                    .iter()
                    .filter(|image| image.place() == registry.place && image.repository() == *name)
                    .collect();
                let scope = scope(&registry.host, name);
                let found = repositories.entry(scope.clone()).or_insert_with(|| Repository {
                    scope,
                    signed: Vec::new(),
                    unsigned: Vec::new(),
                    bundles: Vec::new(),
                    unread: Vec::new(),
                });
                found.add(&registry.host, name, references, &images, doubtful);
            }
        }
        Self { repositories: repositories.into_values().collect() }
    }

    /// The repositories with this decision.
    pub(crate) fn with(&self, attachments: Attachments) -> impl Iterator<Item = &Repository> {
        self.repositories.iter().filter(move |repository| repository.attachments() == attachments)
    }

    /// Whether everything that was asked for could be read.
    pub(crate) fn is_complete(&self) -> bool {
        self.repositories.iter().all(|repository| repository.unread.is_empty())
    }

    /// The file.
    pub(crate) fn to_yaml(&self) -> String {
        let mut text = format!(
            "{MARK}\n# Run it again rather than edit this file; see containers-registries.d(5).\ndocker:\n"
        );
        for repository in &self.repositories {
            let on = repository.attachments() == Attachments::On;
            // A scope has no quotation marks and no backslashes (distribution/reference).
            text.push_str(&format!("  \"{}\":\n    use-sigstore-attachments: {on}\n", repository.scope));
        }
        text
    }
}

impl Repository {
    /// Adds the images that were asked for by name.
    fn add<S>(
        &mut self,
        host: &str,
        repository: &str,
        references: &[String],
        images: &[&Image<S>],
        doubtful: bool,
    ) {
        for reference in references {
            let name = full_name(host, repository, reference);
            let named = images.iter().find(|image| {
                image.tags.iter().any(|tag| tag == reference) || image.digest.to_string() == *reference
            });
            let Some(image) = named else {
                self.unread.push(name);
                continue;
            };
            // The list and its instances are one image to a mirror: each of them is asked for its signatures.
            let lists = lists(image.digest, images);
            let parts = || {
                images.iter().filter(|part| {
                    part.digest == image.digest || part.list().is_some_and(|list| lists.contains(&list))
                })
            };
            let is_unread = |part: &&Image<S>| {
                !part.problems.is_empty() || part.doubt.is_some() || matches!(part.kind, Kind::Unreadable)
            };
            let forms: BTreeSet<_> =
                parts().flat_map(|part| &part.signatures).map(|signature| signature.form).collect();
            if forms.contains(&Form::SimpleSigning) {
                self.signed.push(name);
            } else if doubtful || image.kind == Kind::Absent || parts().any(is_unread) {
                self.unread.push(name);
            } else if forms.iter().any(|form| *form != Form::Attestation) {
                self.bundles.push(name);
            } else {
                self.unsigned.push(name);
            }
        }
    }
}

/// The name of an image in full, by tag or digest.
pub(crate) fn full_name(host: &str, repository: &str, reference: &str) -> String {
    let separator = if reference.starts_with("sha256:") { '@' } else { ':' };
    format!("{}{separator}{reference}", scope(host, repository))
}

/// The list with this digest, and the lists in it.
fn lists<S>(list: Digest, images: &[&Image<S>]) -> BTreeSet<Digest> {
    let mut lists = BTreeSet::from([list]);
    loop {
        let more: Vec<_> = images
            .iter()
            .filter(|i| i.list().is_some_and(|list| lists.contains(&list)) && !lists.contains(&i.digest))
            .map(|image| image.digest)
            .collect();
        if more.is_empty() {
            return lists;
        }
        lists.extend(more);
    }
}

/// The fully expanded name (containers-registries.d(5)): Docker Hub's own images are in `library`.
fn scope(host: &str, repository: &str) -> String {
    match host {
        "docker.io" | "index.docker.io" if !repository.contains('/') => {
            format!("docker.io/library/{repository}")
        }
        "index.docker.io" => format!("docker.io/{repository}"),
        _ => format!("{host}/{repository}"),
    }
}

/// The scopes that a file of registries.d has sections for; `None` if it is not such a file.
pub(crate) fn scopes(text: &str) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct File {
        docker: Option<BTreeMap<String, serde_json::Value>>,
    }
    // A file of comments is a file of registries.d too.
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Some(BTreeSet::new());
    }
    let file: File = serde_saphyr::from_str(text).ok()?;
    Some(file.docker.into_iter().flatten().map(|(scope, _)| scope).collect())
}

/// Whether a file is one that keypack wrote.
pub(crate) fn is_ours(file: &[u8]) -> bool {
    file.split(|byte| *byte == b'\n').next() == Some(MARK.as_bytes())
}

#[cfg(test)]
mod tests;
