//! What `verify --policy` found, as a value: JSON (`schemas/admission-v1.schema.json`) and text are written from it.

mod fix;
mod release;
mod text;

use serde::Serialize;

use super::{SourceReport, WrittenReport};
use crate::{
    diag::{Code, Diagnostic},
    display::count,
    oci::Digest,
    policy::consumer::Verdict,
};

pub use fix::{FixReport, Instead, NotAsked, PullFix};
pub use release::{MissingImage, ReleaseReport, Stage, StageReport};
pub use text::render;

/// What the policy would do about every pull, schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionReport {
    /// Always 1.
    pub schema_version: u32,
    /// `verify`.
    pub command: &'static str,
    /// The worst of the verdicts.
    pub verdict: Verdict,
    /// Why it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
    /// The policy.
    pub policy: PolicyReport,
    /// The releases of OpenShift whose policies these are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseReport>,
    /// The places that were read.
    pub sources: Vec<SourceReport>,
    /// What happens at each stage at which a cluster checks images.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageReport>,
    /// The pulls, the worst first.
    pub images: Vec<PullReport>,
    /// The file with the commands that copy missing signatures, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixReport>,
    /// Images of the releases that are not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingImage>,
    /// Counts.
    pub counts: Counts,
    /// The report that was written, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<WrittenReport>,
}

/// A policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// As the user named it.
    pub file: String,
    /// `policy.json`, or `openshift` where it is rendered from the objects of OpenShift.
    pub kind: &'static str,
    /// Its sha256: of the file, or of the objects that a release brings.
    pub sha256: Digest,
    /// Those objects.
    pub objects: Vec<String>,
    /// Its scopes of the transport docker.
    pub scopes: Vec<String>,
    /// The folders registries.d.
    pub registries_d: Vec<String>,
    /// The registries that the cluster allows and blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registries: Option<RegistriesReport>,
    /// What of it, or of the command line, is about nothing here.
    pub notes: Vec<Diagnostic>,
}

/// The registries that nodes may use.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistriesReport {
    /// As the user named it.
    pub file: String,
    /// Those that are allowed; empty if all are.
    pub allowed: Vec<String>,
    /// Those that are blocked.
    pub blocked: Vec<String>,
}

/// One pull: an image by a tag or by its digest, on one platform.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PullReport {
    /// The place.
    pub source: String,
    /// The repository there; empty where the place has none.
    pub repository: String,
    /// What it is called where it lies.
    pub reference: String,
    /// `tag` or `digest`.
    pub form: &'static str,
    /// By which name it is pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The digest of the manifest or list that the reference names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The platform, of an instance of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The digest of that instance: its signatures decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<Digest>,
    /// What the consumer would do.
    pub verdict: Verdict,
    /// The scope that decides; `docker` for the default of the transport, `default` for that of the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Why, where it is not admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What `--fix` does about it, where it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<PullFix>,
}

impl PullReport {
    /// The reference without the tag or the digest.
    pub(super) fn place(&self) -> &str {
        let end = if self.form == "digest" { '@' } else { ':' };
        self.reference.rsplit_once(end).map_or(self.reference.as_str(), |(place, _)| place)
    }
}

/// Counts of pulls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All.
    pub pulls: usize,
    /// Admitted by a signature.
    pub admitted: usize,
    /// Admitted whoever signed.
    pub admitted_unverified: usize,
    /// Refused.
    pub refused: usize,
    /// Outside every scope.
    pub outside: usize,
    /// Not judged.
    pub not_judged: usize,
    /// What could not be read of the places.
    pub problems: usize,
}

impl Counts {
    /// Counts pulls. `problems` are those of places.
    pub fn of(images: &[PullReport], problems: usize) -> Self {
        let mut counts = Self { pulls: images.len(), problems, ..Self::default() };
        for image in images {
            *match image.verdict {
                Verdict::Admitted => &mut counts.admitted,
                Verdict::AdmittedUnverified => &mut counts.admitted_unverified,
                Verdict::Refused => &mut counts.refused,
                Verdict::Outside => &mut counts.outside,
                Verdict::NotJudged => &mut counts.not_judged,
            } += 1;
        }
        counts
    }

    /// The pulls that a scope of the policy covers.
    pub const fn in_scope(&self) -> usize {
        self.pulls - self.outside
    }

    /// Why a run with these counts did not end well.
    pub fn failure(&self) -> Option<Diagnostic> {
        let in_scope = self.in_scope();
        let (code, message) = match () {
            () if self.refused > 0 => {
                let what = count(self.refused, "pull");
                (Code::PolicyWouldRefuse, format!("{what} of {in_scope} in scope would be refused"))
            }
            () if self.not_judged > 0 => {
                (Code::PolicyNotEvaluated, format!("{} could not be judged", count(self.not_judged, "pull")))
            }
            () if self.problems > 0 => {
                (Code::NotAllRead, format!("{} could not be read", count(self.problems, "thing")))
            }
            () if in_scope == 0 => (
                Code::NothingInScope,
                format!("the policy has a scope for none of {}", count(self.pulls, "pull")),
            ),
            () => return None,
        };
        Some(Diagnostic::new(code, message))
    }
}
