//! Which repositories may be read with `use-sigstore-attachments`, as a file for registries.d.
//!
//! By containers-registries.d(5), of all sections only that of the most precise scope counts for an image; a repository
//! is a scope, `docker.io/library/busybox` in full; and no scope may stand in two places. So one file names every
//! repository that was looked at, and neither a registry nor `default-docker`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Form, Image, Kind},
    oci::Digest,
};

/// The first line of every file that keypack writes: such a file may be replaced.
const MARK: &str = "# Written by keypack discover --write-registries-d.";

/// The images of one registry that were asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The place, as the discovery names it.
    pub place: String,
    /// The registry: `HOST[:PORT]`.
    pub host: String,
    /// The tags or digests of each repository.
    pub images: &'a BTreeMap<String, Vec<String>>,
}

/// Whether signatures are to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachments {
    /// There are some, or it is not known whether there are.
    On,
    /// Every image that was asked for was read, and none has a signature.
    Off,
}

/// What was found in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repository {
    /// Its scope.
    pub scope: String,
    /// Images with a signature that oc-mirror mirrors: a tag `sha256-<hex>.sig`.
    pub signed: usize,
    /// Images that were read and have no signature.
    pub unsigned: Vec<String>,
    /// Images whose only signatures are bundles, which oc-mirror leaves behind.
    pub bundles: Vec<String>,
    /// Images of which something could not be read.
    pub unread: Vec<String>,
}

impl Repository {
    /// The decision: only what is known switches verification off.
    pub const fn attachments(&self) -> Attachments {
        let known = self.unread.is_empty() && self.signed == 0 && self.bundles.is_empty();
        if known && !self.unsigned.is_empty() { Attachments::Off } else { Attachments::On }
    }
}

/// The repositories that were looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RegistriesD {
    /// By scope.
    pub repositories: Vec<Repository>,
}

