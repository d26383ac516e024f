//! Attacks on the rooms that decide: key, signature, trust, resolve. Each test is named after the lie it tells.
#![allow(clippy::disallowed_methods, reason = "a test may look at the clock and at files")]
#![allow(unreachable_pub, reason = "modules of one test program")]

mod around;
mod broken;
mod canary;
mod chains;
mod forms;
mod hostile;
mod issue;
mod keys;
mod lab;
mod log;
mod own;
mod paths;
mod payload;
mod proposed;
mod prove;
mod resolve;
mod sources;
mod stamp;
mod unbound;
mod walk;
