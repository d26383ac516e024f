//! The Update Framework (<https://theupdateframework.io>, specification 1.0.34): takes a repository's files and returns
//! the keys that they authenticate, or a refusal. No I/O and no clock.
//!
//! The same workflow serves both sides. When collecting, it runs over the real repository and requires that nothing has
//! expired. On the disconnected side it runs again over the stored files, from a root obtained out of band. Expiry is
//! no reason to refuse there, because stored files can only get older; it shows how old the evidence is, which is
//! judged separately ([`Evidence`]). Signatures, thresholds, versions, lengths and hashes are always enforced.
//!
//! The crate is `sigstore-tuf`, without its HTTP client: it accepts key ids as declared, as `tuf-on-ci` writes them
//! (others recompute them and refuse GitHub's roots), and its workflow requests files from a trait. The futures of that
//! trait are ready when created, so no runtime is needed to drive them.

mod builtin;
mod chain;
mod error;
mod evidence;
mod items;
mod keys;
mod legacy;
mod workflow;

pub use builtin::{Instance, Root, RootName};
pub use chain::{Chain, RepositoryPath};
pub use error::TufError;
pub use evidence::{Evidence, RootSeen, describe};
pub use items::{Items, TRUSTED_ROOT};
pub use workflow::{Files, Verified, refresh, succeeds, verify};
