//! Prints which keys the signatures of an OCI layout need, and whether they are available.
//!
//! ```text
//! cargo run --example discover_layout -- testdata/lab/layouts/key-bundle-rekor1-oras testdata/lab/trust/trusted_root.json
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example is a program: it reads the clock, and prints"
)]

use std::{env, process::ExitCode};

use keypack::{
    diag::Diagnostic,
    ops::{Context, Env, KeySources, Sources, discover},
};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let Some(layout) = args.next() else {
        eprintln!("usage: discover_layout DIR [TRUSTED_ROOT.json]");
        return ExitCode::from(2);
    };
    match run(&layout, args.next()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(4),
        Err(e) => {
            eprintln!("{} [{}]\n{}", e.message, e.code, e.hint);
            ExitCode::from(e.exit as u8)
        }
    }
}

fn run(layout: &str, trusted_root: Option<String>) -> Result<bool, Diagnostic> {
    let keys = KeySources {
        trusted_roots: trusted_root.into_iter().map(Into::into).collect(),
        offline: true,
        // The keys of this host are not used either.
        host_root: None,
        ..KeySources::default()
    };
    let sources = Sources { places: vec![format!("oci:{layout}")], keys, ..Sources::default() };
    let request = discover::Request { sources, ..discover::Request::default() };
    // The environment is not read: the time and the variables are arguments.
    let context = Context::new(jiff::Timestamp::now(), Env::default());
    let report = keypack::ops::discover(&request, &context)?.report;
    for image in &report.images {
        println!("{}: {} signatures", image.label, image.signatures.len());
        for need in image.signatures.iter().flat_map(|signature| &signature.needs) {
            println!("  {} {}: {}", need.need.role(), need.need.id(), need.state.as_str());
        }
    }
    Ok(report.is_complete())
}
