//! ImageVerificationConfig of Talos: siderolabs/talos v1.13.0 pkg/machinery/config/types/security/image_verification.go,
//! internal/pkg/containers/image/verify. The first rule whose pattern fits decides, and it holds one key. Keyless rules take a trusted
//! root from the public TUF repository, whose address is part of Talos; logs are not looked at with a key.

use std::fmt::Write as _;

use super::{
    admission::{AdmissionFiles, AdmissionInput, One, block, names_note},
    asked::Attestor,
    places::repositories,
};
use crate::{diag::Diagnostic, yaml::quoted};

/// Makes the document, or says for every rule why Talos can't be asked for it.
pub(crate) fn talos(input: &AdmissionInput<'_>) -> Result<AdmissionFiles, Vec<Diagnostic>> {
    let verifier = |one: &One<'_>| {
        verifier(one, input).map(|text| {
            let scopes: Vec<_> = one.places.scopes.iter().cloned().collect();
            (scopes, text)
        })
    };
    let (made, mut notes) = AdmissionFiles::of_each(input, &verifier)?;
    let mut rules: Vec<_> = made
        .into_iter()
        .flat_map(|(_, (scopes, text))| scopes.into_iter().map(move |scope| (scope, text.clone())))
        .collect();
    // The first that fits counts: wildcards last, and a narrower scope before the one that it is in.
    rules
        .sort_by_key(|(scope, _)| (scope.as_str().starts_with('*'), std::cmp::Reverse(scope.as_str().len())));
    let mut out = "apiVersion: v1alpha1\nkind: ImageVerificationConfig\nrules:\n".to_owned();
    for (scope, text) in rules {
        for pattern in repositories(&scope) {
            let _ = write!(out, "  - image: {}\n{text}", quoted(&pattern));
        }
    }
    notes.push(names_note("Talos"));
    Ok(AdmissionFiles {
        head: "Enforced: Talos pulls no image that does not meet its rule.".into(),
        texts: [(format!("{}.yaml", input.name), out)].into(),
        how: HOW.replace("NAME", input.name),
        notes,
    })
}

const HOW: &str = "\
Talos has no mode that only reports: try it on one node that you can do without.

Apply:    talosctl -n NODE patch machineconfig --patch @NAME.yaml      (a document of its own beside the machine config)
Try:      talosctl -n NODE image pull IMAGE
Go back:  talosctl -n NODE patch machineconfig --patch '{\"apiVersion\": \"v1alpha1\", \"kind\": \"ImageVerificationConfig\", \"$patch\": \"delete\"}'

A patch that is applied again replaces the rules with the same pattern and keeps the others: go back first where a rule is to go.
Images that no rule is about are pulled unverified, those of Talos and Kubernetes too.
";

type Refusal = String;

fn verifier(one: &One<'_>, input: &AdmissionInput<'_>) -> Result<String, Refusal> {
    if one.asked.signers.iter().any(|signer| matches!(signer, Attestor::Keyless(_))) {
        return Err(KEYLESS.into());
    }
    if !one.asked.logs.is_empty() {
        return Err("it asks for a log entry, and Talos looks at none where a key signs".into());
    }
    match one.asked.signers.as_slice() {
        [] => Ok("    deny: true\n".into()),
        [Attestor::Key(key)] => {
            // Named certificate, and read as a public key.
            let pem = block(&input.keys.pem(*key), 8);
            Ok(format!("    publicKey:\n      certificate: {pem}"))
        }
        several => {
            Err(format!("it accepts any of {} signers, and a rule of Talos holds one key", several.len()))
        }
    }
}

const KEYLESS: &str = "it accepts keyless signatures, for which Talos fetches a trusted root from the public TUF repository, whose address can't be changed: without the internet it would pull nothing";
