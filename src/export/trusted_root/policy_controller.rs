//! A TrustRoot of policy-controller (sigstore/policy-controller f925c0c1, pkg/apis/policy/v1alpha1/trustroot_types.go): keys that it
//! is given, because a TUF repository would have to be kept fresh in the cluster.

use super::{Parts, TrustedRootInput, differs, encoded, of_roles, unusable};
use crate::{
    diag::Diagnostic,
    key::{Algorithm, KeyRef, Material, Role},
    yaml::quoted,
};

/// Stands for an address that is not known, which the object must have and nothing asks for offline (RFC 2606).
pub(in crate::export) const NO_ADDRESS: &str = "https://unknown.invalid";

/// The object.
pub(in crate::export) fn trust_root(input: &TrustedRootInput<'_>) -> Result<Parts, Diagnostic> {
    let of = |role: &'static [Role]| of_roles(input.keys, role).collect::<Vec<_>>();
    let (authorities, stamps) = (of(&[Role::Fulcio]), of(&[Role::Tsa]));
    if authorities.is_empty() && stamps.is_empty() {
        return Err(unusable(
            "a TrustRoot must have a CA or a timestamp authority (its webhook refuses it), and the pack has neither"
                .into(),
        )
        .hinting("for signatures by key in a log, policy-controller needs no TrustRoot: give the key and its rekor.pub to a ClusterImagePolicy"));
    }
    let mut notes = Vec::new();
    // With one log of another kind, none of the keys would be taken (pkg/reconciler/trustroot/trustroot.go).
    let is_ecdsa = |key: &KeyRef| {
        matches!(input.keys.algorithm(*key), Some(Algorithm::EcdsaP256 | Algorithm::EcdsaP384))
    };
    let (logs, others): (Vec<_>, Vec<_>) = of(&[Role::Rekor, Role::Rekor2]).into_iter().partition(is_ecdsa);
    for key in others {
        notes.push(differs(format!(
            "{} was left out: policy-controller takes logs with ECDSA keys alone (Rekor v1), and no TrustRoot with another one",
            input.keys.file(key)
        )));
    }
    let ct_logs = of(&[Role::CtLog]);
    let all = || authorities.iter().chain(&stamps).chain(&logs).chain(&ct_logs);
    if let Some(key) = all().find(|key| input.keys.end(**key).is_some()) {
        notes.push(differs(format!(
            "a TrustRoot has no dates: {}, which was in use for some time, counts for ever",
            input.keys.file(*key)
        )));
    }
    if let Some(key) = all().find(|key| input.keys.url(**key).is_none()) {
        notes.push(differs(format!(
            "the address of {} is not known and must be in a TrustRoot: it is {NO_ADDRESS} there",
            input.keys.file(*key)
        )));
    }
    let log = |key: &KeyRef| {
        let address = input.keys.url(*key).unwrap_or_else(|| NO_ADDRESS.into());
        let pem = encoded(&input.keys.pem(*key));
        format!(
            "      - baseURL: {}\n        hashAlgorithm: sha-256\n        publicKey: {pem}\n",
            quoted(&address)
        )
    };
    let authority = |key: &KeyRef| authority(*key, input);
    let lists = [
        list("certificateAuthorities", &authorities, &authority),
        list("tLogs", &logs, &log),
        list("ctLogs", &ct_logs, &log),
        list("timestampAuthorities", &stamps, &authority),
    ];
    let text = format!(
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata:\n  name: {}\nspec:\n  sigstoreKeys:\n{}",
        quoted(input.name),
        lists.concat()
    );
    Ok((vec![(format!("{}.yaml", input.name), text)], notes))
}

fn list(name: &str, keys: &[KeyRef], entry: &dyn Fn(&KeyRef) -> String) -> String {
    match keys {
        [] => String::new(),
        keys => format!("    {name}:\n{}", keys.iter().map(entry).collect::<String>()),
    }
}

/// The webhook wants both names of the subject, and nothing reads them.
fn authority(key: KeyRef, input: &TrustedRootInput<'_>) -> String {
    let Some(Material::Chain(chain)) = input.keys.material(key) else { return String::new() };
    let root = chain.certificates().last().unwrap_or_else(|| chain.first());
    let name = root.common_name();
    format!(
        "      - subject:\n          organization: {}\n          commonName: {}\n        uri: {}\n        certChain: {}\n",
        quoted(&root.organisation().unwrap_or_else(|| name.clone())),
        quoted(&name),
        quoted(&input.keys.url(key).unwrap_or_else(|| NO_ADDRESS.into())),
        encoded(&chain.to_pem())
    )
}
