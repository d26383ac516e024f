//! The sources of content: the same content answers the same from every place that can hold it, lies are refused
//! with their code, and writing changes nothing but what it was asked to.
mod malformed_content;
mod malformed_tar;
mod same_content;
mod sinks;
mod storage;
mod support;