impl RegistriesD {
    /// Decides for each repository that was asked for. What the discovery does not show counts as not read.
    pub fn decide<S>(asked: &[Asked<'_>], discovery: &Discovery<S>) -> Self {
        let mut repositories: BTreeMap<String, Repository> = BTreeMap::new();
        for registry in asked {
            // A problem that no image has may be anywhere in the place. A name that is not there is asked for below.
            let about_any = |problem: &Diagnostic| problem.code != Code::NameUnknown;
            let doubtful = discovery
                .places
                .iter()
                .any(|place| place.name == registry.place && place.problems.iter().any(about_any));
            for (name, references) in registry.images {
                let images: Vec<_> = discovery
                    .images
                    .iter()
                    .filter(|image| *image.place == *registry.place && *image.repository == **name)
                    .collect();
                let scope = scope(&registry.host, name);
                let found = repositories.entry(scope.clone()).or_insert_with(|| Repository {
                    scope,
                    signed: 0,
                    unsigned: Vec::new(),
                    bundles: Vec::new(),
                    unread: Vec::new(),
                });
                found.add(references, &images, doubtful);
            }
        }
        Self { repositories: repositories.into_values().collect() }
    }

    /// The repositories with this decision.
    pub fn with(&self, attachments: Attachments) -> impl Iterator<Item = &Repository> {
        self.repositories.iter().filter(move |repository| repository.attachments() == attachments)
    }

    /// Whether everything that was asked for could be read.
    pub fn is_complete(&self) -> bool {
        self.repositories.iter().all(|repository| repository.unread.is_empty())
    }

    /// The file.
    pub fn to_yaml(&self) -> String {
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
    fn add<S>(&mut self, references: &[String], images: &[&Image<S>], doubtful: bool) {
        for reference in references {
            let separator = if reference.starts_with("sha256:") { '@' } else { ':' };
            let name = format!("{}{separator}{reference}", self.scope);
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
                    part.digest == image.digest || part.instance_of.is_some_and(|list| lists.contains(&list))
                })
            };
            let is_unread =
                |part: &&Image<S>| !part.problems.is_empty() || matches!(part.kind, Kind::Unreadable);
            let forms: BTreeSet<_> =
                parts().flat_map(|part| &part.signatures).map(|signature| signature.form).collect();
            if forms.contains(&Form::SimpleSigning) {
                self.signed += 1;
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

/// The list with this digest, and the lists in it.
fn lists<S>(list: Digest, images: &[&Image<S>]) -> BTreeSet<Digest> {
    let mut lists = BTreeSet::from([list]);
    loop {
        let more: Vec<_> = images
            .iter()
            .filter(|i| i.instance_of.is_some_and(|list| lists.contains(&list)) && !lists.contains(&i.digest))
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

/// The scopes that a file of registries.d has sections for; `None` if it is no such file.
pub fn scopes(text: &str) -> Option<BTreeSet<String>> {
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
pub fn is_ours(file: &[u8]) -> bool {
    file.split(|byte| *byte == b'\n').next() == Some(MARK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{At, FoundSignature, Place, Via};

    const PLACE: &str = "docker://r.test";

    fn problem() -> Diagnostic {
        Diagnostic::new(Code::RateLimited, "429")
    }

    fn image(repository: &str, tag: &str, forms: &[Form]) -> Image {
        Image {
            place: PLACE.into(),
            repository: repository.into(),
            tags: vec![tag.into()],
            digest: Digest::of(format!("{repository}:{tag}").as_bytes()),
            kind: Kind::Image,
            instance_of: None,
            signatures: forms
                .iter()
                .map(|form| FoundSignature {
                    via: Via::Tag,
                    at: At::File("x".into()),
                    form: *form,
                    content: Err(problem()),
                })
                .collect(),
            others: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The one repository that is asked for, and whether its section is on.
    fn decided(references: &[&str], images: Vec<Image>, problems: Vec<Diagnostic>) -> (Repository, bool) {
        let asked = BTreeMap::from([("a/b".into(), references.iter().map(|r| (*r).to_owned()).collect())]);
        let asked = [Asked { place: PLACE.into(), host: "r.test".into(), images: &asked }];
        let places = vec![Place { name: PLACE.into(), read: 1, problems, ..Place::default() }];
        let decision = RegistriesD::decide(&asked, &Discovery { images, places });
        let on = decision.to_yaml().contains("use-sigstore-attachments: true");
        (decision.repositories.into_iter().next().unwrap(), on)
    }

    #[test]
    fn only_a_repository_that_is_known_to_be_unsigned_is_switched_off() {
        use Form::{Attestation, Bundle, SimpleSigning};
        let plain = |tag: &str| image("a/b", tag, &[]);
        let signed = |tag: &str| image("a/b", tag, &[SimpleSigning]);
        assert!(!decided(&["1"], vec![plain("1")], vec![]).1);
        assert!(!decided(&["1", "2"], vec![plain("1"), image("a/b", "2", &[Attestation])], vec![]).1);
        // Signed, signed in part, signed by another form.
        assert!(decided(&["1"], vec![signed("1")], vec![]).1);
        let (mixed, on) = decided(&["1", "2"], vec![signed("1"), plain("2")], vec![]);
        assert!(on);
        assert_eq!((mixed.signed, mixed.unsigned), (1, vec!["r.test/a/b:2".into()]));
        let (bundle, on) = decided(&["1"], vec![image("a/b", "1", &[Bundle])], vec![]);
        assert!(on);
        assert_eq!(bundle.bundles, ["r.test/a/b:1"]);
        // Not read: not there, named and not there, with a problem, unreadable, or among problems of the place.
        let absent = Image { kind: Kind::Absent, ..plain("1") };
        let limited = Image { problems: vec![problem()], ..plain("1") };
        let unreadable = Image { kind: Kind::Unreadable, ..plain("1") };
        for images in [vec![], vec![plain("2")], vec![absent], vec![limited], vec![unreadable]] {
            let (repository, on) = decided(&["1"], images, vec![]);
            assert!(on);
            assert_eq!((repository.unread, repository.unsigned), (vec!["r.test/a/b:1".into()], vec![]));
        }
        assert!(decided(&["1"], vec![plain("1")], vec![problem()]).1);
        let elsewhere = Diagnostic::new(Code::NameUnknown, "another image");
        assert!(!decided(&["1"], vec![plain("1")], vec![elsewhere]).1);
        // One that was not read keeps a repository on whose others are unsigned.
        assert!(decided(&["1", "2"], vec![plain("1")], vec![]).1);
    }

    #[test]
    fn the_signature_of_an_instance_counts_for_its_list() {
        let list = Image { kind: Kind::Index, ..image("a/b", "1", &[]) };
        let inner = Image {
            kind: Kind::Index,
            instance_of: Some(list.digest),
            tags: vec![],
            ..image("a/b", "i", &[])
        };
        let instance = Image {
            instance_of: Some(inner.digest),
            tags: vec![],
            ..image("a/b", "s", &[Form::SimpleSigning])
        };
        let (found, on) = decided(&["1"], vec![list, inner, instance], vec![]);
        assert!(on);
        assert_eq!(found.signed, 1);
    }

    #[test]
    fn scopes_are_fully_expanded() {
        assert_eq!(scope("docker.io", "busybox"), "docker.io/library/busybox");
        assert_eq!(scope("index.docker.io", "a/b"), "docker.io/a/b");
        assert_eq!(scope("r.test:5000", "busybox"), "r.test:5000/busybox");
    }

    #[test]
    fn the_scopes_of_other_files_are_read() {
        let text = "default-docker: {lookaside: x}\ndocker:\n  r.test/a:\n    use-sigstore-attachments: true\n  b:5000: {}\n";
        assert_eq!(scopes(text).unwrap(), ["b:5000".to_owned(), "r.test/a".into()].into());
        for none in ["", "# nothing\n", "docker:\n", "default-docker:\n  lookaside: x\n"] {
            assert_eq!(scopes(none), Some(BTreeSet::new()), "{none:?}");
        }
        assert_eq!(scopes("- a\n"), None);
        assert_eq!(scopes("docker: ["), None);
        let (repository, _) = decided(&["1"], vec![image("a/b", "1", &[])], vec![]);
        let ours = RegistriesD { repositories: vec![repository] }.to_yaml();
        assert_eq!(scopes(&ours), Some(["r.test/a/b".to_owned()].into()));
    }

    #[test]
    fn a_file_of_somebody_else_is_not_ours() {
        assert!(is_ours(RegistriesD::default().to_yaml().as_bytes()));
        for other in ["", "docker:\n", "#\n# Written by keypack discover --write-registries-d.\n"] {
            assert!(!is_ours(other.as_bytes()), "{other:?}");
        }
    }
}
