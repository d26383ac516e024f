//! keypack
pub mod content;
pub mod key;
pub mod limits;
pub mod oci;
pub mod signature;
pub mod tree;
pub mod trust;
