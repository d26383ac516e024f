use std::fmt;

use crate::oci::Digest;

/// What a registry holds, by its name: `host/repository[:tag][@digest]`, the grammar of distribution/reference.
///
/// The host is always written: keypack knows no default registry and never completes a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// The longest `host/repository` that registries accept.
const NAME_MAX: usize = 255;

impl Reference {
    /// Reads a reference. The error is one sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|e| e.to_string())?)),
            None => (text, None),
        };
        let (host, path) =
            rest.split_once('/').ok_or_else(|| "a registry host and a repository are needed".to_owned())?;
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_host(host) {
            return Err(format!("{host:?} is not a registry host"));
        }
        if let Some(part) = repository.split('/').find(|part| !is_component(part)) {
            return Err(if part.bytes().any(|b| b.is_ascii_uppercase()) {
                format!("the repository {repository:?} has upper-case letters")
            } else {
                format!("the repository {repository:?} has the part {part:?}, which no registry accepts")
            });
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(format!("{tag:?} is not a tag"));
        }
        if host.len() + 1 + repository.len() > NAME_MAX {
            return Err(format!("the name is longer than {NAME_MAX} bytes"));
        }
        Ok(Self {
            host: host.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The registry, with its port where one is written.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository, without the host.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is written.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// Whether the first part of a bare word can only be a registry: it has a dot or a port, or is `localhost`.
pub(super) fn names_a_registry(host: &str) -> bool {
    is_host(host) && (host.contains(['.', ':']) || host == "localhost")
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                None => return rest.is_empty(),
                port => ("", port),
            }
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (text.starts_with('[') || name.split('.').all(label))
        && port.is_none_or(|p| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok())
}

/// One part of a repository name: letters and digits in lower case, joined by `.`, `_`, `__` or dashes.
pub(super) fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separator = |s: &str| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    text.bytes().next().is_some_and(word)
        && text.bytes().last().is_some_and(word)
        && text.bytes().all(|b| word(b) || b"._-".contains(&b))
        && text.split(|c: char| c.is_ascii_alphanumeric()).all(|s| s.is_empty() || separator(s))
}

/// `[\w][\w.-]{0,127}`.
pub(super) fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn prints_what_it_reads() {
        for text in [
            "quay.io/ns/app",
            "localhost/a:v1",
            "mirror:5000/a/b__c/d-e:v1.2_3",
            "[::1]:5000/a:v1",
            &format!("r.example/a:t@{DIGEST}"),
            &format!("r.example/a@{DIGEST}"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_that_no_registry_accepts_are_refused() {
        for text in [
            "busybox",
            "r.example/",
            "r.example/App",
            "r.example/a//b",
            "r.example/../b",
            "r.example/a___b",
            "r.example/a..b",
            "r.example/-a",
            "r.example/a:",
            "r.example/a:.t",
            "r.example/a:t:u",
            "r.example:99999/a",
            "r.example:/a",
            "user@r.example/a",
            "-r/a",
            "r.example/a@sha256:0",
            "r.example/a\n",
            &format!("r.example/{}", "a".repeat(250)),
        ] {
            assert!(Reference::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
