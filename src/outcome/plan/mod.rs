//! How a consumer gets from the keys of one pack to those of another, as a value: part of what `diff` prints
//! (`schemas/results-v1.schema.json`).

mod text;

use serde::Serialize;

pub(crate) use self::text::render;
use super::export::{TargetReport, Written};
use crate::display::{count, shell_word};

/// A change of keys, for one consumer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanReport {
    /// The consumer.
    pub(crate) consumer: TargetReport,
    /// Whether it is OpenShift.
    #[serde(skip)]
    pub(crate) is_openshift: bool,
    /// Whether its policy holds a single key for a scope, so that it can't accept both meanwhile.
    pub(crate) one_key: bool,
    /// Whether the old and the new signers of a scope can't be accepted at once, however many keys it takes.
    pub(crate) is_apart: bool,
    /// The scopes whose signers or logs change.
    pub(crate) scopes: Vec<ScopeReport>,
    /// What the images of the mirror are to both policies; absent, if no mirror was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<ImagesReport>,
    /// The policies that keep what only the old key verifies running.
    pub(crate) bridge: Vec<BridgeReport>,
    /// The folder that they were written to; absent, if none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<BridgeFolder>,
    /// What to do.
    pub(crate) steps: Steps,
}

/// A scope that changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeReport {
    /// The scope of the rule.
    pub(crate) scope: String,
    /// What the old rule asks for, a line each; absent, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<Vec<String>>,
    /// The same for the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<Vec<String>>,
    /// Whether a key of the old rule was revoked: then nothing keeps its images running.
    pub(crate) old_is_revoked: bool,
    /// Whether one was revoked on this host, so that the old rule can't be evaluated any more.
    #[serde(skip)]
    pub(crate) old_is_gone: bool,
    #[serde(skip)]
    pub(crate) new_has_several: bool,
}

/// What the images of a mirror are to both policies. A pull is an image by its tag or its digest, on one platform.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImagesReport {
    /// The places.
    pub(crate) sources: Vec<String>,
    /// All pulls.
    pub(crate) pulls: usize,
    /// Those that run under either policy.
    pub(crate) both: usize,
    /// Those that run under the old one alone.
    pub(crate) only_old: Vec<String>,
    /// Those that run under the new one alone: going back stops them.
    pub(crate) only_new: Vec<String>,
    /// Those that run under neither.
    pub(crate) neither: usize,
    /// Those that could not be judged.
    pub(crate) not_judged: usize,
    /// How many of `only_old` run under the new policy with the bridge, as evaluated; absent without a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bridged: Option<usize>,
}

/// A policy with the old key for images that only it verifies.
#[derive(Debug, Serialize)]
pub(crate) struct BridgeReport {
    /// The name of the object, or the scope of the rule.
    pub(crate) name: String,
    /// The images, each as the name that it is pulled by.
    pub(crate) scopes: Vec<String>,
    /// The object as YAML; for policy.json, the members of transports.docker as JSON.
    pub(crate) text: String,
}

/// A folder with the bridge.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BridgeFolder {
    pub(crate) directory: String,
    /// What became of it; absent, if there was nothing to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Written>,
    /// Its files.
    pub(crate) files: Vec<String>,
}

/// What to do, in this order.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Steps {
    /// What to apply first.
    pub(crate) first: Vec<String>,
    /// What to keep, and until when.
    pub(crate) keep: Vec<String>,
    /// What to do in the end.
    pub(crate) last: Vec<String>,
    /// How to go back.
    pub(crate) back: Vec<String>,
}

impl PlanReport {
    /// The folder with the bridge, for a command line.
    fn folder(&self) -> Option<String> {
        let written = self.written.as_ref().filter(|written| written.change.is_some());
        written.map(|written| shell_word(&written.directory))
    }
}

/// oc takes every JSON file of a folder for an object, and an export's list is none: the objects by name.
fn oc(verb: &str, folders: &[&str]) -> String {
    let files: Vec<_> = folders.iter().map(|folder| format!("{folder}/*.yaml")).collect();
    format!("oc {verb} $(printf -- '-f %s ' {})", files.join(" "))
}

