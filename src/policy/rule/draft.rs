//! A draft of rules based on observations, for review by a person. Names come from content, so they are always quoted,
//! with everything but plain ASCII escaped, so that none of them can end a line or start a field.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    Pattern, Signer,
    group::{Group, Named, by_namespace},
    observe::{Observation, Seen, observe},
};
use crate::{
    discover::Discovery,
    display::count,
    key::KeyRef,
    resolve::{Resolution, Verdict},
    yaml::quoted,
};

const HEAD: &str = "\
# DRAFT of what keypack saw: review it before use. Observation never becomes policy by itself.
# Go through every rule: is this who should sign that, and is the scope right? Correct it, widen it, or remove it.
# Then remove the line `draft: true`, and give the file to `keypack collect --accept-rules FILE`.
draft: true
rules:
";

/// Writes the draft: a rule for each repository, or for each namespace whose repositories are all signed alike, with
/// exactly the observed signers. Artifacts of the type `pack` are not images.
pub fn draft_rules(discovery: &Discovery<Verdict>, resolution: &Resolution, pack: &str) -> String {
    let Observation { seen, names } = observe(discovery, resolution, pack);
    let mut out = HEAD.to_owned();
    let mut written = false;
    for (scope, group) in &by_namespace(seen) {
        let seen = &group.seen;
        if seen.signers.is_empty() {
            let _ = writeln!(
                out,
                "  # {}: no rule, because none of {} has a signature that verifies and names its signer",
                name(scope),
                count(seen.images, "image")
            );
        } else {
            rule(&mut out, scope, group, &names);
            written = true;
        }
    }
    if !written {
        out.push_str("  []\n");
    }
    out
}

fn name(scope: &Named) -> String {
    match scope {
        Ok(scope) => scope.to_string(),
        Err(repository) => quoted(repository),
    }
}

fn rule(out: &mut String, scope: &Named, group: &Group, names: &BTreeMap<KeyRef, String>) {
    let Group { seen, repositories } = group;
    let names = |key: &KeyRef| names.get(key).map_or("", String::as_str);
    let _ = write!(out, "  # seen: {}", count(seen.images, "image"));
    if !repositories.is_empty() {
        let _ = write!(out, " in {} repositories of this namespace, all signed alike", repositories.len());
    }
    match seen.unsigned {
        0 => out.push('\n'),
        n => {
            let _ = writeln!(out, ", {n} of them without such a signature: the rule would refuse these");
        }
    }
    if seen.nameless > 0 {
        let n = count(seen.nameless, "signature");
        let _ = writeln!(out, "  # {n} more by certificates without an issuer, which no rule can name");
    }
    some(out, "holds", repositories.iter());
    signed_as(out, scope, seen);
    match scope {
        Ok(scope) => {
            let _ = writeln!(out, "  - scope: {}", quoted(scope.as_str()));
        }
        Err(repository) => {
            let _ = writeln!(
                out,
                "  # the place does not say the registry; there it is called {}",
                quoted(repository)
            );
            let what = if repositories.is_empty() { "REPOSITORY" } else { "NAMESPACE" };
            let _ = writeln!(out, "  - scope: \"\"  # HOST/{what}");
        }
    }
    out.push_str("    signers:\n");
    for (signer, images) in &seen.signers {
        let images = count(images, "image");
        match signer {
            Signer::Key(key) => {
                let _ =
                    writeln!(out, "      - key: {}  # {}, {images}", quoted(&key.to_string()), names(key));
            }
            Signer::Identity { authorities, subject, kind, issuer } => {
                let (Pattern::Exact(subject) | Pattern::Regexp(subject)) = subject;
                let _ = writeln!(out, "      - identity: {}  # {images}", quoted(subject));
                if let Some(kind) = kind {
                    let _ = writeln!(out, "        identityKind: {}", kind.as_str());
                }
                if let Some(Pattern::Exact(issuer) | Pattern::Regexp(issuer)) = issuer {
                    let _ = writeln!(out, "        oidcIssuer: {}", quoted(issuer));
                }
                out.push_str("        authorities:\n");
                for key in authorities {
                    let _ = writeln!(out, "          - {}  # {}", quoted(&key.to_string()), names(key));
                }
            }
        }
    }
    if let Some(logs) = seen.every_log() {
        out.push_str("    log:\n");
        for key in logs {
            let _ = writeln!(out, "      - {}  # {}", quoted(&key.to_string()), names(key));
        }
    } else {
        let _ = match seen.signatures - seen.unlogged {
            0 => writeln!(out, "    log: none"),
            n => writeln!(out, "    log: none  # a log holds {n} of {}", count(seen.signatures, "signature")),
        };
    }
    if seen.bare > 0 {
        let n = count(seen.bare, "signature");
        let _ = writeln!(out, "    signedIdentity:  # {n} with the repository's name alone, without a tag");
        out.push_str("      type: matchRepository\n");
    }
}

/// Notes where signatures contain another name than the scope: `skopeo copy` and oc-mirror keep the signed name.
fn signed_as(out: &mut String, scope: &Named, seen: &Seen) {
    let is_scope = |name: &str| scope.as_ref().is_ok_and(|scope| scope.as_str() == name);
    some(out, "signed as", seen.signed_as.iter().filter(|name| !is_scope(name)));
}

/// The first few of these names.
fn some<'a>(out: &mut String, what: &str, names: impl Iterator<Item = &'a String>) {
    const SHOWN: usize = 5;
    let names: Vec<_> = names.collect();
    for name in names.iter().take(SHOWN) {
        let _ = writeln!(out, "  # {what} {}", quoted(name));
    }
    if names.len() > SHOWN {
        let _ = writeln!(out, "  # and {what} {}", count(names.len() - SHOWN, "other name"));
    }
}
