//! The expected signers of an image, and whether a valid signature is by one of them.

use std::collections::BTreeSet;

use super::{
    judge::{Good, Judged},
    names::Names,
    pattern::TextPattern,
};
use crate::{
    diag::{Code, Diagnostic},
    key::{KeyRef, Role},
    ops::Context,
    pack::{IdentityKind, Log, LogWord, Rule, SignedIdentity, Signer},
    registry::Host,
};

/// The expected certificate identity, as given on the command line.
#[derive(Debug, Clone)]
pub struct ExpectedIdentity {
    /// The name in the certificate.
    pub name: TextPattern,
    /// The OIDC issuer; if omitted, only certificates of a private CA count, which have none.
    pub issuer: Option<TextPattern>,
}

/// Warns of expressions that match more than they look like.
pub(super) fn warn_of_expressions(identity: Option<&ExpectedIdentity>, ctx: &Context) {
    let patterns = identity.into_iter().flat_map(|identity| [Some(&identity.name), identity.issuer.as_ref()]);
    for pattern in patterns.flatten().filter(|pattern| pattern.is_unanchored()) {
        ctx.events.warn(&format!(
            "the expression {pattern} may match in the middle of a name, as cosign's do: begin it with ^ and end it with $"
        ));
    }
}

impl ExpectedIdentity {
    /// Whether a certificate with these names matches.
    pub(in crate::ops) fn is(&self, good: &[crate::key::SubjectName], issuer: Option<&str>) -> bool {
        let issued = match (&self.issuer, issuer) {
            (Some(wanted), Some(issuer)) => wanted.matches(issuer),
            (None, None) => true,
            _ => false,
        };
        issued && good.iter().any(|name| self.name.matches(&name.name))
    }
}

/// The expected signers in this run.
pub(super) enum Expected {
    /// Those named by the rules of the pack; for images outside the rules, the pack's signer keys.
    Rules(Vec<Prepared>),
    /// The identity given on the command line, for every image.
    Identity(ExpectedIdentity),
}

/// A rule with its regular expressions compiled.
pub(super) struct Prepared {
    rule: Rule,
    signers: Vec<PreparedSigner>,
}

enum PreparedSigner {
    Key(KeyRef),
    Identity {
        authorities: Vec<KeyRef>,
        subject: TextPattern,
        kind: Option<IdentityKind>,
        issuer: Option<TextPattern>,
    },
}

/// The requirements for an image.
pub(super) enum Demand<'a> {
    /// One of these rules, which match it equally well.
    Rules(Vec<&'a Prepared>),
    /// The identity given on the command line.
    Identity(&'a ExpectedIdentity),
    /// None: a signature by a signer key of the pack counts.
    SignerKeys,
}

impl Expected {
    pub(super) fn new(rules: Vec<Rule>, identity: Option<ExpectedIdentity>) -> Result<Self, Diagnostic> {
        match identity {
            Some(identity) => Ok(Self::Identity(identity)),
            None => Ok(Self::Rules(rules.into_iter().map(Prepared::new).collect::<Result<_, _>>()?)),
        }
    }

    /// The hosts in the rules.
    pub(super) fn hosts(&self) -> Vec<String> {
        let Self::Rules(rules) = self else { return Vec::new() };
        let hosts: BTreeSet<_> = rules
            .iter()
            .map(|rule| rule.rule.scope.as_str().split('/').next().unwrap_or_default())
            .filter(|host| Host::is_evident(host) || host.starts_with("*."))
            .map(str::to_owned)
            .collect();
        hosts.into_iter().collect()
    }

    /// The requirements for an image with these names.
    pub(super) fn demand(&self, names: &Names) -> Demand<'_> {
        let rules = match self {
            Self::Identity(identity) => return Demand::Identity(identity),
            Self::Rules(rules) => rules,
        };
        let fits = |rule: &&Prepared| names.fit(&rule.rule.scope);
        match rules.iter().filter_map(|rule| fits(&rule)).max() {
            None => Demand::SignerKeys,
            best => Demand::Rules(rules.iter().filter(|rule| fits(rule) == best).collect()),
        }
    }

    /// The number of rules, for a summary.
    pub(super) fn rules(&self) -> usize {
        if let Self::Rules(rules) = self { rules.len() } else { 0 }
    }
}

