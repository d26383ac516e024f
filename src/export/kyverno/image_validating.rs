//! ImageValidatingPolicy: kyverno v1.19.0 pkg/image/verifiers/ivpol/cosign/opts.go, pkg/image/verification/evaluator.
//!
//! Only a key without a log is verified offline: for everything else Kyverno asks a TUF repository first, and fails without one, also
//! with a `trustedRoot` of its own. And it drops that trusted root where a key's log is ignored (kyverno#17562), so that the two are
//! never written together.

use std::fmt::Write as _;

use super::{KyvernoInput, NO_ADDRESS, SECONDS, Tuf};
use crate::{
    export::{
        admission::{One, block},
        asked::{Attestor, Keyless, anchored},
        places::expression,
    },
    key::{KeyRef, Role},
    policy::rule::Pattern,
    yaml::quoted,
};

type Refusal = String;

/// The object of a rule.
pub(super) fn text(one: &One<'_>, input: &KyvernoInput<'_>) -> Result<String, Refusal> {
    if input.admission.target.row < "1.19".parse()? {
        return Err(format!(
            "{} asks a TUF repository for every signature of an ImageValidatingPolicy (kyverno#16298): export a ClusterPolicy, or use 1.19",
            input.admission.target
        ));
    }
    let attestors = attestors(one, input)?;
    let (action, on_failure) = if input.admission.enforce { ("Deny", "Fail") } else { ("Audit", "Ignore") };
    let mut out = format!(
        "apiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\nmetadata:\n  name: {}\nspec:\n  validationActions:\n    - {action}\n  \
         failurePolicy: {on_failure}\n  webhookConfiguration:\n    timeoutSeconds: {SECONDS}\n  matchConstraints:\n    resourceRules:\n      \
         - apiGroups: [\"\"]\n        apiVersions: [v1]\n        operations: [CREATE, UPDATE]\n        resources: [pods]\n  matchImageReferences:\n    \
         - expression: {}\n",
        quoted(&one.name),
        quoted(&matched(one))
    );
    // As in a ClusterPolicy: one that only reports changes no pod.
    let _ = write!(
        out,
        "  validationConfigurations:\n    mutateDigest: {}\n    verifyDigest: false\n    required: true\n  attestors:\n",
        input.admission.enforce
    );
    out.push_str(&attestors.concat());
    let all: Vec<_> = (0..attestors.len()).map(|n| format!("attestors.signer{n}")).collect();
    out.push_str("  validations:\n");
    for kind in ["containers", "initContainers", "ephemeralContainers"] {
        let verifies = format!(
            "images.{kind}.map(image, verifyImageSignatures(image, [{}])).all(n, n > 0)",
            all.join(", ")
        );
        let message = format!("an image of {kind} has no signature that {} asks for", one.rule.scope);
        let _ = writeln!(out, "    - expression: {}\n      message: {}", quoted(&verifies), quoted(&message));
    }
    Ok(out)
}

/// Whether the rule is about an image: in one of its scopes, and in none of a narrower rule.
fn matched(one: &One<'_>) -> String {
    let in_one_of = |scopes: &mut dyn Iterator<Item = &crate::policy::rule::Scope>| -> String {
        let all: Vec<_> = scopes.map(|scope| format!("ref.matches(r'{}')", expression(scope))).collect();
        all.join(" || ")
    };
    let (here, inner) = (in_one_of(&mut one.places.scopes.iter()), in_one_of(&mut one.places.inner.iter()));
    if inner.is_empty() { here } else { format!("({here}) && !({inner})") }
}

/// One for each signer and log; any of them is enough.
fn attestors(one: &One<'_>, input: &KyvernoInput<'_>) -> Result<Vec<String>, Refusal> {
    let asked = &one.asked;
    if asked.signers.is_empty() {
        return Err("every signer, or every log, of it was revoked, and this policy can't deny: remove its images from the mirror, and the rule".into());
    }
    let logs =
        if asked.logs.is_empty() { vec![None] } else { asked.logs.iter().copied().map(Some).collect() };
    let mut all = Vec::new();
    for signer in &asked.signers {
        for log in &logs {
            let name = format!("    - name: signer{}\n      cosign:\n", all.len());
            let body = match (signer, log) {
                (Attestor::Key(key), None) => offline_key(*key, input),
                (Attestor::Key(key), Some(log)) => {
                    format!("{}{}", key_data(*key, input), with_log(*log, None, input)?)
                }
                (Attestor::Keyless(keyless), Some(log)) => {
                    format!("{}{}", identity(keyless), with_log(*log, Some(keyless), input)?)
                }
                (Attestor::Keyless(_), None) => return Err("a keyless signature needs a log".into()),
            };
            all.push(name + &body);
        }
    }
    Ok(all)
}

fn key_data(key: KeyRef, input: &KyvernoInput<'_>) -> String {
    format!("        key:\n          data: {}", block(&input.admission.keys.pem(key), 12))
}

fn offline_key(key: KeyRef, input: &KyvernoInput<'_>) -> String {
    format!(
        "{}        ctlog:\n          insecureIgnoreTlog: true\n          insecureIgnoreSCT: true\n",
        key_data(key, input)
    )
}

fn identity(keyless: &Keyless) -> String {
    let mut out = "        keyless:\n          identities:\n".to_owned();
    for (n, (name, pattern)) in
        [("issuer", &keyless.issuer), ("subject", &keyless.subject)].iter().enumerate()
    {
        let (field, text) = match pattern {
            Pattern::Exact(text) => ((*name).to_owned(), text.clone()),
            Pattern::Regexp(_) => (format!("{name}RegExp"), anchored(pattern)),
        };
        let _ = writeln!(out, "            {} {field}: {}", if n == 0 { "-" } else { " " }, quoted(&text));
    }
    out
}

/// The log, the CA and its CT logs as a trusted root that holds nothing else, and the TUF repository that is asked nevertheless.
fn with_log(log: KeyRef, keyless: Option<&Keyless>, input: &KyvernoInput<'_>) -> Result<String, Refusal> {
    let Some(Tuf { mirror, root }) = input.tuf else {
        return Err(
            "for a log entry or a certificate, an ImageValidatingPolicy asks a TUF repository before it looks at the keys that it is given: export a ClusterPolicy, or name one that Kyverno can reach with --tuf-mirror".into(),
        );
    };
    let keys = input.admission.keys;
    let is_in_ct_log = keyless.is_some_and(|keyless| keyless.is_in_ct_log(keys));
    let is_asked = |key: KeyRef| {
        key == log
            || keyless.is_some_and(|keyless| keyless.authorities.contains(&key))
            || (is_in_ct_log && key.role == Role::CtLog)
    };
    let url = keys.url(log).unwrap_or_else(|| NO_ADDRESS.to_owned());
    let mut out = format!("        ctlog:\n          url: {}\n", quoted(&url));
    if log.role == Role::Rekor {
        let _ = write!(out, "          rekorPubKey: {}", block(&keys.pem(log), 12));
    }
    if !is_in_ct_log {
        out.push_str("          insecureIgnoreSCT: true\n");
    }
    let json = keys.trusted_root(&is_asked).ok_or("the pack has no key for a trusted root")?;
    let _ = write!(
        out,
        "        trustedRoot:\n          value: {}",
        block(&crate::export::trusted_root::escaped(&json), 12)
    );
    let _ = writeln!(out, "        tuf:\n          mirror: {}", quoted(mirror));
    if let Some(root) = root {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let _ = writeln!(out, "          root:\n            data: {}", STANDARD.encode(root));
    }
    Ok(out)
}
