//! All decisions about signatures, without I/O: bytes and keys in, [`Verified`] or a [`Refusal`] out.
//!
//! [`Verifier::judge`] decides whether a signature is valid for an image with exactly the available keys.
//! [`Verifier::prove`] is its weaker variant for collecting: it returns which of the available keys this signature
//! confirms while others that it needs are still missing. Both run the same checks; `prove` only leaves out evidence
//! whose key is missing.
//!
//! Cryptography, Merkle proofs and timestamps are handled by `sigstore-verify`, certificate paths by `rustls-webpki`
//! (`path`). The verifying crate compares times with the machine's clock internally (a log entry from the future is
//! refused); all other times are arguments.

pub(crate) mod attachment;
mod certificate;
mod chain;
mod crypto;
mod endorse;
mod evidence;
mod gpg;
mod key_set;
mod path;
mod plain;
mod proposed;
mod reading;
mod refusal;
mod revoked;
mod stamp;
pub mod tuf;
mod unsupported;
mod verifier;

pub use chain::check as check_chain;
pub use endorse::{endorses_bytes, endorses_manifest, signed_bytes};
pub use key_set::{KeyConflict, KeySet};
pub(crate) use reading::Reading;
pub use refusal::Refusal;
pub use revoked::Revocations;
pub use verifier::{Clock, Verified, Verifier};
