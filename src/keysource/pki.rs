//! The private CAs of a policy.json: `pki` in containers-policy.json(5). containers/image takes every certificate of the
//! roots as an anchor and those of the intermediates as a pool (`signature/pki_cert.go`), so each of them may be the one
//! that issued a signer's certificate.

use super::Gathered;
use crate::{
    diag::{Code, Diagnostic},
    key::{Candidate, Certificate, Chain, Material, Provenance, Role},
    trust::check_chain,
};

/// Certificates of one chain: real ones have two or three.
const LINKS: usize = 8;

/// A certificate and where it lies.
type Held = (Certificate, Provenance);

/// What one `pki` holds.
#[derive(Debug, Default)]
pub(super) struct Pki {
    /// `caRootsPath`, `caRootsData`.
    pub(super) roots: Vec<Held>,
    /// `caIntermediatesPath`, `caIntermediatesData`.
    pub(super) intermediates: Vec<Held>,
}

impl Gathered {
    /// Adds each root, and each intermediate with the certificates that lead to a root.
    pub(super) fn add_pki(&mut self, pki: &Pki) {
        for (certificate, provenance) in pki.intermediates.iter().chain(&pki.roots) {
            let candidate = pki.chain(certificate).and_then(|chain| {
                let chain = Material::Chain(chain);
                Candidate::new(Role::Pki, chain, provenance.clone()).map_err(|e| e.to_string())
            });
            match candidate {
                // Many scopes often hold the same certificates: the first one tells them.
                Ok(new) if self.candidates.iter().any(|c| is_again(c, &new)) => {}
                Ok(new) => self.candidates.push(new),
                Err(reason) => {
                    let entry = format!("the certificate {:?} of pki", certificate.subject());
                    self.leave(&provenance.source, Some(&entry), Diagnostic::new(Code::ChainRefused, reason));
                }
            }
        }
    }
}

fn is_again(known: &Candidate, new: &Candidate) -> bool {
    known.key == new.key && known.provenance.sha256 == new.provenance.sha256
}

impl Pki {
    fn is_root(&self, certificate: &Certificate) -> bool {
        self.roots.iter().any(|(root, _)| root == certificate)
    }

    /// The chain from this certificate to a root. Several may bear the issuer's name; the signature tells which it is.
    fn chain(&self, first: &Certificate) -> Result<Chain, String> {
        let whole = |certificates: Vec<Certificate>| -> Result<Chain, String> {
            let chain = Chain::new(certificates).map_err(|e| e.to_string())?;
            check_chain(&chain, Role::Pki).map_err(|e| e.to_string())?;
            Ok(chain)
        };
        let mut chain = whole(vec![first.clone()])?;
        while let Some(last) = chain.certificates().last().filter(|last| !self.is_root(last)) {
            let longer = self.roots.iter().chain(&self.intermediates).find_map(|(issuer, _)| {
                let new = issuer.subject() == last.issuer() && !chain.certificates().contains(issuer);
                new.then(|| whole([chain.certificates(), std::slice::from_ref(issuer)].concat()).ok())
                    .flatten()
            });
            match longer {
                Some(longer) if longer.certificates().len() <= LINKS => chain = longer,
                _ => return Err("no certificate of caRoots issued it".into()),
            }
        }
        Ok(chain)
    }
}
