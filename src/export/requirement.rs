//! What a rule asks of a consumer of containers/image, the library of podman, CRI-O, skopeo and OpenShift's nodes. A rule that it
//! can't be asked is refused with the reason: what is exported never asks for less than the rule.

use std::fmt;

use super::{
    keys::ExportKeys,
    remaining::{Remaining, remaining},
};
use crate::{
    key::{Algorithm, KeyRef, Role},
    policy::{
        rule::{IdentityKind, Log, LogWord, Pattern, Rule, SignedIdentity, Signer},
        target::{Feature, Target},
    },
};

/// What an image must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) root: Root,
    /// The logs, any of which must hold the entry; none, if no entry is asked for.
    pub(super) logs: Vec<KeyRef>,
    pub(super) identity: Option<SignedIdentity>,
    /// Where the consumer does not check exactly what the rule says.
    pub(super) notes: Vec<String>,
}

/// Who may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// The holder of one of these keys.
    Keys(Vec<KeyRef>),
    /// The same for GPG.
    Gpg(Vec<KeyRef>),
    /// An e-mail address that one of these CAs certifies.
    Fulcio { authorities: Vec<KeyRef>, email: String, issuer: String },
    /// A name that one of these private CAs certifies.
    Pki { authorities: Vec<KeyRef>, name: CertificateName },
    /// No one: every signer, or every log, was revoked.
    Nobody,
}

/// The name in a certificate of a private CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CertificateName {
    Email(String),
    Host(String),
}

type Refusal = String;

/// What a rule asks for.
pub(super) fn needed(rule: &Rule, keys: &ExportKeys<'_>) -> Result<Needed, Refusal> {
    let mut notes = Vec::new();
    let Some(Remaining { signers, log }) = remaining(rule, keys, &mut notes) else {
        return Ok(Needed { root: Root::Nobody, logs: Vec::new(), identity: None, notes });
    };
    let identity = rule.signed_identity.clone();
    let root = root(&signers, keys, &mut notes)?;
    let logs = logs(&log, &root, keys, &mut notes)?;
    Ok(Needed { root, logs, identity, notes })
}

/// One kind of signers: each requirement of a policy must be met, so that two kinds can't be alternatives.
fn root(signers: &[Signer], keys: &ExportKeys<'_>, notes: &mut Vec<String>) -> Result<Root, Refusal> {
    let named: Vec<KeyRef> = signers
        .iter()
        .filter_map(|signer| match signer {
            Signer::Key(key) => Some(*key),
            Signer::Identity { .. } => None,
        })
        .collect();
    let of_role = |role| named.iter().all(|key| key.role == role);
    match (named.len() == signers.len(), signers) {
        (true, _) if of_role(Role::Signer) => {
            for key in &named {
                if let Some(what) = hash_note(*key, keys) {
                    notes.push(what);
                }
            }
            Ok(Root::Keys(named))
        }
        (true, _) if of_role(Role::Gpg) => {
            notes.push("its GPG signatures are read below the lookaside address in the hosts' registries.d, which keypack does not write; --registries-d shows these files to --check".into());
            Ok(Root::Gpg(named))
        }
        (true, _) => Err("it accepts a GPG key or a cosign key, and this consumer can only ask for both at once".into()),
        (false, [Signer::Identity { authorities, subject, kind, issuer }]) => {
            if authorities.iter().all(|key| key.role == Role::Pki) {
                let name = certificate_name(subject, *kind, notes)?;
                return Ok(Root::Pki { authorities: authorities.clone(), name });
            }
            fulcio(authorities, subject, *kind, issuer.as_ref(), keys, notes)
        }
        (false, _) => Err(
            "it accepts one of several identities, or an identity or a key, and this consumer can only ask for all of them at once"
                .into(),
        ),
    }
}

/// Measured (facts in docs/consumers.md): containers/image verifies with SHA-256 only, whatever the key.
pub(super) fn hash_note(key: KeyRef, keys: &ExportKeys<'_>) -> Option<String> {
    let signs = match keys.algorithm(key)? {
        Algorithm::EcdsaP384 => "cosign 3 signs with P-384 and SHA-384",
        Algorithm::Ed25519 => "cosign 3 signs Ed25519ph",
        _ => return None,
    };
    Some(format!("{}: {signs}, which this consumer refuses; signatures by cosign 2 pass", keys.file(key)))
}

fn exact<'a>(pattern: &'a Pattern, what: &str) -> Result<&'a str, Refusal> {
    match pattern {
        Pattern::Exact(text) => Ok(text),
        Pattern::Regexp(_) => {
            Err(format!("its {what} is a regular expression, and this consumer compares exact names"))
        }
    }
}

fn is_email(text: &str) -> bool {
    let mut parts = text.split('@');
    let good = |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && !part.contains(['/', ':']));
    good(parts.next()) && good(parts.next()) && parts.next().is_none() && !text.contains(char::is_whitespace)
}

fn fulcio(
    authorities: &[KeyRef],
    subject: &Pattern,
    kind: Option<IdentityKind>,
    issuer: Option<&Pattern>,
    keys: &ExportKeys<'_>,
    notes: &mut Vec<String>,
) -> Result<Root, Refusal> {
    let email = exact(subject, "identity")?;
    let is_other = matches!(kind, Some(IdentityKind::Uri | IdentityKind::Dns));
    if is_other || !is_email(email) {
        return Err(format!(
            "its identity {email:?} is not an e-mail address, and this consumer compares e-mail addresses alone"
        ));
    }
    let issuer = issuer.ok_or("it names no oidcIssuer, and this consumer requires one")?;
    let issuer = exact(issuer, "oidcIssuer")?.to_owned();
    if authorities.iter().any(|key| keys.has_ct_logs(*key)) {
        notes.push(
            "this consumer does not check the CT timestamp of certificates; keypack verify does".into(),
        );
    }
    Ok(Root::Fulcio { authorities: authorities.to_vec(), email: email.to_owned(), issuer })
}

