//! keypack
pub mod cli;
pub mod content;
pub mod discover;
pub mod key;
pub mod keysource;
pub mod limits;
pub mod net;
pub mod oci;
pub mod pack;
pub mod report;
pub mod resolve;
pub mod signature;
pub mod state;
pub mod tree;
pub mod trust;
pub mod write;
