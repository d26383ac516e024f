//! Names of images as containers/image reads them (`docker/reference`): they are expanded, and compared as texts.

use std::{fmt, sync::LazyLock};

use regex::Regex;

/// A name of an image, expanded: `docker.io/library/busybox:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// How an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// By a tag.
    Tag,
    /// By a digest.
    Digest,
}

const DOMAIN: &str = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?";
const PATH: &str = r"[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*)*";
const TAG: &str = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}";
const DIGEST: &str = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}";

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(&format!("^((?:{DOMAIN}/)?{PATH})(?::({TAG}))?(?:@({DIGEST}))?$")));
static PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| regex(&format!("^(?:{DOMAIN}|{DOMAIN}/{PATH})$")));

/// The most that the name without tag and digest may have.
const LONGEST: usize = 255;

impl ImageName {
    /// Reads a name as `reference.ParseNormalizedNamed` does.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        let (domain, rest) = split_domain(text);
        let repository = rest.split(':').next().unwrap_or_default();
        if repository.to_lowercase() != repository {
            return None;
        }
        let full = format!("{domain}/{rest}");
        let found = REFERENCE.as_ref()?.captures(&full)?;
        let part = |at| found.get(at).map(|part| part.as_str().to_owned());
        let (name, tag, digest) = (part(1)?, part(2), part(3));
        let is_good = name.len() <= LONGEST && digest.as_deref().is_none_or(is_digest);
        is_good.then_some(Self { name, tag, digest })
    }

    /// A repository with a tag or a digest.
    pub fn of(repository: &str, reference: &str) -> Option<Self> {
        let separator = if reference.contains(':') { '@' } else { ':' };
        Self::parse(&format!("{repository}{separator}{reference}"))
    }

    /// Host and repository.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repository alone.
    pub fn path(&self) -> &str {
        self.name.split_once('/').map_or("", |(_, path)| path)
    }

    /// How it is pulled; nothing, where it has neither tag nor digest.
    pub fn form(&self) -> Option<Form> {
        match (&self.tag, &self.digest) {
            (_, Some(_)) => Some(Form::Digest),
            (Some(_), None) => Some(Form::Tag),
            (None, None) => None,
        }
    }

    /// Whether it has a tag, perhaps with a digest behind it.
    pub(super) fn has_tag(&self) -> bool {
        self.tag.is_some()
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// `splitDockerDomain`.
fn split_domain(text: &str) -> (&str, String) {
    const HUB: &str = "docker.io";
    let evident = |host: &str| host.contains(['.', ':']) || host == "localhost";
    let (domain, rest) = text.split_once('/').filter(|(host, _)| evident(host)).unwrap_or((HUB, text));
    let domain = if domain == "index.docker.io" { HUB } else { domain };
    let official = domain == HUB && !rest.contains('/');
    (domain, if official { format!("library/{rest}") } else { rest.to_owned() })
}

/// `digest.Parse`: one of three algorithms, with as many lower-case digits as it has.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a text may stand as `prefix` or `signedPrefix` of `remapIdentity`.
pub(super) fn is_prefix(text: &str) -> bool {
    PREFIX.as_ref().is_some_and(|prefix| prefix.is_match(text))
}
