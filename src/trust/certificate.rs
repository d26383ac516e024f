//! Checks a signature made with a certificate: which authority issued it, and which CT logs recorded it.

use jiff::Timestamp;

use super::{
    Refusal,
    crypto::{Identity, Signer},
    evidence::{Weighing, no_key},
    path::{self, Usage},
    plain,
    stamp::Stamp,
    verifier::Missing,
};
use crate::{
    key::{Certificate, Key, KeyRef, Material},
    signature::{CertificateNeeds, Need},
};

/// What a certificate's signature proved.
pub(super) struct Certified<'a> {
    /// The authority and the CT logs.
    pub(super) keys: Vec<&'a Key>,
    pub(super) identity: Identity,
    /// The available keys that it did not prove. If there are any, only logs were proved.
    pub(super) refused: Vec<(KeyRef, Refusal)>,
}

impl<'a> Weighing<'a> {
    /// Verifies a certificate's signature.
    pub(super) fn by_certificate(
        &self,
        logs: &[(usize, &Key)],
        stamps: &[Stamp<'a>],
        certificate: &CertificateNeeds,
    ) -> Result<Certified<'a>, Refusal> {
        if matches!(certificate.authority, Need::Pki(_)) {
            return self.by_private_ca(certificate);
        }
        if logs.is_empty() && stamps.is_empty() {
            return Err(match self.reading.needs.logs.first() {
                Some(log) => no_key(log),
                None => Refusal::Timestamp("nothing says when the certificate was used".into()),
            });
        }
        let ct = self.ct_logs(certificate)?;
        // Several authorities may have the same key identifier: renewed with the same key, or a namesake. The
        // certificate itself shows which of them issued it.
        let mut refused = Vec::new();
        for authority in self.verifier.keys.fitting(&certificate.authority) {
            match self.by_authority(logs, stamps, authority, &ct, certificate) {
                Ok(identity) => {
                    let keys = ct.into_iter().chain([authority]).collect();
                    return Ok(Certified { keys, identity, refused: Vec::new() });
                }
                Err(e) => refused.push((authority.key_ref(), e)),
            }
        }
        if self.missing == Missing::Refuse || logs.is_empty() {
            let missing = no_key(&certificate.authority);
            return Err(refused.pop().map_or(missing, |(_, refusal)| refusal));
        }
        // The validity of the log's evidence does not depend on the certificate's issuer. The name in the certificate
        // is not confirmed, because nothing vouches for it.
        self.each_log(logs, stamps, Signer::Certificate { chain: false, ct: false }, &[])?;
        // The CT logs' signatures cover the CA's name.
        let refusal = refused.last().map_or_else(|| no_key(&certificate.authority), |(_, e)| e.clone());
        refused.extend(ct.iter().map(|log| (log.key_ref(), refusal.clone())));
        Ok(Certified { keys: Vec::new(), identity: Identity::default(), refused })
    }

    /// Verifies a certificate of a private CA, whose signers use no log: by the path alone, at the current time, as
    /// podman and `cosign verify --ca-roots` do. A Fulcio CA is not accepted here: its certificates are valid for ten
    /// minutes, and without evidence of the signing time a stolen key would work forever.
    fn by_private_ca(&self, certificate: &CertificateNeeds) -> Result<Certified<'a>, Refusal> {
        let Some(leaf) = self.bundle.signing_certificate() else { return Err(Refusal::NoEvidence) };
        let mut refusal = no_key(&certificate.authority);
        for authority in self.verifier.keys.fitting(&certificate.authority) {
            let Material::Chain(chain) = &authority.material else { continue };
            let (brought, issuers, usage) = (&certificate.brought, chain.certificates(), Usage::CodeSigning);
            match path::verify(leaf.as_bytes(), brought, issuers, usage, self.now) {
                Ok(()) => {
                    plain::certified(self.reading, leaf.as_bytes())?;
                    let identity = Identity {
                        name: certificate.identity.clone(),
                        oidc_issuer: certificate.oidc_issuer.clone(),
                    };
                    return Ok(Certified { keys: vec![authority], identity, refused: Vec::new() });
                }
                Err(Refusal::Chain(reason)) => {
                    refusal = match not_yet(leaf.as_bytes(), brought, issuers, self.now) {
                        Some(time) => Refusal::ClockBehind { what: "its certificate", time },
                        None => Refusal::Certificate(format!(
                            "there is no evidence of when it was used, so this host's clock decides: {reason}"
                        )),
                    };
                }
                Err(e) => refusal = e,
            }
        }
        Err(refusal)
    }

    /// The keys of the CT logs that recorded the certificate.
    fn ct_logs(&self, certificate: &CertificateNeeds) -> Result<Vec<&'a Key>, Refusal> {
        let mut found = Vec::new();
        for need in &certificate.ct_logs {
            match (self.verifier.keys.fitting(need).next(), self.missing) {
                (Some(key), _) => found.push(key),
                (None, Missing::LeaveOut) => {}
                (None, Missing::Refuse) => return Err(no_key(need)),
            }
        }
        Ok(found)
    }

    /// Verifies everything with this authority: first with the verifying crate and the issuing certificate, then the
    /// path through the whole chain at every time at which the signature is proved to have existed.
    fn by_authority(
        &self,
        logs: &[(usize, &Key)],
        stamps: &[Stamp<'a>],
        authority: &Key,
        ct: &[&Key],
        certificate: &CertificateNeeds,
    ) -> Result<Identity, Refusal> {
        let (Material::Chain(chain), Some(leaf)) = (&authority.material, self.bundle.signing_certificate())
        else {
            return Err(Refusal::NoEvidence);
        };
        let times = self.times(logs, stamps);
        if times.is_empty() {
            return Err(Refusal::Timestamp("nothing says when the certificate was used".into()));
        }
        let (leaf, issuers, usage) = (leaf.as_bytes(), chain.certificates(), Usage::CodeSigning);
        path::readable(issuers)?;
        let signer = Signer::Certificate { chain: true, ct: !ct.is_empty() };
        let mut identity = Identity::default();
        for log in if ct.is_empty() { vec![None] } else { ct.iter().copied().map(Some).collect() } {
            let more: Vec<_> = [authority].into_iter().chain(log).collect();
            identity = self.each_log(logs, stamps, signer, &more).map_err(|refusal| match refusal {
                // The crate supports fewer name constraints than Go, and no certificates for any use.
                Refusal::Certificate(_) => {
                    match times.iter().try_for_each(|time| path::verify(leaf, &[], issuers, usage, *time)) {
                        Err(unsupported @ Refusal::Unsupported(_)) => unsupported,
                        Ok(()) if path::is_for_anything(leaf, usage) => Refusal::Unsupported(
                            "its certificate may be used for anything, and does not name code signing".into(),
                        ),
                        _ => refusal,
                    }
                }
                refusal => refusal,
            })?;
        }
        for time in times {
            self.verifier.paths.verify(authority.key_ref(), leaf, issuers, usage, time)?;
        }
        if authority.ct_required && certificate.ct_logs.is_empty() {
            return Err(Refusal::CtMissing);
        }
        Ok(identity)
    }
}

/// When the last of these certificates becomes valid, if that is in the future.
fn not_yet(
    leaf: &[u8],
    brought: &[Certificate],
    issuers: &[Certificate],
    now: Timestamp,
) -> Option<Timestamp> {
    let leaf = Certificate::from_der(leaf).ok();
    let starts = leaf.iter().chain(brought).chain(issuers).map(|certificate| certificate.validity().0);
    starts.max().and_then(|start| Timestamp::from_second(start).ok()).filter(|start| *start > now)
}
