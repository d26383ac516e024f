//! Targets that are one key or certificate each, as sigstore clients read them before `trusted_root.json`, and as RHTAS
//! still lists them.
//!
//! The purpose of a target is in its custom metadata, `{"sigstore": {"usage", "status", "uri"}}`; if no target has a
//! usage, the names decide (cosign, `pkg/cosign/tuf.go`: `GetTargetsByMeta` and its fallbacks). A key whose status is
//! `Expired` still verifies what was signed while it was in use.

use std::collections::BTreeSet;

use serde_json::Value;
use sigstore_tuf::Targets;

use super::{Items, TufError};
use crate::{
    address::plain,
    diag::{Code, Diagnostic},
    key::{Candidate, Chain, Key, KeyFileError, KeyId, Material, Provenance, Role, parse_key_file},
    limits,
    trust::check_chain,
};

/// The usages, and the names of targets without one.
const USAGES: [(Role, &str, &str); 4] = [
    (Role::Rekor, "Rekor", "rekor"),
    (Role::CtLog, "CTFE", "ctfe"),
    (Role::Fulcio, "Fulcio", "fulcio"),
    (Role::Tsa, "TSA", "tsa"),
];

/// The maximum number of certificates in a chain: real ones have two or three.
const LINKS: usize = 8;

/// A target that is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: String,
    role: Role,
    uri: Option<String>,
}

/// The single keys to read.
pub(super) fn listed(targets: &Targets, items: &Items) -> Result<Vec<Listed>, TufError> {
    let lacking = items.lacking();
    let mut found = Vec::new();
    for (role, usage, name) in USAGES.into_iter().filter(|(role, _, _)| lacking.contains(role)) {
        let says = |custom: &Option<Value>, field: &str| -> Option<String> {
            let value = custom.as_ref()?.get("sigstore")?.get(field)?.as_str()?;
            (!value.is_empty()).then(|| value.chars().take(300).collect())
        };
        let used =
            |custom: &Option<Value>| says(custom, "usage").is_some_and(|u| u.eq_ignore_ascii_case(usage));
        let named = |path: &str| {
            path.starts_with(name) && matches!(path.rsplit('.').next(), Some("pub" | "pem" | "crt"))
        };
        let by_usage = targets.targets.values().any(|target| used(&target.custom));
        for (path, target) in &targets.targets {
            if if by_usage { used(&target.custom) } else { named(path) } {
                let uri = says(&target.custom, "uri").map(|uri| plain(&uri).into_owned());
                let uri = uri.filter(|uri| !uri.is_empty());
                found.push(Listed { path: path.clone(), role, uri });
            }
        }
    }
    if found.len() > limits::TUF_KEYS {
        return Err(TufError::TooLarge(format!("more than {} targets that are keys", limits::TUF_KEYS)));
    }
    Ok(found)
}

/// Adds the keys of these targets. Certificates of one role are assembled into chains, because each may be in a
/// separate target.
pub(super) fn add(items: &mut Items, documents: &[(Provenance, Listed, Vec<u8>)]) {
    let mut chains = Vec::new();
    for (provenance, listed, bytes) in documents {
        let parsed = match parse_key_file(bytes) {
            Ok(parsed) => parsed,
            Err(e) => {
                let private = matches!(e, KeyFileError::PrivateKey { .. });
                let code = if private { Code::PrivateKey } else { Code::KeyMalformed };
                items.leave(&listed.path, None, Diagnostic::new(code, e.to_string()));
                continue;
            }
        };
        for unusable in parsed.unusable {
            let block = unusable.block.clone();
            items.leave(&listed.path, Some(&block), unusable.into());
        }
        for material in parsed.material {
            match material {
                Material::Chain(chain) if listed.role.is_chain() => chains.push((provenance, listed, chain)),
                Material::Key(_) if !listed.role.is_chain() => {
                    items.candidates.extend(candidate(listed, material, provenance));
                }
                _ => {
                    let reason = "its content is not what its usage says";
                    items.leave(&listed.path, None, Diagnostic::new(Code::KeyMalformed, reason));
                }
            }
        }
    }
    // A certificate that issued another target's certificate is part of that one's chain, not an authority by itself.
    let issuers: BTreeSet<KeyId> =
        chains.iter().filter_map(|(_, listed, chain)| Some(longer(chain, listed.role, &chains)?.1)).collect();
    for (provenance, listed, chain) in chains.iter().filter(|(_, _, chain)| !issuers.contains(&chain.id())) {
        let mut whole = chain.clone();
        while let Some((longer, _)) = longer(&whole, listed.role, &chains) {
            whole = longer;
        }
        match check_chain(&whole, listed.role) {
            Ok(()) => items.candidates.extend(candidate(listed, Material::Chain(whole), provenance)),
            Err(e) => items.leave(&listed.path, None, Diagnostic::new(Code::ChainRefused, e.to_string())),
        }
    }
}

/// `None` if it is not the kind of key that the role requires.
fn candidate(listed: &Listed, material: Material, provenance: &Provenance) -> Option<Candidate> {
    let key = Key::new(listed.role, material).ok()?.at(listed.uri.clone());
    Some(Candidate { key, provenance: provenance.clone() })
}

/// The chain extended by the certificates of the target that issued its last one, and the id of that target's chain.
/// The two roots that the public-good instance has had so far share one name, so the signature decides between them.
fn longer(chain: &Chain, role: Role, all: &[(&Provenance, &Listed, Chain)]) -> Option<(Chain, KeyId)> {
    let last = chain.certificates().last()?;
    if last.issuer() == last.subject() || chain.certificates().len() >= LINKS {
        return None;
    }
    let others = all.iter().filter(|(_, listed, other)| {
        listed.role == role && other != chain && other.first().subject() == last.issuer()
    });
    others.into_iter().find_map(|(_, _, other)| {
        let certificates = chain.certificates().iter().chain(other.certificates()).cloned().collect();
        let whole = Chain::new(certificates).ok().filter(|whole| check_chain(whole, role).is_ok())?;
        Some((whole, other.id()))
    })
}
