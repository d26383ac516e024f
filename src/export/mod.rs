//! What keypack writes for other programs, beside keys/: decisions and texts, pure.

mod registries_d;

pub use registries_d::{Asked, Attachments, RegistriesD, Repository, is_ours, scopes};
