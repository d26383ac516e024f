//! What keypack writes for other programs, beside keys/: decisions and texts, pure.

mod registries_d;

pub(crate) use registries_d::{Asked, Attachments, RegistriesD, full_name, is_ours, scopes};
