//! Rules: the organisation's requirements on who must sign what. Only a person writes them; observations become a
//! draft.
//!
//! Their form is what the consumers have in common, so that a policy for each can be derived from it:
//! containers-policy.json(5) `sigstoreSigned` (keys or a CA with issuer and subject, Rekor keys, `signedIdentity`),
//! OpenShift's ClusterImagePolicy (the same, with one key each), the attestors of Kyverno and the policy-controller,
//! cosign's flags. An export refuses rules that its consumer can't express.

mod bind;
mod draft;
mod file;
mod group;
mod observe;
mod scope;
mod selector;
mod signer;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use bind::{Dropped, RuleError, RuleKeys, bind};
pub use draft::draft_rules;
pub use file::parse_rules;
pub(crate) use file::{RuleText, rules};
pub use scope::Scope;
pub use selector::{KeySelector, NamedKey};
pub use signer::{IdentityKind, Pattern, Signer};

use crate::key::{KeyRef, Role};

/// Who must sign a scope. `K` is the way keys are named: by role and id in an inventory, as the user writes them
/// elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(serialize = "K: Clone + Serialize", deserialize = "K: Deserialize<'de>"))]
pub struct Rule<K = KeyRef> {
    /// The images. Each scope has only one rule.
    pub scope: Scope,
    /// Who may sign; one of them is enough. Empty if all were revoked: then nothing satisfies the rule.
    pub signers: Vec<Signer<K>>,
    /// Whether the signature must be in a transparency log. It is always explicit, because omitting the log is a
    /// decision.
    pub log: Log<K>,
    /// How the reference in the signature is compared with the image; if omitted, `matchRepoDigestOrExact`, the default
    /// of containers-policy.json(5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_identity: Option<SignedIdentity>,
}

/// Whether the signature must be in a log, and in which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Log<K = KeyRef> {
    /// Any log of the pack, or none.
    Word(LogWord),
    /// A log with one of these keys.
    Keys(Vec<K>),
}

/// A log requirement without a specific log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogWord {
    /// Any log whose key is in the pack.
    Required,
    /// No log entry is required.
    None,
}

/// How the reference in a signature is compared with the image: the forms of containers-policy.json(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SignedIdentity {
    /// The same repository and tag, or digest.
    MatchExact {},
    /// The same; for an image referred to by digest, the same repository.
    MatchRepoDigestOrExact {},
    /// The same repository.
    MatchRepository {},
    /// This reference.
    ExactReference {
        /// `host/repository:tag` or `host/repository@digest`.
        docker_reference: String,
    },
    /// This repository.
    ExactRepository {
        /// `host/repository`.
        docker_repository: String,
    },
    /// The same after replacing a prefix of the image's name, for images that are pulled by a mirror's name.
    RemapIdentity {
        /// The prefix at the mirror.
        prefix: String,
        /// The prefix in the signature.
        signed_prefix: String,
    },
}

impl SignedIdentity {
    /// Checks that its values are valid names, which the types don't express.
    pub fn check(&self) -> Result<(), String> {
        let scope = |text: &str| text.parse::<Scope>();
        match self {
            Self::MatchExact {} | Self::MatchRepoDigestOrExact {} | Self::MatchRepository {} => Ok(()),
            Self::ExactReference { docker_reference } => {
                let image = scope(docker_reference)?.is_image();
                image.then_some(()).ok_or_else(|| format!("{docker_reference:?} has neither tag nor digest"))
            }
            Self::ExactRepository { docker_repository } => plain(docker_repository, true),
            Self::RemapIdentity { prefix, signed_prefix } => {
                plain(prefix, false).and_then(|()| plain(signed_prefix, false))
            }
        }
    }
}

/// A host or a path below it, without tag, digest and wildcard.
fn plain(text: &str, repository: bool) -> Result<(), String> {
    let scope = text.parse::<Scope>()?;
    if scope.is_image() || text.starts_with('*') || (repository && !text.contains('/')) {
        return Err(format!(
            "{text:?} is no {}",
            if repository { "repository" } else { "beginning of a name" }
        ));
    }
    Ok(())
}

