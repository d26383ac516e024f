//! Code shared by the two test binaries.
#![allow(dead_code, reason = "each of the two uses a part of it")]

pub mod docker_registry;
pub mod fault;
pub mod find;
pub mod mirror;
pub mod program;
mod record;
pub mod registry;
pub mod tokens;