impl Steps {
    /// The steps of a plan.
    pub(crate) fn of(plan: &PlanReport) -> Self {
        if plan.scopes.is_empty() {
            return Self::default();
        }
        let consumer = &plan.consumer.consumer;
        let is_openshift = plan.is_openshift;
        let format = if is_openshift { "cluster-image-policy" } else { "policy-json" };
        let export = |keys: &str, folder: &str| {
            format!("keypack export {format} --for {consumer} --keys-dir {keys} -o {folder}")
        };
        let mut steps = Self::default();
        steps.first.push(format!(
            "write down the old policy, to go back to: {}; then pull the new pack",
            export("keys", "before")
        ));
        let is_revoked = plan.scopes.iter().any(|scope| scope.old_is_revoked);
        if is_revoked {
            steps.first.push(format!(
                "a key of the old rules was revoked, so that nothing bridges it: {}, and apply it now; what only that key verifies stops",
                export("keys", "after")
            ));
            steps.back.push("do not go back: the old policy accepts a revoked key".into());
        } else if plan.one_key || plan.is_apart {
            steps.one_key(plan, &export, is_openshift);
        } else {
            steps.several_keys(plan, &export);
        }
        if let Some(images) = &plan.images {
            if !images.only_new.is_empty() && !is_revoked {
                steps.back.push(format!(
                    "going back stops {} that only the new policy accepts",
                    count(images.only_new.len(), "pull")
                ));
            }
            if images.not_judged > 0 {
                steps.first.insert(
                    0,
                    format!(
                        "find out about the {} that could not be judged: `verify --policy` says why",
                        count(images.not_judged, "pull")
                    ),
                );
            }
        } else if !is_revoked {
            steps.first.insert(
                0,
                "which images only the old key verifies is not known: name the mirror with --images SOURCE before anything is applied".into(),
            );
        }
        steps
    }

    fn one_key(&mut self, plan: &PlanReport, export: &dyn Fn(&str, &str) -> String, is_openshift: bool) {
        let several = plan.scopes.iter().filter(|scope| plan.one_key && scope.new_has_several);
        for scope in several {
            self.first.push(format!(
                "the new rule for {} names several signers, and a policy of this consumer holds one: let it name the new key alone",
                scope.scope
            ));
        }
        let apply = export("keys", "after");
        if plan.bridge.is_empty() {
            self.first.push(format!("switch in one step: {apply}, and apply it"));
        } else if is_openshift {
            self.first.push(match plan.folder() {
                Some(folder) => format!(
                    "{apply}; {}: together, so that the pools roll out once",
                    oc("apply", &["after", &folder])
                ),
                None => format!(
                    "{apply}, and apply it together with the {} below, in one `oc apply`, so that the pools roll out once (-o DIR writes files)",
                    count(plan.bridge.len(), "object")
                ),
            });
        } else {
            self.first.push(match plan.folder() {
                Some(folder) => format!("{apply}; jq -s '.[0] * .[1]' after/policy.json {folder}/bridge.json > policy.json, and install that"),
                None => format!("{apply}, and add the scopes below to transports.docker of its policy.json before you install it (-o DIR writes them for jq)"),
            });
        }
        let what = if plan.bridge.is_empty() { "the old key" } else { "the old key, and the scopes below," };
        self.keep.push(format!(
            "keep {what} until this command, run again with --images, lists no pull that only the old policy accepts: mirror these images again with a signature of the new key, or remove them"
        ));
        let remove = if plan.bridge.is_empty() { "" } else { "remove the scopes below; " };
        self.last
            .push(format!("then {remove}drop the old key on the collecting side: keypack collect --prune"));
        self.back.push(if is_openshift && !plan.bridge.is_empty() {
            match plan.folder() {
                Some(folder) => format!("{}, then {}", oc("apply", &["before"]), oc("delete", &[&folder])),
                None => format!("{}, then oc delete the objects below", oc("apply", &["before"])),
            }
        } else {
            "apply what was written to before/".to_owned()
        });
    }

    fn several_keys(&mut self, plan: &PlanReport, export: &dyn Fn(&str, &str) -> String) {
        let lacks: Vec<_> =
            plan.scopes.iter().filter(|scope| scope.old.is_some() && !scope.new_has_several).collect();
        if lacks.is_empty() {
            self.first.push(format!("{}, and install it: it accepts both keys", export("keys", "after")));
        } else {
            let names: Vec<_> = lacks.iter().map(|scope| scope.scope.as_str()).collect();
            self.first.push(format!(
                "this consumer accepts several keys for a scope: collect a pack whose rules name the old and the new signers of {}, and install its policy: {}",
                names.join(", "),
                export("keys", "both")
            ));
        }
        self.keep.push("keep both until this command, run again with --images, lists no pull that only the old policy accepts: mirror these images again with a signature of the new key, or remove them".into());
        self.last.push(format!(
            "then take the old signer out of the rules, collect with --prune, pull, and install: {}",
            export("keys", "after")
        ));
        self.back.push("install what was written to before/".into());
    }
}
