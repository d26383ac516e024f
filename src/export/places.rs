//! By which names an admission controller sees the images of a rule: those in the pod, and nothing knows of mirrors. And how each
//! of them writes a scope.

use std::collections::BTreeSet;

use super::policy_json::PulledBy;
use crate::{
    policy::{
        mapping::NameMap,
        rule::{Rule, Scope},
    },
    registry::Host,
};

/// The scopes of a rule by the names that are pulled.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) scopes: BTreeSet<Scope>,
    /// Those of other rules inside of them.
    pub(super) inner: BTreeSet<Scope>,
}

type Refusal = String;

/// The places of each rule, in their order. Where a rule's images lie together with those of a narrower one, they are the narrower
/// one's, so that a rule may be left with no place.
pub(super) fn places(rules: &[Rule], by: PulledBy, names: &NameMap) -> Vec<Result<Places, Refusal>> {
    let all: Vec<_> = rules.iter().map(|rule| scopes(rule, by, names)).collect();
    let is_narrower = |one: usize, other: usize| {
        let (one, other) = (&rules[one].scope, &rules[other].scope);
        one != other && other.covers(one.repository())
    };
    let others = |number: usize| {
        let all = all.iter().enumerate().filter(move |(other, _)| *other != number);
        all.filter_map(|(other, scopes)| Some((other, scopes.as_ref().ok()?)))
    };
    let of = |(number, scopes): (usize, &Result<BTreeSet<Scope>, Refusal>)| {
        let mut scopes = scopes.clone()?;
        let is_taken = |scope: &Scope| {
            others(number).any(|(other, theirs)| theirs.contains(scope) && is_narrower(other, number))
        };
        scopes.retain(|scope| !is_taken(scope));
        let meets = |scope: &&Scope| {
            others(number).any(|(other, theirs)| theirs.contains(*scope) && !is_narrower(number, other))
        };
        if let Some(twice) = scopes.iter().find(meets) {
            return Err(format!("another rule is about {twice} too, by that name"));
        }
        let is_inner = |other: &&Scope| {
            !scopes.contains(*other) && scopes.iter().any(|scope| scope.covers(other.repository()))
        };
        let inner = others(number).flat_map(|(_, theirs)| theirs).filter(is_inner).cloned().collect();
        Ok(Places { scopes, inner })
    };
    all.iter().enumerate().map(of).collect()
}

fn scopes(rule: &Rule, by: PulledBy, names: &NameMap) -> Result<BTreeSet<Scope>, Refusal> {
    if by == PulledBy::Source {
        return Ok(BTreeSet::from([rule.scope.clone()]));
    }
    // A folder that images were copied to is no place to pull from.
    let is_registry = |at: &String| at.split('/').next().is_some_and(Host::is_evident);
    let found: BTreeSet<Scope> = names
        .mirrors_of(&rule.scope)
        .into_iter()
        .filter(is_registry)
        .filter_map(|at| at.parse().ok())
        .collect();
    if found.is_empty() {
        return Err("no mirror of it is known: name it with --idms or --map".into());
    }
    Ok(found)
}

/// The names of Docker Hub, in which its own images may stand without `library`.
const HUB: &str = "docker.io";
const LIBRARY: &str = "docker.io/library";

/// Wildcards of Kyverno's ClusterPolicy, where `*` spans everything, for names as it completes them: `docker.io/nginx:latest`
/// (kyverno v1.19.0 pkg/utils/image/infos.go, ext/wildcard).
pub(super) fn wildcards(scope: &Scope) -> Result<Vec<String>, Refusal> {
    let name = scope.as_str();
    if name == LIBRARY {
        return Err(format!(
            "Kyverno names the images of {LIBRARY} by their last part: write a rule for each, or for {HUB}"
        ));
    }
    if name.starts_with('*') {
        return Ok(vec![format!("{name}/*"), format!("{name}:*/*")]);
    }
    let mut all = below(name, "*");
    if let Some(image) = name.strip_prefix(LIBRARY).and_then(|rest| rest.strip_prefix('/')) {
        all.extend([format!("{HUB}/{image}:*"), format!("{HUB}/{image}@*")]);
    }
    Ok(all)
}

