//! The file that `verify --report` writes: what a person who signs it off reads, and what an archive keeps. Its order is fixed, so
//! that two of them differ only where what they report differs.

mod facts;
mod html;
mod images;
mod pack;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ConsumerReport, SourceReport,
    admission::{AdmissionReport, FixReport, MissingImage, PolicyReport, ReleaseReport, StageReport},
    verify::{ExpectedReport, KeysReport, SignerCount, Verification},
};
use crate::{
    diag::{Diagnostic, Exit},
    display::Plain,
    oci::Digest,
};

pub(crate) use facts::{Changes, Facts, MARK, ReportAgainst, is_report};
pub(crate) use images::ImageLine;
pub(crate) use pack::{Before, Handled, PackPart};

/// The form of the file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportForm {
    /// One self-contained page.
    Html,
    /// JSON (`schemas/verify-report-v1.schema.json`).
    Json,
}

/// The report, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportFile<'a> {
    /// [`MARK`], by which keypack knows its own files again.
    report: &'static str,
    schema_version: u32,
    /// The word for how it ended.
    verdict: String,
    /// The exit code.
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Diagnostic>,
    clock: Clock,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<KeysPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a ExpectedReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<PackPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a PolicyReport>,
    releases: &'a [ReleaseReport],
    sources: &'a [SourceReport],
    stages: &'a [StageReport],
    counts: BTreeMap<String, usize>,
    signers: &'a [SignerCount],
    missing: &'a [MissingImage],
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a FixReport>,
    consumers: &'a [ConsumerReport],
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    /// What the result depends on.
    inputs: Vec<Input>,
    images: Vec<ImageLine>,
    /// What a later report is compared with.
    facts: Facts,
}

/// The keys that were used.
#[derive(Debug, Serialize)]
struct KeysPart<'a> {
    /// Whether they are from an authenticated pack.
    authenticated: bool,
    /// The directory, or the files.
    from: &'a [String],
    count: usize,
}

/// The clocks that were used.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Clock {
    /// The time of the run.
    pub(crate) time: Timestamp,
    /// Where it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// How many signatures were judged at the time that each clock gives.
    pub(crate) signatures: BTreeMap<&'static str, usize>,
}

/// Something that the result depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Input {
    /// What it is: `images`, `policy`, `mapping`, ….
    pub(crate) what: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// Its digest.
    pub(crate) sha256: Digest,
}

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    /// The result of `verify`.
    Verification(&'a Verification),
    /// The result of `verify --policy`.
    Admission(&'a AdmissionReport),
    /// Neither, because of this.
    Nothing(&'a Diagnostic),
}

/// What is reported beside it.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) clock: Clock,
    pub(crate) pack: Option<PackPart>,
    /// What the result depends on, without its images.
    pub(crate) inputs: Vec<Input>,
    /// The report that it is compared with.
    pub(crate) since: Option<(ReportAgainst, Facts)>,
}

impl<'a> ReportFile<'a> {
    pub(crate) fn new(found: Found<'a>, beside: Beside) -> Self {
        let Beside { mut clock, pack, mut inputs, since } = beside;
        let failure = match found {
            Found::Verification(found) => found.failure.as_ref(),
            Found::Admission(report) => report.failure.as_ref(),
            Found::Nothing(failure) => Some(failure),
        };
        let mut file = Self {
            report: MARK,
            schema_version: 1,
            verdict: failure.map_or("not-judged", |failure| failure.code.as_str()).to_owned(),
            exit: failure.map_or(Exit::Done, |failure| failure.exit) as u8,
            failure,
            clock: Clock::default(),
            keys: None,
            expected: None,
            pack,
            policy: None,
            releases: &[],
            sources: &[],
            stages: &[],
            counts: BTreeMap::new(),
            signers: &[],
            missing: &[],
            fix: None,
            consumers: &[],
            changes: None,
            inputs: Vec::new(),
            images: Vec::new(),
            facts: Facts::default(),
        };
        match found {
            Found::Verification(found) => file.verified(found, &mut clock),
            Found::Admission(report) => file.admitted(report),
            Found::Nothing(_) => {}
        }
        file.clock = clock;
        file.images.sort();
        if let Some(policy) = file.policy {
            let name = policy.file.clone();
            inputs.insert(0, Input { what: "policy", name, sha256: policy.sha256 });
        }
        inputs.insert(0, images::input(&file.images));
        file.inputs = inputs;
        file.facts = Facts::of(&file);
        file.changes = since.map(|(since, old)| Changes::between(since, &old, &file.facts));
        file
    }

    fn verified(&mut self, found: &'a Verification, clock: &mut Clock) {
        self.verdict = word(&found.verdict);
        let KeysReport { authenticated, from, count, .. } = &found.keys;
        self.keys = Some(KeysPart { authenticated: *authenticated, from, count: *count });
        self.expected = Some(&found.expected);
        self.sources = &found.sources;
        self.counts = counts(&found.counts);
        self.signers = &found.signers;
        self.consumers = &found.consumers;
        for image in found.images.iter() {
            for clock_of in image.signatures.iter().chain(&image.attestations).filter_map(|s| s.clock) {
                *clock.signatures.entry(clock_of).or_default() += 1;
            }
            self.images.push(image.into());
        }
    }

    fn admitted(&mut self, report: &'a AdmissionReport) {
        self.verdict = word(&report.verdict);
        self.policy = Some(&report.policy);
        self.releases = &report.releases;
        self.sources = &report.sources;
        self.stages = &report.stages;
        self.counts = counts(&report.counts);
        self.missing = &report.missing;
        self.fix = report.fix.as_ref();
        self.images = report.images.iter().map(ImageLine::from).collect();
    }

    /// The word for how it ended.
    pub(crate) fn verdict(&self) -> &str {
        self.failure.map_or(&self.verdict, |failure| failure.code.as_str())
    }

    /// The file.
    pub(crate) fn bytes(&self, form: ReportForm) -> Vec<u8> {
        match form {
            ReportForm::Html => html::render(self).into_bytes(),
            ReportForm::Json => json(self),
        }
    }
}

/// Two-space JSON, in which nothing hides.
fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory does not fail, and the keys of every map are texts.
    let _ = serde_json::to_writer_pretty(Plain(&mut out), value);
    out.push(b'\n');
    out
}

/// The name that a value has in JSON.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Counts by the names that they have in JSON.
fn counts(counts: &impl Serialize) -> BTreeMap<String, usize> {
    serde_json::to_value(counts).and_then(serde_json::from_value).unwrap_or_default()
}
