//! The private CAs of a policy.json: `pki` in containers-policy.json(5). containers/image uses every root certificate
//! as an anchor and the intermediates as a pool (`signature/pki_cert.go`), so any of them may be the issuer of a
//! signer's certificate.

use super::Gathered;
use crate::{
    diag::{Code, Diagnostic},
    key::{Candidate, Certificate, Chain, Material, Provenance, Role},
    trust::check_chain,
};

/// The maximum number of certificates in a chain. Real ones have two or three.
const LINKS: usize = 8;

/// A certificate and where it came from.
type Held = (Certificate, Provenance);

/// The contents of one `pki`.
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
                // Many scopes contain the same certificates: only the first is reported.
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

    /// The chain from this certificate to a root. Several certificates may have the issuer's name; the signature
    /// decides.
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
