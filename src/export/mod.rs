//! What keypack writes for other programs in addition to keys/: decisions and texts, without I/O.

mod registries_d;
mod signature_copies;

pub(crate) use registries_d::{Asked, Attachments, RegistriesD, full_name, is_ours, scopes};
pub(crate) use signature_copies::{Repository, SignatureCopies, SignatureCopy, Uncopied, Way, is_fix};
