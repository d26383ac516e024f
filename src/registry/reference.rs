use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{http, oci::Digest};

/// The host of a registry as the user writes it: `docker.io`, `mirror:5000`, `[::1]:5000`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

/// `HOST/REPOSITORY[:TAG][@DIGEST]`, by the grammar of distribution/reference, with Docker Hub's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRef {
    /// The registry.
    pub host: Host,
    /// The full repository name: `library/alpine`.
    pub repository: String,
    /// The tag, if given.
    pub tag: Option<String>,
    /// The digest, if given. It takes precedence; the tag is then only shown.
    pub digest: Option<Digest>,
}

/// A string that is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a registry reference: {reason}")]
pub struct ReferenceError {
    /// The string, or its beginning.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

fn refuse(text: &str, reason: &'static str) -> ReferenceError {
    // No reference contains a question mark or a hash sign; in a URL a secret may follow.
    let text = without_user(text).chars().take_while(|c| !matches!(c, '?' | '#')).take(200).collect();
    ReferenceError { text, reason }
}

/// Removes a user and a password in front of a host. Such a reference is refused, and the message may end up in logs.
pub(crate) fn without_user(text: &str) -> String {
    let scheme = ["docker://", "https://", "http://"].iter().find(|scheme| text.starts_with(*scheme));
    let (scheme, rest) = text.split_at(scheme.map_or(0, |scheme| scheme.len()));
    match rest.rsplit_once('@') {
        Some((user, host)) if is_user(user, host) => format!("{scheme}…@{host}"),
        _ => text.to_owned(),
    }
}

/// Whether these are the parts of `USER:PASSWORD@HOST`, not of `NAME@DIGEST`.
fn is_user(user: &str, host: &str) -> bool {
    let transport = user.split(':').next().unwrap_or_default();
    !host.starts_with("sha") && !["oci", "oci-archive", "dir", "oc-mirror"].contains(&transport)
}

impl Host {
    /// Parses a host with an optional port. Aliases of Docker Hub become `docker.io`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, after)) => {
                if inside.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(refuse(text, "what is in brackets is not an IPv6 address"));
                }
                (&text[..inside.len() + 2], after.strip_prefix(':').or((!after.is_empty()).then_some("")))
            }
            None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
        };
        if port.is_some_and(|p| p.parse::<u16>().is_err() || p.starts_with(['+', '0'])) {
            return Err(refuse(text, "the port is not a number between 1 and 65535"));
        }
        let label = |l: &str| {
            !l.is_empty()
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let address = name.starts_with('[') && name.ends_with(']');
        if !address && !name.split('.').all(label) {
            return Err(refuse(text, "the host holds characters that no host has"));
        }
        let text = text.to_ascii_lowercase();
        Ok(Self(match text.as_str() {
            "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io".into(),
            _ => text,
        }))
    }

    /// Whether the first part of a short reference must be a host: it has a dot or a port, or is localhost.
    pub fn is_evident(part: &str) -> bool {
        part.contains(['.', ':']) || part == "localhost"
    }

    /// The host as written in references, auth files and certs.d.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of the API, which is a different one for Docker Hub.
    pub fn api(&self) -> &str {
        if self.0 == "docker.io" { "registry-1.docker.io" } else { &self.0 }
    }

    /// Whether this is the local machine.
    pub fn is_loopback(&self) -> bool {
        let end = self.0.find(']').map_or_else(|| self.0.find(':'), |i| Some(i + 1));
        http::is_loopback(&self.0[..end.unwrap_or(self.0.len())])
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest as people copy it: without `sha256:`, or in upper case.
fn read_digest(text: &str) -> Option<Digest> {
    let text = text.to_ascii_lowercase();
    Digest::from_hex(text.strip_prefix("sha256:").unwrap_or(&text)).ok()
}

impl FromStr for RegistryRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bad = |reason| refuse(text, reason);
        if text.contains("://") {
            return Err(bad("it is an address; write HOST/REPOSITORY:TAG without a scheme"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let credentials = digest.contains('/') && is_user(rest, digest);
                let digest = read_digest(digest).ok_or_else(|| {
                    bad(if credentials {
                        "it must not contain credentials; give them with --creds or --authfile"
                    } else {
                        "what follows @ is not a sha256 digest"
                    })
                })?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((first, rest)) if Host::is_evident(first) || first.starts_with('[') => {
                (Host::parse(first)?, rest)
            }
            _ => (Host("docker.io".into()), rest),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, Some(tag.to_owned())),
            Some(_) => return Err(bad("what follows the last colon is not a tag")),
            None => (rest, None),
        };
        let official = host.as_str() == "docker.io" && !path.contains('/');
        let repository = if official { format!("library/{path}") } else { path.to_owned() };
        if !is_repository(&repository) {
            return Err(bad("the repository must be lower-case names with / between them"));
        }
        Ok(Self { host, repository, tag, digest })
    }
}

