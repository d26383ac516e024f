//! Ctrl-c, and the same from a service manager: nothing is left half-written, and one line reports the state.

use std::{
    io::{IsTerminal, Write, stderr},
    process::exit,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::bar::Bar;
use crate::{display::shown, events::Interrupt};

/// The exit code that a shell reports for a program ended by ctrl-c.
const EXIT: i32 = 130;

/// Begins to listen. If that is not possible, a signal ends the program as it ends any other: what is written appears
/// whole or not at all, whatever ends it and when.
pub(super) fn listen(bar: Bar) -> Interrupt {
    let state = Interrupt::default();
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
