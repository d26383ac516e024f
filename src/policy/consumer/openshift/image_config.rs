//! `image.config.openshift.io`: the registries that nodes may use (openshift/api 2a3d739, `config/v1/types_image.go`,
//! `RegistrySources`), merged into the policy as the machine-config-operator does (7ff337a,
//! `pkg/controller/container-runtime-config/helpers.go`: `getValidBlockedAndAllowedRegistries`, `updatePolicyJSON`,
//! `validateImagePolicyWithAllowedBlockedRegistries`).

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{Admission, Matched, PolicyFault, Verdict, requirement::Requirement},
    Rendered, contains,
    dto::ObjectDto,
    is_nested,
};
use crate::{
    diag::{Code, Diagnostic},
    yaml,
};

/// The repository of the release, which a cluster can't block unless it has a mirror.
pub const PAYLOAD: &str = "quay.io/openshift-release-dev/ocp-release";

/// Entries of one list, by the API.
const ENTRIES: usize = 1024;

/// The registries that an object allows and blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    allowed: Vec<String>,
    blocked: Vec<String>,
}

/// What the nodes get of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryRules {
    /// Accepted without a signature, unless a policy has the scope; everything else is rejected. Empty if all are allowed.
    pub allowed: Vec<String>,
    /// Rejected.
    pub rejected: Vec<String>,
    /// Never contacted (registries.conf).
    pub blocked: Vec<String>,
    /// Whether the release is allowed because it is in blockedRegistries and has a mirror.
    pub allows_release: bool,
    /// What of the object has no effect.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecDto {
    #[serde(default)]
    registry_sources: Option<RegistrySourcesDto>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegistrySourcesDto {
    #[serde(default)]
    insecure_registries: Option<Vec<String>>,
    #[serde(default)]
    blocked_registries: Option<Vec<String>>,
    #[serde(default)]
    allowed_registries: Option<Vec<String>>,
    #[serde(default)]
    #[allow(dead_code, reason = "a known field")]
    container_runtime_search_registries: Option<Vec<String>>,
}

const LABEL: &str = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
static ENTRY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let path = "(?:/[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*)*";
    Regex::new(&format!(r"^(?:\*(?:\.{LABEL})+|{LABEL}(?:\.{LABEL})*(?::[0-9]+)?{path})$")).ok()
});

impl ImageConfig {
    /// Reads the object `cluster`, as YAML or JSON: alone, or in a list.
    pub fn parse(text: &str) -> Result<Self, PolicyFault> {
        let documents: Vec<Value> = yaml::documents(text).map_err(|fault| PolicyFault(fault.what))?;
        let mut found = None;
        for document in documents {
            add(document, &mut found)?;
        }
        found.ok_or_else(|| PolicyFault("it holds no object Image of config.openshift.io".into()))
    }

    /// What the nodes get. `has_mirror` tells whether one of the mirrors of the release is not blocked.
    pub fn rules(&self, has_mirror: impl Fn(&Self) -> bool) -> Result<RegistryRules, PolicyFault> {
        let mut rules = RegistryRules::default();
        for entry in &self.blocked {
            if !is_nested(PAYLOAD, entry) {
                rules.blocked.push(entry.clone());
                rules.rejected.push(entry.clone());
            } else if has_mirror(self) {
                rules.blocked.push(entry.clone());
                // Then the release can be pulled by its name, from the mirror.
                if entry != PAYLOAD {
                    rules.rejected.push(entry.clone());
                }
                rules.allowed.push(PAYLOAD.to_owned());
                rules.allows_release = true;
            } else {
                rules.notes.push(format!(
                    "blockedRegistries: OpenShift leaves {entry} out, because its own release is there and no mirror of it is known"
                ));
            }
        }
        rules.allowed.extend(self.allowed.iter().cloned());
        let is_payload = rules.allowed.len() == 1 && rules.allowed[0] == PAYLOAD;
        if !rules.allowed.is_empty() && !rules.rejected.is_empty() && !is_payload {
            return Err(PolicyFault("allowedRegistries and blockedRegistries exclude each other".into()));
        }
        Ok(rules)
    }

    /// Whether a node would not contact this repository.
    pub fn blocks(&self, name: &str) -> bool {
        self.blocked.iter().any(|entry| contains(entry, name))
    }
}

