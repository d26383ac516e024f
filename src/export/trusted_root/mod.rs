//! sigstore's trusted root, plain and as the consumers that have a form of their own for it take it. It holds keys and asks for nothing,
//! so that it needs no rules and can't be checked against a mirror: the policy that uses it can.

mod policy_controller;
mod texts;

use serde_json::json;

pub(super) use self::policy_controller::{NO_ADDRESS, trust_root};

use super::{encoded, keys::ExportKeys};
use crate::{
    diag::{Code, Diagnostic},
    key::{KeyRef, Role},
};

/// The form of a trusted root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TrustedRootForm {
    /// `trusted_root.json`, for cosign and every other sigstore client.
    #[default]
    Plain,
    /// The field `trustedRoot` of Kyverno's ImageValidatingPolicy.
    Kyverno,
    /// A TrustRoot of policy-controller.
    PolicyController,
    /// A Secret for Flux's `trustedRootSecretRef`.
    Flux,
    /// What a signature integration of RHACS takes.
    Rhacs,
}

/// What a trusted root is made of.
pub(crate) struct TrustedRootInput<'a> {
    pub(crate) form: TrustedRootForm,
    pub(crate) keys: &'a ExportKeys<'a>,
    /// trusted_root.json, version 0.1.
    pub(crate) json: String,
    /// The name of the object.
    pub(crate) name: &'a str,
    /// The namespace of the Secret.
    pub(crate) namespace: Option<&'a str>,
}

/// The files, and what to know about them.
#[derive(Debug)]
pub(crate) struct TrustedRootFiles {
    form: TrustedRootForm,
    name: String,
    /// By path, without the first line of those that have comments.
    texts: Vec<(String, String)>,
    pub(crate) notes: Vec<Diagnostic>,
}

/// The texts by path, and the notes.
type Parts = (Vec<(String, String)>, Vec<Diagnostic>);

/// The file of a plain trusted root, as sigstore's TUF repositories call it.
const PLAIN: &str = "trusted_root.json";

/// Makes the files, or says why this consumer could not use them.
pub(crate) fn trusted_root(input: &TrustedRootInput<'_>) -> Result<TrustedRootFiles, Diagnostic> {
    let (texts, notes) = match input.form {
        TrustedRootForm::Plain => (vec![(PLAIN.into(), input.json.clone())], Vec::new()),
        TrustedRootForm::Kyverno => (vec![("trustedRoot.yaml".into(), kyverno(&input.json))], Vec::new()),
        TrustedRootForm::PolicyController => policy_controller::trust_root(input)?,
        TrustedRootForm::Flux => flux(input)?,
        TrustedRootForm::Rhacs => rhacs(input),
    };
    Ok(TrustedRootFiles { form: input.form, name: input.name.to_owned(), texts, notes })
}

/// kyverno/api policies.kyverno.io/v1, `attestors[].cosign.trustedRoot.value`: the JSON as one string.
pub(crate) fn kyverno(json: &str) -> String {
    let lines = escaped(json).lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!("trustedRoot:\n  value: |\n{lines}")
}

/// fluxcd/source-controller 1.9, `readTrustedRootFromSecret`; `rekorURLFromTrustedRoot` ends without the address of a log.
fn flux(input: &TrustedRootInput<'_>) -> Result<Parts, Diagnostic> {
    let logs = || of_roles(input.keys, &[Role::Rekor, Role::Rekor2]);
    if !logs().any(|key| input.keys.url(key).is_some()) {
        let what = match logs().next() {
            None => "Flux takes a trusted root with a log alone, and the pack has none".to_owned(),
            Some(key) => format!(
                "Flux takes the address of a log from the trusted root, and none is known of {}",
                input.keys.file(key)
            ),
        };
        return Err(unusable(what).hinting(
            "collect the log's key with its address, from a trusted_root.json or with --rekor URL, and pull again",
        ));
    }
    let mut notes = Vec::new();
    if of_roles(input.keys, &[Role::Fulcio]).next().is_none() {
        notes.push(differs(
            "Flux uses a trusted root for keyless signatures alone, and there is no CA in this one".into(),
        ));
    }
    let namespace = input.namespace.map(|name| format!("  namespace: {}\n", json!(name)));
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {}\n{}type: Opaque\ndata:\n  {PLAIN}: {}\n",
        json!(input.name),
        namespace.unwrap_or_default(),
        encoded(&input.json)
    );
    Ok((vec![(format!("{}.yaml", input.name), secret)], notes))
}

/// What releases have (stackrox/stackrox bed4a7b2, proto/storage/signature_integration.proto) are fields for one PEM each; the
/// TrustRoot of stackrox#22487 takes the document.
fn rhacs(input: &TrustedRootInput<'_>) -> Parts {
    let mut texts = vec![(PLAIN.to_owned(), input.json.clone())];
    let mut notes = Vec::new();
    for (role, field) in [
        (Role::Rekor, "transparency log's public key"),
        (Role::CtLog, "certificate transparency log's public key"),
    ] {
        let keys: Vec<_> = input.keys.of_role(role).collect();
        if keys.len() > 1 {
            notes.push(differs(format!(
                "the {field} of a signature integration is one, and there are {}: one integration for each",
                keys.len()
            )));
        }
        texts.extend(keys.iter().map(|key| (format!("pem/{}", input.keys.file(*key)), input.keys.pem(*key))));
    }
    let chains = of_roles(input.keys, &[Role::Fulcio]);
    texts.extend(chains.map(|key| (format!("pem/{}", input.keys.file(key)), input.keys.pem(key))));
    if of_roles(input.keys, &[Role::Rekor2, Role::Tsa]).next().is_some() {
        notes.push(differs(
            "a signature integration has no field for Rekor v2 and timestamp authorities: signatures that need them don't verify there"
                .into(),
        ));
    }
    (texts, notes)
}

fn of_roles(keys: &ExportKeys<'_>, roles: &'static [Role]) -> impl Iterator<Item = KeyRef> {
    roles.iter().flat_map(|role| keys.of_role(*role))
}

fn unusable(what: String) -> Diagnostic {
    Diagnostic::new(Code::TrustedRootUnusable, what)
}

fn differs(what: String) -> Diagnostic {
    Diagnostic::new(Code::ConsumerDiffers, what)
}

/// JSON that YAML reads alike: names in certificates may hold what ends a line there, or what it does not print. What is beyond ASCII
/// stands in strings alone.
pub(super) fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match u32::from(c) {
            code @ 0x7f..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_line_in_yaml_is_escaped() {
        let text = json!({"a": "x\u{85}y\u{2028}z\u{1f600}\n\"- b: é"}).to_string();
        let yaml = kyverno(&text);
        assert!(!yaml.contains(['\u{85}', '\u{2028}']) && yaml.lines().count() == 3, "{yaml}");
        let read: serde_json::Value = serde_json::from_str(yaml.lines().last().unwrap().trim()).unwrap();
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }
}
