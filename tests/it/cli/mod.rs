//! The program as people run it: words in, stdout, stderr, files and an exit code out. One file per verb.
mod again;
mod changed;
mod collect;
mod config;
mod denied;
mod discover;
mod echo;
mod files;
mod forge;
mod forged;
mod formats;
mod hostile;
mod inspect;
mod keys;
pub(crate) mod lab;
mod lies;
pub(crate) mod memory;
mod pull;
mod push;
mod report;
mod roles;
mod rules;
mod secrets;
mod sheet;
mod taken;
mod usage;

use crate::support::{fault, program};
