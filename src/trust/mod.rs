//! Every decision about signatures, without I/O: bytes and keys come in, [`Verified`] or a [`Refusal`] goes out.
//!
//! [`Verifier::judge`] decides whether a signature is good for an image with exactly the keys at hand. [`Verifier::prove`] is
//! its weaker sister for collecting: it tells which of the keys at hand this signature confirms, where others that it needs
//! are still missing. Both run the same checks; `prove` only leaves out the evidence whose key is absent.
//!
//! The cryptography, the Merkle proofs and the timestamps are `sigstore-verify`'s, the certificate paths `rustls-webpki`'s
//! (`path`). The verifying crate compares times with the machine's clock inside (a log entry from the future is refused); all other times are
//! arguments.

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
mod stamp;
pub mod tuf;
mod unsupported;
mod verifier;

pub use chain::check as check_chain;
pub use endorse::{endorses_bytes, endorses_manifest, signed_bytes};
pub use key_set::{KeyConflict, KeySet};
pub(crate) use reading::Reading;
pub use refusal::Refusal;
pub use verifier::{Clock, Verified, Verifier};
