use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use crate::{
    oci::Digest,
    registry::{Host, is_repository, is_tag},
};

/// The scope of a rule, as containers-policy.json(5) names it for `docker`: `host`, `host/path`, `host/repository:tag`,
/// `host/repository@digest`, or `*.domain` for the hosts below a domain. A wildcard is not allowed anywhere else, as
/// ClusterImagePolicy requires (openshift/api, `types_image_policy.go`, `scopes`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

/// The maximum length in a ClusterImagePolicy.
const LONGEST: usize = 512;

impl Scope {
    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a single image with a tag or digest.
    pub fn is_image(&self) -> bool {
        let path = self.0.split_once('/').map(|(_, path)| path);
        path.is_some_and(|path| path.contains([':', '@']))
    }

    /// The scope without tag and digest.
    pub fn repository(&self) -> &str {
        let end = if self.is_image() { self.0.find('@').or_else(|| self.0.rfind(':')) } else { None };
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// Whether `HOST/REPOSITORY` is in it. A wildcard sees no port (containers/image `policyconfiguration/naming.go`).
    pub fn covers(&self, repository: &str) -> bool {
        if let Some(domain) = self.0.strip_prefix("*.") {
            let host = repository.split('/').next().unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            return host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        }
        let rest = repository.strip_prefix(self.repository());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |reason: &str| {
            let start: String = text.chars().take(100).collect();
            Err(format!("{start:?} is not a scope: {reason}"))
        };
        if text.is_empty() {
            return refuse("write HOST, HOST/PATH, HOST/REPOSITORY:TAG, HOST/REPOSITORY@DIGEST or *.DOMAIN");
        }
        if text.len() > LONGEST {
            return refuse("it is too long");
        }
        let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(parsed) if path.is_none() && parsed.as_str() == domain && !domain.contains([':', '[']) => {
                    Ok(Self(text.to_owned()))
                }
                _ => refuse("a wildcard is *.DOMAIN, without port and path"),
            };
        }
        if text.contains('*') {
            return refuse("a wildcard stands only for the hosts below a domain: *.DOMAIN");
        }
        match Host::parse(host) {
            Ok(parsed) if parsed.as_str() != host => {
                return refuse(&format!("the host is written {parsed}"));
            }
            Ok(_) if Host::is_evident(host) || host.starts_with('[') => {}
            _ => {
                return refuse(
                    "it starts with no registry's host (which has a dot, a port, or is localhost)",
                );
            }
        }
        let Some(path) = path else { return Ok(Self(text.to_owned())) };
        let repository = match (path.split_once('@'), path.split_once(':')) {
            (Some((repository, digest)), _) if digest.parse::<Digest>().is_ok() => repository,
            (None, Some((repository, tag))) if is_tag(tag) => repository,
            (None, None) => path,
            _ => return refuse("what follows the repository is neither a tag nor a sha256 digest"),
        };
        if !is_repository(repository) {
            return refuse("the path must be lower-case names with / between them");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_of_policies() {
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for text in [
            "registry.redhat.io",
            "registry.redhat.io/ubi9",
            "quay.io/openshift-release-dev/ocp-release",
            "quay.io/a/b:v1.0_x",
            &format!("quay.io/a/b@{digest}"),
            "mirror.example:5000",
            "mirror.example:5000/rh",
            "localhost",
            "localhost/a",
            "*.example.com",
            "[::1]:5000/a",
        ] {
            assert_eq!(text.parse::<Scope>().as_ref().map(Scope::as_str), Ok(text));
        }
        assert!("q.io/a:t".parse::<Scope>().unwrap().is_image());
        assert!(!"q.io:5000".parse::<Scope>().unwrap().is_image());
    }

    #[test]
    fn a_scope_covers_whole_components() {
        for (scope, repository, covered) in [
            ("q.io", "q.io/a", true),
            ("q.io", "q.io:5000/a", false),
            ("q.io:5000", "q.io:5000/a", true),
            ("q.io/a", "q.io/a", true),
            ("q.io/a", "q.io/a/b", true),
            ("q.io/a", "q.io/ab", false),
            ("q.io/a/b:v1", "q.io/a/b", true),
            ("*.q.io", "r.q.io:5000/a", true),
            ("*.q.io", "q.io/a", false),
            ("*.q.io", "r.sq.io/a", false),
        ] {
            assert_eq!(scope.parse::<Scope>().unwrap().covers(repository), covered, "{scope} {repository}");
        }
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let repository = |text: &str| text.parse::<Scope>().unwrap().repository().to_owned();
        assert_eq!(repository(&format!("q.io:5000/a@{digest}")), "q.io:5000/a");
        assert_eq!(repository("q.io:5000/a:v1"), "q.io:5000/a");
        assert_eq!(repository("q.io:5000"), "q.io:5000");
    }

    #[test]
    fn what_means_more_or_something_else_is_refused() {
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for text in [
            "",
            "*",
            "**",
            "*.",
            "*.com*",
            "*.example.com/a",
            "*.example.com:5000",
            "a.*.com",
            "*example.com",
            "quay.io/*",
            "quay.io/a*",
            "ubi9",
            "redhat/ubi9",
            "mirror/a",
            "quay.io/",
            "quay.io//a",
            "quay.io/A",
            "Quay.io/a",
            "index.docker.io/a",
            "quay.io/a:",
            "quay.io/a:t:u",
            "quay.io/a@sha256:12",
            &format!("quay.io/a:t@{digest}"),
            "docker://quay.io/a",
            "quay.io/a b",
            "quay.io/a\n",
            " quay.io/a",
            "quay.io/../a",
            &format!("quay.io/{}", "a/".repeat(300)),
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?} was accepted");
        }
    }
}
