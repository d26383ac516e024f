//! What an operation reports while it runs: steps, notes and warnings for a listener, bytes for a display of how far
//! transfers are, and what is true if the program ends now.

mod interrupt;
mod progress;

pub use interrupt::Interrupt;
pub use progress::Progress;

/// Receives what an operation reports. The text is one or more sentences for a person, and parts of it may quote
/// content: an implementation that prints it has to remove what a terminal acts on. Each method does nothing by
/// default.
pub trait Events: Send + Sync {
    /// A step that may take long begins.
    fn step(&self, _text: &str) {}

    /// The step goes on: this text replaces that of the step.
    fn advance(&self, _text: &str) {}

    /// A request waits, and why. It comes from any thread.
    fn waiting(&self, _text: &str) {}

    /// Something to know.
    fn note(&self, _text: &str) {}

    /// Something to act on, though the operation goes on.
    fn warn(&self, _text: &str) {}
}

/// Ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {}
