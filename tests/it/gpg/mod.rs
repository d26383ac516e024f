//! OpenPGP keys and signatures: real ones, and lies about them. Each test is named after the lie it tells.
mod damaged;
mod forms;
mod host;
mod keys;
mod lab;
mod messages;
mod packs;
mod payload;
mod place;
mod redhat;
mod statements;
mod weak;
mod wire;

use crate::support::{fault, program};
