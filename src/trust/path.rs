//! Certificate paths (RFC 5280 §6.1), built by `rustls-webpki`. Extended key usages are judged as in Go's crypto/x509,
//! because sigstore-go, cosign and podman apply that to a chain.
//!
//! The verifying crate uses every certificate of a Fulcio chain as an anchor and checks only an anchor's name and key.
//! It is therefore given the issuing certificate alone, and everything above the signing certificate is verified here,
//! once for each time at which the signature is proved to have existed:
//!
//! 1. webpki can parse every certificate of the chain.
//! 2. Every certificate above the signing one may issue others: basic constraints and key usage. webpki ignores key
//!    usage.
//! 3. A path leads from the signing certificate through all certificates of the chain, in order, to the last one, by
//!    names and signatures. Consumers trust the whole chain, so it must not contain a certificate that is not part of
//!    the path; and an intermediate that issued nothing here is not on the path, even if key identifiers were copied.
//! 4. On the path, dates, path lengths, name constraints, extended key usages and critical extensions are valid.
//! 5. The last certificate is the anchor, and webpki accepts an anchor unchecked. Its dates, path length, extended key
//!    usage and critical extensions are checked here like those of any issuer. Adding the anchor to the intermediates,
//!    so that webpki checks it, works only for roots whose own signature webpki can verify, and neither for an
//!    intermediate that is trusted by itself (`caPath` of policy.json) nor for an old root that signed itself with
//!    SHA-1.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use sigstore_crypto::WEBPKI_VERIFICATION_ALGS;
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext, VerifiedPath, anchor_from_trusted_cert,
};
use x509_cert::{
    TbsCertificate, Version,
    der::{Decode, oid::ObjectIdentifier},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, NameConstraints, name::GeneralName},
    time::Time,
};

use super::{Refusal, chain};
use crate::key::{Certificate, KeyRef};

static CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
static TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
static ANY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// The use of the certificate at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// Signing images.
    CodeSigning,
    /// Signing timestamps.
    TimeStamping,
}

/// The chains of one set of keys for which a path was found, each with the seconds in which all of its certificates are
/// valid: the part above a certificate is the same for the next one.
#[derive(Default)]
pub(super) struct Paths(Mutex<BTreeMap<KeyRef, RangeInclusive<i64>>>);

impl Paths {
    /// Like [`verify`], for a certificate that the verifying crate has accepted at `time` with the first of `issuers`
    /// as its anchor. Everything specific to the certificate is then verified, except for name constraints further up.
    pub(super) fn verify(
        &self,
        key: KeyRef,
        leaf: &[u8],
        issuers: &[Certificate],
        usage: Usage,
        time: Timestamp,
    ) -> Result<(), Refusal> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known().get(&key).is_some_and(|good| good.contains(&time.as_second())) {
            return Ok(());
        }
        verify(leaf, &[], issuers, usage, time)?;
        if !issuers.iter().any(has_constraints) {
            let good = issuers.iter().fold(i64::MIN..=i64::MAX, |good, certificate| {
                let (start, end) = certificate.validity();
                *good.start().max(&start)..=*good.end().min(&end)
            });
            known().insert(key, good);
        }
        Ok(())
    }
}

/// Verifies that the DER certificate `leaf` was issued by the first of `issuers`, each of these by the next, and that
/// all of them were valid for this usage at `time`. Certificates supplied with the signature may be between `leaf` and
/// these.
pub(super) fn verify(
    leaf: &[u8],
    brought: &[Certificate],
    issuers: &[Certificate],
    usage: Usage,
    time: Timestamp,
) -> Result<(), Refusal> {
    readable(issuers)?;
    chain::may_issue(issuers)?;
    chain::root(issuers)?;
    walk(leaf, brought, issuers, usage, time).map_err(|error| {
        if error == Error::NameConstraintViolation
            && let Some(kind) = issuers.iter().find_map(unsupported_constraint)
        {
            return Refusal::Unsupported(format!("a CA of its chain restricts {kind}"));
        }
        let last = issuers.last().map_or_else(String::new, Certificate::subject);
        Refusal::Chain(format!("{} (the chain ends in {last:?})", because(&error, time)))
    })
}

