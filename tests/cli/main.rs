//! The program as people run it: words in, stdout, stderr, files and an exit code out. One file per verb.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the program and make the files that it reads"
)]

#[path = "../support/fault.rs"]
mod fault;
#[path = "../support/registry.rs"]
mod support;

mod again;
mod changed;
mod collect;
mod config;
mod discover;
mod files;
mod forge;
mod forged;
mod formats;
mod hostile;
mod inspect;
mod keys;
mod lab;
mod lies;
mod program;
mod pull;
mod push;
mod roles;
mod rules;
mod usage;
