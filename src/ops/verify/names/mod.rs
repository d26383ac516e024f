//! The names of an image: in the location that is read, and at the source it was mirrored from.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    diag::Diagnostic,
    oci::Digest,
    pack::{Scope, SignedIdentity},
    policy::mapping::{NameMap, Pull, RELEASES, below},
    registry::{Host, RegistryRef},
};

/// The source of mirrored repositories: `--map MIRROR=SOURCE`, both of which are prefixes of names. The mirror may be a location on
/// disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    mirror: String,
    source: String,
}

impl std::str::FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The name of a folder may contain the character, a name of images does not.
        let (mirror, source) = text.rsplit_once('=').ok_or("write MIRROR=SOURCE")?;
        let (kind, mirror) = kind_and_path(mirror);
        let (mirror, source) = (format!("{kind}{mirror}"), source.trim_end_matches('/').to_owned());
        let scope: Scope = source.parse()?;
        if scope.is_image() || source.starts_with('*') {
            return Err(format!("{source:?} is not a name prefix: write HOST or HOST/PATH"));
        }
        Ok(Self { mirror, source })
    }
}

impl std::fmt::Display for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.mirror, self.source)
    }
}

/// The names of one image.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Names `HOST/REPOSITORY` that are certain.
    known: Vec<String>,
    /// Names `HOST/REPOSITORY` that came with the images: they can add an image to scopes, but not remove it from any.
    claimed: Vec<String>,
    /// The path at a mirror, which ends in the path at an unknown source.
    path: Option<String>,
    tags: Vec<String>,
    digest: Digest,
}

/// How well a scope matches: the best match is used.
pub(super) type Fit = usize;

/// Determines names from information on the whole run.
pub(super) struct Namer {
    /// The sources of mirrored repositories, as given by the caller.
    pub(super) given: NameMap,
    /// The same, according to files that came with the images.
    pub(super) found: NameMap,
    /// Hosts in rules: a registry that is one of them is a source and not a mirror.
    pub(super) sources: Vec<String>,
    /// Whether the caller's mapping matched any image.
    pub(super) was_used: AtomicBool,
}

/// Both ways of pulling an image.
const BOTH: [Pull; 2] = [Pull::Digest, Pull::Tag];

impl Namer {
    /// The repository by whose name a cluster pulls an image: where a mapping is for the other way of pulling alone, the cluster
    /// does not come to the mirror by it, and the mirror's own name is meant.
    pub(super) fn pulled(
        &self,
        place: &str,
        repository: &str,
        tags: &[String],
        digest: Digest,
        pull: Pull,
    ) -> Option<String> {
        let names = self.names(place, repository, tags, digest);
        let host = place.strip_prefix("docker://").map(|rest| rest.split('/').next().unwrap_or_default());
        let own = host.map(|host| format!("{host}/{repository}"));
        let known: Vec<_> = own.iter().cloned().collect();
        let places = on_disk(place, repository);
        let of = |pulls: &[Pull]| sources(&self.given, &known, &places, repository, pulls).into_iter().next();
        match (of(&[pull]), of(&BOTH)) {
            (Some(source), _) => Some(source),
            (None, Some(_)) => own,
            (None, None) => names.source().map(str::to_owned),
        }
    }

