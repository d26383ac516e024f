//! policy.json (containers-policy.json(5)) and registries.d (containers-registries.d(5)) from rules.

mod fields;
mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Map, Value, json};

use super::{
    keys::ExportKeys,
    names::{Mirrored, refuse_one_image, rule_of},
    requirement::{Needed, Root, needed},
};
use crate::{
    diag::{Code, Diagnostic},
    policy::{
        mapping::NameMap,
        rule::{Rule, Scope, SignedIdentity},
        target::Target,
    },
    registry::Host,
};

/// What images that no rule is about are to the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Others {
    /// They don't run.
    #[default]
    Reject,
    /// They run, whoever made them.
    Accept,
}

/// By which names images are pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PulledBy {
    /// The sources', because the consumer is configured with mirrors.
    #[default]
    Source,
    /// The mirror's.
    Mirror,
}

/// What a policy.json is made of.
pub(crate) struct PolicyInput<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) keys: &'a ExportKeys<'a>,
    pub(crate) targets: &'a [Target],
    pub(crate) others: Others,
    pub(crate) pulled_by: PulledBy,
    /// The folder on the host that its key files will be in; without it the policy holds the keys itself.
    pub(crate) keys_at: Option<&'a Path>,
    /// Where the caller says that images are mirrored.
    pub(crate) names: &'a NameMap,
    /// The repositories of the mirror that is checked.
    pub(crate) mirrored: &'a [Mirrored],
}

/// The texts, and what to know about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PolicyFiles {
    pub(crate) policy: String,
    /// The sections of registries.d.
    pub(crate) sections: BTreeSet<String>,
    /// The key files, by name.
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) notes: Vec<Diagnostic>,
    scopes: usize,
}

/// Scopes that a file of the distribution has a section for. A scope in two files stops every pull. (containers-common of RHEL
/// and Fedora: registry.redhat.io.yaml, registry.access.redhat.com.yaml.)
const DISTRIBUTIONS: [&str; 2] = ["registry.redhat.io", "registry.access.redhat.com"];

