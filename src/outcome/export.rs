//! What `export` wrote, as a value: JSON (`schemas/export-v1.schema.json`) and text are written from it.

use serde::Serialize;

use super::{RevokedKey, admission::AdmissionReport};
use crate::{
    diag::Diagnostic,
    display::{Paint, count, shown},
    fs::Change,
    oci::Digest,
    policy::target::Target,
};

/// What was exported, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportReport {
    /// Always 1.
    pub schema_version: u32,
    /// `export`.
    pub command: &'static str,
    /// The format.
    pub format: &'static str,
    /// The consumers that it is for.
    #[serde(rename = "for")]
    pub targets: Vec<TargetReport>,
    /// The folder.
    pub directory: String,
    /// The pack digest of the keys.
    pub pack: Digest,
    /// What became of the folder; absent, if nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Written>,
    /// Its files.
    pub files: Vec<ExportedFile>,
    /// What to know about them.
    pub notes: Vec<Diagnostic>,
    /// Keys that were revoked on this host: they are exported nowhere.
    pub left_out: Vec<RevokedKey>,
    /// Why no mirror can tell whether it is good; absent, if one could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_checkable: Option<&'static str>,
    /// What the policy would do to the images of the mirror; absent, if it was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<AdmissionReport>,
    /// Why nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
}

/// A consumer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// As it was named: `podman@5.3`.
    pub consumer: String,
    /// The library that decides, with its version.
    pub library: String,
    /// Where that is known from.
    pub source: &'static str,
    /// The version that it is taken for; another one where it is newer than all that keypack knows.
    pub taken_for: String,
}

impl TargetReport {
    pub(crate) fn of(target: &Target) -> Self {
        Self {
            consumer: target.to_string(),
            library: target.library.clone(),
            source: target.source,
            taken_for: format!("{}@{}", target.consumer, target.row),
        }
    }
}

/// What became of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    /// It is new.
    Created,
    /// It was replaced.
    Replaced,
    /// It was up to date.
    Unchanged,
}

impl From<Change> for Written {
    fn from(change: Change) -> Self {
        match change {
            Change::Created => Self::Created,
            Change::Replaced => Self::Replaced,
            Change::Unchanged => Self::Unchanged,
        }
    }
}

/// A file of the folder.
#[derive(Debug, Serialize)]
pub struct ExportedFile {
    /// Its path in the folder.
    pub path: String,
    /// Its digest.
    pub sha256: Digest,
}

impl ExportedFile {
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), sha256: Digest::of(text.as_bytes()) }
    }
}

/// The report as text.
pub(crate) fn render(report: &ExportReport, paint: Paint, all: bool) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    for target in &report.targets {
        line(&format!(
            "For      {}: as {}, with {}",
            shown(&target.consumer),
            target.taken_for,
            target.library
        ));
    }
    for key in &report.left_out {
        line(&format!("Left out {key}"));
    }
    for note in &report.notes {
        line(&format!("Note     {} [{}]", shown(&note.message), note.code));
        line(&format!("         {}", shown(&note.hint)));
    }
    if let Some(check) = &report.check {
        line("");
        line(super::admission::render(check, paint, all).trim_end());
    }
    let Some(change) = report.change else { return out };
    line("");
    let directory = shown(&report.directory);
    line(&match change {
        Written::Unchanged => format!("{directory} is up to date: {}", count(report.files.len(), "file")),
        _ => format!("Wrote {} to {directory}:", count(report.files.len(), "file")),
    });
    for file in &report.files {
        line(&format!("  {}", shown(&file.path)));
    }
    if let Some(why) = report.not_checkable {
        line(&format!("Not checked against any mirror: {why}."));
    } else if report.check.is_none() {
        line(&paint.warn("Not checked against any mirror: --check docker://MIRROR says whether its images would still run."));
    }
    out
}
