//! Whether the certificates of a chain sign each other.
//!
//! The verifying crate takes every certificate of a trusted chain as an anchor. A chain in which a foreign root
//! stands behind a good intermediate would therefore make that root trusted: the links are checked first.

use super::{Refusal, crypto};
use crate::key::Chain;

/// Checks every link of the chain.
pub fn check(chain: &Chain) -> Result<(), Refusal> {
    let refuse = |e: &dyn std::fmt::Display| Refusal::Chain(e.to_string());
    for pair in chain.certificates().windows(2) {
        let (issued, issuer) = (&pair[0], &pair[1]);
        let key = issuer.public_key().map_err(|e| refuse(&e))?;
        let bytes = issued.signed_bytes().map_err(|e| refuse(&e))?;
        let (signature, oid) = issued.signature();
        if !crypto::certified_by(&key, &bytes, &signature, &oid) {
            return Err(Refusal::Chain(format!(
                "the certificate {:?} names {:?} as its issuer but does not carry its signature",
                issued.subject(),
                issuer.subject()
            )));
        }
    }
    Ok(())
}