fn walk(
    leaf: &[u8],
    brought: &[Certificate],
    issuers: &[Certificate],
    usage: Usage,
    time: Timestamp,
) -> Result<(), Error> {
    let seconds = u64::try_from(time.as_second()).map_err(|_| Error::BadDerTime)?;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let der = |c: &Certificate| CertificateDer::from(c.der().to_vec());
    let (last, between) = issuers.split_last().ok_or(Error::UnknownIssuer)?;
    let last = der(last);
    let pool: Vec<_> = brought.iter().chain(between).map(der).collect();
    let trusted = &pool[brought.len()..];
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf)?;
    let anchors = [anchor_from_trusted_cert(&last)?];
    let whole_chain = |path: &VerifiedPath<'_>| {
        let path: Vec<_> = path.intermediate_certificates().map(webpki::Cert::der).collect();
        let below = path.strip_suffix(trusted).ok_or(Error::UnknownIssuer)?;
        let may_issue = |c: &CertificateDer<'_>| Certificate::from_der(c).is_ok_and(|c| c.may_issue());
        let good = below.iter().all(|c| pool[..brought.len()].contains(c) && may_issue(c));
        if good { Ok(()) } else { Err(Error::UnknownIssuer) }
    };
    let path = leaf.verify_for_usage(
        WEBPKI_VERIFICATION_ALGS,
        &anchors,
        &pool,
        time,
        usage,
        None,
        Some(&whole_chain),
    )?;
    anchor(&last, path.intermediate_certificates().count(), usage, time)
}

/// Checks the fields of an anchor with `below` issuers under it.
fn anchor(der: &CertificateDer<'_>, below: usize, usage: Usage, time: UnixTime) -> Result<(), Error> {
    // Parses it as strictly as any other certificate: no unknown critical extensions.
    EndEntityCert::try_from(der)?;
    let tbs = tbs(der)?;
    let at = |time: Time| UnixTime::since_unix_epoch(time.to_unix_duration());
    let (not_before, not_after) = (at(tbs.validity.not_before), at(tbs.validity.not_after));
    if time < not_before {
        return Err(Error::CertNotValidYet { time, not_before });
    }
    if time > not_after {
        return Err(Error::CertExpired { time, not_after });
    }
    let constraints = tbs.get::<BasicConstraints>().map_err(|_| Error::BadDer)?;
    let length = constraints.and_then(|(_, constraints)| constraints.path_len_constraint);
    if length.is_some_and(|length| below > usize::from(length)) {
        return Err(Error::PathLenConstraintViolated);
    }
    match tbs.get::<ExtendedKeyUsage>().map_err(|_| Error::BadDer)? {
        None => Ok(()),
        Some((_, usages)) if usages.0.iter().any(|id| usage.covers(id.as_bytes())) => Ok(()),
        Some(_) => Err(usage.not_found()),
    }
}

fn tbs(der: &[u8]) -> Result<TbsCertificate, Error> {
    Ok(x509_cert::Certificate::from_der(der).map_err(|_| Error::BadDer)?.tbs_certificate)
}

/// Refuses, with an accurate reason, a chain with a certificate that Go can parse and webpki can't.
pub(super) fn readable(issuers: &[Certificate]) -> Result<(), Refusal> {
    for (position, certificate) in issuers.iter().enumerate() {
        let Ok(tbs) = tbs(certificate.der()) else { continue };
        let what = if has_unique_id(&tbs) {
            "has a unique identifier in addition to its name"
        } else if tbs.version == Version::V1 && position + 1 == issuers.len() {
            "uses X.509 version 1"
        } else {
            continue;
        };
        return Err(Refusal::Unsupported(format!("the certificate {:?} {what}", certificate.subject())));
    }
    Ok(())
}