/// The transports of images that are on the host already: whoever can put them there needs no pull.
const LOCAL: [&str; 7] =
    ["containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "tarball"];

/// Makes the texts, or says for every rule that the consumer can't be asked why.
pub(crate) fn policy_json(input: &PolicyInput<'_>) -> Result<PolicyFiles, Vec<Diagnostic>> {
    let mut files = PolicyFiles::default();
    let (mut docker, mut refused) = (Map::new(), Vec::new());
    let mut all = Vec::new();
    for rule in input.rules {
        match ask(rule, input) {
            Ok(needed) => {
                for note in &needed.notes {
                    let what = format!("{}: {note}", rule.scope);
                    files.notes.push(Diagnostic::new(Code::ConsumerDiffers, what));
                }
                all.push((rule, needed));
            }
            Err(why) => {
                refused.push(Diagnostic::new(Code::RuleNotExpressible, format!("{}: {why}", rule.scope)));
            }
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    for (scope, needed) in scopes(&all, input)? {
        let requirement = fields::of(&needed, input, &mut files.keys);
        docker.insert(scope.clone(), json!([requirement]));
        files.scopes += 1;
        if needed.reads_attachments() {
            let image: Option<Scope> = scope.parse().ok();
            files.sections.insert(image.map_or(scope, |scope| scope.repository().to_owned()));
        }
    }
    sections(&all, input, &mut files);
    let accept = json!([{"type": "insecureAcceptAnything"}]);
    let default = match input.others {
        Others::Reject => json!([{"type": "reject"}]),
        Others::Accept => accept.clone(),
    };
    let mut transports = Map::new();
    transports.insert("docker".into(), docker.into());
    if input.others == Others::Reject {
        transports.extend(LOCAL.map(|name| (name.to_owned(), json!({"": accept}))));
    }
    let policy = json!({"default": default, "transports": transports});
    files.policy = serde_json::to_string_pretty(&policy).unwrap_or_default() + "\n";
    Ok(files)
}

/// What the rule asks, as a requirement that holds its keys itself.
pub(super) fn requirement_of(rule: &Rule, keys: &ExportKeys<'_>, target: &Target) -> Result<Value, String> {
    let needed = needed(rule, keys)?;
    needed.fits(target)?;
    let input = PolicyInput {
        rules: std::slice::from_ref(rule),
        keys,
        targets: std::slice::from_ref(target),
        others: Others::default(),
        pulled_by: PulledBy::default(),
        keys_at: None,
        names: &NameMap::default(),
        mirrored: &[],
    };
    Ok(fields::of(&needed, &input, &mut BTreeMap::new()))
}

fn ask(rule: &Rule, input: &PolicyInput<'_>) -> Result<Needed, String> {
    let needed = needed(rule, input.keys)?;
    input.targets.iter().try_for_each(|target| needed.fits(target))?;
    if matches!(&needed.root, Root::Gpg(keys) if keys.len() > 1) && input.keys_at.is_none() {
        return Err(
            "it names several GPG keys, which a policy can't hold itself: --keys-at DIR writes them as files"
                .into(),
        );
    }
    refuse_one_image(rule, input.rules, input.others == Others::Accept)?;
    Ok(needed)
}

/// The scopes of the policy with what each asks for.
fn scopes(
    all: &[(&Rule, Needed)],
    input: &PolicyInput<'_>,
) -> Result<Vec<(String, Needed)>, Vec<Diagnostic>> {
    if input.pulled_by == PulledBy::Source {
        return Ok(all.iter().map(|(rule, needed)| (rule.scope.to_string(), needed.clone())).collect());
    }
    let (mut scopes, mut refused) = (BTreeMap::new(), Vec::new());
    for Mirrored { at, source } in input.mirrored {
        let Some((rule, needed)) = rule_of(source, all, |(rule, _)| &rule.scope) else { continue };
        let mut needed = needed.clone();
        match by_mirror_name(needed.identity.as_ref(), at, source) {
            Ok(identity) if !rule.scope.is_image() => {
                needed.identity = identity;
                scopes.insert(at.clone(), needed);
            }
            Ok(_) => refused.push(format!(
                "{}: it is about one tag or digest of the source, not of the mirror",
                rule.scope
            )),
            Err(why) => refused.push(format!("{}: {why}", rule.scope)),
        }
    }
    refused.dedup();
    if refused.is_empty() {
        Ok(scopes.into_iter().collect())
    } else {
        Err(refused.into_iter().map(|what| Diagnostic::new(Code::RuleNotExpressible, what)).collect())
    }
}

/// The signed name is the source's, and the image is pulled by the mirror's.
fn by_mirror_name(
    identity: Option<&SignedIdentity>,
    at: &str,
    source: &str,
) -> Result<Option<SignedIdentity>, String> {
    if at == source {
        return Ok(identity.cloned());
    }
    match identity {
        // Names without a tag never meet remapIdentity: exactRepository, one for each repository.
        Some(SignedIdentity::MatchRepository {}) => {
            Ok(Some(SignedIdentity::ExactRepository { docker_repository: source.to_owned() }))
        }
        None | Some(SignedIdentity::MatchRepoDigestOrExact {}) => Ok(Some(SignedIdentity::RemapIdentity {
            prefix: at.to_owned(),
            signed_prefix: source.to_owned(),
        })),
        Some(SignedIdentity::MatchExact {}) => Err(
            "it asks for matchExact, and nothing asks for that of an image that is pulled by a mirror's name"
                .into(),
        ),
        // These name what is signed themselves.
        other @ Some(
            SignedIdentity::ExactReference { .. }
            | SignedIdentity::ExactRepository { .. }
            | SignedIdentity::RemapIdentity { .. },
        ) => Ok(other.cloned()),
    }
}

/// Where signatures are looked for: wherever the images of the scopes lie.
fn sections(all: &[(&Rule, Needed)], input: &PolicyInput<'_>, files: &mut PolicyFiles) {
    let reads = || all.iter().filter(|(_, needed)| needed.reads_attachments());
    if input.pulled_by == PulledBy::Source {
        for (rule, _) in reads() {
            // A folder that images were copied to is no place to pull from.
            let is_registry = |at: &String| at.split('/').next().is_some_and(Host::is_evident);
            files.sections.extend(input.names.mirrors_of(&rule.scope).into_iter().filter(is_registry));
        }
        for Mirrored { at, source } in input.mirrored {
            let rule = rule_of(source, all, |(rule, _)| &rule.scope);
            let is_there =
                files.sections.iter().any(|section| section.parse().is_ok_and(|s: Scope| s.covers(at)));
            if rule.is_some_and(|(_, needed)| needed.reads_attachments()) && !is_there {
                files.sections.insert(at.clone());
            }
        }
    }
    for scope in DISTRIBUTIONS {
        if files.sections.remove(scope) {
            let what = format!(
                "{scope} is left out of registries.d: RHEL and Fedora have {scope}.yaml with that section, and a section in two files stops every pull"
            );
            files.notes.push(Diagnostic::new(Code::SectionOfDistribution, what));
        }
    }
}
