//! `signedIdentity`: which name in a signature is the image's (`signature/policy_reference_match.go`).

use serde_json::Value;

use super::{
    PolicyFault,
    fields::{Fields, fault},
    reference::{ImageName, is_prefix},
};

/// Which names are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    ExactReference(ImageName),
    ExactRepository(ImageName),
    Remap { prefix: String, signed_prefix: String },
}

impl Identity {
    pub(super) fn read(what: &str, value: &Value) -> Result<Self, PolicyFault> {
        let what = format!("{what} signedIdentity");
        let fields = |known: &[&str]| Fields::of(&what, value, known);
        let plain = |identity| fields(&["type"]).map(|_| identity);
        match value.get("type").and_then(Value::as_str) {
            Some("matchExact") => plain(Self::MatchExact),
            Some("matchRepoDigestOrExact") => plain(Self::MatchRepoDigestOrExact),
            Some("matchRepository") => plain(Self::MatchRepository),
            Some("exactReference") => {
                let text = fields(&["type", "dockerReference"])?.required("dockerReference")?;
                let name = ImageName::parse(text).filter(|name| name.form().is_some());
                let what = || fault(&what, "dockerReference must be a name with a tag or a digest");
                name.map(Self::ExactReference).ok_or_else(what)
            }
            Some("exactRepository") => {
                let text = fields(&["type", "dockerRepository"])?.required("dockerRepository")?;
                let what = || fault(&what, "dockerRepository must be the name of a repository");
                ImageName::parse(text).map(Self::ExactRepository).ok_or_else(what)
            }
            Some("remapIdentity") => {
                let fields = fields(&["type", "prefix", "signedPrefix"])?;
                let (prefix, signed) = (fields.required("prefix")?, fields.required("signedPrefix")?);
                if !is_prefix(prefix) || !is_prefix(signed) {
                    let reason = "prefix and signedPrefix must be HOST[:PORT] or HOST[:PORT]/PATH, without / at the end";
                    return Err(fault(&what, reason));
                }
                Ok(Self::Remap { prefix: prefix.into(), signed_prefix: signed.into() })
            }
            _ => Err(fault(&what, "its type is none that the consumer knows")),
        }
    }

    /// Whether the name that the signer wrote is accepted for an image that is pulled by `pulled`.
    pub(super) fn accepts(&self, pulled: &ImageName, signed: &str) -> bool {
        let Some(signed) = ImageName::parse(signed) else { return false };
        let is_whole = |name: &ImageName| name.form().is_some();
        match self {
            Self::MatchExact => is_whole(pulled) && is_whole(&signed) && *pulled == signed,
            Self::MatchRepoDigestOrExact => repository_or_exact(pulled, &signed),
            Self::MatchRepository => signed.name() == pulled.name(),
            Self::ExactReference(name) => is_whole(&signed) && signed == *name,
            Self::ExactRepository(name) => signed.name() == name.name(),
            Self::Remap { prefix, signed_prefix } => remapped(pulled, prefix, signed_prefix)
                .is_some_and(|name| repository_or_exact(&name, &signed)),
        }
    }

    /// As it stands in a policy, for messages.
    pub(super) fn describe(&self, pulled: &ImageName) -> String {
        match self {
            Self::MatchExact => format!("matchExact asks for {pulled}"),
            Self::MatchRepoDigestOrExact => format!(
                "matchRepoDigestOrExact asks for {}",
                if pulled.has_tag() {
                    pulled.to_string()
                } else {
                    format!("a tag or digest of {}", pulled.name())
                }
            ),
            Self::MatchRepository => format!("matchRepository asks for {}", pulled.name()),
            Self::ExactReference(name) => format!("exactReference asks for {name}"),
            Self::ExactRepository(name) => format!("exactRepository asks for {}", name.name()),
            Self::Remap { prefix, signed_prefix } => match remapped(pulled, prefix, signed_prefix) {
                Some(name) => format!("remapIdentity asks for {name}"),
                None => format!("remapIdentity makes no name of {pulled}"),
            },
        }
    }
}

fn repository_or_exact(pulled: &ImageName, signed: &ImageName) -> bool {
    match (signed.form(), pulled.form()) {
        (None, _) | (_, None) => false,
        _ if pulled.has_tag() => signed == pulled,
        _ => signed.name() == pulled.name(),
    }
}

fn remapped(pulled: &ImageName, prefix: &str, signed_prefix: &str) -> Option<ImageName> {
    let rest = pulled.name().strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if rest.is_none() {
        return Some(pulled.clone());
    }
    let text = pulled.to_string().replacen(prefix, signed_prefix, 1);
    ImageName::parse(&text).filter(|name| name.to_string() == text)
}