/// Globs of policy-controller, where `*` spans no slash and `**` everything, for names as go-containerregistry completes them
/// (sigstore/policy-controller v0.15.1 pkg/apis/glob/glob.go).
pub(super) fn globs(scope: &Scope) -> Result<Vec<String>, Refusal> {
    let name = hub(scope.as_str());
    if name.contains(['[', ']']) {
        return Err("policy-controller takes no addresses in brackets".into());
    }
    if name.starts_with('*') {
        return Ok(vec![format!("{name}/**"), format!("{name}:*/**")]);
    }
    Ok(below(&name, "**"))
}

/// Patterns of Talos for the name of the repository alone, where `*` spans everything. go-containerregistry completes the name
/// (siderolabs/talos v1.13.0 internal/pkg/containers/image/verify/verify.go); its messages name Docker Hub otherwise.
pub(super) fn repositories(scope: &Scope) -> Vec<String> {
    let name = scope.as_str();
    if name.starts_with('*') {
        return vec![format!("{name}/*"), format!("{name}:*")];
    }
    let names = BTreeSet::from([name.to_owned(), hub(name)]);
    names
        .iter()
        .flat_map(|name| is_repository(name).then(|| name.clone()).into_iter().chain([format!("{name}/*")]))
        .collect()
}

/// A regular expression for the text in a pod, which may lack the registry and the tag.
pub(super) fn expression(scope: &Scope) -> String {
    const END: &str = "([/:@].*)?$";
    let name = scope.as_str();
    let escaped = regex::escape;
    if let Some(domain) = name.strip_prefix("*.") {
        return format!(r"^[^/:]+\.{}(:[0-9]+)?/", escaped(domain));
    }
    let hub = r"^((index\.)?docker\.io/)?";
    match name.strip_prefix(HUB).map(|rest| rest.strip_prefix('/').unwrap_or(rest)) {
        // Without a registry: one part, or several of which the first is no host.
        Some("") => r"^((index\.)?docker\.io/.*|[^/.:@]+([:@][^/]*)?|[^/.:@]+/.*)$".to_owned(),
        Some("library") => format!("{hub}(library/.*|[^/.:@]+([:@][^/]*)?)$"),
        Some(rest) if name.as_bytes().get(HUB.len()) == Some(&b'/') => {
            let (library, rest) =
                rest.strip_prefix("library/").map_or(("", rest), |rest| ("(library/)?", rest));
            format!("{hub}{library}{}{END}", escaped(rest))
        }
        _ if is_repository(name) => format!("^{}{END}", escaped(name)),
        _ => format!("^{}/", escaped(name)),
    }
}

fn is_repository(name: &str) -> bool {
    name.contains('/')
}

/// A repository by tag, by digest, and what is below it; or everything at a host.
fn below(name: &str, all: &str) -> Vec<String> {
    let ends = if is_repository(name) { &[":", "@", "/"][..] } else { &["/"][..] };
    ends.iter().map(|end| format!("{name}{end}{all}")).collect()
}