impl fmt::Display for RegistryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// Whether a string is a valid tag: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
pub fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Whether a string is a valid repository name: parts of `[a-z0-9]+`, joined internally by `.`, `_`, `__` or dashes,
/// and separated by `/`, at most 255 bytes.
pub fn is_repository(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_part)
}

/// One part of a repository name.
pub(crate) fn is_part(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(word)
        && part.ends_with(word)
        && part
            .split(word)
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_skopeo_reads_them() {
        let d = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for (text, expected) in [
            ("alpine", "docker.io/library/alpine".to_owned()),
            ("a/b:1", "docker.io/a/b:1".into()),
            ("docker.io/alpine", "docker.io/library/alpine".into()),
            ("index.docker.io/x/y", "docker.io/x/y".into()),
            ("localhost/a", "localhost/a".into()),
            ("localhost:5000/a/b-c__d.e:v1.0_x", "localhost:5000/a/b-c__d.e:v1.0_x".into()),
            ("[::1]:5000/a:t", "[::1]:5000/a:t".into()),
            ("Reg.Example/a---b", "reg.example/a---b".into()),
            ("registry-1.dockEr.io/g", "docker.io/library/g".into()),
            (&format!("q.io/a:t@{d}"), format!("q.io/a:t@{d}")),
        ] {
            assert_eq!(text.parse::<RegistryRef>().map(|r| r.to_string()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let long = format!("q.io/{}", "a".repeat(256));
        for text in [
            "",
            "q.io/",
            "q.io//a",
            "q.io/a/",
            "q.io/A",
            "q.io/a:",
            "q.io/a:.x",
            "q.io/../a",
            "q.io/a..b",
            "q.io/a___b",
            "q.io/-a",
            "q.io/a@sha256:12",
            "q.io/a@sha512:12",
            "q.io:port/a",
            "q.io:0/a",
            "q.io:99999/a",
            "[::g]/a",
            "[::1]x/a",
            "[q.io/a",
            "[0/ab->x",
            "x[::1]/a",
            "[::1]]/a",
            "u@q.io/a",
            "q_.io/a",
            "q.io/a b",
            "q.io/a?n=1",
            "q.io/a#f",
            "q.io/a%2e",
            "-q.io/a",
            &long,
        ] {
            assert!(text.parse::<RegistryRef>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_bracket_opens_nothing_but_an_address() {
        for text in ["[", "[]", "[0/ab->x", "[q.io", "[q.io@evil:1", "]", "x]", "[::1", "[::1]]", "[::1]:"] {
            assert!(Host::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(Host::parse("[::1]:5000").is_ok());
    }

    #[test]
    fn no_error_repeats_a_password() {
        for text in ["u:hunter2@q.io/a", "u:hunter2@q.io:5000/a:1", "u:hun/ter2@q.io/a", "u:hunter2@q.io"] {
            let error = text.parse::<RegistryRef>().unwrap_err();
            assert!(!error.to_string().contains("ter2"), "{error}");
        }
        let digest = "q.io/a@sha256:12".parse::<RegistryRef>().unwrap_err();
        assert!(digest.to_string().contains("q.io/a@sha256:12"), "{digest}");
    }

    #[test]
    fn this_machine_and_docker_hub_are_known() {
        for (host, here) in
            [("localhost:5000", true), ("[::1]:80", true), ("127.0.0.1", true), ("mirror:5000", false)]
        {
            assert_eq!(Host::parse(host).unwrap().is_loopback(), here, "{host}");
        }
        assert_eq!(Host::parse("docker.io").unwrap().api(), "registry-1.docker.io");
    }
}
