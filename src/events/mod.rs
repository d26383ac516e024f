//! What an operation reports while it runs: steps, notes and warnings to whoever listens, bytes to whoever shows how far
//! transfers are, and what is true if the program ends now.

mod interrupt;
mod progress;

pub use interrupt::Interrupt;
pub use progress::Progress;

/// Hears what an operation reports. The text is one or more sentences for a person, and parts of it may quote content:
/// whoever prints it removes what a terminal acts on. Each method does nothing unless it is implemented.
pub trait Events: Send + Sync {
    /// A step begins that may take long.
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

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {}
