//! OpenPGP keys and signatures: real ones, and lies about them. Each test is named after the lie it tells.
#![allow(unreachable_pub, reason = "modules of one test program")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and run servers")]

#[path = "../support/fault.rs"]
mod fault;
mod forms;
mod host;
mod keys;
mod lab;
mod messages;
mod packs;
mod payload;
mod place;
#[path = "../cli/program.rs"]
#[allow(dead_code, reason = "shared by several test programs")]
mod program;
mod redhat;
mod statements;
mod weak;
mod wire;

/// What the lying server looks for in what it was sent.
mod support {
    pub const PASSWORD: &str = "correct horse";
}
