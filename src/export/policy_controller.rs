//! ClusterImagePolicy of policy-controller: sigstore/policy-controller v0.15.1 pkg/apis/policy/v1beta1, pkg/webhook/validator.go.
//! Without a reference to a TrustRoot it takes keys from a TUF repository, so each signer that needs a log or a CA gets a TrustRoot that
//! holds exactly these.

use std::fmt::Write as _;

use super::{
    admission::{AdmissionFiles, AdmissionInput, One, block, mirrors_note, names_note},
    asked::{Attestor, Keyless, anchored},
    places::globs,
    requirement::v1_logs,
    trusted_root::{NO_ADDRESS, TrustedRootForm, TrustedRootInput, trust_root},
};
use crate::{
    diag::{Code, Diagnostic},
    key::{KeyRef, Role},
    policy::rule::Pattern,
    yaml::quoted,
};

type Refusal = String;

/// An object with the TrustRoots that it names.
struct Objects {
    policy: String,
    /// Whether it looks for bundles too.
    has_bundles: bool,
    /// Whether one of its CAs has others above it.
    has_chain: bool,
    roots: Vec<(String, String)>,
}

/// Makes the objects, or says for every rule why policy-controller can't be asked for it.
pub(crate) fn policy_controller(input: &AdmissionInput<'_>) -> Result<AdmissionFiles, Vec<Diagnostic>> {
    let (made, notes) = AdmissionFiles::of_each(input, &|one| objects(one, input))?;
    let mut files = AdmissionFiles {
        head: head(input.enforce).to_owned(),
        how: how(input.enforce),
        notes,
        ..AdmissionFiles::default()
    };
    let has_bundles = made.iter().any(|(_, objects)| objects.has_bundles);
    // pkg/webhook/validator.go, fulcioCertsFromAuthority: the certificates that signed themselves are the anchors.
    if made.iter().any(|(_, objects)| objects.has_chain) {
        let what = "policy-controller trusts the root above a CA: certificates of that root, and of every other CA below it, count too";
        files.notes.push(Diagnostic::new(Code::ConsumerDiffers, what));
    }
    for (name, objects) in made {
        files.texts.insert(format!("policies/{name}.yaml"), objects.policy);
        files
            .texts
            .extend(objects.roots.into_iter().map(|(name, text)| (format!("trust-roots/{name}.yaml"), text)));
    }
    files.notes.extend(mirrors_note("policy-controller", input.pulled_by));
    files.notes.push(names_note("policy-controller"));
    let what = if has_bundles {
        "policy-controller verifies bundles of keyless signers; of signers by key it reads signatures at tags alone"
    } else {
        "policy-controller reads signatures of signers by key at tags alone, not in bundles (policy-controller#1958)"
    };
    files.notes.push(Diagnostic::new(Code::ConsumerDiffers, what));
    Ok(files)
}

const fn head(enforce: bool) -> &'static str {
    if enforce {
        "Enforced: pods whose images don't meet their rule are refused, also while the registry can't be reached."
    } else {
        "It warns, and stops nothing that one of its rules is about."
    }
}

fn how(enforce: bool) -> String {
    let next = if enforce { "" } else { "Enforce:  export again with --enforce\n" };
    format!(
        "Before:   kubectl get configmap -n cosign-system config-policy-controller -o yaml: unless no-match-policy is warn or allow there, images\n          \
         that no rule is about are refused, also while the rules only warn\n\
         Apply:    kubectl apply -f trust-roots, if there are any; kubectl wait --for=condition=Ready trustroot --all; kubectl apply -f policies\n\
         Label:    kubectl label namespace NAMESPACE policy.sigstore.dev/include=true: other namespaces are not looked at\n{next}\
         Go back:  kubectl label namespace NAMESPACE policy.sigstore.dev/include-, or kubectl delete -f policies\n"
    )
}

