//! keypack
pub mod content;
pub mod limits;
pub mod oci;
pub mod tree;
