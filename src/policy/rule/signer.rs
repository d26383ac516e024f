use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::key::{KeyRef, NameKind, Role};

/// Who may sign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Wire<K>", into = "Wire<K>")]
#[serde(bound(serialize = "K: Clone + Serialize", deserialize = "K: Deserialize<'de>"))]
pub enum Signer<K = KeyRef> {
    /// The holder of a key.
    Key(K),
    /// The holder of an identity that an authority certifies.
    Identity {
        /// The authorities, any of which is accepted.
        authorities: Vec<K>,
        /// The subject alternative name.
        subject: Pattern,
        /// Its kind; any if omitted. OpenShift and podman compare e-mail addresses only.
        kind: Option<IdentityKind>,
        /// The OIDC issuer that a Fulcio CA adds to its certificates; a private CA adds none.
        issuer: Option<Pattern>,
    },
}

/// A kind of subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityKind {
    /// `rfc822Name`.
    Email,
    /// `uniformResourceIdentifier`.
    Uri,
    /// `dNSName`.
    Dns,
}

impl IdentityKind {
    /// The name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Dns => "dns",
        }
    }
}

impl From<NameKind> for IdentityKind {
    fn from(kind: NameKind) -> Self {
        match kind {
            NameKind::Email => Self::Email,
            NameKind::Uri => Self::Uri,
            NameKind::Dns => Self::Dns,
        }
    }
}

impl FromStr for IdentityKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = [Self::Email, Self::Uri, Self::Dns];
        let known = kinds.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is not email, uri or dns"))
    }
}

/// An exact text or a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Exactly this text.
    Exact(String),
    /// A regular expression that must match the whole text: it is always anchored at both ends.
    Regexp(String),
}

impl Pattern {
    /// At most one of the two, as in files.
    pub fn at_most_one(
        exact: Option<String>,
        regexp: Option<String>,
        name: &str,
    ) -> Result<Option<Self>, String> {
        let pattern = match (exact, regexp) {
            (Some(exact), None) => Self::Exact(exact),
            (None, Some(regexp)) => Self::Regexp(regexp),
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(format!("it has both {name} and {name}Regexp")),
        };
        pattern.check()?;
        Ok(Some(pattern))
    }

    /// Exactly one of the two.
    pub fn one_of(exact: Option<String>, regexp: Option<String>, name: &str) -> Result<Self, String> {
        let pattern = Self::at_most_one(exact, regexp, name)?;
        pattern.ok_or_else(|| format!("it has neither {name} nor {name}Regexp"))
    }

    fn check(&self) -> Result<(), String> {
        let (Self::Exact(text) | Self::Regexp(text)) = self;
        if text.trim().is_empty() || text.len() > 2048 || text.chars().any(char::is_control) {
            return Err(format!("{:?} is not a name", text.chars().take(100).collect::<String>()));
        }
        // Go's syntax (cosign, Kyverno) is the same except for details; an expression that can't be parsed here is of
        // no use there.
        if let Self::Regexp(text) = self
            && let Err(e) = regex::Regex::new(&format!("^(?:{text})$"))
        {
            let reason = e.to_string();
            return Err(format!(
                "{text:?} is not a regular expression: {}",
                reason.lines().last().unwrap_or_default()
            ));
        }
        Ok(())
    }

    fn split(self) -> (Option<String>, Option<String>) {
        match self {
            Self::Exact(text) => (Some(text), None),
            Self::Regexp(text) => (None, Some(text)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(f, "{text:?}"),
            Self::Regexp(text) => write!(f, "/{text}/"),
        }
    }
}

impl<K> Signer<K> {
    /// Checks what the types don't express.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Key(_) => Ok(()),
            Self::Identity { authorities, .. } if authorities.is_empty() => {
                Err("it names an identity and no authority".into())
            }
            Self::Identity { subject, issuer, .. } => {
                subject.check().and_then(|()| issuer.as_ref().map_or(Ok(()), Pattern::check))
            }
        }
    }
}

impl Signer {
    /// A Fulcio CA certifies the statement of an OIDC issuer, and without checking the issuer, any e-mail server could
    /// have made it. A private CA has no issuer.
    pub(super) fn check_issuer(&self) -> Result<(), String> {
        let Self::Identity { authorities, issuer, .. } = self else { return Ok(()) };
        let private = |key: &KeyRef| key.role == Role::Pki;
        match issuer {
            _ if authorities.iter().any(private) && !authorities.iter().all(private) => {
                Err("it names private CAs and others in one signer; write two".into())
            }
            None if !authorities.iter().all(private) => {
                Err("it names a Fulcio CA and neither oidcIssuer nor oidcIssuerRegexp".into())
            }
            Some(_) if authorities.iter().any(private) => {
                Err("it names an OIDC issuer, which certificates of a private CA don't have".into())
            }
            _ => Ok(()),
        }
    }
}

impl<K: fmt::Display> fmt::Display for Signer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Identity { authorities, subject, kind, issuer } => {
                let authorities: Vec<_> = authorities.iter().map(ToString::to_string).collect();
                if let Some(kind) = kind {
                    write!(f, "{} ", kind.as_str())?;
                }
                write!(f, "{subject}")?;
                if let Some(issuer) = issuer {
                    write!(f, " of {issuer}")?;
                }
                write!(f, ", certified by {}", authorities.join(" or "))
            }
        }
    }
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<K> {
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    key: Option<K>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    authorities: Option<Vec<K>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_regexp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_kind: Option<IdentityKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oidc_issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oidc_issuer_regexp: Option<String>,
}

/// A field that is absent, whatever its type.
const fn none<T>() -> Option<T> {
    None
}

impl<K> TryFrom<Wire<K>> for Signer<K> {
    type Error = String;

    fn try_from(wire: Wire<K>) -> Result<Self, String> {
        let others = [&wire.identity, &wire.identity_regexp, &wire.oidc_issuer, &wire.oidc_issuer_regexp];
        match (wire.key, wire.authorities) {
            (Some(key), None) if others.iter().all(|o| o.is_none()) && wire.identity_kind.is_none() => {
                Ok(Self::Key(key))
            }
            (None, Some(authorities)) => Ok(Self::Identity {
                authorities,
                subject: Pattern::one_of(wire.identity, wire.identity_regexp, "identity")?,
                kind: wire.identity_kind,
                issuer: Pattern::at_most_one(wire.oidc_issuer, wire.oidc_issuer_regexp, "oidcIssuer")?,
            }),
            _ => Err("a signer is either a key, or an identity with its authorities".into()),
        }
    }
}

impl<K> From<Signer<K>> for Wire<K> {
    fn from(signer: Signer<K>) -> Self {
        let (key, authorities, subject, identity_kind, issuer) = match signer {
            Signer::Key(key) => (Some(key), None, (None, None), None, (None, None)),
            Signer::Identity { authorities, subject, kind, issuer } => {
                let issuer = issuer.map_or((None, None), Pattern::split);
                (None, Some(authorities), subject.split(), kind, issuer)
            }
        };
        Self {
            key,
            authorities,
            identity: subject.0,
            identity_regexp: subject.1,
            identity_kind,
            oidc_issuer: issuer.0,
            oidc_issuer_regexp: issuer.1,
        }
    }
}