impl Demand<'_> {
    /// Whether a signature is required.
    pub(super) const fn is_required(&self) -> bool {
        !matches!(self, Self::SignerKeys)
    }

    /// Where the requirement was stated.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Rules(rules) => {
                let scopes: Vec<_> = rules.iter().map(|rule| rule.rule.scope.to_string()).collect();
                Some(scopes.join(" or "))
            }
            Self::Identity(_) => Some("--certificate-identity".into()),
            Self::SignerKeys => None,
        }
    }

    /// Whether a valid signature counts; if not, the reason.
    pub(super) fn counts(&self, good: &Good, judged: &Judged, names: &Names) -> Result<(), Diagnostic> {
        match self {
            Self::SignerKeys if good.signer_key().is_some() => Ok(()),
            Self::SignerKeys => Err(Diagnostic::new(
                Code::SignerWithoutRule,
                "it is good, and no rule says whether its signer should sign this image",
            )),
            Self::Identity(identity) if identity.is(&good.names, good.issuer.as_deref()) => Ok(()),
            Self::Identity(_) => Err(Diagnostic::new(
                Code::SignerUnexpected,
                "it is good, and not by the identity that the command line expects",
            )),
            Self::Rules(rules) => {
                let mut why = Diagnostic::new(
                    Code::SignerUnexpected,
                    format!(
                        "it is good, and the rule for {} does not name its signer",
                        self.name().unwrap_or_default()
                    ),
                );
                for rule in rules {
                    match rule.counts(good, judged, names) {
                        Ok(true) => return Ok(()),
                        Ok(false) => {}
                        Err(e) => why = e,
                    }
                }
                Err(why)
            }
        }
    }
}

impl Prepared {
    fn new(rule: Rule) -> Result<Self, Diagnostic> {
        let unreadable = || {
            Diagnostic::new(
                Code::InventoryMalformed,
                format!("an expression in the rule for {} can't be read", rule.scope),
            )
        };
        let pattern = |pattern| TextPattern::of_rule(pattern).ok_or_else(unreadable);
        let signers = rule
            .signers
            .iter()
            .map(|signer| match signer {
                Signer::Key(key) => Ok(PreparedSigner::Key(*key)),
                Signer::Identity { authorities, subject, kind, issuer } => Ok(PreparedSigner::Identity {
                    authorities: authorities.clone(),
                    subject: pattern(subject)?,
                    kind: *kind,
                    issuer: issuer.as_ref().map(pattern).transpose()?,
                }),
            })
            .collect::<Result<_, Diagnostic>>()?;
        Ok(Self { rule, signers })
    }

    /// Whether a signature is by one of the signers; an error if it is, but does not meet another requirement.
    fn counts(&self, good: &Good, judged: &Judged, names: &Names) -> Result<bool, Diagnostic> {
        if !self.signers.iter().any(|signer| signer.made(good)) {
            return Ok(false);
        }
        let scope = &self.rule.scope;
        let logged = match &self.rule.log {
            Log::Word(LogWord::None) => true,
            Log::Word(LogWord::Required) => good.logs().next().is_some(),
            Log::Keys(keys) => good.logs().any(|log| keys.iter().any(|key| is_log(*key, log))),
        };
        if !logged {
            return Err(Diagnostic::new(
                Code::NotLogged,
                format!("the rule for {scope} asks for a log that holds it, and none that it names does"),
            ));
        }
        match &self.rule.signed_identity {
            Some(identity) if !judged.reference.as_deref().is_some_and(|r| names.satisfy(identity, r)) => {
                let signed = judged.reference.as_deref().unwrap_or("no name");
                Err(Diagnostic::new(
                    Code::NameDiffers,
                    format!(
                        "it was made for {signed}, and the rule for {scope} asks for {}",
                        wanted(identity)
                    ),
                ))
            }
            _ => Ok(true),
        }
    }
}

/// Whether a rule's log is the one that verified: a key listed for Rekor v1 may be one for Rekor v2.
fn is_log(named: KeyRef, verified: KeyRef) -> bool {
    named.id == verified.id && named.role.may_serve_as(verified.role)
}

fn wanted(identity: &SignedIdentity) -> String {
    identity.to_string()
}

impl PreparedSigner {
    fn made(&self, good: &Good) -> bool {
        match self {
            Self::Key(key) => good.signer_key() == Some(*key),
            Self::Identity { authorities, subject, kind, issuer } => {
                let certified =
                    |key: &KeyRef| matches!(key.role, Role::Fulcio | Role::Pki) && authorities.contains(key);
                let issued = match (issuer, &good.issuer) {
                    (Some(wanted), Some(issuer)) => wanted.matches(issuer),
                    (Some(_), None) => false,
                    // Only a private CA may be named without an issuer.
                    (None, _) => good.keys.iter().any(|key| key.role == Role::Pki),
                };
                issued
                    && good.keys.iter().any(certified)
                    && good.names.iter().any(|name| {
                        kind.is_none_or(|kind| kind == name.kind.into()) && subject.matches(&name.name)
                    })
            }
        }
    }
}

#[cfg(test)]
mod tests;
