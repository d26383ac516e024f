//! What a rule is to cosign: for each signer the options, and the keys that the trusted root may hold.

use super::super::keys::ExportKeys;
use crate::{
    display::{count, shell_word},
    key::{KeyRef, Role},
    policy::rule::{IdentityKind, Log, LogWord, Pattern, Rule, Signer},
};

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The key that it names.
    pub(super) signer: Option<KeyRef>,
    /// Logs and authorities, in order; for a private CA, nothing else.
    pub(super) trusted: Vec<KeyRef>,
    /// Whether the authorities are private ones.
    pub(super) is_private: bool,
    /// Whether some of its signatures are dated by a timestamp alone: certificates with an entry of Rekor v2.
    pub(super) may_need_timestamp: bool,
    /// The options in addition to the trusted root, each with a space before it.
    pub(super) options: String,
}

/// Nothing is asked about a CT log.
const NO_SCT: &str = " --insecure-ignore-sct=true";
/// No log is asked for.
const NO_LOG: &str = " --insecure-ignore-tlog=true";
/// An entry must come with the signature: without this, the log is asked over the network.
const LOG: &str = " --offline=true";

/// The lines, any of which may succeed, and where cosign does not check exactly what the rule says. No lines: all signers were revoked.
pub(super) fn lines(rule: &Rule, keys: &ExportKeys<'_>) -> Result<(Vec<Line>, Vec<String>), String> {
    let mut notes = Vec::new();
    let Some(logs) = logs(&rule.log, keys, &mut notes)? else { return Ok((Vec::new(), notes)) };
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    for signer in &rule.signers {
        match signer {
            Signer::Key(key) if !keys.has(*key) => {
                notes.push(format!("{key} may not sign any more: it was revoked on this host"));
            }
            Signer::Key(key) if key.role == Role::Gpg => {
                others.push("a GPG key, for which cosign has no option: `keypack verify` checks it");
            }
            Signer::Key(key) => lines.push(by_key(*key, &logs, keys)),
            Signer::Identity { authorities, subject, kind, issuer } => {
                let here: Vec<_> = authorities.iter().copied().filter(|key| keys.has(*key)).collect();
                if here.len() < authorities.len() {
                    let gone = count(authorities.len() - here.len(), "CA");
                    notes.push(format!("{gone} of {subject} left out: revoked on this host"));
                }
                let (private, public): (Vec<_>, Vec<_>) =
                    here.into_iter().partition(|key| key.role == Role::Pki);
                let who = identity(subject, issuer.as_ref());
                let is_logged = !logs.is_empty();
                if !private.is_empty() && is_logged {
                    others.push("a certificate of a private CA with a log entry, and keypack takes one that is logged for one of Fulcio: write log: none, or collect the CA with --key fulcio=FILE");
                } else if !private.is_empty() {
                    notes.push(format!(
                        "of signatures at tags, cosign checks the CA of {subject} at the time from which the signer's certificate is valid, and not now"
                    ));
                    lines.push(by_private_ca(&who, private));
                }
                if let Some(kind) = kind.filter(|_| !public.is_empty() || !is_logged) {
                    notes.push(differs_in_kind(kind, subject));
                }
                lines.extend(by_identity(&who, &public, &logs, keys)?);
            }
        }
    }
    let Some(other) = others.first() else { return Ok((lines, notes)) };
    if lines.is_empty() {
        return Err(format!("it asks for {other}"));
    }
    notes.push(format!("no line accepts {other}"));
    Ok((lines, notes))
}

/// The logs that count. `Some` of nothing: no log is asked for. None: one is, and all were revoked.
fn logs(log: &Log, keys: &ExportKeys<'_>, notes: &mut Vec<String>) -> Result<Option<Vec<KeyRef>>, String> {
    match log {
        Log::Word(LogWord::None) => Ok(Some(Vec::new())),
        Log::Word(LogWord::Required) => match all_logs(keys) {
            all if all.is_empty() => Err("it asks for a log entry, and the pack has no log's key".into()),
            all => Ok(Some(all)),
        },
        Log::Keys(named) => {
            let here: Vec<_> = named.iter().copied().filter(|key| keys.has(*key)).collect();
            if here.len() < named.len() {
                notes.push("a log was left out: its key was revoked on this host".into());
            }
            Ok(Some(here).filter(|here| !here.is_empty()))
        }
    }
}

