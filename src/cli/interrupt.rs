//! Ctrl-c, and the same from a service manager: nothing is left half-written, and one line says what state things are in.

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

/// What a shell makes of a program that ctrl-c ended.
const EXIT: i32 = 130;

/// Begins to listen. Where that can't be done, a signal ends the program as it ends any other: what is written appears
/// whole or not at all, whoever ends it and when.
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
