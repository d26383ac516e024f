//! keypack
pub mod content;
pub mod limits;
pub mod net;
pub mod oci;
pub mod tree;
