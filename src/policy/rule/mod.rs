//! Rules: what the organisation says must sign what. Only a person writes them; what was observed is a draft.
//!
//! The shape is what the consumers have in common, so that each of their policies can be derived from it:
//! containers-policy.json(5) `sigstoreSigned` (keys or a CA with issuer and subject, Rekor keys, `signedIdentity`),
//! OpenShift's ClusterImagePolicy (the same, one key each), Kyverno's and the policy-controller's attestors, cosign's
//! flags. What one of them can't express, its export refuses.

mod bind;
mod draft;
mod file;
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

/// What must sign a scope. `K` is how keys are named: by role and id in an inventory, as a person does elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(bound(serialize = "K: Clone + Serialize", deserialize = "K: Deserialize<'de>"))]
pub struct Rule<K = KeyRef> {
    /// The images. Each scope has one rule.
    pub scope: Scope,
    /// Who may sign; one of them is enough. None is left where all were revoked: then nothing satisfies the rule.
    pub signers: Vec<Signer<K>>,
    /// Whether a transparency log must hold the signature. It is always said: leaving a log out is a decision.
    pub log: Log<K>,
    /// How the reference in the signature is compared with the image; without it as containers-policy.json(5) does by
    /// default, `matchRepoDigestOrExact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_identity: Option<SignedIdentity>,
}

/// Whether a log must hold the signature, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Log<K = KeyRef> {
    /// Any log of the pack, or none at all.
    Word(LogWord),
    /// A log with one of these keys.
    Keys(Vec<K>),
}

/// A log, without saying which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogWord {
    /// Any log whose key is in the pack.
    Required,
    /// No log entry is asked for.
    None,
}

/// How the reference in a signature is compared with the image: the forms of containers-policy.json(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SignedIdentity {
    /// The same repository and tag, or digest.
    MatchExact {},
    /// The same; for an image that is named by digest, the same repository.
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
    /// The same after the beginning of the image's name was replaced: for images that are pulled by a mirror's name.
    RemapIdentity {
        /// The beginning as the mirror has it.
        prefix: String,
        /// The beginning as the signer wrote it.
        signed_prefix: String,
    },
}

impl SignedIdentity {
    /// Whether its values are names, which the types do not say.
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

/// A host or what lies below it, without tag, digest and wildcard.
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
    /// What the types do not say; `has` says which keys the inventory has that it stands in.
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

    /// The same rule with keys named otherwise: for people.
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

    /// The keys that it names, each with the roles that fit there.
    fn keys(&self) -> impl Iterator<Item = (KeyRef, &'static [Role])> {
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
/// The roles of what certifies identities.
const AUTHORITIES: &[Role] = &[Role::Fulcio, Role::Pki];
/// The roles of logs that hold signatures.
const LOGS: &[Role] = &[Role::Rekor, Role::Rekor2];

impl<K: fmt::Display> fmt::Display for Rule<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed by ")?;
        if self.signers.is_empty() {
            write!(f, "nobody (all signers were revoked)")?;
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
