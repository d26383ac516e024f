//! Weighing a signature that was made with a certificate: which authority issued it, and which CT logs saw it.

use super::{
    Missing, Refusal, VerificationKey, chain,
    crypto::{Identity, Signer},
    evidence::{Weighing, no_log},
};
use crate::{
    key::{Material, Role},
    signature::CertificateHint,
};

impl<'a> Weighing<'a> {
    /// Verifies a certificate's signature; returns the authorities and CT logs that were part of it.
    pub(super) fn by_certificate(
        &self,
        logs: &[(usize, &VerificationKey)],
        stamps: &[&VerificationKey],
        certificate: &CertificateHint,
    ) -> Result<(Vec<&'a VerificationKey>, Identity), Refusal> {
        if logs.is_empty() && stamps.is_empty() {
            return Err(match self.hints.logs.first() {
                Some(hint) => no_log(hint),
                None => Refusal::Timestamp("nothing says when the certificate was used".into()),
            });
        }
        let ct = self.ct_logs(certificate)?;
        // Several authorities may bear one key identifier: renewed with the same key, or a namesake. The certificate
        // itself tells which of them issued it.
        let mut refusal = None;
        for authority in self.keys.of(Role::Fulcio).filter(|k| issues(k, certificate)) {
            match self.by_authority(logs, stamps, authority, &ct) {
                Ok(identity) => {
                    return Ok((ct.into_iter().chain([authority]).collect(), identity));
                }
                Err(e) => refusal = Some(e),
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if self.missing == Missing::Refuse || logs.is_empty() {
            return Err(Refusal::NoKey { role: Role::Fulcio, needed: certificate.issuer.clone() });
        }
        self.each_log(logs, stamps, Signer::Certificate { chain: false, ct: false }, &[])?;
        // The log is confirmed. The name in the certificate is not: nobody vouches for it.
        Ok((Vec::new(), Identity { name: None, oidc_issuer: None }))
    }

    /// The keys of the CT logs that saw the certificate.
    fn ct_logs(&self, certificate: &CertificateHint) -> Result<Vec<&'a VerificationKey>, Refusal> {
        let mut found = Vec::new();
        for id in &certificate.ct_logs {
            match (self.keys.of(Role::CtLog).find(|k| k.key.id == *id), self.missing) {
                (Some(key), _) => found.push(key),
                (None, Missing::LeaveOut) => {}
                (None, Missing::Refuse) => {
                    return Err(Refusal::NoKey { role: Role::CtLog, needed: id.hex() });
                }
            }
        }
        Ok(found)
    }

    fn by_authority(
        &self,
        logs: &[(usize, &VerificationKey)],
        stamps: &[&VerificationKey],
        authority: &VerificationKey,
        ct: &[&VerificationKey],
    ) -> Result<Identity, Refusal> {
        if let Material::Chain(certificates) = &authority.material {
            chain::check(certificates, authority.key.role)?;
        }
        let signer = Signer::Certificate { chain: true, ct: !ct.is_empty() };
        let Some((first, more)) = ct.split_first() else {
            return self.each_log(logs, stamps, signer, &[authority]);
        };
        let identity = self.each_log(logs, stamps, signer, &[authority, first])?;
        for log in more {
            self.each_log(logs, stamps, signer, &[authority, log])?;
        }
        Ok(identity)
    }
}

/// Whether this authority may have issued the certificate: by key identifier, else by name (RFC 5280 §4.2.1.1).
fn issues(authority: &VerificationKey, certificate: &CertificateHint) -> bool {
    let Material::Chain(chain) = &authority.material else { return false };
    match (&certificate.authority_key_id, chain.first().subject_key_id()) {
        (Some(wanted), Some(own)) => *wanted == own,
        _ => certificate.issuer == chain.first().subject(),
    }
}
