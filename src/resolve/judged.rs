//! The result for one signature, and for its needs once all signatures have been verified.

use std::{collections::BTreeMap, sync::Arc};

use super::{Answer, Answers, ResolvedKey, choice::Options};
use crate::{
    key::{KeyRef, NameKind, Role},
    oci::Digest,
    signature::Need,
    trust::{Refusal, Verified},
};

/// The result of verifying one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Judged {
    pub(super) needs: Vec<Need>,
    /// The fingerprint of the signer's key in the log entry.
    pub(super) claim: Option<Digest>,
    /// The keys that it verified with.
    pub(super) keys: Vec<KeyRef>,
    /// The keys that it did not verify with.
    pub(super) refused: Vec<(KeyRef, Refusal)>,
    /// The certificate's subject and OIDC issuer, if the signature was made with a certificate.
    pub(super) identity: Option<String>,
    pub(super) identity_kind: Option<NameKind>,
    pub(super) oidc_issuer: Option<String>,
    /// Why it does not verify with all of the needed keys that are available.
    pub(super) refusal: Option<Refusal>,
}

impl Judged {
    /// Adds what one combination proved. Returns whether that covers everything available.
    pub(super) fn add(&mut self, verified: &Verified) -> bool {
        self.keys.extend(verified.keys());
        self.refused.extend(verified.refused().iter().cloned());
        self.identity = verified.identity().map(str::to_owned);
        let named = verified.names().iter().find(|name| verified.identity() == Some(&name.name));
        self.identity_kind = named.map(|name| name.kind);
        self.oidc_issuer = verified.oidc_issuer().map(str::to_owned);
        match verified.refused() {
            [] => true,
            [.., (_, refusal)] => {
                self.refusal = Some(refusal.clone());
                false
            }
        }
    }

    pub(super) fn answers(
        self,
        proved: &BTreeMap<KeyRef, ResolvedKey>,
        options: &BTreeMap<Need, Arc<Options>>,
    ) -> Answers {
        let answers: Vec<_> = self
            .needs
            .iter()
            .map(|need| {
                let keys = options.get(need).map_or(&[][..], |options| &options.keys);
                (need.clone(), self.answer(need, keys, proved))
            })
            .collect();
        let refusal = self.refusal.clone().filter(|refusal| !is_said(refusal, &answers));
        let Self { keys, identity, identity_kind, oidc_issuer, .. } = self;
        Answers { needs: answers, refusal, keys, identity, identity_kind, oidc_issuer }
    }

    fn answer(&self, need: &Need, options: &[ResolvedKey], proved: &BTreeMap<KeyRef, ResolvedKey>) -> Answer {
        let mut keys = options.iter().map(|option| option.key.key_ref());
        let first = keys.clone().next();
        let have =
            keys.find(|key| if need.is_vague() { self.keys.contains(key) } else { proved.contains_key(key) });
        let claim = if need.role() == Role::Signer { self.claim } else { None };
        match (have, first) {
            (Some(key), _) => Answer::Have(key),
            // Signer keys that happen to be available are not rejected by a signature that names none of them.
            (None, _) if need.is_unnamed() => Answer::Missing { claim },
            (None, Some(key)) => {
                let all = self.refusal.as_ref();
                let own =
                    self.refused.iter().find(|(refused, _)| *refused == key).map(|(_, refusal)| refusal);
                let refusal = all.filter(|_| need.is_vague()).or(own).or(all);
                let unmade = || Refusal::Signature("this key did not make it".into());
                Answer::Refused { key, refusal: refusal.cloned().unwrap_or_else(unmade) }
            }
            (None, None) => Answer::Missing { claim },
        }
    }
}

/// Whether the answers for the needs already explain why the signature does not verify.
fn is_said(refusal: &Refusal, needs: &[(Need, Answer)]) -> bool {
    let unmet = needs.iter().any(|(_, answer)| !matches!(answer, Answer::Have(_)));
    (unmet && matches!(refusal, Refusal::NoKey { .. }))
        || needs.iter().any(|(need, answer)| match answer {
            Answer::Refused { refusal: said, .. } => said == refusal,
            // None of the available keys made it, which is the same as a missing key.
            Answer::Missing { .. } => need.is_unnamed() && matches!(refusal, Refusal::Signature(_)),
            Answer::Have(_) => false,
        })
}