    /// The names of an image in a location. A location on disk has no host.
    pub(super) fn names(&self, place: &str, repository: &str, tags: &[String], digest: Digest) -> Names {
        let host = place.strip_prefix("docker://").map(|rest| rest.split('/').next().unwrap_or_default());
        let begins = repository.split('/').next().unwrap_or_default();
        let whole = match host {
            Some(host) => Some(format!("{host}/{repository}")),
            // `skopeo sync` keeps the host as the first directory.
            None if Host::is_evident(begins) => Some(repository.to_owned()),
            None => None,
        };
        let mut known: Vec<String> = whole.clone().into_iter().collect();
        // In a layout, tags may be whole references.
        known.extend(tags.iter().filter_map(|tag| {
            let named = tag.contains('/').then(|| tag.parse::<RegistryRef>().ok())??;
            Some(format!("{}/{}", named.host, named.repository))
        }));
        let mut from = sources(&self.given, &known, &on_disk(place, repository), repository, &BOTH);
        if !from.is_empty() {
            self.was_used.store(true, Ordering::Relaxed);
        }
        let claimed = sources(&self.found, &known, &[], repository, &BOTH);
        if from.is_empty() {
            let of_release = RELEASES.iter().find(|(mirror, _)| ends_with(repository, mirror));
            from.extend(of_release.map(|(_, source)| (*source).to_owned()));
        }
        // An image read at its own registry has no other source.
        let is_source = whole.as_deref().is_some_and(|name| {
            let host = name.split('/').next().unwrap_or_default();
            self.sources.iter().any(|source| is_host(host, source))
        });
        let is_sure = is_source || !from.is_empty() || known.len() > usize::from(whole.is_some());
        known.extend(from);
        known.dedup();
        let path = (!is_sure && (host.is_some() || whole.is_none())).then(|| repository.to_owned());
        let claimed = claimed.into_iter().collect();
        let tags = tags.iter().filter(|tag| !tag.contains('/')).cloned().collect();
        Names { known, claimed, path, tags, digest }
    }
}

/// The names that a mapping may have for a repository of a location on disk: below the location, with its kind or without.
fn on_disk(place: &str, repository: &str) -> Vec<String> {
    if place.starts_with("docker://") {
        return Vec::new();
    }
    let (kind, path) = kind_and_path(place);
    let below = if repository.is_empty() { path.to_owned() } else { format!("{path}/{repository}") };
    vec![format!("{kind}{below}"), below]
}

/// A location as the kind that is written before it, if any, and its path, which people write in several ways.
fn kind_and_path(place: &str) -> (&str, &str) {
    let kinds = ["oci:", "oci-archive:", "dir:", "oc-mirror:"];
    let kind = kinds.into_iter().find(|kind| place.starts_with(kind)).unwrap_or_default();
    let path = &place[kind.len()..];
    (kind, path.strip_prefix("./").unwrap_or(path).trim_end_matches('/'))
}

/// The source names in a map for an image: those for its name at the mirror, otherwise for its path alone. `places` are its names below a
/// location on disk.
fn sources(
    map: &NameMap,
    known: &[String],
    places: &[String],
    repository: &str,
    pulls: &[Pull],
) -> BTreeSet<String> {
    let mut named: Vec<String> = [known, places].concat();
    if known.is_empty() {
        named.extend(map.at_destinations(repository));
    }
    let of = |name: &String| -> BTreeSet<String> {
        pulls.iter().flat_map(|pull| map.sources(name, *pull)).collect()
    };
    let found: BTreeSet<_> = named.iter().flat_map(of).collect();
    if found.is_empty() { of(&repository.to_owned()) } else { found }
}

impl Names {
    /// How well a scope matches; `None` if the image is outside. An image with an unknown source is in each scope in
    /// which it may be, because mirroring must not remove an image from its scope.
    pub(super) fn fit(&self, scope: &Scope) -> Option<Fit> {
        let scope = scope.as_str();
        let known = self.known.iter().filter_map(|name| self.fit_of(scope, name)).max();
        let claimed = || self.claimed.iter().filter_map(|name| self.fit_of(scope, name)).max();
        known.or_else(|| claimed().max(self.fit_of_path(scope)))
    }

    fn fit_of(&self, scope: &str, name: &str) -> Option<Fit> {
        if scope.starts_with("*.") {
            let host = name.split('/').next().unwrap_or_default();
            return is_host(host, scope).then_some(1);
        }
        let tagged = self.tags.iter().map(|tag| format!("{name}:{tag}"));
        let whole = tagged.chain([format!("{name}@{}", self.digest)]).any(|name| name == scope);
        (whole || below(name, scope).is_some()).then_some(scope.len() + 1)
    }

