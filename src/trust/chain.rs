//! Whether the certificates of a chain may issue certificates and sign each other.
//!
//! The verifying crate takes every certificate of a trusted chain as an anchor, and asks an anchor for nothing but its
//! key. A chain in which a foreign root stands behind a good intermediate, or somebody's ordinary certificate before
//! it, would therefore make these trusted: links and constraints are checked first.

use super::{Refusal, crypto};
use crate::key::{Chain, Role};

/// Checks every link of the chain, and that all but a timestamp authority's own certificate may issue others.
pub fn check(chain: &Chain, role: Role) -> Result<(), Refusal> {
    let refuse = |e: &dyn std::fmt::Display| Refusal::Chain(e.to_string());
    let issuers = chain.certificates().iter().skip(usize::from(role == Role::Tsa));
    if let Some(certificate) = issuers.into_iter().find(|c| !c.may_issue()) {
        return Err(Refusal::Chain(format!(
            "the certificate {:?} is not an authority's: it may not issue others",
            certificate.subject()
        )));
    }
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
