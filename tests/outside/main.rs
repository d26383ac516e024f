//! Tests against other people's content, registries and programs. Whether one can run is known only at run time: if
//! something is missing, the test counts as ignored, with the reason, never as passed. That is why this binary has
//! its own harness.
#![allow(unreachable_pub, missing_docs, reason = "modules of one test program")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "tests run programs, make the files that they read, and look at the clock"
)]

mod admission;
mod ceremony;
mod cosign_lines;
mod export;
mod export_signers;
mod gpg;
mod host;
mod peers;
mod plan;
mod published_schemas;
mod real;
mod registry;
mod release;
mod report;
#[path = "../support/mod.rs"]
mod support;
mod trusted_root;

use libtest_mimic::Arguments;

fn main() {
    let trials = [
        admission::trials(),
        ceremony::trials(),
        cosign_lines::trials(),
        export::trials(),
        export_signers::trials(),
        host::trials(),
        real::trials(),
        registry::trials(),
        release::trials(),
        report::trials(),
        peers::trials(),
        plan::trials(),
        trusted_root::trials(),
        published_schemas::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
