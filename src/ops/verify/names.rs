//! By which names an image is known: at the place that is read, and where it was mirrored from.

use crate::{
    diag::Diagnostic,
    oci::Digest,
    pack::{Scope, SignedIdentity},
    registry::{Host, RegistryRef},
};

/// Where mirrored repositories are from: `--map MIRROR=SOURCE`, each the beginning of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    mirror: String,
    source: String,
}

impl std::str::FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mirror, source) = text.split_once('=').ok_or("write MIRROR=SOURCE")?;
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        let (mirror, source) = (plain(mirror), plain(source));
        let scope: Scope = source.parse()?;
        if scope.is_image() || source.starts_with('*') {
            return Err(format!("{source:?} is no beginning of names: write HOST or HOST/PATH"));
        }
        Ok(Self { mirror, source })
    }
}

/// What oc-mirror v2 makes of the repositories of a release (oc-mirror `internal/pkg/release`): the only ones whose name at the
/// mirror does not end with their name at the source.
const RELEASES: [(&str, &str); 2] = [
    ("openshift/release-images", "quay.io/openshift-release-dev/ocp-release"),
    ("openshift/release", "quay.io/openshift-release-dev/ocp-v4.0-art-dev"),
];

/// The names of one image.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// `HOST/REPOSITORY`, each of which is sure.
    known: Vec<String>,
    /// The path at a mirror, whose end is the path at a source that is not known.
    path: Option<String>,
    tags: Vec<String>,
    digest: Digest,
}

/// How well a scope fits: the better one counts.
pub(super) type Fit = usize;

/// Decides about names with what is known of the whole run.
pub(super) struct Namer<'a> {
    pub(super) mappings: &'a [Mapping],
    /// Hosts that rules name: a registry that is one of them is a source and no mirror.
    pub(super) sources: Vec<String>,
}

impl Namer<'_> {
    /// The names of an image at a place. A place on the disk has no host.
    pub(super) fn names(&self, place: &str, repository: &str, tags: &[String], digest: Digest) -> Names {
        let host = place.strip_prefix("docker://").map(|rest| rest.split('/').next().unwrap_or_default());
        let begins = repository.split('/').next().unwrap_or_default();
        let whole = match host {
            Some(host) => Some(format!("{host}/{repository}")),
            // `skopeo sync` keeps the host as the first folder.
            None if Host::is_evident(begins) => Some(repository.to_owned()),
            None => None,
        };
        let mut known: Vec<String> = whole.clone().into_iter().collect();
        // A layout may have whole references for names.
        known.extend(tags.iter().filter_map(|tag| {
            let named = tag.contains('/').then(|| tag.parse::<RegistryRef>().ok())??;
            Some(format!("{}/{}", named.host, named.repository))
        }));
        let mapped = self.mappings.iter().filter_map(|mapping| {
            let mut name = whole.as_deref().into_iter().chain([repository]);
            name.find_map(|name| below(name, &mapping.mirror)).map(|rest| format!("{}{rest}", mapping.source))
        });
        let mut from: Vec<String> = mapped.collect();
        if from.is_empty() {
            let of_release = RELEASES.iter().find(|(mirror, _)| ends_with(repository, mirror));
            from.extend(of_release.map(|(_, source)| (*source).to_owned()));
        }
        // What is read at its own registry is not looked for elsewhere.
        let is_source = whole.as_deref().is_some_and(|name| {
            let host = name.split('/').next().unwrap_or_default();
            self.sources.iter().any(|source| is_host(host, source))
        });
        let is_sure = is_source || !from.is_empty() || known.len() > usize::from(whole.is_some());
        known.extend(from);
        known.dedup();
        let path = (!is_sure && (host.is_some() || whole.is_none())).then(|| repository.to_owned());
        let tags = tags.iter().filter(|tag| !tag.contains('/')).cloned().collect();
        Names { known, path, tags, digest }
    }
}

impl Names {
    /// How well a scope fits, or nothing where the image is outside. Where the image's source is not known, it is in each scope in
    /// which it may be: a mirror must not take an image out of its scope.
    pub(super) fn fit(&self, scope: &Scope) -> Option<Fit> {
        let scope = scope.as_str();
        let known = self.known.iter().filter_map(|name| self.fit_of(scope, name)).max();
        known.or_else(|| self.fit_of_path(scope))
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
        // Nothing is known of an image without a name.
        if path.is_empty() {
            return Some(0);
        }
        let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        let fits = |end: &str| self.fit_of(wanted, end).is_some();
        std::iter::once(path).chain(ends).any(fits).then_some(wanted.len())
    }

    /// Whether the repository that a signer named is that of the image; nothing, where the image's own is not known.
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

