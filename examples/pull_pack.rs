//! Fetches a pack, authenticates it by its digest, and unpacks it.
//!
//! ```text
//! cargo run --example pull_pack -- oci-archive:mirror.tar:keys-2026-11 sha256:… keys
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example is a program: it reads the clock, and prints"
)]

use std::{env, process::ExitCode};

use keypack::ops::{AnchorSpec, Context, Env, pull};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [source, digest, directory] = args.as_slice() else {
        eprintln!("usage: pull_pack PLACE sha256:DIGEST DIRECTORY");
        return ExitCode::from(2);
    };
    let Ok(digest) = digest.parse() else {
        eprintln!("{digest} is not sha256:<64 hex>");
        return ExitCode::from(2);
    };
    let request = pull::Request {
        source: source.clone(),
        anchors: vec![AnchorSpec::Digest(digest)],
        output: Some(directory.into()),
        // This host's record of what it authenticated, so that an older pack does not pass for a newer one.
        state_dir: Some(format!("{directory}.state").into()),
        ..pull::Request::default()
    };
    match keypack::ops::pull(&request, &Context::new(jiff::Timestamp::now(), Env::default())) {
        Ok(outcome) => {
            println!("{}, version {}", outcome.directory, outcome.version);
            outcome.keys.iter().for_each(|key| println!("{key}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let e = failure.diagnostic;
            eprintln!("{} [{}]\n{}", e.message, e.code, e.hint);
            ExitCode::from(e.exit as u8)
        }
    }
}
