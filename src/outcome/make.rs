//! Builds the report from the findings.

use std::sync::Arc;

use super::{
    ConflictReport, Counts, ImageReport, ImageState, Images, KeyReport, NeedReport, NeedState, Report,
    SignatureReport, SourceReport, UnusableReport, UnusedReport, WindowReport, WindowStatement,
    label::Labels, open,
};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Form, FoundSignature, Image, Kind},
    key::{Grade, OpenPgpKey, Provenance, Validity, name_of},
    keysource::Gathered,
    resolve::{Answer, Conflict, Resolution, Verdict, WindowDifference},
    signature::Need,
};

impl Report {
    /// Combines the findings and their resolution. The verdicts of `discovery` refer to `resolution`.
    #[doc(hidden)]
    pub fn new(
        command: &'static str,
        discovery: &Arc<Discovery<Verdict>>,
        resolution: &Arc<Resolution>,
        gathered: &Gathered,
    ) -> Self {
        let images = Images::of(discovery, resolution);
        let sources: Vec<_> = discovery
            .places
            .iter()
            .map(|p| SourceReport {
                place: p.name.clone(),
                read: p.read,
                absent: p.absent,
                problems: p.problems.clone(),
                unreadable: p.unreadable,
            })
            .collect();
        let open = open::open_needs(images.iter());
        let counts = Counts::of(images.iter(), &sources, resolution.keys.keys().copied());
        Self {
            schema_version: 1,
            command,
            sources,
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
                    given_by: None,
                })
                .collect(),
            open,
            unusable: gathered
                .unusable
                .iter()
                .map(|u| UnusableReport {
                    source: u.source.clone(),
                    entry: u.entry.clone(),
                    problem: u.problem.clone(),
                })
                .collect(),
            undated: gathered
                .undated
                .iter()
                .map(|u| UnusableReport {
                    source: u.source.clone(),
                    entry: Some(u.entry.clone()),
                    problem: Diagnostic::new(
                        Code::LogWindowMissing,
                        "it does not say when the use of its key began (validFor.start)",
                    ),
                })
                .collect(),
            unused: resolution
                .unused
                .iter()
                // Built-in keys and those of the host and of payloads are always available, so it is not reported if
                // they are unused.
                .filter(|p| !matches!(p.grade, Grade::Builtin | Grade::Release) && !gathered.host.contains(p))
                .map(|p| UnusedReport { source: p.source.clone(), sha256: p.sha256 })
                .collect(),
            conflicts: resolution
                .conflicts
                .iter()
                .map(|Conflict { key, sources }| ConflictReport { key: *key, sources: sources.clone() })
                .collect(),
            windows: resolution.windows.iter().map(window).collect(),
            changed: Vec::new(),
            consumers: Vec::new(),
            counts,
            pack: None,
        }
    }

    /// Whether every signature could be read and verifies, and every need is met.
    pub fn is_complete(&self) -> bool {
        self.open.is_empty()
            && self.conflicts.is_empty()
            && self.changed.is_empty()
            && self.unusable.iter().all(|u| u.problem.code != Code::KeyConflict)
            && self.counts.problems == 0
            && self.counts.unreadable == 0
    }
}

pub(super) fn image(image: &Image<Verdict>, resolution: &Resolution, labels: &Labels) -> ImageReport {
    let state = ImageState::of(image, resolution);
    let (kind, artifact_type) = match &image.kind {
        Kind::Image => ("image", None),
        Kind::Index => ("index", None),
        Kind::Artifact(artifact_type) => ("artifact", Some(artifact_type.to_string())),
        Kind::Absent => ("absent", None),
        Kind::Unreadable => ("unreadable", None),
    };
    ImageReport {
        source: image.place().to_owned(),
        repository: image.repository().to_owned(),
        tags: image.tags.to_vec(),
        digest: image.digest,
        state,
        kind,
        artifact_type,
        instance_of: image.list(),
        signatures: image.signatures.iter().map(|s| signature(s, resolution)).collect(),
        others: image.others.iter().map(|other| other.as_str().to_owned()).collect(),
        problems: image.problems.to_vec(),
        doubt: image.doubt.filter(|_| state == ImageState::Unsigned),
        label: labels.label(image),
    }
}

fn signature(found: &FoundSignature<Verdict>, resolution: &Resolution) -> SignatureReport {
    let (mut identity, mut issuer) = (None, None);
    let (needs, trouble, reference) = match &found.content {
        Err(e) => (Vec::new(), Some(Diagnostic::clone(e)), None),
        Ok(verdict) => {
            let answers = resolution.answers(verdict).cloned().unwrap_or_default();
            let trouble = answers.refusal.as_ref().map(Diagnostic::from);
            (identity, issuer) = (answers.identity, answers.oidc_issuer);
            let needs: Vec<_> = answers.needs.iter().map(|(n, a)| need(n, a)).collect();
            (needs, trouble, verdict.reference.as_deref().map(str::to_owned))
        }
    };
    SignatureReport {
        form: found.form.as_str(),
        found: found.via.as_str(),
        at: found.at.to_string(),
        reference,
        identity,
        issuer,
        logged: (found.form != Form::OpenPgp && !needs.is_empty())
            .then(|| needs.iter().any(|n| matches!(n.need, Need::Rekor { .. } | Need::Rekor2 { .. }))),
        needs,
        problem: trouble,
    }
}

fn need(need: &Need, answer: &Answer) -> NeedReport {
    let mut report =
        NeedReport { need: need.clone(), state: NeedState::Have, key: None, claim: None, problem: None };
    match answer {
        Answer::Have(key) => report.key = Some(*key),
        Answer::Missing { claim } => {
            report.state = NeedState::Missing;
            report.claim = *claim;
        }
        Answer::Refused { key, refusal } => {
            // A key is not at fault if another one is missing, or if the signature lacks something.
            let against = refusal.is_against(need.role());
            report.state = if against { NeedState::Refused } else { NeedState::Unproved };
            report.key = Some(*key);
            report.problem = Some(refusal.into());
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
