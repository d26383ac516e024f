//! keypack
pub mod content;
pub mod key;
pub mod limits;
pub mod oci;
pub mod tree;