    fn fit_of_path(&self, scope: &str) -> Option<Fit> {
        let path = self.path.as_deref()?;
        let Some((_, wanted)) = scope.split_once('/') else { return Some(0) };
        // Nothing is known about an image without a name.
        if path.is_empty() {
            return Some(0);
        }
        let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        let fits = |end: &str| self.fit_of(wanted, end).is_some();
        std::iter::once(path).chain(ends).any(fits).then_some(wanted.len())
    }

    /// Whether the repository named by a signer is that of the image; `None` if the image's own is not known.
    pub(super) fn is_repository(&self, named: &str) -> Option<bool> {
        let (repository, _, _) = parts(named);
        match self.path.as_deref() {
            _ if self.known.iter().any(|known| known == repository) => Some(true),
            Some("") => None,
            Some(path) => Some(repository.split_once('/').is_some_and(|(_, own)| ends_with(path, own))),
            None if self.known.is_empty() => None,
            None => Some(false),
        }
    }

    /// Whether the reference in a signature satisfies a rule (containers-policy.json(5), `signedIdentity`).
    pub(super) fn satisfy(&self, identity: &SignedIdentity, named: &str) -> bool {
        let (repository, tag, digest) = parts(named);
        let same = || self.is_repository(named) == Some(true);
        let exact = || {
            tag.is_some_and(|tag| self.tags.iter().any(|own| own == tag))
                || digest.is_some_and(|digest| digest == self.digest.to_string())
        };
        match identity {
            SignedIdentity::MatchExact {} => same() && exact(),
            // An image pulled by digest may be signed with any tag or digest of its repository, but not without one.
            SignedIdentity::MatchRepoDigestOrExact {} => same() && (tag.is_some() || digest.is_some()),
            SignedIdentity::MatchRepository {} => same(),
            SignedIdentity::ExactReference { docker_reference } => docker_reference == named,
            SignedIdentity::ExactRepository { docker_repository } => docker_repository == repository,
            SignedIdentity::RemapIdentity { prefix, signed_prefix } => {
                let remapped = |name: &String| Some(format!("{signed_prefix}{}", below(name, prefix)?));
                let mut remapped = self.known.iter().filter_map(remapped).peekable();
                let fits =
                    if remapped.peek().is_some() { remapped.any(|name| name == repository) } else { same() };
                fits && (tag.is_some() || digest.is_some())
            }
        }
    }

    /// The name to display: the one it was mirrored from, if known.
    pub(super) fn source(&self) -> Option<&str> {
        let claimed = self.path.as_ref().and_then(|_| self.claimed.last());
        claimed.or(self.known.last()).map(String::as_str)
    }
}

/// Repository, tag and digest of a reference.
fn parts(named: &str) -> (&str, Option<&str>, Option<&str>) {
    let (name, digest) = named.split_once('@').map_or((named, None), |(name, digest)| (name, Some(digest)));
    let at = name.rfind('/').unwrap_or(0);
    match name[at..].split_once(':') {
        Some((_, tag)) => (&name[..name.len() - tag.len() - 1], Some(tag), digest),
        None => (name, None, digest),
    }
}

fn ends_with(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Whether `host` equals `wanted`, or is below the domain of `*.DOMAIN`.
fn is_host(host: &str, wanted: &str) -> bool {
    match wanted.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == wanted,
    }
}

/// The mappings of a command line. There, two sources for one mirror are a contradiction; a cluster's file may have
/// them.
pub(super) fn map_of(mappings: &[Mapping]) -> Result<NameMap, Diagnostic> {
    let mut map = NameMap::default();
    for (index, Mapping { mirror, source }) in mappings.iter().enumerate() {
        if mappings[..index].iter().any(|other| other.mirror == *mirror && other.source != *source) {
            return Err(Diagnostic::usage(
                format!("--map names two sources of {mirror}"),
                "name one for each mirror",
            ));
        }
        map.add_copy(mirror, source, false);
    }
    Ok(map)
}

#[cfg(test)]
mod tests;