    /// Whether the reference in a signature is as a rule demands (containers-policy.json(5), `signedIdentity`).
    pub(super) fn satisfy(&self, identity: &SignedIdentity, named: &str) -> bool {
        let (repository, tag, digest) = parts(named);
        let same = || self.is_repository(named) == Some(true);
        let exact = || {
            tag.is_some_and(|tag| self.tags.iter().any(|own| own == tag))
                || digest.is_some_and(|digest| digest == self.digest.to_string())
        };
        match identity {
            SignedIdentity::MatchExact {} => same() && exact(),
            // An image that is pulled by digest may be signed as any tag or digest of its repository, but not without.
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

    /// The name to show: where it was mirrored from, if that is known.
    pub(super) fn source(&self) -> Option<&str> {
        self.known.last().map(String::as_str)
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

/// What follows the beginning `start` of a name, if that ends where a part of the name does.
fn below<'a>(name: &'a str, start: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(start)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn ends_with(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Whether a host is this one, or below the domain of `*.DOMAIN`.
fn is_host(host: &str, wanted: &str) -> bool {
    match wanted.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == wanted,
    }
}

/// Refuses mappings that contradict each other.
pub(super) fn check(mappings: &[Mapping]) -> Result<(), Diagnostic> {
    for (index, mapping) in mappings.iter().enumerate() {
        if mappings[..index]
            .iter()
            .any(|other| other.mirror == mapping.mirror && other.source != mapping.source)
        {
            return Err(Diagnostic::usage(
                format!("--map names two sources of {}", mapping.mirror),
                "name one for each mirror",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &str, repository: &str, tags: &[&str], sources: &[&str], maps: &[&str]) -> Names {
        let mappings: Vec<Mapping> = maps.iter().map(|map| map.parse().unwrap()).collect();
        let namer = Namer { mappings: &mappings, sources: sources.iter().map(|s| (*s).to_owned()).collect() };
        let tags: Vec<_> = tags.iter().map(|t| (*t).to_owned()).collect();
        namer.names(place, repository, &tags, Digest::of(b"image"))
    }

    fn fits(names: &Names, scope: &str) -> bool {
        names.fit(&scope.parse().unwrap()).is_some()
    }

    #[test]
    fn an_image_of_a_source_is_in_its_own_scopes_alone() {
        let image = names("docker://quay.io/acme", "acme/app", &["v1"], &["quay.io"], &[]);
        for scope in ["quay.io", "quay.io/acme", "quay.io/acme/app", "quay.io/acme/app:v1", "*.io"] {
            assert!(fits(&image, scope), "{scope}");
        }
        for scope in ["quay.io/acme/ap", "quay.io/acme/app:v2", "r.io/acme", "*.quay.io", "q.io/app"] {
            assert!(!fits(&image, scope), "{scope}");
        }
    }

    #[test]
    fn an_image_of_a_mirror_is_in_each_scope_in_which_it_may_be() {
        let image = names("docker://mirror:5000", "ns/ubi9/ubi", &["9.6"], &["registry.redhat.io"], &[]);
        for scope in ["registry.redhat.io", "registry.redhat.io/ubi9", "r.io/ubi9/ubi:9.6", "mirror:5000/ns"]
        {
            assert!(fits(&image, scope), "{scope}");
        }
        assert!(!fits(&image, "registry.redhat.io/ubi8"));
        let better = |a: &str, b: &str| image.fit(&a.parse().unwrap()) > image.fit(&b.parse().unwrap());
        assert!(better("r.io/ubi9/ubi", "r.io/ubi9") && better("r.io/ubi9", "registry.redhat.io"));
    }

    #[test]
    fn a_mapping_and_the_releases_say_where_an_image_is_from() {
        let image =
            names("docker://mirror:5000", "ns/ubi", &[], &[], &["mirror:5000/ns=registry.redhat.io/ubi9"]);
        assert!(fits(&image, "registry.redhat.io/ubi9/ubi") && !fits(&image, "quay.io"));
        let release = names("oc-mirror:/in", "openshift/release-images", &[], &[], &[]);
        assert!(fits(&release, "quay.io/openshift-release-dev/ocp-release") && !fits(&release, "r.io"));
        assert_eq!(release.is_repository("quay.io/openshift-release-dev/ocp-release:4"), Some(true));
        assert!("a".parse::<Mapping>().is_err() && "a=b".parse::<Mapping>().is_err());
    }

    #[test]
    fn an_image_without_a_name_is_in_every_scope() {
        let image = names("oci:mirror", "", &["v1"], &[], &[]);
        assert!(fits(&image, "quay.io") && fits(&image, "quay.io/acme/app"));
        assert_eq!(image.is_repository("quay.io/acme/app"), None);
        let named = names("oci:mirror", "", &["quay.io/acme/app:v1"], &[], &[]);
        assert!(fits(&named, "quay.io/acme") && !fits(&named, "r.io"));
    }

    #[test]
    fn signed_names_are_compared_by_their_kind() {
        let image = names("docker://quay.io", "acme/app", &["v1"], &["quay.io"], &[]);
        let is = |identity: &SignedIdentity, named: &str| image.satisfy(identity, named);
        let exact = SignedIdentity::MatchExact {};
        assert!(is(&exact, "quay.io/acme/app:v1") && !is(&exact, "quay.io/acme/app:v2"));
        assert!(is(&exact, &format!("quay.io/acme/app@{}", Digest::of(b"image"))));
        let digest = SignedIdentity::MatchRepoDigestOrExact {};
        assert!(is(&digest, "quay.io/acme/app:v2") && !is(&digest, "quay.io/acme/app"));
        let repository = SignedIdentity::MatchRepository {};
        assert!(is(&repository, "quay.io/acme/app") && !is(&repository, "quay.io/acme/other:v1"));
        let remap =
            SignedIdentity::RemapIdentity { prefix: "quay.io/acme".into(), signed_prefix: "r.io/x".into() };
        assert!(is(&remap, "r.io/x/app:v9") && !is(&remap, "quay.io/acme/app:v1"));
        assert!(
            image.satisfy(
                &SignedIdentity::ExactRepository { docker_repository: "a.io/b".into() },
                "a.io/b:v1"
            )
        );
        assert_eq!(parts("r.io:5000/a"), ("r.io:5000/a", None, None));
    }
}
