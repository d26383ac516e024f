//! OpenShift's ClusterImagePolicy and ImagePolicy (config.openshift.io, v1 and v1alpha1), rendered to policy.json and registries.d
//! as the machine-config-operator does (7ff337a, `pkg/controller/container-runtime-config/helpers.go`: `policyItemFromSpec`,
//! `updatePolicyJSON`, `generateSigstoreRegistriesdConfig`), and then evaluated like any other policy.
//!
//! - The default accepts anything, and so do the transports but docker (`templates/*/policy.yaml`).
//! - Two ClusterImagePolicies with one scope are both to be met.
//! - A scope of an ImagePolicy that equals or lies in one of a ClusterImagePolicy is left out (`getValidScopePolicies`).
//! - Attachments are switched on for every scope and for the mirrors that ImageDigestMirrorSets and ImageTagMirrorSets name for
//!   it: here, wherever the image lies that is pulled by a name in the scope.

mod builtin;
mod dto;
mod image_config;
mod manifest;
mod payload;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use builtin::{Builtin, builtin};
pub use image_config::{ImageConfig, PAYLOAD, RegistryRules};
pub use payload::{ImageReferences, PayloadPolicy, ReleaseImage, Summary};

use super::{ConsumerPolicy, PolicyFault, RegistriesD};
use manifest::Manifest;
pub(crate) use manifest::is_host;

/// A policy of OpenShift, rendered.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// As the nodes have it.
    pub policy: ConsumerPolicy,
    /// The scopes with attachments.
    pub registries: RegistriesD,
    /// The objects that it is made of: `ClusterImagePolicy openshift`.
    pub objects: Vec<String>,
    /// Scopes that OpenShift leaves out, and why.
    pub left_out: Vec<String>,
}

impl Rendered {
    /// What nodes have without any policy.
    pub fn of_nothing() -> Result<Self, PolicyFault> {
        let document = json!({"default": [{"type": "insecureAcceptAnything"}]});
        Ok(Self {
            policy: ConsumerPolicy::parse(document.to_string().as_bytes())?,
            registries: RegistriesD::default(),
            objects: Vec::new(),
            left_out: Vec::new(),
        })
    }
}

/// Whether a file holds objects of Kubernetes and no policy.json.
pub fn is_manifest(text: &str) -> bool {
    if text.trim_start().starts_with('{') {
        let read = serde_json::from_str::<Value>(text);
        return read.is_ok_and(|object| object.get("apiVersion").is_some());
    }
    // A policy.json is one object of JSON, and these may be documents of JSON in YAML.
    text.contains("apiVersion")
}

/// Renders the objects in a YAML or JSON file.
pub fn render(text: &str) -> Result<Rendered, PolicyFault> {
    let manifests = manifest::read(text)?;
    let (cluster, own): (Vec<_>, Vec<_>) =
        manifests.iter().partition(|manifest| manifest.namespace.is_none());
    let mut namespaces: Vec<_> = own.iter().filter_map(|manifest| manifest.namespace.as_deref()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    if let [first, second, ..] = namespaces.as_slice() {
        return Err(PolicyFault(format!(
            "it holds the ImagePolicies of several namespaces ({first:?}, {second:?}), and each of these has another policy: give one at a time"
        )));
    }
    let mut scopes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut left_out = Vec::new();
    let add = |scopes: &mut BTreeMap<String, Vec<Value>>, manifest: &Manifest, scope: &String| {
        scopes.entry(scope.clone()).or_default().push(manifest.requirement.clone());
    };
    for manifest in &cluster {
        for scope in &manifest.scopes {
            add(&mut scopes, manifest, scope);
        }
    }
    let of_cluster: Vec<_> = scopes.keys().cloned().collect();
    for manifest in &own {
        for scope in &manifest.scopes {
            match of_cluster.iter().find(|wider| is_nested(scope, wider)) {
                Some(wider) => left_out.push(format!(
                    "{}: the scope {scope:?} is within {wider:?} of a ClusterImagePolicy, and only that one counts (ConflictScopes)",
                    manifest.name()
                )),
                None => add(&mut scopes, manifest, scope),
            }
        }
    }
    let mut registries = RegistriesD::default();
    for scope in scopes.keys() {
        registries.switch_on(scope);
    }
    let document = json!({
        "default": [{"type": "insecureAcceptAnything"}],
        "transports": {"docker": scopes, "docker-daemon": {"": [{"type": "insecureAcceptAnything"}]}},
    });
    Ok(Rendered {
        policy: ConsumerPolicy::parse(document.to_string().as_bytes())?,
        registries,
        objects: manifests.iter().map(Manifest::name).collect(),
        left_out,
    })
}

/// Whether a scope equals or lies in another (openshift/runtime-utils, `ScopeIsNestedInsideScope`). A tag or a digest does not make it
/// a part of its repository.
fn is_nested(scope: &str, wider: &str) -> bool {
    if scope == wider || scope.strip_prefix(wider).is_some_and(|rest| rest.starts_with('/')) {
        return true;
    }
    let Some(domain) = wider.strip_prefix('*').filter(|domain| domain.starts_with('.')) else { return false };
    match scope.split_once(':') {
        Some((start, _)) => start.ends_with(domain) && !start.contains('/'),
        None => scope.split('/').next().is_some_and(|host| host.ends_with(domain)),
    }
}

/// Whether an entry of registries.conf is that of a name (containers/image, `refMatchingPrefix`).
fn contains(entry: &str, name: &str) -> bool {
    if let Some(domain) = entry.strip_prefix('*').filter(|domain| domain.starts_with('.')) {
        return name
            .split('/')
            .next()
            .is_some_and(|host| host.split(':').next().is_some_and(|host| host.ends_with(domain)));
    }
    name.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_as_in_runtime_utils() {
        for (scope, wider, nested) in [
            ("a.example", "a.example", true),
            ("a.example/b", "a.example", true),
            ("a.example/b", "a.example/", false),
            ("a.example:5000/b", "a.example", false),
            ("a.example/b:v1", "a.example/b", false),
            ("a.example/bc", "a.example/b", false),
            ("b.a.example/c", "*.a.example", true),
            ("b.a.example:5000/c", "*.a.example", true),
            ("*.b.a.example", "*.a.example", true),
            ("a.example", "*.a.example", false),
            ("other.example/b.a.example:v1", "*.a.example", false),
        ] {
            assert_eq!(is_nested(scope, wider), nested, "{scope} in {wider}");
        }
    }

    #[test]
    fn a_blocked_host_has_all_its_ports() {
        assert!(contains("a.example", "a.example:5000/b") && contains("*.example", "a.example:5000/b"));
        assert!(!contains("a.example/b", "a.example/bc") && !contains("*.example", "example/b"));
    }
}
