use crate::diag::Diagnostic;

/// Why an operation failed, with its findings until then: a pack without an anchor is shown and refused.
#[derive(Debug)]
pub struct Failure<F> {
    /// The reason.
    pub diagnostic: Diagnostic,
    /// The findings, if the user needs them to decide what to do.
    pub found: Option<Box<F>>,
}

impl<F, E> From<E> for Failure<F>
where
    Diagnostic: From<E>,
{
    fn from(e: E) -> Self {
        Self { diagnostic: e.into(), found: None }
    }
}

impl<F> Failure<F> {
    /// A failure with findings.
    pub(super) fn after(diagnostic: impl Into<Diagnostic>, found: F) -> Self {
        Self { diagnostic: diagnostic.into(), found: Some(Box::new(found)) }
    }
}