fn add(document: Value, found: &mut Option<ImageConfig>) -> Result<(), PolicyFault> {
    let object: ObjectDto =
        serde_json::from_value(document).map_err(|e| PolicyFault(format!("an object can't be read: {e}")))?;
    if object.kind.ends_with("List") {
        return object.items.unwrap_or_default().into_iter().try_for_each(|item| add(item, found));
    }
    if object.kind != "Image" || object.api_version != "config.openshift.io/v1" {
        let reason = format!(
            "it holds {:.60} of {:.60}, and Image of config.openshift.io/v1 is read",
            object.kind, object.api_version
        );
        return Err(PolicyFault(reason));
    }
    if found.is_some() {
        return Err(PolicyFault("it holds two objects, and a cluster has one".into()));
    }
    let wrong = |e: serde_json::Error| PolicyFault(format!("the API server would not take it: {e}"));
    let spec = object.spec.map(serde_json::from_value::<SpecDto>).transpose().map_err(wrong)?;
    let lists = spec.and_then(|spec| spec.registry_sources).unwrap_or_default();
    let checked = |name: &str, list: Option<Vec<String>>| {
        let list = list.unwrap_or_default();
        if list.len() > ENTRIES {
            return Err(PolicyFault(format!("{name} has more than {ENTRIES} entries")));
        }
        match list
            .iter()
            .find(|entry| entry.len() > 256 || !ENTRY.as_ref().is_some_and(|pattern| pattern.is_match(entry)))
        {
            Some(entry) => Err(PolicyFault(format!("{name}: the API server takes no {entry:?}"))),
            None => Ok(list),
        }
    };
    checked("insecureRegistries", lists.insecure_registries)?;
    *found = Some(ImageConfig {
        allowed: checked("allowedRegistries", lists.allowed_registries)?,
        blocked: checked("blockedRegistries", lists.blocked_registries)?,
    });
    Ok(())
}

impl Rendered {
    /// Merges the rules for registries into the policy. A scope that is not in an allowed registry, or is in a blocked one, stops the
    /// operator, and with it every change of the nodes' configuration.
    pub fn restrict(&mut self, rules: &RegistryRules) -> Result<(), PolicyFault> {
        let scopes = &mut self.policy.0;
        for scope in scopes.docker.keys() {
            if !rules.allowed.is_empty() && !rules.allowed.iter().any(|entry| is_nested(scope, entry)) {
                let why = if rules.allows_release {
                    ", and because blockedRegistries covers the release, OpenShift adds that alone"
                } else {
                    ""
                };
                return Err(PolicyFault(format!("the scope {scope:?} is not in allowedRegistries{why}")));
            }
            if let Some(entry) = rules.rejected.iter().find(|entry| is_nested(scope, entry)) {
                return Err(PolicyFault(format!("the scope {scope:?} is in {entry:?} of blockedRegistries")));
            }
        }
        if !rules.allowed.is_empty() {
            scopes.default = vec![Requirement::Reject];
        }
        for entry in &rules.allowed {
            scopes.docker.entry(entry.clone()).or_insert_with(|| vec![Requirement::Accept]);
        }
        if !rules.rejected.is_empty() {
            scopes.default = vec![Requirement::Accept];
        }
        for entry in &rules.rejected {
            scopes.docker.insert(entry.clone(), vec![Requirement::Reject]);
        }
        Ok(())
    }
}

impl RegistryRules {
    /// Whether they change no policy.
    pub const fn decides_nothing(&self) -> bool {
        self.allowed.is_empty() && self.rejected.is_empty()
    }

    /// Why a node would not contact a repository.
    pub fn refuses_contact(&self, name: &str) -> Option<Diagnostic> {
        let entry = self.blocked.iter().find(|entry| contains(entry, name))?;
        let what =
            format!("it lies in {name}, and blockedRegistries of the cluster's image.config has {entry}");
        Some(Diagnostic::new(Code::RegistryBlocked, what))
    }

    /// Says of an admission what these rules decided about it.
    pub fn explain(&self, mut admission: Admission) -> Admission {
        let code = admission.cause.as_ref().map(|cause| cause.code);
        match (&admission.matched, code) {
            (Matched::Scope(scope), Some(Code::PolicyRejects)) if self.rejected.contains(scope) => {
                let what = format!("blockedRegistries of the cluster's image.config has {scope}");
                admission.cause = Some(Diagnostic::new(Code::RegistryBlocked, what));
            }
            (Matched::Default, Some(Code::PolicyRejects)) if !self.allowed.is_empty() => {
                let what = "allowedRegistries of the cluster's image.config has no entry for it";
                admission.cause = Some(Diagnostic::new(Code::RegistryNotAllowed, what));
            }
            // An allowed registry is none that somebody accepts without signatures on purpose: no policy is about it.
            (Matched::Scope(scope), Some(Code::NotVerifiedByPolicy)) if self.allowed.contains(scope) => {
                let what = format!("no policy has a scope for it, and allowedRegistries has {scope}");
                admission.verdict = Verdict::Outside;
                admission.cause = Some(Diagnostic::new(Code::NotVerifiedByPolicy, what));
            }
            _ => {}
        }
        admission
    }
}
