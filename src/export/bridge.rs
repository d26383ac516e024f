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

/// The objects as files, and how they are used: for OpenShift one each, for policy.json one document that is merged into it.
pub(crate) fn bridge_files(objects: &[BridgeObject], is_openshift: bool) -> Vec<(String, String)> {
    let first = "Written by keypack diff --plan: the old key, for images that only it verifies. Remove it when the plan names no such image any more.";
    if is_openshift {
        let object =
            |object: &BridgeObject| (format!("{}.yaml", object.name), format!("# {first}\n{}", object.text));
        let text = format!(
            "{first}\n\nApply them together with the new policy, so that the pools roll out once:\n  oc apply $(printf -- '-f %s ' AFTER/*.yaml *.yaml)\n\
             To remove them, or to go back:\n  oc delete $(printf -- '-f %s ' *.yaml)\n"
        );
        return objects.iter().map(object).chain([("README.txt".to_owned(), text)]).collect();
    }
    let text = format!(
        "{first}\n\nMerge it into the new policy.json, and install the result:\n  jq -s '.[0] * .[1]' AFTER/policy.json bridge.json > policy.json\n\
         To remove it, install the new policy.json as it is.\n"
    );
    let json: Value = serde_json::from_str(&with_bridge("{}", objects)).unwrap_or_default();
    let json = serde_json::to_string_pretty(&json).unwrap_or_default() + "\n";
    vec![("bridge.json".to_owned(), json), ("README.txt".to_owned(), text)]
}
