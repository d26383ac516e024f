//! The source names of a mirror's images, and where a consumer looks for an image of a source.
//!
//! There are two kinds of statements. The configuration of a **consumer** (`ImageDigestMirrorSet`, `ImageTagMirrorSet`,
//! registries.conf) is looked up as in containers-registries.conf(5): only the entry with the longest matching prefix
//! of the source counts. A **copy** (`--map`, oc-mirror's mapping.txt) is a fact regardless of any consumer. Pure: the
//! input is text.

mod mapping_txt;
mod mirror_sets;
mod of_scope;
mod registries_conf;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use mapping_txt::parse_mapping_txt;
pub use mirror_sets::{names_mirror_sets, parse_mirror_sets};
pub use registries_conf::parse_registries_conf;

use super::rule::Scope;

/// The repositories that oc-mirror v2 uses for a release (oc-mirror `internal/pkg/release`): the only ones whose name
/// at the mirror does not end with their name at the source.
/// mirror does not end with their name at the source.
pub const RELEASES: [(&str, &str); 2] = [
    ("openshift/release-images", "quay.io/openshift-release-dev/ocp-release"),
    ("openshift/release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"),
];

/// Why a mapping can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// It is malformed.
    #[error("{0}")]
    Malformed(String),
    /// It contains no mirror of any source.
    #[error("{0}")]
    Empty(&'static str),
}

/// How an image is referred to: a mirror may be for only one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pull {
    /// `NAME@DIGEST`.
    Digest,
    /// `NAME:TAG`.
    Tag,
}

/// One mirror of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    location: String,
    /// The only kind of reference it is used for, if not both.
    only: Option<Pull>,
}

/// The consumer configuration for the images of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    mirrors: Vec<Mirror>,
    /// Whether the source itself is never used.
    is_cut_off: bool,
}

/// Where a consumer looks for an image, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The names at the mirrors.
    pub mirrors: Vec<String>,
    /// Whether it tries the source after the mirrors.
    pub source: bool,
}

/// The names of mirrors and sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameMap {
    /// Consumer configuration, by prefix of the source's name.
    entries: BTreeMap<String, Entry>,
    /// The sources whose entries name a mirror, by the mirror's location.
    of_mirror: BTreeMap<String, BTreeSet<String>>,
    /// Copies, by the name at the mirror: the source, and whether it is a single repository.
    copies: BTreeMap<String, BTreeSet<(String, bool)>>,
    /// The prefixes under which oc-mirror put everything: the names in its cache and its archives omit them.
    destinations: BTreeSet<String>,
}

impl NameMap {
    /// The number of mirrors.
    pub fn len(&self) -> usize {
        self.of_mirror.len() + self.copies.len()
    }

    /// Whether there are no mirrors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the mirrors, for a message.
    pub fn mirrors(&self) -> impl Iterator<Item = &str> {
        self.of_mirror.keys().chain(self.copies.keys()).map(String::as_str)
    }

    /// Records that everything below `mirror` was copied from below `source` or, if `exact`, that this one repository
    /// was.
    pub fn add_copy(&mut self, mirror: &str, source: &str, exact: bool) {
        self.copies.entry(mirror.to_owned()).or_default().insert((source.to_owned(), exact));
    }

    /// Adds everything from another map. A source in both has the mirrors of both, as with two sets in a cluster.
    pub fn merge(&mut self, other: Self) {
        for (source, entry) in other.entries {
            let own = self.entries.entry(source).or_default();
            own.is_cut_off |= entry.is_cut_off;
            for mirror in entry.mirrors {
                if !own.mirrors.contains(&mirror) {
                    own.mirrors.push(mirror);
                }
            }
        }
        for (mirror, sources) in other.of_mirror {
            self.of_mirror.entry(mirror).or_default().extend(sources);
        }
        for (mirror, sources) in other.copies {
            self.copies.entry(mirror).or_default().extend(sources);
        }
        self.destinations.extend(other.destinations);
    }

    /// The source names for a repository of a mirror (`HOST/PATH`). The most specific matching mirror is used, with
    /// each of its sources.
    pub fn sources(&self, name: &str, pull: Pull) -> BTreeSet<String> {
        for mirror in beginnings(name) {
            let rest = &name[mirror.len()..];
            let copied = self.copies.get(mirror).into_iter().flatten();
            let copied = copied
                .filter(|(_, exact)| !exact || rest.is_empty())
                .map(|(source, _)| format!("{source}{rest}"));
            let told = self.of_mirror.get(mirror).into_iter().flatten();
            // A consumer with a more specific entry for that source does not use this mirror.
            let told = told.map(|source| format!("{source}{rest}")).filter(|source| {
                self.places(source, pull)
                    .is_some_and(|places| places.mirrors.iter().any(|mirror| mirror == name))
            });
            let found: BTreeSet<_> = copied.chain(told).collect();
            if !found.is_empty() {
                return found;
            }
        }
        BTreeSet::new()
    }

