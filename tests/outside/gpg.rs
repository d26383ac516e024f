//! The GPG keys and signatures of the other test program.
#![allow(dead_code, reason = "shared by two test programs")]

use crate::support::program;

#[path = "../it/gpg/lab.rs"]
pub mod lab;
#[path = "../it/gpg/place.rs"]
pub mod place;
