//! The program as users run it: arguments in; stdout, stderr, files and an exit code out. One file per verb.
mod changed;
mod collect;
mod config;
mod denied;
mod discover;
mod echo;
mod files;
mod forged;
mod formats;
mod hostile;
mod inspect;
mod keys;
pub(crate) mod lab;
mod malformed;
pub(crate) mod memory;
mod pack_builder;
mod pull;
mod push;
mod recollect;
mod report;
mod roles;
mod rules;
mod secrets;
mod sheet;
mod taken;
mod usage;

use crate::support::{fault, program};
