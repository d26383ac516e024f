//! ClusterPolicy with verifyImages: api/kyverno/v1/image_verification_types.go, pkg/engine/internal/imageverifier.go,
//! pkg/cosign and, from 1.19 on, pkg/image/verifiers/cpol/cosign. With every key in the policy, tags are verified offline.

use std::fmt::Write as _;

use super::{KyvernoInput, NO_ADDRESS, SECONDS};
use crate::{
    export::{
        admission::{One, block, list},
        asked::{Attestor, Keyless, anchored},
        places::wildcards,
        requirement::v1_logs,
    },
    key::KeyRef,
    policy::rule::{Pattern, Scope},
    yaml::quoted,
};

type Refusal = String;

/// The object of a rule.
pub(super) fn text(one: &One<'_>, input: &KyvernoInput<'_>) -> Result<String, Refusal> {
    let entries = entries(one, input)?;
    let patterns = |scopes: &mut dyn Iterator<Item = &Scope>| -> Result<Vec<String>, Refusal> {
        Ok(scopes.map(wildcards).collect::<Result<Vec<_>, _>>()?.concat())
    };
    let matched = patterns(&mut one.places.scopes.iter())?;
    let skipped = patterns(&mut one.places.inner.iter())?;
    let enforce = input.admission.enforce;
    let (action, on_failure) = if enforce { ("Enforce", "Fail") } else { ("Audit", "Ignore") };
    let kind = if input.bundles { "SigstoreBundle" } else { "Cosign" };
    let mut out = format!(
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata:\n  name: {}\nspec:\n  background: false\n  webhookConfiguration:\n    \
         failurePolicy: {on_failure}\n    timeoutSeconds: {SECONDS}\n  rules:\n    - name: signatures\n      match:\n        any:\n          \
         - resources:\n              kinds:\n                - Pod\n      verifyImages:\n        - type: {kind}\n          failureAction: {action}\n",
        quoted(&one.name)
    );
    let _ = write!(out, "          imageReferences:\n{}", list(&matched, 12));
    if !skipped.is_empty() {
        let _ = write!(out, "          skipImageReferences:\n{}", list(&skipped, 12));
    }
    // A policy that only reports must not change pods; one that refuses must, or a tag could move before the image is pulled.
    let _ = write!(
        out,
        "          mutateDigest: {enforce}\n          verifyDigest: false\n          required: true\n          attestors:\n            \
         - count: 1\n              entries:\n{}",
        entries.concat()
    );
    Ok(out)
}

/// One for each signer, log and CT log, since an entry holds one of each; any of them is enough.
fn entries(one: &One<'_>, input: &KyvernoInput<'_>) -> Result<Vec<String>, Refusal> {
    let keys = input.admission.keys;
    let asked = &one.asked;
    if asked.signers.is_empty() {
        return Err("every signer, or every log, of it was revoked, and this policy can't deny: remove its images from the mirror, and the rule".into());
    }
    if input.bundles {
        let by_key = |signer: &Attestor| matches!(signer, Attestor::Key(_));
        if !asked.logs.is_empty() || !asked.signers.iter().all(by_key) {
            return Err("for bundles with certificates or log entries, a ClusterPolicy takes a trusted root from a TUF repository alone: tags are verified offline, and an ImageValidatingPolicy takes a trusted root".into());
        }
        if input.admission.target.row < "1.19".parse()? {
            return Err(format!(
                "{} can't verify bundles by key without a TUF repository: 1.19 can",
                input.admission.target
            ));
        }
    }
    let logs = if asked.logs.is_empty() {
        vec![None]
    } else {
        v1_logs(&asked.logs, keys)?.0.into_iter().map(Some).collect()
    };
    let mut entries = Vec::new();
    for signer in &asked.signers {
        for log in &logs {
            match signer {
                Attestor::Key(key) => entries.push(by_key(*key, *log, input)),
                Attestor::Keyless(keyless) => {
                    let ct_logs = keyless.ct_logs(keys)?;
                    if ct_logs.is_empty() {
                        entries.push(by_identity(keyless, *log, None, input));
                    }
                    entries.extend(ct_logs.iter().map(|ct| by_identity(keyless, *log, Some(*ct), input)));
                }
            }
        }
    }
    Ok(entries)
}

fn by_key(key: KeyRef, log: Option<KeyRef>, input: &KyvernoInput<'_>) -> String {
    let pem = block(&input.admission.keys.pem(key), 22);
    // Without this, the keys of CT logs are fetched, although a key has no certificate.
    let ctlog = "                    ctlog:\n                      ignoreSCT: true\n";
    format!("                - keys:\n                    publicKeys: {pem}{}{ctlog}", rekor(log, input))
}

fn by_identity(
    keyless: &Keyless,
    log: Option<KeyRef>,
    ct_log: Option<KeyRef>,
    input: &KyvernoInput<'_>,
) -> String {
    let keys = input.admission.keys;
    let roots = keys.pems(&keyless.authorities);
    let mut out = format!("                - keyless:\n                    roots: {}", block(&roots, 22));
    for (name, pattern) in [("subject", &keyless.subject), ("issuer", &keyless.issuer)] {
        // The exact form has wildcards: `*` and `?`.
        let (field, text) = match pattern {
            Pattern::Exact(text) if !text.contains(['*', '?']) => (name.to_owned(), text.clone()),
            pattern => (format!("{name}RegExp"), anchored(pattern)),
        };
        let _ = writeln!(out, "                    {field}: {}", quoted(&text));
    }
    out.push_str(&rekor(log, input));
    out.push_str("                    ctlog:\n");
    out.push_str(&match ct_log {
        Some(key) => format!("                      pubkey: {}", block(&keys.pem(key), 24)),
        None => "                      ignoreSCT: true\n".to_owned(),
    });
    out
}

/// An entry is in the signature itself; the address, which must not be empty, is asked only for a signature without one.
fn rekor(log: Option<KeyRef>, input: &KyvernoInput<'_>) -> String {
    let keys = input.admission.keys;
    let url = log.and_then(|key| keys.url(key)).unwrap_or_else(|| NO_ADDRESS.to_owned());
    let what = match log {
        Some(key) => format!("                      pubkey: {}", block(&keys.pem(key), 24)),
        None => "                      ignoreTlog: true\n".to_owned(),
    };
    format!("                    rekor:\n                      url: {}\n{what}", quoted(&url))
}
