//! The Update Framework (<https://theupdateframework.io>, specification 1.0.34): a repository's files come in, the keys
//! that its keepers vouch for go out, or a refusal. No I/O and no clock.
//!
//! One workflow serves both sides: collecting, it runs over the real repository and demands that nothing has expired;
//! in the enclave it runs again over the files that were kept, from a root that arrived by another way. There expiry is
//! no reason to refuse, for what lies on a disk can only grow older; it bounds how old the evidence is, and that is
//! judged beside it ([`Evidence`]). Signatures, thresholds, versions, lengths and hashes are held to always.
//!
//! The crate is `sigstore-tuf`, without its HTTP client: it takes key ids as declared, as `tuf-on-ci` writes them (others
//! recompute them and refuse the roots of GitHub), and its workflow asks a trait for files. The futures of that trait are
//! ready when they are made, so that driving them takes no runtime.

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
