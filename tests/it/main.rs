//! The tests of keypack: the library from outside, and the built program. They are one binary because linking twenty
//! takes longer than compiling them. The path of a test is its name: `cli/malformed.rs` contains `cli::malformed::…`.
#![allow(unreachable_pub, missing_docs, reason = "modules of one test program")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "tests run programs, make the files that they read, and look at the clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod anchors;
mod architecture;
mod attached;
mod attacks;
mod cli;
mod corpus;
mod export;
mod gpg;
mod ocmirror;
mod ops;
mod public_api;
mod readme;
mod registry_faults;
mod revoke;
mod schemas;
mod sources;
mod state;
mod trust;
mod tuf;
mod verify;
mod walk;
mod write;
