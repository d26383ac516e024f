//! The sources of content: the same content gives the same answers from every source that can hold it, malformed
//! content is refused with its code, and writing changes only what it was asked to.
mod malformed_content;
mod malformed_tar;
mod same_content;
mod sinks;
mod storage;
mod support;
