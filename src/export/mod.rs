//! What keypack writes for other programs in addition to keys/: decisions and texts, without I/O.

mod registries_d;

pub(crate) use registries_d::{Asked, Attachments, RegistriesD, full_name, is_ours, scopes};
