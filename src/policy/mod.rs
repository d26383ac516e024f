//! Decisions about images: the organisation's rules (as a file, as a draft based on observations, and bound to the keys
//! of a pack), and the names of mirrors and sources. Pure: the input is text and values.

pub mod mapping;
pub mod rule;
