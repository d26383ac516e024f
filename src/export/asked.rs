//! What a rule asks of an admission controller that verifies with cosign's code: Kyverno, policy-controller, Talos. They compare the
//! digest in a signature, and never the name; whether they fetch anything is a matter of what they are given.

use super::{
    keys::ExportKeys,
    remaining::{Remaining, remaining},
    requirement::{hash_note, logs_of},
};
use crate::{
    key::{KeyRef, Role},
    policy::rule::{Pattern, Rule, Signer},
};

/// What an image must meet.
#[derive(Debug)]
pub(super) struct Asked {
    /// Any of them may sign; none, if all were revoked.
    pub(super) signers: Vec<Attestor>,
    /// The logs, any of which must hold the entry; none, if no entry is asked for.
    pub(super) logs: Vec<KeyRef>,
    /// Where the consumer does not check exactly what the rule says.
    pub(super) notes: Vec<String>,
}

/// Who may sign.
#[derive(Debug)]
pub(super) enum Attestor {
    /// The holder of a key.
    Key(KeyRef),
    /// An identity that one of these CAs certifies.
    Keyless(Keyless),
}

#[derive(Debug)]
pub(super) struct Keyless {
    pub(super) authorities: Vec<KeyRef>,
    pub(super) subject: Pattern,
    pub(super) issuer: Pattern,
}

type Refusal = String;

/// What a rule asks for.
pub(super) fn asked(rule: &Rule, keys: &ExportKeys<'_>) -> Result<Asked, Refusal> {
    let mut notes = Vec::new();
    let Some(Remaining { signers, log }) = remaining(rule, keys, &mut notes) else {
        return Ok(Asked { signers: Vec::new(), logs: Vec::new(), notes });
    };
    let logs = logs_of(&log, keys);
    if logs.is_empty() && log != crate::policy::rule::Log::Word(crate::policy::rule::LogWord::None) {
        return Err("it asks for a log entry, and the pack has the key of no log".into());
    }
    let attestors: Result<Vec<_>, _> =
        signers.into_iter().map(|signer| attestor(signer, keys, logs.is_empty(), &mut notes)).collect();
    Ok(Asked { signers: attestors?, logs, notes })
}

fn attestor(
    signer: Signer,
    keys: &ExportKeys<'_>,
    is_without_log: bool,
    notes: &mut Vec<String>,
) -> Result<Attestor, Refusal> {
    match signer {
        Signer::Key(key) if key.role == Role::Signer => {
            notes.extend(hash_note(key, keys));
            Ok(Attestor::Key(key))
        }
        Signer::Key(_) => {
            Err("it accepts a GPG key, and this consumer knows sigstore signatures alone".into())
        }
        Signer::Identity { authorities, .. } if authorities.iter().any(|key| key.role == Role::Pki) => Err(
            "it accepts certificates of a private CA, and this consumer can't be asked for the names in them".into(),
        ),
        Signer::Identity { .. } if is_without_log => Err(
            "it accepts keyless signatures and asks for no log: their certificates end after minutes, and only a log entry shows that they were valid when they signed: write log: required".into(),
        ),
        Signer::Identity { authorities, subject, kind, issuer } => {
            let issuer = issuer.ok_or("it names no oidcIssuer, and this consumer requires one")?;
            if let Some(kind) = kind {
                notes.push(format!(
                    "this consumer compares {subject} with every name in the certificate, not only with those of kind {}",
                    kind.as_str()
                ));
            }
            Ok(Attestor::Keyless(Keyless { authorities, subject, issuer }))
        }
    }
}

impl Keyless {
    /// Whether its certificates must be in a CT log.
    pub(super) fn is_in_ct_log(&self, keys: &ExportKeys<'_>) -> bool {
        self.authorities.iter().any(|key| keys.has_ct_logs(*key))
    }

    /// The CT logs, any of which may hold the certificate; none, where its CA has none.
    pub(super) fn ct_logs(&self, keys: &ExportKeys<'_>) -> Result<Vec<KeyRef>, Refusal> {
        if !self.is_in_ct_log(keys) {
            return Ok(Vec::new());
        }
        let all: Vec<_> = keys.of_role(Role::CtLog).collect();
        if all.is_empty() {
            return Err("its CA's certificates are in a CT log, and the pack has the key of none".into());
        }
        Ok(all)
    }
}

/// A name or an expression as an anchored regular expression in RE2, which is what these consumers search with.
pub(super) fn anchored(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) => format!("^{}$", regex::escape(text)),
        Pattern::Regexp(text) => format!("^(?:{text})$"),
    }
}
