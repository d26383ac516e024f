//! Which keys the signatures of images need, and which are available.

use std::path::PathBuf;

use super::{Context, Sources, discover_and_resolve::discover_and_resolve};
use crate::{
    diag::{Code, Diagnostic},
    fs,
    key::Fingerprint,
    outcome::{Report, WhyMissing, consumers},
    pack::media,
    policy::{rule::draft_rules, target::Target},
};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The locations and the key sources.
    pub sources: Sources,
    /// Whether to draft rules from the findings, and where to write them.
    pub draft_rules: Option<DraftRules>,
    /// The consumers that are asked which images they could verify: `openshift@4.22`.
    pub targets: Vec<String>,
}

/// Where to write a draft of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftRules {
    /// Into the outcome.
    Outcome,
    /// Into a new file.
    File(PathBuf),
}

/// The findings.
#[derive(Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The draft of rules, if it was requested in the outcome.
    pub draft_rules: Option<String>,
}

/// Reads the locations, finds the signatures, and proves the keys that they need. Writes nothing but the draft of
/// rules.
///
/// # Errors
///
/// Fails if a location cannot be opened, if a key source cannot be read or is refused, and if the draft cannot be
/// written. Anything unreadable inside an open location is a problem in the report instead, which is then not
/// [complete](Report::is_complete).
pub fn discover(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    if let Some(DraftRules::File(path)) = &request.draft_rules
        && path.symlink_metadata().is_ok()
    {
        let error = format!("{} is there already", path.display());
        return Err(Diagnostic::new(Code::DraftExists, error));
    }
    let targets = targets(&request.targets)?;
    let revoked = |key: &Fingerprint| request.sources.revoked.iter().any(|r| r.fingerprint == *key);
    let found = discover_and_resolve(&request.sources, &revoked, ctx)?;
    let mut report = Report::new("discover", &found.discovery, &found.resolution, &found.gathered);
    report.tell_known(&|key| revoked(&key.into()).then_some(WhyMissing::Revoked));
    report.mark_revoked(&found.revoked);
    report.consumers = consumers(&targets, &found.discovery, &found.resolution);
    let draft = || draft_rules(&found.discovery, &found.resolution, media::KEYS);
    let draft_rules = match &request.draft_rules {
        None => None,
        Some(DraftRules::Outcome) => Some(draft()),
        Some(DraftRules::File(path)) => {
            fs::write(path, draft().as_bytes())?;
            None
        }
    };
    Ok(Outcome { report, draft_rules })
}

/// The consumers that `--for` names.
pub(super) fn targets(texts: &[String]) -> Result<Vec<Target>, Diagnostic> {
    let targets: Result<_, String> = texts.iter().map(|text| text.parse()).collect();
    targets.map_err(|e| {
        Diagnostic::usage(format!("--for: {e}"), "name the consumer with its version, such as openshift@4.22")
    })
}
