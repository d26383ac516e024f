#![cfg_attr(fuzzing, no_main)]
//! The report for people, with hostile text in every place that content can reach: no control character, nothing
//! unbounded.

mod input;

use keypack::{
    diag::{Code, Diagnostic},
    display::{Paint, hidden},
    key::{KeyRef, Role, Validity},
    oci::Digest,
    pack::Change,
    signature::Need,
    outcome::{
        ConflictReport, Counts, Detail, ImageReport, ImageState, KeyReport, NeedReport, NeedState, OpenNeed, PackReport,
        Report, SignatureReport, SourceReport, UnusableReport, UnusedReport, WindowReport, WindowStatement,
        render,
    },
};

fn key_report(key: KeyRef, provenance: keypack::key::Provenance, giver: String) -> KeyReport {
    KeyReport {
        key,
        name: "signer-x".into(),
        fingerprint: key.id.into(),
        weak: true,
        provenance: vec![provenance],
        proofs: 1,
        given_by: Some(giver),
    }
}

fn window(key: KeyRef, source: String) -> WindowReport {
    let validity = Validity::default();
    WindowReport { key, used: validity, stated: vec![WindowStatement { source, sha256: key.id, validity }] }
}

fn consumer(
    text: &dyn Fn(usize) -> String,
    problem: keypack::diag::Diagnostic,
) -> keypack::outcome::ConsumerReport {
    keypack::outcome::ConsumerReport {
        consumer: text(0),
        taken_for: text(1),
        library: "cosign 3.1.0".into(),
        signed: 2,
        could: 1,
        cannot: vec![keypack::outcome::CannotReport { images: 1, examples: vec![text(2)], problem }],
    }
}

/// Puts texts everywhere.
pub fn run(data: &[u8]) {
    let parts = input::parts(data);
    let text = |n: usize| input::text(&parts, n % parts.len()).into_owned();
    let digest = Digest::of(data);
    let key = KeyRef { role: Role::Signer, id: digest };
    let problem = |n: usize| Diagnostic::new(Code::ReadFailed, text(n)).hinting(text(n + 2));
    let provenance = keypack::key::Provenance { source: text(8), ..input::provenance() };
    let need = |n: usize, state| NeedReport {
        need: Need::Rekor2 { origin: text(n), key_id: digest },
        state,
        key: None,
        claim: None,
        problem: Some(problem(n + 1)),
    };
    let report = Report {
        changed: Vec::new(),
        consumers: vec![consumer(&text, problem(3))],
        schema_version: 1,
        command: "discover",
        sources: vec![SourceReport { place: text(0), read: 1, absent: 1, problems: vec![problem(1)], unreadable: 1 }],
        images: vec![ImageReport {
            source: text(0),
            repository: text(1),
            tags: vec![text(2)],
            digest,
            state: ImageState::Unsigned,
            kind: "artifact",
            artifact_type: Some(text(3)),
            instance_of: None,
            signatures: [None, Some(problem(4))]
                .into_iter()
                .map(|problem| SignatureReport {
                    form: "bundle",
                    found: "tag",
                    at: text(5),
                    reference: Some(text(6)),
                    identity: Some(text(0)),
                    issuer: Some(text(1)),
                    logged: Some(false),
                    needs: vec![need(7, NeedState::Missing), need(8, NeedState::Refused), need(9, NeedState::Have)],
                    problem,
                })
                .collect(),
            others: vec![text(4)],
            problems: vec![problem(2)],
            doubt: None, label: text(3),
        }].into(),
        keys: vec![key_report(key, provenance, text(2))],
        open: vec![OpenNeed {
            role: Role::Fulcio,
            id: text(4),
            fingerprint: None,
            state: NeedState::Missing,
            problem: problem(5),
            claim: None,
            images: 1,
            example: text(6),
        }],
        unusable: vec![UnusableReport { source: text(7), entry: Some(text(8)), problem: problem(9) }],
        undated: vec![UnusableReport { source: text(7), entry: Some(text(8)), problem: problem(9) }],
        unused: vec![UnusedReport { source: text(1), sha256: digest }],
        conflicts: vec![ConflictReport { key, sources: vec![text(2), text(3)] }],
        windows: vec![window(key, text(4))],
        counts: Counts {
            images: 1,
            signed: 1,
            unsigned: 0,
            unreadable: 0,
            signed_otherwise: 0,
            absent: 0,
            signatures: 2,
            not_logged: 2,
            needed: 2,
            have: 1,
            open: 1,
            problems: 1,
        },
        pack: Some(PackReport {
            directory: text(0),
            name: "default".into(),
            version: 1,
            digest,
            change: Change::First,
            keys: vec![],
            kept: vec![],
            unproved: vec![],
        }),
    };
    for images in [Detail::Counted, Detail::Lines, Detail::Whole] {
        let shown = render(&report, Paint(false), images);
        let bad = shown.chars().find(|c| *c != '\n' && hidden(*c));
        assert_eq!(bad, None, "{shown:?}");
        assert!(shown.len() < 4000 + data.len() * 400, "{} bytes become {}", data.len(), shown.len());
        // A text from content can't break a line: lines beyond those of an empty report come from wrapping.
        assert!(shown.lines().count() < 100 + data.len(), "too many lines");
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
