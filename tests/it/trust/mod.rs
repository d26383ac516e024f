//! Attacks on the rooms that decide: key, signature, trust, resolve. Each test is named after the lie it tells.
mod around;
mod broken;
mod chains;
mod forms;
mod hostile;
mod issue;
mod keys;
mod lab;
mod log;
pub(crate) mod own;
mod payload;
mod proposed;
mod prove;
mod resolve;
mod roles;
mod sources;
mod unbound;
