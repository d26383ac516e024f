//! By which names of sources the images of a mirror are known, and where a consumer looks for an image of a source.
//!
//! Two kinds of statements are told apart. How a **consumer** is configured (`ImageDigestMirrorSet`, `ImageTagMirrorSet`,
//! registries.conf) is looked up as containers-registries.conf(5) does it: the entry with the longest prefix of the source
//! counts, and no other. That something was **copied** (`--map`, oc-mirror's mapping.txt) holds whatever a consumer does.
//! Pure: texts come in.

mod mapping_txt;
mod mirror_sets;
mod registries_conf;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use mapping_txt::parse_mapping_txt;
pub use mirror_sets::{names_mirror_sets, parse_mirror_sets};
pub use registries_conf::parse_registries_conf;

use super::rule::Scope;

/// What oc-mirror v2 makes of the repositories of a release (oc-mirror `internal/pkg/release`): the only ones whose name at the
/// mirror does not end with their name at the source.
pub const RELEASES: [(&str, &str); 2] = [
    ("openshift/release-images", "quay.io/openshift-release-dev/ocp-release"),
    ("openshift/release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"),
];

/// Why a mapping can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// It is not written as it must be.
    #[error("{0}")]
    Malformed(String),
    /// It names no mirror of any source.
    #[error("{0}")]
    Empty(&'static str),
}

/// How an image is asked for: mirrors may be for one of both.
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
    /// The only way in which it is asked, if not both.
    only: Option<Pull>,
}

/// What a consumer is told about the images of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    mirrors: Vec<Mirror>,
    /// Whether the source itself is never asked.
    is_cut_off: bool,
}

/// Where a consumer looks for an image, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The names at the mirrors.
    pub mirrors: Vec<String>,
    /// Whether it asks the source after them.
    pub source: bool,
}

/// The names of mirrors and sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameMap {
    /// What consumers are told, by the beginning of the source's name.
    entries: BTreeMap<String, Entry>,
    /// Whose entries name a mirror, by its location.
    of_mirror: BTreeMap<String, BTreeSet<String>>,
    /// What was copied, by the name at the mirror: from where, and whether that is one repository alone.
    copies: BTreeMap<String, BTreeSet<(String, bool)>>,
    /// Below which names oc-mirror put everything: the names of its cache and its archives begin after them.
    destinations: BTreeSet<String>,
}

impl NameMap {
    /// How many mirrors are named.
    pub fn len(&self) -> usize {
        self.of_mirror.len() + self.copies.len()
    }

    /// Whether no mirror is named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the mirrors, for a message.
    pub fn mirrors(&self) -> impl Iterator<Item = &str> {
        self.of_mirror.keys().chain(self.copies.keys()).map(String::as_str)
    }

    /// Says that what lies below `mirror` was copied from below `source`, or, if `exact`, that this one repository was.
    pub fn add_copy(&mut self, mirror: &str, source: &str, exact: bool) {
        self.copies.entry(mirror.to_owned()).or_default().insert((source.to_owned(), exact));
    }

    /// Adds all that another map says. A source that both name has the mirrors of both, as where a cluster has two sets.
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

    /// By which names of sources a repository of a mirror (`HOST/PATH`) is asked for. The most precise mirror that is named
    /// counts, with each of its sources.
    pub fn sources(&self, name: &str, pull: Pull) -> BTreeSet<String> {
        for mirror in beginnings(name) {
            let rest = &name[mirror.len()..];
            let copied = self.copies.get(mirror).into_iter().flatten();
            let copied = copied
                .filter(|(_, exact)| !exact || rest.is_empty())
                .map(|(source, _)| format!("{source}{rest}"));
            let told = self.of_mirror.get(mirror).into_iter().flatten();
            // A consumer that has a more precise entry for that source does not come here.
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

    /// Where a consumer looks for a repository of a source; `None` where it is told nothing, and asks the source alone.
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

    /// The entry `*.DOMAIN` with the longest domain; it stands for the whole host (containers/image
    /// `refMatchingSubdomainPrefix`).
    fn wildcard(&self, source: &str) -> Option<(usize, &Entry)> {
        let host = source.split('/').next().unwrap_or_default();
        let mut domains = host.match_indices('.').map(|(at, _)| format!("*{}", &host[at..]));
        domains.find_map(|domain| self.entries.get(&domain)).map(|entry| (host.len(), entry))
    }

    /// The names that a repository of oc-mirror's cache or archive (`PATH`) has at the mirrors.
    pub fn at_destinations(&self, path: &str) -> impl Iterator<Item = String> {
        self.destinations.iter().map(move |destination| format!("{destination}/{path}"))
    }

    /// Adds a mirror to a source, both checked.
    fn add(&mut self, source: &str, location: &str, only: Option<Pull>) {
        let mirror = Mirror { location: location.to_owned(), only };
        let entry = self.entries.entry(source.to_owned()).or_default();
        if !entry.mirrors.contains(&mirror) {
            entry.mirrors.push(mirror);
        }
        // From the name at the mirror nobody can tell which host of a domain it was.
        if !source.starts_with('*') {
            self.of_mirror.entry(location.to_owned()).or_default().insert(source.to_owned());
        }
    }

    /// Finds out below which name oc-mirror put everything, if it did: what remains of the mirrors' names without the paths
    /// of the sources, and is the beginning of each of them.
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

    /// The map, unless it names nothing.
    fn named(mut self, or: &'static str) -> Result<Self, MappingError> {
        if self.is_empty() && self.entries.values().all(|entry| entry.mirrors.is_empty()) {
            return Err(MappingError::Empty(or));
        }
        self.find_destination();
        Ok(self)
    }
}

/// A name and its beginnings that end where a part of it does, the longest first.
fn beginnings(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    std::iter::once(name).chain(ends.into_iter().rev().map(|at| &name[..at]))
}

/// What stands in front of the path of the source in the name at the mirror: oc-mirror drops the host and keeps the path.
fn destination<'a>(source: &str, mirror: &'a str) -> Option<&'a str> {
    let release = RELEASES.iter().find(|(_, of)| *of == source).map(|(path, _)| *path);
    let path = release.or_else(|| Some(source.split_once('/')?.1))?;
    mirror.strip_suffix(path)?.strip_suffix('/')
}

/// What follows the beginning `start` of a name, if that ends where a part of the name does.
pub(crate) fn below<'a>(name: &'a str, start: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(start)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The beginning of a source's names: `HOST`, `HOST/PATH`, `*.DOMAIN`.
fn source(text: &str) -> Result<String, MappingError> {
    let plain = text.trim_end_matches('/');
    match plain.parse::<Scope>() {
        Ok(scope) if scope.is_image() => Err(MappingError::Malformed(format!(
            "{} names one image, and the beginning of names is expected",
            crate::display::shown(plain)
        ))),
        Ok(_) => Ok(plain.to_owned()),
        Err(e) => Err(MappingError::Malformed(e.replace(" is no scope", " is no beginning of names"))),
    }
}

/// The beginning of a mirror's names: `HOST`, `HOST/PATH`.
fn location(text: &str) -> Result<String, MappingError> {
    source(text).and_then(|name| {
        if name.starts_with('*') {
            return Err(MappingError::Malformed(format!("{name} is no mirror: a mirror is one host")));
        }
        Ok(name)
    })
}

#[cfg(test)]
mod tests;
