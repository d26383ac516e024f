//! Binds rules to the keys of a pack. A rule that names a missing key would not mean what its author intended, so it is
//! an error; only revoked keys are left out, because then the intent is clear.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{AUTHORITIES, KeySelector, LOGS, Log, NamedKey, Rule, SIGNERS, Scope, Signer};
use crate::key::{Fingerprint, KeyRef, Role};

/// The keys that rules may name.
#[derive(Debug, Clone, Default)]
pub struct RuleKeys<'a> {
    /// The keys in the pack.
    pub present: Vec<NamedKey<'a>>,
    /// The keys of the replaced pack that were removed because they are revoked.
    pub gone: Vec<NamedKey<'a>>,
    /// Revoked fingerprints.
    pub revoked: BTreeSet<Fingerprint>,
}

/// Why rules can't be bound to the keys of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A scope has more than one rule.
    #[error("there are two rules for {0}")]
    TwoRules(Scope),
    /// A key that the rule can't use in this place.
    #[error("the rule for {scope} names {key}, which {reason}")]
    Key {
        /// The rule.
        scope: Scope,
        /// The key, as the rule names it.
        key: String,
        /// Why.
        reason: String,
    },
}

/// A revoked key that a rule names. It does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The rule.
    pub scope: Scope,
    /// The key, as the rule names it.
    pub key: String,
}

/// Converts rules as the user wrote them into rules with the keys of a pack, in the same order.
pub fn bind(
    rules: &[Rule<KeySelector>],
    keys: &RuleKeys<'_>,
) -> Result<(Vec<Rule>, Vec<Dropped>), RuleError> {
    let mut dropped = Vec::new();
    let mut bound = Vec::new();
    for rule in rules {
        let mut one = Binding { scope: &rule.scope, keys, dropped: &mut dropped };
        bound.push(one.rule(rule)?);
    }
    bound.sort_by(|a: &Rule, b| a.scope.cmp(&b.scope));
    if let Some(pair) = bound.windows(2).find(|pair| pair[0].scope == pair[1].scope) {
        return Err(RuleError::TwoRules(pair[0].scope.clone()));
    }
    Ok((bound, dropped))
}

struct Binding<'a> {
    scope: &'a Scope,
    keys: &'a RuleKeys<'a>,
    dropped: &'a mut Vec<Dropped>,
}

impl Binding<'_> {
    fn rule(&mut self, rule: &Rule<KeySelector>) -> Result<Rule, RuleError> {
        let mut signers = Vec::new();
        for signer in &rule.signers {
            match signer {
                Signer::Key(key) => signers.extend(self.all(key, SIGNERS)?.into_iter().map(Signer::Key)),
                Signer::Identity { authorities, subject, kind, issuer } => {
                    let authorities = self.each(authorities, AUTHORITIES)?;
                    let fulcio = authorities.iter().find(|key| key.role == Role::Fulcio);
                    if let (Some(key), None) = (fulcio, issuer) {
                        return Err(RuleError::Key {
                            scope: self.scope.clone(),
                            key: key.to_string(),
                            reason: "is a Fulcio CA: its signers need oidcIssuer or oidcIssuerRegexp".into(),
                        });
                    }
                    if !authorities.is_empty() {
                        let (subject, issuer) = (subject.clone(), issuer.clone());
                        signers.push(Signer::Identity { authorities, subject, kind: *kind, issuer });
                    }
                }
            }
        }
        signers.sort_by_cached_key(ToString::to_string);
        signers.dedup();
        let log = match &rule.log {
            Log::Word(word) => Log::Word(*word),
            Log::Keys(keys) => Log::Keys(self.each(keys, LOGS)?),
        };
        Ok(Rule { scope: rule.scope.clone(), signers, log, signed_identity: rule.signed_identity.clone() })
    }

    fn each(&mut self, selectors: &[KeySelector], roles: &'static [Role]) -> Result<Vec<KeyRef>, RuleError> {
        let mut keys = Vec::new();
        for selector in selectors {
            keys.extend(self.all(selector, roles)?);
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// The selected keys. Empty if all are revoked.
    fn all(&mut self, selector: &KeySelector, roles: &'static [Role]) -> Result<Vec<KeyRef>, RuleError> {
        let meant = |records: &[NamedKey<'_>]| -> Vec<KeyRef> {
            let fits = |r: &&NamedKey<'_>| roles.contains(&r.key.role) && selector.selects(r);
            records.iter().filter(fits).map(|r| r.key).collect()
        };
        let present = meant(&self.keys.present);
        if let (KeySelector::Pin(pin), [_, _, ..]) = (selector, present.as_slice()) {
            return Err(RuleError::Key {
                scope: self.scope.clone(),
                key: pin.to_string(),
                reason: format!("is the key of {} logs: write ROLE:FINGERPRINT@ORIGIN", present.len()),
            });
        }
        if !present.is_empty() {
            return Ok(present);
        }
        let revoked = selector.fingerprint().is_some_and(|f| self.keys.revoked.contains(&f));
        if revoked || !meant(&self.keys.gone).is_empty() {
            self.dropped.push(Dropped { scope: self.scope.clone(), key: selector.to_string() });
            return Ok(Vec::new());
        }
        // "A key of another role" is a better explanation than "not there".
        let other = self.keys.present.iter().find(|record| selector.selects(record));
        let reason = match other {
            Some(record) => {
                format!("is a {}, and a {} is wanted there", record.key.role.title(), roles[0].title())
            }
            None => "is not in the pack".to_owned(),
        };
        Err(RuleError::Key { scope: self.scope.clone(), key: selector.to_string(), reason })
    }
}

impl From<&Rule> for Rule<KeySelector> {
    fn from(rule: &Rule) -> Self {
        rule.named(&KeySelector::Key)
    }
}