/// Whether it has the `issuerUniqueID` or `subjectUniqueID` of X.509 version 2.
pub(super) const fn has_unique_id(tbs: &TbsCertificate) -> bool {
    tbs.issuer_unique_id.is_some() || tbs.subject_unique_id.is_some()
}

/// Whether the certificate explicitly allows any use and does not list this one. The verifying crate requires it to be
/// listed.
pub(super) fn is_for_anything(certificate: &[u8], usage: Usage) -> bool {
    purposes(certificate)
        .is_some_and(|ids| ids.contains(&ANY) && ids.iter().all(|id| id.as_bytes() != usage.id()))
}

/// Whether the certificate has no extended key usage.
pub(super) fn is_silent(certificate: &[u8]) -> bool {
    purposes(certificate).is_none()
}

fn purposes(certificate: &[u8]) -> Option<Vec<ObjectIdentifier>> {
    Some(tbs(certificate).ok()?.get::<ExtendedKeyUsage>().ok()??.1.0)
}

/// The kind of name that this certificate restricts and webpki does not support.
fn unsupported_constraint(certificate: &Certificate) -> Option<&'static str> {
    let (_, constraints) = tbs(certificate.der()).ok()?.get::<NameConstraints>().ok()??;
    let trees = [constraints.permitted_subtrees, constraints.excluded_subtrees];
    trees.into_iter().flatten().flatten().find_map(|tree| match tree.base {
        GeneralName::Rfc822Name(_) => Some("e-mail addresses"),
        GeneralName::UniformResourceIdentifier(_) => Some("URIs"),
        GeneralName::DirectoryName(_) => Some("directory names"),
        GeneralName::OtherName(_) => Some("names of another kind"),
        _ => None,
    })
}

/// Whether it has name constraints, or some that can't be parsed here.
fn has_constraints(certificate: &Certificate) -> bool {
    !matches!(
        tbs(certificate.der()).map(|tbs| tbs.get::<NameConstraints>().map(|found| found.is_none())),
        Ok(Ok(true))
    )
}

/// Describes what is wrong.
fn because(error: &Error, time: Timestamp) -> String {
    match error {
        Error::CertExpired { .. } => format!("a certificate in it had expired at {time}"),
        Error::CertNotValidYet { .. } => format!("a certificate in it was not yet valid at {time}"),
        Error::PathLenConstraintViolated => "it is longer than the path length in it allows".into(),
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            "the extended key usage of a certificate in it does not allow this use".into()
        }
        Error::NameConstraintViolation => "a name is outside what a CA in it may issue for".into(),
        Error::UnsupportedCriticalExtension => "a certificate in it has an unknown critical extension".into(),
        Error::EndEntityUsedAsCa | Error::CaUsedAsEndEntity => {
            "an issuer in it is not a CA, or its first certificate is one".into()
        }
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            "its certificates did not issue each other".into()
        }
        other => other.to_string(),
    }
}

impl Usage {
    fn id(self) -> &'static [u8] {
        match self {
            Self::CodeSigning => CODE_SIGNING.as_bytes(),
            Self::TimeStamping => TIME_STAMPING.as_bytes(),
        }
    }

    /// Whether a certificate with this key purpose may be used this way.
    fn covers(self, purpose: &[u8]) -> bool {
        purpose == self.id() || purpose == ANY.as_bytes()
    }

    fn not_found(self) -> Error {
        let required = KeyUsage::required(self.id());
        Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext { required, present: Vec::new() })
    }
}

/// Go's rule: a certificate without an extended key usage is valid for all of them, and so is one that lists "any".
impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let covered = [KeyPurposeId::new(self.id()), KeyPurposeId::new(ANY.as_bytes())];
        let mut stated = false;
        for purpose in purposes {
            stated = true;
            if covered.contains(&purpose?) {
                return Ok(());
            }
        }
        if stated { Err(self.not_found()) } else { Ok(()) }
    }
}
