//! Decisions about images: the organisation's rules (as a file, as a draft based on observations, and bound to the keys
//! of a pack), the names of mirrors and sources, and what a consumer's policy admits. Pure: the input is text and values.

pub mod consumer;
pub mod mapping;
pub mod rule;