    /// Where a consumer looks for a repository of a source; `None` if it has no configuration for it and uses only the
    /// source.
    pub fn places(&self, source: &str, pull: Pull) -> Option<Places> {
        let exact = beginnings(source).find_map(|start| Some((start, self.entries.get(start)?)));
        let (length, entry) = match exact {
            Some((start, entry)) => (start.len(), entry),
            None => self.wildcard(source)?,
        };
        let rest = &source[length..];
        let mirrors = entry.mirrors.iter().filter(|mirror| mirror.only.is_none_or(|only| only == pull));
        Some(Places {
            mirrors: mirrors.map(|mirror| format!("{}{rest}", mirror.location)).collect(),
            source: !entry.is_cut_off,
        })
    }

    /// The entry `*.DOMAIN` with the longest domain; it covers whole hosts (containers/image
    /// `refMatchingSubdomainPrefix`).
    fn wildcard(&self, source: &str) -> Option<(usize, &Entry)> {
        let host = source.split('/').next().unwrap_or_default();
        let mut domains = host.match_indices('.').map(|(at, _)| format!("*{}", &host[at..]));
        domains.find_map(|domain| self.entries.get(&domain)).map(|entry| (host.len(), entry))
    }

    /// The names at the mirrors for a repository in oc-mirror's cache or archive (`PATH`).
    pub fn at_destinations(&self, path: &str) -> impl Iterator<Item = String> {
        self.destinations.iter().map(move |destination| format!("{destination}/{path}"))
    }

    /// Adds a mirror to a source. Both have been checked.
    fn add(&mut self, source: &str, location: &str, only: Option<Pull>) {
        let mirror = Mirror { location: location.to_owned(), only };
        let entry = self.entries.entry(source.to_owned()).or_default();
        if !entry.mirrors.contains(&mirror) {
            entry.mirrors.push(mirror);
        }
        // The name at the mirror does not show which host of a domain it was.
        if !source.starts_with('*') {
            self.of_mirror.entry(location.to_owned()).or_default().insert(source.to_owned());
        }
    }

    /// Determines the prefix under which oc-mirror put everything, if it did: the rest of the mirrors' names without
    /// the paths of the sources, if it is a prefix of all of them.
    fn find_destination(&mut self) {
        let of_copies =
            self.copies.iter().flat_map(|(mirror, sources)| sources.iter().map(move |(s, _)| (s, mirror)));
        let of_mirrors =
            self.of_mirror.iter().flat_map(|(mirror, sources)| sources.iter().map(move |s| (s, mirror)));
        let candidates =
            of_copies.chain(of_mirrors).filter_map(|(source, mirror)| destination(source, mirror));
        let shortest = candidates.min_by_key(|candidate| candidate.len()).map(str::to_owned);
        let is_of_all = |start: &String| self.mirrors().all(|mirror| below(mirror, start).is_some());
        self.destinations.extend(shortest.filter(is_of_all));
    }

    /// The map, unless it is empty.
    fn named(mut self, or: &'static str) -> Result<Self, MappingError> {
        if self.is_empty() && self.entries.values().all(|entry| entry.mirrors.is_empty()) {
            return Err(MappingError::Empty(or));
        }
        self.find_destination();
        Ok(self)
    }
}

/// A name and its prefixes that end at a component boundary, longest first.
fn beginnings(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    std::iter::once(name).chain(ends.into_iter().rev().map(|at| &name[..at]))
}

/// The part of the name at the mirror before the path of the source: oc-mirror drops the host and keeps the path.
fn destination<'a>(source: &str, mirror: &'a str) -> Option<&'a str> {
    let release = RELEASES.iter().find(|(_, of)| *of == source).map(|(path, _)| *path);
    let path = release.or_else(|| Some(source.split_once('/')?.1))?;
    mirror.strip_suffix(path)?.strip_suffix('/')
}

/// The rest of a name after the prefix `start`, if that ends at a component boundary.
pub(crate) fn below<'a>(name: &'a str, start: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(start)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// A prefix of source names: `HOST`, `HOST/PATH`, `*.DOMAIN`.
fn source(text: &str) -> Result<String, MappingError> {
    let plain = text.trim_end_matches('/');
    match plain.parse::<Scope>() {
        Ok(scope) if scope.is_image() => Err(MappingError::Malformed(format!(
            "{} names one image, but a name prefix is expected",
            crate::display::shown(plain)
        ))),
        Ok(_) => Ok(plain.to_owned()),
        Err(e) => Err(MappingError::Malformed(e.replace(" is not a scope", " is not a name prefix"))),
    }
}

/// A prefix of mirror names: `HOST`, `HOST/PATH`.
fn location(text: &str) -> Result<String, MappingError> {
    source(text).and_then(|name| {
        if name.starts_with('*') {
            return Err(MappingError::Malformed(format!("{name} is not a mirror: a mirror is one host")));
        }
        Ok(name)
    })
}

#[cfg(test)]
mod tests;
