use serde::Serialize;

/// What the consumer would do, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No scope of the policy is the image's, and its default asks for nothing.
    Outside,
    /// A signature meets every requirement.
    Admitted,
    /// It would run, and no signature is asked for.
    AdmittedUnverified,
    /// keypack can't tell.
    NotJudged,
    /// It would not run.
    Refused,
}

impl Verdict {
    /// The word in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Admitted => "admitted",
            Self::AdmittedUnverified => "admitted-unverified",
            Self::NotJudged => "not-judged",
            Self::Refused => "refused",
        }
    }
}
