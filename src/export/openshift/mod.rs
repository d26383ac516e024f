//! ClusterImagePolicy and ImagePolicy (config.openshift.io) from rules: openshift/api 2a3d739, `config/v1/types_image_policy.go`.
//! What the nodes make of them is evaluated before they are written, by the same code as in `verify --policy`.

mod object;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    keys::ExportKeys,
    names::{Mirrored, refuse_one_image, rule_of},
    object_names::ObjectNames,
    requirement::{Needed, needed},
};
use crate::{
    diag::{Code, Diagnostic},
    policy::{
        mapping::NameMap,
        rule::Rule,
        target::{OpenShiftApi, Target},
    },
};

/// What the objects are made of.
pub(crate) struct ObjectsInput<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) keys: &'a ExportKeys<'a>,
    pub(crate) target: &'a Target,
    pub(crate) api: &'a OpenShiftApi,
    /// The beginning of their names.
    pub(crate) name: &'a str,
    /// The namespace of ImagePolicies; without it they are ClusterImagePolicies.
    pub(crate) namespace: Option<&'a str>,
    /// Where the caller says that images are mirrored.
    pub(crate) names: &'a NameMap,
    /// The repositories of the mirror that is checked; none, if none is.
    pub(crate) mirrored: Option<&'a [Mirrored]>,
    /// Of these, the ones that get no scope, because nothing in them is signed.
    pub(crate) unsigned: &'a BTreeSet<String>,
}

/// The objects, by name, and what to know about them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Without the comments on top.
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) notes: Vec<Diagnostic>,
}

/// The images of a release, for which every cluster has a policy of its own, named `openshift`, from 4.21 on
/// (openshift/cluster-update-keys). A second one for them makes the cluster not upgradeable (OTA-1860).
const RELEASE: &str = "quay.io/openshift-release-dev";