/// Docker Hub as go-containerregistry names it.
fn hub(name: &str) -> String {
    match name.strip_prefix(HUB) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("index.{HUB}{rest}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_pod_names_docker_hub_in_many_ways() {
        for (of, seen, others) in [
            (
                "docker.io/library/nginx",
                &[
                    "nginx",
                    "nginx:1.25",
                    "library/nginx",
                    "docker.io/nginx@sha256:ab",
                    "index.docker.io/library/nginx:1",
                ][..],
                &["nginxx", "team/nginx", "quay.io/nginx", "quay.io/library/nginx", "nginx.io/a"][..],
            ),
            (
                "docker.io/team/app",
                &["team/app", "docker.io/team/app:v1", "team/app/sub"],
                &["app", "library/team/app", "team/apple"],
            ),
            (
                "docker.io",
                &["nginx:1", "team/app", "docker.io/a/b"],
                &["quay.io/a", "host:5000/a", "docker.iox/a"],
            ),
            (
                "docker.io/library",
                &["nginx", "library/nginx:1", "docker.io/nginx"],
                &["team/nginx", "quay.io/nginx"],
            ),
            (
                "quay.io/a",
                &["quay.io/a", "quay.io/a:v1", "quay.io/a@sha256:ab", "quay.io/a/b:v1"],
                &["quay.io/ab", "quayXio/a", "x.quay.io/a"],
            ),
            ("quay.io", &["quay.io/a"], &["quay.io:5000/a", "quay.iox/a"]),
            ("host:5000/a", &["host:5000/a:v1"], &["host:5001/a", "host:50000/a"]),
            (
                "*.example.com",
                &["r.example.com/a", "r.example.com:5000/a:v1"],
                &["example.com/a", "evil.io/r.example.com/a", "r.example.com.evil.io/a"],
            ),
        ] {
            let expression = regex::Regex::new(&expression(&scope(of))).unwrap();
            for name in seen {
                assert!(expression.is_match(name), "{of}: {name} {expression}");
            }
            for name in others {
                assert!(!expression.is_match(name), "{of}: {name} {expression}");
            }
        }
    }

    #[test]
    fn each_consumer_has_its_own_patterns() {
        let wild = |text: &str| wildcards(&scope(text)).unwrap();
        assert_eq!(wild("q.io"), ["q.io/*"]);
        assert_eq!(wild("q.io/a"), ["q.io/a:*", "q.io/a@*", "q.io/a/*"]);
        assert_eq!(wild("*.q.io"), ["*.q.io/*", "*.q.io:*/*"]);
        assert_eq!(wild("docker.io/library/x")[3..], ["docker.io/x:*", "docker.io/x@*"]);
        assert!(wildcards(&scope("docker.io/library")).is_err());
        let globs = |text: &str| globs(&scope(text)).unwrap();
        assert_eq!(globs("q.io/a"), ["q.io/a:**", "q.io/a@**", "q.io/a/**"]);
        assert_eq!(
            globs("docker.io/team"),
            ["index.docker.io/team:**", "index.docker.io/team@**", "index.docker.io/team/**"]
        );
        assert!(super::globs(&scope("[::1]:5000/a")).is_err());
        assert_eq!(repositories(&scope("q.io")), ["q.io/*"]);
        assert_eq!(
            repositories(&scope("docker.io/a/b")),
            ["docker.io/a/b", "docker.io/a/b/*", "index.docker.io/a/b", "index.docker.io/a/b/*"]
        );
    }

    #[test]
    fn two_rules_never_meet_at_a_mirror() {
        let rule = |text: &str| Rule {
            scope: scope(text),
            signers: Vec::new(),
            log: crate::policy::rule::Log::Word(crate::policy::rule::LogWord::None),
            signed_identity: None,
        };
        let rules = [rule("q.io/a"), rule("r.io/a"), rule("q.io")];
        let mut names = NameMap::default();
        names.add_copy("m.io/a", "q.io/a", false);
        names.add_copy("m.io/a", "r.io/a", false);
        let found = places(&rules, PulledBy::Mirror, &names);
        assert!(found[0].is_err() && found[1].is_err(), "they are different images there: {found:?}");
        assert!(
            found[2].as_ref().is_ok_and(|places| places.scopes.is_empty()),
            "all are another rule's: {found:?}"
        );
        names.add_copy("m.io/b", "q.io/b", false);
        let found = places(&[rule("q.io/a"), rule("q.io")], PulledBy::Mirror, &names);
        let of = |n: usize| found[n].as_ref().unwrap().scopes.iter().map(Scope::as_str).collect::<Vec<_>>();
        assert_eq!((of(0), of(1)), (vec!["m.io/a"], vec!["m.io/b"]));
        let by_source = places(&rules, PulledBy::Source, &names);
        let inner: Vec<_> = by_source.iter().map(|places| places.as_ref().unwrap().inner.len()).collect();
        assert_eq!(inner, [0, 0, 1]);
        assert!(places(&rules, PulledBy::Mirror, &NameMap::default()).iter().all(Result::is_err));
    }
}
