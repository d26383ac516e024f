//! Policies for single images with the old key, for consumers whose policy holds one key: the most precise scope of an image decides
//! alone (containers-policy.json(5)), so that these images stay with the old key while all others have the new one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    keys::ExportKeys,
    object_names::ObjectNames,
    openshift::{ObjectsInput, bridge_object},
    policy_json::requirement_of,
};
use crate::policy::{mapping::NameMap, rule::Rule, target::Target};

/// An object, or a part of policy.json, with the old key.
#[derive(Debug, Clone)]
pub(crate) struct BridgeObject {
    /// The name of the object, or that of the rule's scope.
    pub(crate) name: String,
    /// The images, each as the name that it is pulled by.
    pub(crate) scopes: Vec<String>,
    /// The object as YAML; for policy.json, the members of transports.docker as JSON.
    pub(crate) text: String,
}

/// The objects for these images, each with no more scopes than the consumer takes.
pub(crate) fn bridge(
    rule: &Rule,
    scopes: &[String],
    keys: &ExportKeys<'_>,
    target: &Target,
    taken: &mut ObjectNames,
) -> Result<Vec<BridgeObject>, String> {
    let Some(api) = target.openshift else {
        let requirement = requirement_of(rule, keys, target)?;
        let members: BTreeMap<_, _> = scopes.iter().map(|scope| (scope, json!([requirement]))).collect();
        let text = serde_json::to_string_pretty(&members).unwrap_or_default() + "\n";
        return Ok(vec![BridgeObject { name: rule.scope.to_string(), scopes: scopes.to_vec(), text }]);
    };
    if let Some(long) = scopes.iter().find(|scope| scope.len() > api.scope) {
        return Err(format!("{long} has more than {} characters", api.scope));
    }
    let names = NameMap::default();
    let input = ObjectsInput {
        rules: std::slice::from_ref(rule),
        keys,
        target,
        api,
        name: "keypack-bridge",
        namespace: None,
        names: &names,
        mirrored: None,
        unsigned: &std::collections::BTreeSet::new(),
    };
    let object = |scopes: &[String]| {
        let name = taken.of("keypack-bridge", &rule.scope);
        let text = bridge_object(rule, &name, scopes, &input)?;
        Ok(BridgeObject { name, scopes: scopes.to_vec(), text })
    };
    scopes.chunks(api.scopes).map(object).collect()
}

/// policy.json with these scopes in addition.
pub(crate) fn with_bridge(policy: &str, objects: &[BridgeObject]) -> String {
    let mut policy: Value = serde_json::from_str(policy).unwrap_or_default();
    for object in objects {
        let members: BTreeMap<String, Value> = serde_json::from_str(&object.text).unwrap_or_default();
        for (scope, requirement) in members {
            policy["transports"]["docker"][scope] = requirement;
        }
    }
    policy.to_string()
}