/// Makes the objects, or says for every rule why OpenShift can't be asked for it.
pub(crate) fn objects(input: &ObjectsInput<'_>) -> Result<Objects, Vec<Diagnostic>> {
    let (mut objects, mut refused, mut all) = (Objects::default(), Vec::new(), Vec::new());
    for rule in input.rules {
        match ask(rule, input) {
            Ok(needed) => {
                let notes = needed.notes.iter();
                objects.notes.extend(
                    notes.map(|note| {
                        Diagnostic::new(Code::ConsumerDiffers, format!("{}: {note}", rule.scope))
                    }),
                );
                all.push((rule, needed));
            }
            Err(why) => {
                refused.push(Diagnostic::new(Code::RuleNotExpressible, format!("{}: {why}", rule.scope)));
            }
        }
    }
    let scopes = scopes(&all, input, &mut objects.notes);
    for scope in scopes.values().flatten() {
        if let Err(why) = takes(scope, input) {
            refused.push(Diagnostic::new(Code::RuleNotExpressible, format!("{scope}: {why}")));
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut names = ObjectNames::default();
    for (number, (rule, needed)) in all.iter().enumerate() {
        let scopes: Vec<_> = scopes.get(&number).into_iter().flatten().collect();
        for scopes in scopes.chunks(input.api.scopes) {
            let name = names.of(input.name, &rule.scope);
            objects.texts.insert(name.clone(), object::text(&name, scopes, needed, input));
        }
    }
    if input.api.tech_preview {
        let what = format!(
            "{} has these objects as a technology preview: only with the feature set TechPreviewNoUpgrade, which blocks upgrades",
            input.target
        );
        objects.notes.push(Diagnostic::new(Code::ConsumerDiffers, what));
    }
    Ok(objects)
}

/// An object with these scopes for what the rule asks.
pub(super) fn bridge_object(
    rule: &Rule,
    name: &str,
    scopes: &[String],
    input: &ObjectsInput<'_>,
) -> Result<String, String> {
    let needed = needed(rule, input.keys)?;
    needed.fits(input.target)?;
    object::fits(&needed, input)?;
    Ok(object::text(name, &scopes.iter().collect::<Vec<_>>(), &needed, input))
}

fn ask(rule: &Rule, input: &ObjectsInput<'_>) -> Result<Needed, String> {
    let needed = needed(rule, input.keys)?;
    needed.fits(input.target)?;
    // OpenShift runs what is in no scope.
    refuse_one_image(rule, input.rules, true)?;
    object::fits(&needed, input)?;
    Ok(needed)
}

/// The scopes of each rule: what it says or, where the mirror is known, those repositories in it that are mirrored. So a scope
/// is never wider than what the cluster pulls.
fn scopes(
    all: &[(&Rule, Needed)],
    input: &ObjectsInput<'_>,
    notes: &mut Vec<Diagnostic>,
) -> BTreeMap<usize, BTreeSet<String>> {
    let mut scopes: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let Some(mirrored) = input.mirrored else {
        for (number, (rule, _)) in all.iter().enumerate() {
            scopes.entry(number).or_default().insert(rule.scope.to_string());
        }
        return scopes;
    };
    let (mut of_release, mut without) = (0, BTreeSet::new());
    for Mirrored { source, .. } in mirrored {
        let numbered: Vec<_> = all.iter().enumerate().collect();
        let Some((number, _)) = rule_of(source, &numbered, |(_, (rule, _))| &rule.scope) else { continue };
        if has_own_policy(input) && source.starts_with(RELEASE) {
            of_release += 1;
        } else if input.unsigned.contains(source) {
            without.insert(source.as_str());
        } else {
            scopes.entry(*number).or_default().insert(source.clone());
        }
    }
    if of_release > 0 {
        let what = format!("{RELEASE} is left to the policy named openshift, which the release brings");
        notes.push(
            Diagnostic::new(Code::ScopeLeftOut, what)
                .hinting("a second policy for them would block upgrades"),
        );
    }
    for source in without {
        let what = format!(
            "{source} is in no scope although a rule is about it: it has no signature here that OpenShift looks for"
        );
        notes.push(
            Diagnostic::new(Code::ScopeLeftOut, what).hinting(
                "the cluster runs these images unverified; mirror their signatures, and export again",
            ),
        );
    }
    scopes
}

fn has_own_policy(input: &ObjectsInput<'_>) -> bool {
    "4.21".parse().is_ok_and(|since| input.target.row >= since)
}

/// Whether a scope may stand in a policy of this cluster.
fn takes(scope: &str, input: &ObjectsInput<'_>) -> Result<(), String> {
    let host = scope.split('/').next().unwrap_or_default();
    let host_of = |place: &str| place.split('/').next().unwrap_or_default().to_owned();
    let mut mirrors: BTreeSet<String> = input.names.mirrors().map(host_of).collect();
    let moved = |m: &&Mirrored| m.at != m.source;
    mirrors.extend(input.mirrored.into_iter().flatten().filter(moved).map(|m| host_of(&m.at)));
    if mirrors.contains(host) {
        return Err(format!(
            "{host} is the mirror, from which catalogs and graph images are pulled by its own name, rebuilt and unsigned: every operator would stop. Name the source in the rule"
        ));
    }
    if has_own_policy(input) && scope.starts_with(RELEASE) {
        return Err("the release brings the policy for its images, and a second one blocks upgrades: take the rule out, or narrow it".into());
    }
    if scope.len() > input.api.scope {
        return Err(format!("it has more than {} characters", input.api.scope));
    }
    // Three of its own rules: a host with a dot or localhost, and no address in brackets.
    let is_named = host.contains('.') || host.split(':').next() == Some("localhost");
    if !is_named || host.starts_with('[') {
        return Err("OpenShift takes hosts with a dot, and localhost, alone".into());
    }
    Ok(())
}

impl Objects {
    /// All of them as one text.
    pub(crate) fn together(&self) -> String {
        self.texts.values().map(|text| format!("---\n{text}")).collect()
    }

    /// A file for each.
    pub(crate) fn files(&self, first_line: &str) -> Vec<(String, String)> {
        let head = "Applying this rolls out a new MachineConfig to every pool.";
        let file = |(name, text): (&String, &String)| {
            (format!("{name}.yaml"), format!("# {head} {first_line}\n{text}"))
        };
        let mut files: Vec<_> = self.texts.iter().map(file).collect();
        let mut readme = format!("{head} {first_line}\n\n");
        readme.push_str(
            "In a running cluster:      oc apply -f FILE -f FILE…, together, so that the pools roll out once; to go back: oc delete\n",
        );
        readme.push_str("While it is installed:     copy the files into manifests/ after `openshift-install create manifests`\n");
        for note in &self.notes {
            readme.push_str(&format!("\nNote: {} [{}]\n      {}\n", note.message, note.code, note.hint));
        }
        files.push(("README.txt".into(), readme));
        files
    }
}
