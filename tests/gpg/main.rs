//! OpenPGP keys and signatures: real ones, and lies about them. Each test is named after the lie it tells.
#![allow(unreachable_pub, reason = "modules of one test program")]
#![allow(clippy::disallowed_methods, reason = "fixtures are read from disk")]

mod keys;
mod lab;
mod messages;
mod redhat;
