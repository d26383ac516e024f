//! Observations: which signers sign which repositories. Only signatures that verify count, each by itself; the claims
//! of a signature prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{IdentityKind, Pattern, Scope, Signer};
use crate::{
    discover::{Discovery, Form, FoundSignature, Image, Kind},
    key::{KeyRef, Role, name_of},
    registry::{Host, RegistryRef},
    resolve::{Answer, Answers, Resolution, Verdict},
    signature::Need,
};

/// Observations of one repository.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The number of images, and of those without a signature that verifies.
    pub(super) images: usize,
    pub(super) unsigned: usize,
    /// The names in the signatures: the image's name when it was signed, or that of another party's image. They are
    /// shown, but have no effect.
    pub(super) signed_as: BTreeSet<String>,
    /// How many images each of them signed.
    pub(super) signers: BTreeMap<Signer, usize>,
    /// The logs that recorded the signatures.
    pub(super) logs: BTreeSet<KeyRef>,
    /// The number of signatures, and of those that are in no log.
    pub(super) signatures: usize,
    pub(super) unlogged: usize,
    /// Signatures that name a repository without a tag or digest.
    pub(super) bare: usize,
    /// Signers whose certificates have no issuer: no rule can name them.
    pub(super) nameless: usize,
}

/// All observations.
pub(super) struct Observation {
    /// By scope or, if the location does not show the registry, by the repository's name there.
    pub(super) seen: BTreeMap<Result<Scope, String>, Seen>,
    /// The display names of keys.
    pub(super) names: BTreeMap<KeyRef, String>,
}

/// A signature that verified.
struct Proof<'a> {
    answers: &'a Answers,
    reference: Option<&'a str>,
}

pub(super) fn observe(discovery: &Discovery<Verdict>, resolution: &Resolution, pack: &str) -> Observation {
    let names = resolution.keys.iter().map(|(key, resolved)| (*key, name_of(*key, &resolved.key.material)));
    let mut observation = Observation { seen: BTreeMap::new(), names: names.collect() };
    for image in discovery.images.iter().filter(|image| is_image(image, pack)) {
        let proofs: Vec<_> = image.signatures.iter().filter_map(|s| proof(s, resolution)).collect();
        let place = discovery.places.iter().find(|place| place.name == image.place());
        let host = place.and_then(|place| place.host.as_ref());
        observation.seen.entry(scope(image, host)).or_default().add(&proofs);
    }
    observation
}

/// Whether a rule could apply to it: the instances of an index are covered by its signature, if at all.
fn is_image(image: &Image<Verdict>, pack: &str) -> bool {
    match &image.kind {
        Kind::Artifact(artifact_type) if **artifact_type == *pack => false,
        Kind::Absent | Kind::Unreadable => !image.signatures.is_empty(),
        _ => image.instance_of.is_none() || !image.signatures.is_empty(),
    }
}

/// The signature, if it is a signature of the image (not a statement about it) and all of its evidence verifies.
fn proof<'a>(found: &'a FoundSignature<Verdict>, resolution: &'a Resolution) -> Option<Proof<'a>> {
    if found.form == Form::Attestation {
        return None;
    }
    let verdict = found.content.as_ref().ok()?;
    let answers = resolution.answers(verdict)?;
    let have =
        |(_, answer): &(Need, Answer)| matches!(answer, Answer::Have(key) if answers.keys.contains(key));
    let is_good = answers.refusal.is_none() && !answers.keys.is_empty() && answers.needs.iter().all(have);
    is_good.then_some(Proof { answers, reference: verdict.reference.as_deref() })
}

/// The repository according to the location: in its registry, or from a tag that is a whole reference; otherwise its
/// name in the location. The name in a signature is not used, because one from elsewhere would create a rule for images
/// elsewhere.
fn scope(image: &Image<Verdict>, host: Option<&Host>) -> Result<Scope, String> {
    let here = host.map(|host| format!("{host}/{}", image.repository()));
    let tags = image.tags.iter().filter(|tag| tag.contains('/')).map(String::as_str);
    here.as_deref()
        .into_iter()
        .chain(tags)
        .find_map(|name| {
            let host = name.split_once('/')?.0;
            let reference: RegistryRef = name.parse().ok()?;
            // A name without a host would mean Docker Hub, which keypack never assumes.
            let named = host.eq_ignore_ascii_case(reference.host.as_str());
            named.then(|| format!("{}/{}", reference.host, reference.repository).parse().ok())?
        })
        .ok_or_else(
            || if image.repository().is_empty() { image.label() } else { image.repository().to_owned() },
        )
}

impl Seen {
    /// The logs that a rule would ask for: none, unless every signature is in one.
    pub(super) fn every_log(&self) -> Option<&BTreeSet<KeyRef>> {
        (self.unlogged == 0 && !self.logs.is_empty()).then_some(&self.logs)
    }

    /// Adds the observations of another repository.
    pub(super) fn merge(&mut self, other: Self) {
        let Self { images, unsigned, signed_as, signers, logs, signatures, unlogged, bare, nameless } = other;
        self.images += images;
        self.unsigned += unsigned;
        self.signed_as.extend(signed_as);
        for (signer, images) in signers {
            *self.signers.entry(signer).or_default() += images;
        }
        self.logs.extend(logs);
        self.signatures += signatures;
        self.unlogged += unlogged;
        self.bare += bare;
        self.nameless += nameless;
    }

    fn add(&mut self, proofs: &[Proof<'_>]) {
        self.images += 1;
        let mut signers = BTreeSet::new();
        for Proof { answers, reference } in proofs {
            self.signatures += 1;
            let of =
                |roles: &'static [Role]| answers.keys.iter().filter(|k| roles.contains(&k.role)).copied();
            let logs: Vec<_> = of(&[Role::Rekor, Role::Rekor2]).collect();
            self.unlogged += usize::from(logs.is_empty());
            self.logs.extend(logs);
            self.signed_as.extend(reference.map(str::to_owned));
            self.bare += usize::from(reference.is_some_and(|name| {
                name.parse::<RegistryRef>().is_ok_and(|r| r.tag.is_none() && r.digest.is_none())
            }));
            let kind = answers.identity_kind.map(IdentityKind::from);
            let signer = match (
                of(&[Role::Signer, Role::Gpg]).next(),
                answers.identity.as_deref(),
                answers.oidc_issuer.as_deref(),
            ) {
                (Some(key), _, _) => Some(Signer::Key(key)),
                (None, Some(subject), Some(issuer)) => Some(Signer::Identity {
                    authorities: of(&[Role::Fulcio]).collect(),
                    subject: Pattern::Exact(subject.to_owned()),
                    kind,
                    issuer: Some(Pattern::Exact(issuer.to_owned())),
                }),
                // Certificates of a private CA have no OIDC issuer.
                (None, Some(subject), None) if of(&[Role::Pki]).next().is_some() => Some(Signer::Identity {
                    authorities: of(&[Role::Pki]).collect(),
                    subject: Pattern::Exact(subject.to_owned()),
                    kind,
                    issuer: None,
                }),
                _ => None,
            };
            self.nameless += usize::from(signer.is_none());
            signers.extend(signer);
        }
        self.unsigned += usize::from(signers.is_empty());
        for signer in signers {
            *self.signers.entry(signer).or_default() += 1;
        }
    }
}
