//! The progress line on a terminal.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use indicatif::{BinaryBytes, ProgressBar, ProgressState, ProgressStyle};

use crate::{display::shown, events::Progress};

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(120);

/// Smaller transfers take only a moment, and would flicker when many are read one after another.
const WORTH_SHOWING: u64 = 8 << 10;

/// The line; there is none until a step begins. Clones are the same line.
#[derive(Clone, Default)]
pub(super) struct Bar {
    line: Arc<Mutex<Option<ProgressBar>>>,
}

impl Bar {
    /// Shows this text and how far the transfers are that `progress` counts.
    pub(super) fn show(&self, text: &str, progress: &Progress) {
        let mut line = self.lock();
        let line = line.get_or_insert_with(|| {
            let line = ProgressBar::new_spinner().with_message(shown(text));
            // A long name is cut off at its end; the progress is always shown.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}{moved} [{elapsed}]") {
                let progress = progress.clone();
                line.set_style(style.with_key("moved", move |_: &ProgressState, to: &mut dyn fmt::Write| {
                    let _ = to.write_str(&moved(progress.state()));
                }));
            }
            line.enable_steady_tick(TICK);
            line
        });
        line.set_message(shown(text));
    }

    /// Writes to the terminal with the line hidden.
    pub(super) fn aside(&self, work: impl FnOnce()) {
        match &*self.lock() {
            Some(line) => line.suspend(work),
            None => work(),
        }
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        if let Some(line) = self.lock().take() {
            line.finish_and_clear();
        }
    }

    /// The same without waiting; returns whether it worked.
    pub(super) fn try_clear(&self) -> bool {
        let taken = match self.line.try_lock() {
            Ok(mut line) => line.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if let Some(line) = taken {
            line.finish_and_clear();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far transfers are; empty if none worth showing is in progress.
fn moved((passed, expected): (u64, u64)) -> String {
    const WIDTH: u64 = 20;
    if expected < WORTH_SHOWING {
        return String::new();
    }
    let full = u128::from(passed) * u128::from(WIDTH) / u128::from(expected);
    let bar: String = (0..u128::from(WIDTH)).map(|at| if at < full { '=' } else { ' ' }).collect();
    format!(" [{bar}] {} of {}", BinaryBytes(passed), BinaryBytes(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_units_that_people_read() {
        assert_eq!(moved((0, 0)), "");
        assert_eq!(moved((100, 300)), "");
        assert_eq!(moved((0, 10 << 10)), " [                    ] 0 B of 10.00 KiB");
        assert_eq!(moved((3 << 20, 6 << 20)), " [==========          ] 3.00 MiB of 6.00 MiB");
        assert_eq!(moved((7 << 30, 7 << 30)), " [====================] 7.00 GiB of 7.00 GiB");
        assert_eq!(moved((u64::MAX, u64::MAX)), " [====================] 16.00 EiB of 16.00 EiB");
    }
}