fn certificate_name(
    subject: &Pattern,
    kind: Option<IdentityKind>,
    notes: &mut Vec<String>,
) -> Result<CertificateName, Refusal> {
    let name = exact(subject, "identity")?;
    match kind {
        Some(IdentityKind::Email) => Ok(CertificateName::Email(name.to_owned())),
        Some(IdentityKind::Dns) => {
            // Go's VerifyHostname (signature/pki_cert.go).
            if let Some((_, domain)) = name.split_once('.').filter(|(first, _)| *first != "*") {
                notes.push(format!("this consumer takes a certificate for *.{domain} for one of {name}"));
            }
            Ok(CertificateName::Host(name.to_owned()))
        }
        None if is_email(name) => Ok(CertificateName::Email(name.to_owned())),
        _ => Err(format!(
            "its identity {name:?} is neither an e-mail address nor a host's name (identityKind: dns), which are all that this consumer compares"
        )),
    }
}

/// The logs, any of which may hold the entry; none, where no entry is asked for.
pub(super) fn logs_of(log: &Log, keys: &ExportKeys<'_>) -> Vec<KeyRef> {
    match log {
        Log::Word(LogWord::None) => Vec::new(),
        Log::Word(LogWord::Required) => {
            [Role::Rekor, Role::Rekor2].into_iter().flat_map(|role| keys.of_role(role)).collect()
        }
        Log::Keys(all) => all.clone(),
    }
}

fn logs(
    log: &Log,
    root: &Root,
    keys: &ExportKeys<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<KeyRef>, Refusal> {
    let all = logs_of(log, keys);
    let asks = *log != Log::Word(LogWord::None);
    match root {
        Root::Fulcio { .. } if !asks => {
            return Err("it asks for no log, and this consumer takes certificates of Fulcio with a log entry alone: write log: required".into());
        }
        Root::Pki { .. } | Root::Gpg(_) if asks => {
            return Err(
                "it asks for a log entry, and this consumer checks none with GPG and with private CAs".into(),
            );
        }
        _ if !asks => return Ok(Vec::new()),
        _ => {}
    }
    // A key of Rekor v2 among them would make the consumer refuse every image.
    let (v1, note) = v1_logs(&all, keys)?;
    notes.extend(note);
    Ok(v1)
}

/// Those of the logs whose promises in a signature's entry older code verifies: Rekor v1, with ECDSA.
pub(super) fn v1_logs(
    all: &[KeyRef],
    keys: &ExportKeys<'_>,
) -> Result<(Vec<KeyRef>, Option<String>), Refusal> {
    let v1: Vec<_> = all.iter().copied().filter(|key| key.role == Role::Rekor).collect();
    if v1.is_empty() {
        return Err("it asks for a log entry, and no log of the rule that is in the pack is a Rekor v1, the only kind that this consumer verifies".into());
    }
    let is_ecdsa =
        |key: &KeyRef| matches!(keys.algorithm(*key), Some(Algorithm::EcdsaP256 | Algorithm::EcdsaP384));
    if let Some(key) = v1.iter().find(|key| !is_ecdsa(key)) {
        return Err(format!(
            "the log key {} is not ECDSA, the only kind that this consumer takes",
            keys.file(*key)
        ));
    }
    let note = (v1.len() < all.len())
        .then(|| "entries of Rekor v2 do not count here: this consumer verifies Rekor v1 alone".to_owned());
    Ok((v1, note))
}

impl Needed {
    /// Whether this version can be asked for it.
    pub(super) fn fits(&self, target: &Target) -> Result<(), Refusal> {
        let need = |feature, what: &dyn fmt::Display| {
            if target.has(feature) {
                return Ok(());
            }
            Err(format!("{target} ({}) can't be asked for {what}", target.library))
        };
        match &self.root {
            Root::Keys(keys) => {
                need(Feature::TagSignatures, &"sigstore signatures")?;
                if keys.len() > 1 {
                    need(
                        Feature::SeveralKeys,
                        &format!("one of {} keys, only for a single one", keys.len()),
                    )?;
                }
            }
            Root::Gpg(keys) => {
                need(Feature::SimpleSigning, &"GPG signatures")?;
                if keys.len() > 1 {
                    need(Feature::SeveralGpgFiles, &"GPG keys in several files")?;
                }
            }
            Root::Fulcio { .. } => need(Feature::FulcioEmail, &"certificates of Fulcio")?,
            Root::Pki { .. } => need(Feature::Pki, &"certificates of a private CA")?,
            Root::Nobody => {}
        }
        match self.logs.len() {
            0 => Ok(()),
            1 => need(Feature::Rekor, &"log entries"),
            n => need(Feature::Rekor, &"log entries").and_then(|()| {
                need(
                    Feature::SeveralLogs,
                    &format!("an entry in one of {n} logs, only in a single one: name it in the rule's log"),
                )
            }),
        }
    }

    /// Whether its signatures are those at tags, which registries.d switches on.
    pub(super) const fn reads_attachments(&self) -> bool {
        matches!(self.root, Root::Keys(_) | Root::Fulcio { .. } | Root::Pki { .. })
    }
}
