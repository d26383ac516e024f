//! Decisions about images: the organisation's rules (as a file, as a draft based on observations, and bound to the keys
//! of a pack), the names of mirrors and sources, what a consumer's policy admits, and what its version can verify. Pure: the input is
//! text and values.

pub mod consumer;
pub mod mapping;
pub mod rule;
pub mod target;
