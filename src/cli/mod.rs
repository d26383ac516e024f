//! The command line: what the user types, and what the user reads. Each verb is an operation of [`crate::ops`].
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "this module owns the command line: stdout, stderr, the environment and the clock"
)]

mod args;
mod bar;
mod caller;
mod clock;
mod collect;
mod console;
mod diff;
mod digest;
mod discover;
mod enforce;
mod export;
mod heading;
mod inspect;
mod interrupt;
mod output;
mod program;
mod pull;
mod push;
mod registries_d;
mod revoke;
mod schema;
mod settings;
mod state;
mod usage;
mod verify;
mod verify_blob;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use output::Output;

use crate::diag::{Diagnostic, Exit};

/// Runs the program: the arguments of this process in, an exit code out.
pub fn main() -> ExitCode {
    let mut cli = match Cli::try_parse_from(usage::with_values(std::env::args_os())) {
        Ok(cli) => cli,
        Err(e) => return usage::refused(e),
    };
    let output = Output::new(&cli.global);
    let result = settings::apply(&mut cli, &output).and_then(|()| run(&cli.command, &output));
    let optional = match &cli.command {
        Command::Discover(args) => args.read.forgive.warns(),
        Command::Collect(args) => args.read.forgive.warns(),
        Command::Push(args) => args.forgive.warns(),
        _ => false,
    };
    output.finish(result, optional).into()
}

fn run(command: &Command, output: &Output) -> Result<Exit, Diagnostic> {
    match command {
        Command::Discover(args) => discover::run(args, output),
        Command::Collect(args) => collect::run(args, output),
        Command::Push(args) => push::run(args, output),
        Command::Pull(args) => pull::run(args, output),
        Command::Verify(args) => verify::run(args, output),
        Command::VerifyBlob(args) => verify_blob::run(args, output),
        Command::Export(args) => export::run(args, output),
        Command::Inspect(args) => inspect::run(args, output),
        Command::Diff(args) => diff::run(args, output),
        Command::Revoke(args) => revoke::run(args, output),
        Command::HostState(args) => state::run(&args.command, output),
        Command::Schema(args) => schema::run(args, output),
    }
}
