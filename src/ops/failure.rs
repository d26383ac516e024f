use crate::diag::Diagnostic;

/// Why an operation failed, with what it had found until then: a pack without an anchor is shown and refused.
#[derive(Debug)]
pub struct Failure<F> {
    /// Why.
    pub diagnostic: Diagnostic,
    /// What had been found, where a person decides by it what to do.
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
    /// The same with what had been found.
    pub(super) fn after(diagnostic: impl Into<Diagnostic>, found: F) -> Self {
        Self { diagnostic: diagnostic.into(), found: Some(Box::new(found)) }
    }
}
