//! The program as people run it: words in, stdout, stderr, files and an exit code out. One file per verb.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the program and make the files that it reads"
)]

mod again;
mod collect;
mod config;
mod discover;
mod forge;
mod formats;
mod inspect;
mod keys;
mod lab;
mod lies;
mod program;
mod pull;
mod push;
mod usage;
