//! From findings to the report.

use super::{
    ConflictReport, Counts, ImageReport, KeyReport, NeedReport, ProblemReport, Report, SignatureReport,
    SourceReport, UnusableReport, UnusedReport, WindowReport, WindowStatement, summary,
};
use crate::{
    diag::Code,
    discover::{Discovery, FoundSignature, Image, Kind, Problem},
    key::{Grade, OpenPgpKey, Provenance, Validity, name_of},
    keysource::{Unusable, is_host},
    resolve::{Answer, Answers, Conflict, Resolution, WindowDifference},
    signature::Need,
};

impl Report {
    /// Puts what was found and what was resolved together. `resolution` answers the readable signatures of
    /// `discovery`, in their order.
    pub fn new(
        command: &'static str,
        discovery: &Discovery,
        resolution: &Resolution,
        unusable: &[Unusable],
    ) -> Self {
        let mut answers = resolution.answers.iter();
        let images: Vec<_> = discovery.images.iter().map(|i| image(i, &mut answers)).collect();
        let open = summary::open_needs(&images);
        let mut counts = Counts::of(&images, &open, resolution.keys.len());
        counts.problems += discovery.places.iter().map(|p| p.problems.len()).sum::<usize>();
        Self {
            schema_version: 1,
            command,
            sources: discovery
                .places
                .iter()
                .map(|p| SourceReport {
                    place: p.name.clone(),
                    read: p.read,
                    absent: p.absent,
                    problems: p.problems.iter().map(problem).collect(),
                })
                .collect(),
            images,
            keys: resolution
                .keys
                .iter()
                .map(|(key, resolved)| KeyReport {
                    key: *key,
                    name: name_of(*key, &resolved.key.material),
                    fingerprint: resolved.key.material.fingerprint(),
                    weak: resolved.key.material.openpgp().is_some_and(OpenPgpKey::is_weak),
                    provenance: resolved.provenance.clone(),
                    proofs: resolved.proofs,
                })
                .collect(),
            open,
            unusable: unusable
                .iter()
                .map(|u| UnusableReport {
                    source: u.source.clone(),
                    entry: u.entry.clone(),
                    code: u.code,
                    reason: u.reason.clone(),
                })
                .collect(),
            unused: resolution
                .unused
                .iter()
                // What is built in, on the host and in payloads is always offered; nobody waits for word of it.
                .filter(|p| !matches!(p.grade, Grade::Builtin | Grade::Release) && !is_host(p))
                .map(|p| UnusedReport { source: p.source.clone(), sha256: p.sha256 })
                .collect(),
            conflicts: resolution
                .conflicts
                .iter()
                .map(|Conflict { key, sources }| ConflictReport { key: *key, sources: sources.clone() })
                .collect(),
            windows: resolution.windows.iter().map(window).collect(),
            changed: Vec::new(),
            counts,
            pack: None,
        }
    }

    /// Whether every signature could be read and verifies, and every need is met.
    pub fn is_complete(&self) -> bool {
        self.open.is_empty()
            && self.conflicts.is_empty()
            && self.changed.is_empty()
            && self.unusable.iter().all(|u| u.code != Code::KeyConflict)
            && self.counts.problems == 0
    }
}

fn image<'a>(image: &Image, answers: &mut impl Iterator<Item = &'a Answers>) -> ImageReport {
    let (kind, artifact_type) = match &image.kind {
        Kind::Image => ("image", None),
        Kind::Index => ("index", None),
        Kind::Artifact(artifact_type) => ("artifact", Some(artifact_type.clone())),
        Kind::Absent => ("absent", None),
        Kind::Unreadable => ("unreadable", None),
    };
    ImageReport {
        source: image.place.clone(),
        repository: image.repository.clone(),
        tags: image.tags.clone(),
        digest: image.digest,
        kind,
        artifact_type,
        instance_of: image.instance_of,
        signatures: image.signatures.iter().map(|s| signature(s, answers)).collect(),
        problems: image.problems.iter().map(problem).collect(),
        label: image.label(),
    }
}

fn signature<'a>(found: &FoundSignature, answers: &mut impl Iterator<Item = &'a Answers>) -> SignatureReport {
    let (needs, trouble, reference) = match &found.content {
        Err(e) => (Vec::new(), Some(problem(e)), None),
        Ok(content) => {
            let answers = answers.next().cloned().unwrap_or_default();
            let trouble = answers
                .refusal
                .map(|refusal| ProblemReport { code: refusal.code(), message: refusal.to_string() });
            let needs = answers.needs.iter().map(|(n, a)| need(n, a)).collect();
            (needs, trouble, content.claimed_reference().map(str::to_owned))
        }
    };
    SignatureReport {
        form: found.form.as_str(),
        found: found.via.as_str(),
        at: found.at.clone(),
        reference,
        needs,
        problem: trouble,
    }
}

fn need(need: &Need, answer: &Answer) -> NeedReport {
    let mut report = NeedReport {
        role: need.role(),
        id: need.id(),
        state: "have",
        key: None,
        claim: None,
        code: None,
        reason: None,
    };
    match answer {
        Answer::Have(key) => report.key = Some(*key),
        Answer::Missing { claim } => {
            report.state = "missing";
            report.claim = *claim;
        }
        Answer::Refused { key, refusal } => {
            // Nothing is wrong with a key because another one is missing, or because the signature lacks something.
            report.state = if refusal.is_against(need.role()) { "refused" } else { "unproved" };
            report.key = Some(*key);
            report.code = Some(refusal.code());
            report.reason = Some(refusal.to_string());
        }
    }
    report
}

fn window(difference: &WindowDifference) -> WindowReport {
    let state = |(provenance, validity): &(Provenance, Validity)| WindowStatement {
        source: provenance.source.clone(),
        sha256: provenance.sha256,
        validity: *validity,
    };
    let stated = difference.stated.iter().map(state).collect();
    WindowReport { key: difference.key, used: difference.used, stated }
}

fn problem(problem: &Problem) -> ProblemReport {
    ProblemReport { code: problem.code, message: problem.message.clone() }
}
