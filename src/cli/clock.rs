//! The clock, which is read once per run and nowhere else.

use jiff::Timestamp;

use crate::diag::Diagnostic;

pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time of creation that the environment gives (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub(super) fn source_date_epoch() -> Result<Option<Timestamp>, Diagnostic> {
    let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(None) };
    let time = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| {
        Diagnostic::usage(
            format!("SOURCE_DATE_EPOCH is {text:?}"),
            "set it to whole seconds since 1970, or unset it",
        )
    })
}
