//! What decides about images: the organisation's rules, as it writes them in a file, as a draft of what was seen, and bound
//! to the keys of a pack; and the names of mirrors and sources. Pure: texts and values come in.

pub mod mapping;
pub mod rule;
