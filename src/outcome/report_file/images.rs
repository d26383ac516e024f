use serde::Serialize;

use super::Input;
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
    outcome::{
        admission::{PullFix, PullReport},
        verify::{ImageVerdict, SignatureState, VerifyState},
    },
    policy::consumer::Verdict,
};

/// An image with its verdict. The order is that of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageLine {
    /// By which name it is known: where it was mirrored from, or else where it lies.
    pub(crate) name: String,
    /// Of an instance of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// Where it lies, if its name does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    pub(crate) verdict: &'static str,
    pub(crate) section: Section,
    /// The rule or the scope that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
    /// The signature tag that a copy is to be made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy_from: Option<String>,
    /// Who signed it, of those who count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) signers: Vec<String>,
}

/// The section that an image is reported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Section {
    /// A signature counts.
    Good,
    /// No signature was asked for.
    NotAsked,
    /// It could not be judged.
    NotJudged,
    /// It is refused.
    Refused,
}

impl From<ImageVerdict> for ImageLine {
    fn from(image: ImageVerdict) -> Self {
        let section = match image.state {
            VerifyState::Good | VerifyState::GoodByList => Section::Good,
            VerifyState::Refused => Section::Refused,
            VerifyState::Unreadable | VerifyState::NotHere => Section::NotJudged,
            VerifyState::Unexpected | VerifyState::Unsigned | VerifyState::SignedOtherwise => {
                Section::NotAsked
            }
        };
        let problem = image.first_problem().filter(|_| section != Section::Good).cloned();
        let good = image.signatures.iter().filter(|signature| signature.state == SignatureState::Good);
        let mut signers: Vec<_> =
            good.filter_map(|signature| Some(signature.signer.as_ref()?.name())).collect();
        signers.sort();
        signers.dedup();
        let at = place(&image);
        let tags = if image.tags.is_empty() { String::new() } else { format!(":{}", image.tags.join(",")) };
        let name = format!("{}{tags}", image.name.as_deref().unwrap_or(&at));
        let at = Some(at).filter(|at| image.name.as_ref().is_some_and(|name| name != at));
        let (code, cause, fix) = parts(problem);
        Self {
            name,
            platform: image.platform,
            digest: Some(image.digest),
            at,
            verdict: image.state.as_str(),
            section,
            rule: image.rule,
            code,
            cause,
            fix,
            copy_from: None,
            signers,
        }
    }
}

fn parts(problem: Option<Diagnostic>) -> (Option<Code>, Option<String>, Option<String>) {
    problem.map_or((None, None, None), |problem| {
        (Some(problem.code), Some(problem.message), Some(problem.hint.into_owned()))
    })
}

/// Where an image lies.
fn place(image: &ImageVerdict) -> String {
    let host = image.source.strip_prefix("docker://").and_then(|rest| rest.split('/').next());
    match (host, image.repository.as_str()) {
        (_, "") => image.source.clone(),
        (Some(host), repository) => format!("{host}/{repository}"),
        (None, repository) => repository.to_owned(),
    }
}

impl From<&PullReport> for ImageLine {
    fn from(pull: &PullReport) -> Self {
        let section = match pull.verdict {
            Verdict::Admitted => Section::Good,
            Verdict::Outside | Verdict::AdmittedUnverified => Section::NotAsked,
            Verdict::NotJudged => Section::NotJudged,
            Verdict::Refused => Section::Refused,
        };
        let hint = pull.hint.as_deref();
        let fix = match &pull.fix {
            Some(PullFix::Copy { .. }) => {
                Some("copy the missing signature: --fix wrote the command".to_owned())
            }
            Some(fix) => Some(fix.cure(hint.unwrap_or_default())),
            None => hint.map(str::to_owned),
        };
        let is_wrong = matches!(section, Section::NotJudged | Section::Refused);
        Self {
            name: pull.name.clone().unwrap_or_else(|| pull.reference.clone()),
            platform: pull.platform.clone(),
            digest: pull.instance.or(pull.digest),
            at: pull.name.as_ref().filter(|name| **name != pull.reference).map(|_| pull.place().to_owned()),
            verdict: pull.verdict.as_str(),
            section,
            rule: pull.scope.clone(),
            code: pull.code,
            cause: pull.cause.clone(),
            fix: fix.filter(|_| is_wrong),
            copy_from: match &pull.fix {
                Some(PullFix::Copy { from, .. }) => Some(from.clone()),
                _ => None,
            },
            signers: Vec::new(),
        }
    }
}

/// The list of images as one digest: each line is the name, the platform and the digest of an image, `-` where there is none.
pub(super) fn input(images: &[ImageLine]) -> Input {
    let line = |image: &ImageLine| {
        let digest = image.digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
        format!("{} {} {digest}\n", image.name, image.platform.as_deref().unwrap_or("-"))
    };
    let list: String = images.iter().map(line).collect();
    Input {
        what: "images",
        name: "the lines NAME PLATFORM DIGEST of every image below".into(),
        sha256: Digest::of(list.as_bytes()),
    }
}
