use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde_json::Value;
use thiserror::Error;

use super::{
    Evaluator, Files,
    fields::{Fields, fault},
    keys::Ready,
    requirement::Requirement,
};
use crate::signature::strict_json;

/// A policy.json that its consumer loads.
#[derive(Debug, Clone)]
pub struct ConsumerPolicy(pub(super) Scopes<Requirement>);

/// Requirements by scope.
#[derive(Debug, Clone)]
pub(super) struct Scopes<R> {
    pub(super) default: Vec<R>,
    /// The scopes of the transport docker.
    pub(super) docker: BTreeMap<String, Vec<R>>,
}

/// Why the consumer refuses to load the file: then every pull fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PolicyFault(pub(super) String);

impl ConsumerPolicy {
    /// Reads a policy.json.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyFault> {
        let document: Value =
            strict_json::parse("the policy", bytes).map_err(|e| PolicyFault(e.to_string()))?;
        let fields = Fields::of("the policy", &document, &["default", "transports"])?;
        let default = fields.value("default").ok_or_else(|| fault("the policy", "default is missing"))?;
        let default = requirements("default", default)?;
        let mut docker = BTreeMap::new();
        let transports = match fields.value("transports") {
            Some(value) => value.as_object().ok_or_else(|| fault("transports", "it must be an object"))?,
            None => &serde_json::Map::new(),
        };
        for (transport, scopes) in transports {
            let scopes = scopes.as_object().ok_or_else(|| fault(transport, "it must be an object"))?;
            for (scope, list) in scopes {
                let what = format!("{transport} {scope:?}");
                if !scope.is_empty() && !is_scope(transport, scope) {
                    return Err(fault(&what, "the transport has no such scope"));
                }
                let list = requirements(&what, list)?;
                if transport == "docker" {
                    docker.insert(scope.clone(), list);
                }
            }
        }
        Ok(Self(Scopes { default, docker }))
    }

    /// The scopes of the transport docker, without its default.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.docker.keys().map(String::as_str).filter(|scope| !scope.is_empty())
    }

    /// Whether anything in it asks for a sigstore signature.
    pub fn asks_for_sigstore(&self) -> bool {
        let mut all = self.0.default.iter().chain(self.0.docker.values().flatten());
        all.any(|requirement| matches!(requirement, Requirement::Sigstore { .. }))
    }

    /// The files that it names.
    pub fn paths(&self) -> BTreeSet<PathBuf> {
        let all = self.0.default.iter().chain(self.0.docker.values().flatten());
        all.flat_map(|requirement| requirement.paths().cloned()).collect()
    }

    /// The policy with the keys that it names, of which `files` are those that it does not hold itself.
    pub fn with(&self, files: &Files) -> Evaluator {
        let ready = |list: &Vec<Requirement>| list.iter().map(|r| Ready::of(r, files)).collect();
        Evaluator(vec![Scopes {
            default: ready(&self.0.default),
            docker: self.0.docker.iter().map(|(scope, list)| (scope.clone(), ready(list))).collect(),
        }])
    }
}

fn requirements(what: &str, value: &Value) -> Result<Vec<Requirement>, PolicyFault> {
    let list = value.as_array().ok_or_else(|| fault(what, "it must be a list of requirements"))?;
    if list.is_empty() {
        return Err(fault(what, "the list of requirements is empty"));
    }
    list.iter().map(|value| Requirement::read(what, value)).collect()
}

/// What each transport takes for a scope (`ValidatePolicyConfigurationScope`); those that the consumer does not know, and
/// docker, take anything.
fn is_scope(transport: &str, scope: &str) -> bool {
    match transport {
        "dir" | "sif" => scope != "/" && is_clean(scope),
        "oci" | "oci-archive" => is_clean(scope),
        "docker-archive" | "tarball" => false,
        "docker-daemon" => !is_digest(scope),
        "atomic" => is_openshift(scope),
        "containers-storage" => is_store(scope),
        _ => true,
    }
}

/// An absolute path as Go's `filepath.Clean` leaves it.
fn is_clean(path: &str) -> bool {
    path == "/"
        || path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")))
}

fn is_digest(text: &str) -> bool {
    let length = |algorithm| match algorithm {
        "sha256" => Some(64),
        "sha384" => Some(96),
        "sha512" => Some(128),
        _ => None,
    };
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        length(algorithm) == Some(hex.len())
            && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// `HOST[/NAMESPACE[/STREAM[:TAG]]]` (`openshift/openshift_transport.go`).
fn is_openshift(scope: &str) -> bool {
    let parts: Vec<_> = scope.split('/').collect();
    match parts.as_slice() {
        [_] => true,
        [_, namespace] => !namespace.contains(':'),
        [_, namespace, stream] => !namespace.contains(':') && stream.matches(':').count() <= 1,
        _ => false,
    }
}

/// `[DRIVER@ROOT]REFERENCE` or `[ROOT]REFERENCE` (`storage/storage_transport.go`).
fn is_store(scope: &str) -> bool {
    let Some((store, _)) = scope.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return false;
    };
    match store.split_once('@') {
        Some((driver, root)) => !driver.is_empty() && root.starts_with('/'),
        None => store.starts_with('/'),
    }
}
