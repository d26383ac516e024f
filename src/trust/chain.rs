//! Checks whether the certificates of a chain may issue certificates and have signed each other, which does not depend
//! on a signature. `path` decides whether a chain was valid for a signature.

use super::{Refusal, crypto};
use crate::key::{Certificate, Chain, Role};

/// Checks every link of the chain, and that all of them, except a timestamp authority's own certificate, may issue
/// others. Consumers trust the whole chain, so it must not have a foreign root behind a valid intermediate.
pub fn check(chain: &Chain, role: Role) -> Result<(), Refusal> {
    may_issue(&chain.certificates()[usize::from(role == Role::Tsa)..])?;
    root(chain.certificates())?;
    for pair in chain.certificates().windows(2) {
        if !issued(&pair[0], &pair[1])? {
            return Err(Refusal::Chain(format!(
                "the certificate {:?} names {:?} as its issuer but does not carry its signature",
                pair[0].subject(),
                pair[1].subject()
            )));
        }
    }
    Ok(())
}

/// Refuses a root that was altered after it signed itself. A root's own signature proves nothing else, so one that
/// can't be verified here (SHA-1) is accepted, as is an intermediate at the end of a chain.
pub(super) fn root(certificates: &[Certificate]) -> Result<(), Refusal> {
    let Some(last) = certificates.last().filter(|last| last.issuer() == last.subject()) else {
        return Ok(());
    };
    if matches!(issued(last, last), Ok(false)) {
        return Err(Refusal::Chain(format!("the root {:?} was altered after it was signed", last.subject())));
    }
    Ok(())
}

fn issued(certificate: &Certificate, issuer: &Certificate) -> Result<bool, Refusal> {
    let refuse = |e: &dyn std::fmt::Display| Refusal::Chain(e.to_string());
    let key = issuer.public_key().map_err(|e| refuse(&e))?;
    let bytes = certificate.signed_bytes().map_err(|e| refuse(&e))?;
    let (signature, oid) = certificate.signature();
    crypto::certified_by(&key, &bytes, &signature, &oid).ok_or_else(|| {
        Refusal::Unsupported(format!(
            "the certificate {:?} is signed with the algorithm {oid}",
            certificate.subject()
        ))
    })
}

/// Checks that all of these may issue certificates.
pub(super) fn may_issue(issuers: &[Certificate]) -> Result<(), Refusal> {
    match issuers.iter().find(|c| !c.may_issue()) {
        None => Ok(()),
        Some(certificate) => Err(Refusal::Chain(format!(
            "the certificate {:?} is not a CA's: it may not issue others",
            certificate.subject()
        ))),
    }
}
