//! keypack
pub mod content;
pub mod discover;
pub mod key;
pub mod limits;
pub mod oci;
pub mod resolve;
pub mod signature;
pub mod tree;
pub mod trust;