fn all_logs(keys: &ExportKeys<'_>) -> Vec<KeyRef> {
    [Role::Rekor, Role::Rekor2].into_iter().flat_map(|role| keys.of_role(role)).collect()
}

fn by_key(key: KeyRef, logs: &[KeyRef], keys: &ExportKeys<'_>) -> Line {
    let log = if logs.is_empty() { NO_LOG } else { LOG };
    let options = format!(" --key {}{log}", shell_word(&format!("keys/{}", keys.file(key))));
    Line {
        signer: Some(key),
        trusted: sorted(logs.to_vec()),
        is_private: false,
        may_need_timestamp: false,
        options,
    }
}

/// Judged by the clock: nothing else says when it signed.
fn by_private_ca(who: &str, authorities: Vec<KeyRef>) -> Line {
    let options = format!("{who}{NO_LOG}{NO_SCT}");
    Line { signer: None, trusted: sorted(authorities), is_private: true, may_need_timestamp: false, options }
}

/// Certificates of Fulcio live for minutes, so that a log or a timestamp authority must say when they signed.
fn by_identity(
    who: &str,
    authorities: &[KeyRef],
    logs: &[KeyRef],
    keys: &ExportKeys<'_>,
) -> Result<Vec<Line>, String> {
    let stamps: Vec<_> = keys.of_role(Role::Tsa).collect();
    let mut lines = Vec::new();
    for has_ct in [true, false] {
        let of_kind: Vec<_> =
            authorities.iter().copied().filter(|key| keys.has_ct_logs(*key) == has_ct).collect();
        if of_kind.is_empty() {
            continue;
        }
        let sct = if has_ct { "" } else { NO_SCT };
        let ct_logs: Vec<_> = keys.of_role(Role::CtLog).filter(|_| has_ct).collect();
        let mut add = |logs: &[KeyRef], how: &str| {
            let trusted = [of_kind.as_slice(), &ct_logs, &stamps, logs].concat();
            lines.push(Line {
                signer: None,
                trusted: sorted(trusted),
                is_private: false,
                may_need_timestamp: !stamps.is_empty() && logs.iter().any(|key| key.role == Role::Rekor2),
                options: format!("{who}{how}{sct}"),
            });
        };
        if !logs.is_empty() {
            add(logs, LOG);
            continue;
        }
        let dated = all_logs(keys);
        if !dated.is_empty() {
            add(&dated, LOG);
        }
        if !stamps.is_empty() {
            add(&[], " --insecure-ignore-tlog=true --use-signed-timestamps=true");
        }
        if dated.is_empty() && stamps.is_empty() {
            return Err("its certificates live for minutes, and the pack has neither a log nor a timestamp authority that says when they signed".into());
        }
    }
    Ok(lines)
}

fn identity(subject: &Pattern, issuer: Option<&Pattern>) -> String {
    let option = |name: &str, pattern: &Pattern| match pattern {
        Pattern::Exact(text) => format!(" --{name}={}", shell_word(text)),
        // cosign looks for the expression anywhere.
        Pattern::Regexp(text) => format!(" --{name}-regexp={}", shell_word(&format!("^(?:{text})$"))),
    };
    let issuer = match issuer {
        Some(issuer) => option("certificate-oidc-issuer", issuer),
        None => " --certificate-oidc-issuer-regexp='.*'".to_owned(),
    };
    option("certificate-identity", subject) + &issuer
}

fn differs_in_kind(kind: IdentityKind, subject: &Pattern) -> String {
    format!("cosign accepts {subject} as a name of any kind, not of the kind {} alone", kind.as_str())
}

fn sorted(mut keys: Vec<KeyRef>) -> Vec<KeyRef> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
