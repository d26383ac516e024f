//! keypack
fn main() {}
