//! Ctrl-c, and the same from a service manager: nothing is left half-written, and one line says what state things are in.

use std::{
    io::{IsTerminal, Write, stderr},
    process::exit,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    thread::sleep,
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::bar::Bar;
use crate::display::shown;

/// What a shell makes of a program that ctrl-c ended.
const EXIT: i32 = 130;

/// What is true if the program ends now.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<Mutex<String>>);

impl Interrupt {
    /// Begins to listen. Where that can't be done, a signal ends the program as it ends any other: what is written
    /// appears whole or not at all, whoever ends it and when.
    pub(super) fn listen(bar: Bar) -> Self {
        let state = Self(Arc::new(Mutex::new("nothing was written".into())));
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            let state = state.clone();
            std::thread::spawn(move || {
                if signals.forever().next().is_some() {
                    let text = state.settled();
                    // Whoever draws at this moment may hold it: the line is wiped all the same.
                    let clear = if !bar.try_clear() && stderr().is_terminal() { "\r\x1b[2K" } else { "" };
                    let _ = writeln!(stderr(), "{clear}keypack: interrupted: {}", shown(&text));
                    exit(EXIT);
                }
            });
        }
        state
    }

    /// Says what is true from now on.
    pub(super) fn leaves(&self, text: impl Into<String>) {
        *self.lock() = text.into();
    }

    /// Does what is done in a moment and must not be cut in two; `text` is true afterwards. A signal waits for it.
    pub(super) fn whole<T, E>(
        &self,
        text: impl Into<String>,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.lock();
        let done = work()?;
        *state = text.into();
        Ok(done)
    }

    /// What is true once that which must not be cut in two is done; it may itself wait for another keypack.
    fn settled(&self) -> String {
        for _ in 0..50 {
            match self.0.try_lock() {
                Ok(text) => return text.clone(),
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().clone(),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(100)),
            }
        }
        "the directory is as it was, or replaced as a whole; run the same command again to be sure".into()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