impl Rule {
    /// Checks what the types don't express; `has` returns whether the rule's inventory has a key.
    pub fn check(&self, has: &dyn Fn(KeyRef) -> bool) -> Result<(), String> {
        for signer in &self.signers {
            signer.check()?;
            signer.check_issuer()?;
        }
        self.signed_identity.iter().try_for_each(SignedIdentity::check)?;
        for (key, roles) in self.keys() {
            if !roles.contains(&key.role) {
                return Err(format!("it names {key} as a {}", roles[0].title()));
            }
            if !has(key) {
                return Err(format!("it names {key}, which is not in the pack"));
            }
        }
        Ok(())
    }

    /// The same rule with keys named in another way, for display.
    pub fn named<K>(&self, name: &dyn Fn(KeyRef) -> K) -> Rule<K> {
        let all = |keys: &[KeyRef]| keys.iter().map(|key| name(*key)).collect();
        let signers = self.signers.iter().map(|signer| match signer {
            Signer::Key(key) => Signer::Key(name(*key)),
            Signer::Identity { authorities, subject, kind, issuer } => Signer::Identity {
                authorities: all(authorities),
                subject: subject.clone(),
                kind: *kind,
                issuer: issuer.clone(),
            },
        });
        Rule {
            scope: self.scope.clone(),
            signers: signers.collect(),
            log: match &self.log {
                Log::Word(word) => Log::Word(*word),
                Log::Keys(keys) => Log::Keys(all(keys)),
            },
            signed_identity: self.signed_identity.clone(),
        }
    }

    /// The keys that it names, each with the permitted roles.
    pub fn keys(&self) -> impl Iterator<Item = (KeyRef, &'static [Role])> {
        let signers = self.signers.iter().flat_map(|signer| match signer {
            Signer::Key(key) => vec![(*key, SIGNERS)],
            Signer::Identity { authorities, .. } => authorities.iter().map(|a| (*a, AUTHORITIES)).collect(),
        });
        let logs = match &self.log {
            Log::Keys(keys) => keys.as_slice(),
            Log::Word(_) => &[],
        };
        signers.chain(logs.iter().map(|key| (*key, LOGS)))
    }
}

/// The roles of keys that sign images.
const SIGNERS: &[Role] = &[Role::Signer, Role::Gpg];
/// The roles of authorities that certify identities.
const AUTHORITIES: &[Role] = &[Role::Fulcio, Role::Pki];
/// The roles of logs that record signatures.
const LOGS: &[Role] = &[Role::Rekor, Role::Rekor2];

impl<K: fmt::Display> fmt::Display for Rule<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed by ")?;
        if self.signers.is_empty() {
            write!(f, "no one (all signers were revoked)")?;
        }
        for (index, signer) in self.signers.iter().enumerate() {
            write!(f, "{}{signer}", if index > 0 { " or " } else { "" })?;
        }
        write!(f, "; log {}", self.log)?;
        self.signed_identity.iter().try_for_each(|identity| write!(f, "; identity {identity}"))
    }
}

impl<K: fmt::Display> fmt::Display for Log<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(LogWord::Required) => f.write_str("required"),
            Self::Word(LogWord::None) => f.write_str("none"),
            Self::Keys(keys) if keys.is_empty() => f.write_str("revoked"),
            Self::Keys(keys) => {
                f.write_str(&keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
            }
        }
    }
}

impl fmt::Display for SignedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MatchExact {} => f.write_str("matchExact"),
            Self::MatchRepoDigestOrExact {} => f.write_str("matchRepoDigestOrExact"),
            Self::MatchRepository {} => f.write_str("matchRepository"),
            Self::ExactReference { docker_reference } => write!(f, "exactReference {docker_reference}"),
            Self::ExactRepository { docker_repository } => write!(f, "exactRepository {docker_repository}"),
            Self::RemapIdentity { prefix, signed_prefix } => {
                write!(f, "remapIdentity {prefix} signed as {signed_prefix}")
            }
        }
    }
}