fn objects(one: &One<'_>, input: &AdmissionInput<'_>) -> Result<Objects, Refusal> {
    if let Some(inner) = one.places.inner.first() {
        return Err(format!(
            "the rule for {inner} is inside of it, and policy-controller asks an image for what every policy that fits says"
        ));
    }
    let globs: Vec<_> = one.places.scopes.iter().map(globs).collect::<Result<Vec<_>, _>>()?.concat();
    let mut objects = Objects {
        policy: format!(
            "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata:\n  name: {}\nspec:\n  mode: {}\n  images:\n{}  authorities:\n",
            quoted(&one.name),
            if input.enforce { "enforce" } else { "warn" },
            globs.iter().map(|glob| format!("    - glob: {}\n", quoted(glob))).collect::<String>()
        ),
        has_bundles: false,
        has_chain: false,
        roots: Vec::new(),
    };
    if one.asked.signers.is_empty() {
        objects.policy.push_str(
            "    - name: revoked\n      static:\n        action: fail\n        message: every signer of it was revoked\n",
        );
    }
    let logs = if one.asked.logs.is_empty() { Vec::new() } else { v1_logs(&one.asked.logs, input.keys)?.0 };
    for (number, signer) in one.asked.signers.iter().enumerate() {
        let name = format!("signer{number}");
        match signer {
            Attestor::Key(key) => {
                let pem = block(&input.keys.pem(*key), 10);
                let _ = write!(objects.policy, "    - name: {name}\n      key:\n        data: {pem}");
                if !logs.is_empty() {
                    let root = root(number, one, &logs, None, input)?;
                    objects.policy.push_str(&log(&root.0, &logs, input));
                    objects.roots.push(root);
                }
            }
            Attestor::Keyless(keyless) => {
                let root = root(number, one, &logs, Some(keyless), input)?;
                let body = format!("{}{}", identity(keyless, &root.0, input), log(&root.0, &logs, input));
                // One for tags and one for bundles: either is enough.
                objects.has_bundles = true;
                objects.has_chain |= keyless.authorities.iter().any(|key| input.keys.is_chain(*key));
                let _ = write!(
                    objects.policy,
                    "    - name: {name}\n{body}    - name: {name}-bundle\n      signatureFormat: bundle\n{body}"
                );
                objects.roots.push(root);
            }
        }
    }
    Ok(objects)
}

fn identity(keyless: &Keyless, root: &str, input: &AdmissionInput<'_>) -> String {
    // It must have an address, which nothing asks where there is a TrustRoot.
    let url = keyless.authorities.iter().find_map(|key| input.keys.url(*key));
    let mut out = format!(
        "      keyless:\n        url: {}\n        trustRootRef: {}\n",
        quoted(url.as_deref().unwrap_or(NO_ADDRESS)),
        quoted(root)
    );
    if !keyless.is_in_ct_log(input.keys) {
        out.push_str("        insecureIgnoreSCT: true\n");
    }
    out.push_str("        identities:\n");
    for (start, name, pattern) in [("- ", "issuer", &keyless.issuer), ("  ", "subject", &keyless.subject)] {
        let (field, text) = match pattern {
            Pattern::Exact(text) => (name.to_owned(), text.clone()),
            Pattern::Regexp(_) => (format!("{name}RegExp"), anchored(pattern)),
        };
        let _ = writeln!(out, "          {start}{field}: {}", quoted(&text));
    }
    out
}

fn log(root: &str, logs: &[KeyRef], input: &AdmissionInput<'_>) -> String {
    let url = logs.iter().find_map(|key| input.keys.url(*key));
    format!(
        "      ctlog:\n        url: {}\n        trustRootRef: {}\n",
        quoted(url.as_deref().unwrap_or(NO_ADDRESS)),
        quoted(root)
    )
}

/// A TrustRoot with the logs, the signer's CAs and their CT logs. It must have a CA; for a key, no one looks at it.
fn root(
    number: usize,
    one: &One<'_>,
    logs: &[KeyRef],
    keyless: Option<&Keyless>,
    input: &AdmissionInput<'_>,
) -> Result<(String, String), Refusal> {
    let ct_logs = keyless.map(|keyless| keyless.ct_logs(input.keys)).transpose()?.unwrap_or_default();
    let is_asked = |key: KeyRef| {
        logs.contains(&key)
            || ct_logs.contains(&key)
            || keyless.map_or(key.role == Role::Fulcio, |keyless| keyless.authorities.contains(&key))
    };
    // Numbers alone make names of other rules unlike each other.
    let name = if number == 0 { one.name.clone() } else { format!("{}.signer{number}", one.name) };
    let keys = input.keys.only(&is_asked);
    let input = TrustedRootInput {
        form: TrustedRootForm::PolicyController,
        keys: &keys,
        json: String::new(),
        name: &name,
        namespace: None,
    };
    let (mut texts, _) = trust_root(&input).map_err(|why| why.message)?;
    let text = texts.pop().map(|(_, text)| text).unwrap_or_default();
    Ok((name, text))
}
