//! OpenPGP keys and signatures: real ones and forged ones. Each test is named after the forgery.
mod damaged;
mod forms;
mod host;
mod keys;
pub(crate) mod lab;
mod messages;
mod packs;
mod payload;
pub(crate) mod place;
mod redhat;
mod statements;
mod weak;
mod wire;

use crate::support::{fault, program};
