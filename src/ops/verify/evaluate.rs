//! Derives a verdict on each image from the judged signatures.

use super::{
    expected::{Demand, Expected},
    judge::{Good, Judged},
    keys::Keys,
    names::{Namer, Names},
    signers::Signers,
};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Form, FoundSignature, Image, Kind, Other},
    key::Role,
    oci::Digest,
    outcome::verify::{
        ImageVerdict, MakeVerdict, Row, SignatureState, SignatureVerdict, SignerReport, VerifyState,
    },
    pack::media,
    trust::Refusal,
};

/// The requirements for every image, with everything that was found.
pub(super) struct Evaluation {
    pub(super) keys: Keys,
    pub(super) expected: Expected,
    pub(super) namer: Namer,
    /// The images and their signatures.
    pub(super) discovery: Discovery<u32>,
    /// The judged signatures, by number.
    pub(super) judged: Vec<Option<Judged>>,
    /// Whether only logged signatures count.
    pub(super) require_log: bool,
    /// Whether every signature of an image must be valid.
    pub(super) all_signatures: bool,
}

impl Evaluation {
    /// The verdict on an image from its own signatures.
    pub(super) fn image(&self, image: &Image<u32>) -> ImageVerdict {
        let names = self.namer.names(image.place(), image.repository(), &image.tags, image.digest);
        let demand = self.expected.demand(&names);
        let (mut signatures, mut attestations) = (Vec::new(), Vec::new());
        for found in &image.signatures {
            let verdict = self.signature(found, &demand, &names);
            let side = if found.form == Form::Attestation { &mut attestations } else { &mut signatures };
            side.push(verdict);
        }
        let kind = match &image.kind {
            Kind::Image => "image",
            Kind::Index => "index",
            Kind::Artifact(_) => "artifact",
            Kind::Absent => "absent",
            Kind::Unreadable => "unreadable",
        };
        let mut verdict = ImageVerdict {
            source: image.place().to_owned(),
            repository: image.repository().to_owned(),
            tags: image.tags.to_vec(),
            digest: image.digest,
            kind,
            instance_of: image.list(),
            platform: None,
            name: names.source().map(str::to_owned),
            state: VerifyState::Unsigned,
            rule: demand.name(),
            signatures,
            attestations,
            others: image.others.iter().map(|other| other.as_str().to_owned()).collect(),
            problems: image.problems.to_vec(),
            label: image.label(),
        };
        verdict.state = self.state(image, &verdict);
        if verdict.state == VerifyState::NotHere {
            let error = "it is named here, but its content is elsewhere";
            verdict.problems.push(Diagnostic::new(Code::ImageElsewhere, error));
        }
        // An instance without one may be covered by its index.
        if image.instance_of.is_none() {
            require(&mut verdict, demand.is_required());
        }
        verdict
    }

    fn state(&self, image: &Image<u32>, verdict: &ImageVerdict) -> VerifyState {
        let any = |state| verdict.signatures.iter().any(|signature| signature.state == state);
        let is_pack = matches!(&image.kind, Kind::Artifact(kind) if **kind == *media::KEYS);
        match () {
            () if image.kind == Kind::Unreadable => VerifyState::Unreadable,
            () if image.kind == Kind::Absent => VerifyState::NotHere,
            () if self.all_signatures && any(SignatureState::Refused) => VerifyState::Refused,
            () if any(SignatureState::Good) => VerifyState::Good,
            // The unreadable part may have been the valid signature, or the one that a rule requires.
            () if any(SignatureState::Unreadable) || !image.problems.is_empty() => VerifyState::Unreadable,
            // A pack is authenticated by `pull`, with a key that is not in any pack.
            () if any(SignatureState::Refused) && is_pack && verdict.rule.is_none() => {
                VerifyState::SignedOtherwise
            }
            () if any(SignatureState::Refused) => VerifyState::Refused,
            () if any(SignatureState::Unexpected) => VerifyState::Unexpected,
            () if !verdict.attestations.is_empty() => VerifyState::SignedOtherwise,
            () if image.others.iter().any(signs) => VerifyState::SignedOtherwise,
            () => VerifyState::Unsigned,
        }
    }

    fn signature(&self, found: &FoundSignature<u32>, demand: &Demand<'_>, names: &Names) -> SignatureVerdict {
        let mut verdict = SignatureVerdict {
            form: found.form.as_str(),
            found: found.via.as_str(),
            at: found.at.to_string(),
            state: SignatureState::Unreadable,
            signer: None,
            claim: None,
            time: None,
            clock: None,
            logged: None,
            reference: None,
            predicate: None,
            problem: None,
        };
        let number = match &found.content {
            Err(problem) => {
                verdict.problem = Some(Diagnostic::clone(problem));
                return verdict;
            }
            Ok(number) => *number,
        };
        // A judging thread may have died: a signature that was not judged is not valid.
        let Some(judged) = self.judged.get(number as usize).and_then(Option::as_ref) else {
            verdict.problem = Some(refused(&Refusal::Budget));
            return verdict;
        };
        verdict.reference = judged.reference.as_deref().map(str::to_owned);
        verdict.predicate = judged.predicate.as_deref().map(str::to_owned);
        match &judged.result {
            Ok(good) => {
                verdict.signer = Some(self.signer(good));
                verdict.time = judged.time.map(|(time, _)| time);
                verdict.clock = judged.time.map(|(_, clock)| clock.as_str());
                let logged = good.logs().next().is_some();
                verdict.logged = Some(logged);
                let counts = if self.require_log && !logged {
                    Err(Diagnostic::new(
                        Code::NotLogged,
                        "no transparency log holds it, and --require-log asks for one",
                    ))
                } else {
                    demand.counts(good, judged, names)
                };
                match counts {
                    Ok(()) => {
                        verdict.state = SignatureState::Good;
                        verdict.problem = name_differs(judged, names);
                    }
                    Err(why) => {
                        verdict.state = SignatureState::Unexpected;
                        verdict.problem = Some(why);
                    }
                }
            }
            Err(refusal) => {
                let unread = matches!(refusal.as_ref(), Refusal::Budget | Refusal::Unreadable(_));
                verdict.state = if unread { SignatureState::Unreadable } else { SignatureState::Refused };
                verdict.claim = judged.claim.as_deref().map(str::to_owned);
                verdict.problem = Some(refused(refusal));
            }
        }
        verdict
    }

    fn signer(&self, good: &Good) -> SignerReport {
        let authority = || good.keys.iter().find(|key| matches!(key.role, Role::Fulcio | Role::Pki)).copied();
        let key = good.signer_key().or_else(authority).or_else(|| good.keys.first().copied());
        let named = key.and_then(|key| self.keys.named.get(&key));
        // A Rekor v2 key may be listed as a v1 key, under another name.
        let name = named.map(|named| named.name.clone());
        let unnamed = || key.map_or_else(String::new, |key| key.to_string());
        let fingerprint = named.map(|named| named.fingerprint);
        let first = good.names.first();
        SignerReport {
            key: name.unwrap_or_else(unnamed),
            fingerprint: fingerprint.unwrap_or_else(|| key.map_or(Digest::of(b""), |key| key.id).into()),
            identity: first.map(|name| name.name.clone()),
            kind: first.map(|name| name.kind.as_str()),
            issuer: good.issuer.clone(),
        }
    }

    /// What is kept of the verdicts on all images, and who signed them.
    pub(super) fn rows(&self) -> (Vec<Row>, Signers) {
        let of_elsewhere = |image: &Image<u32>| image.kind == Kind::Absent && image.tags.is_empty();
        let (mut rows, mut signers) = (Vec::with_capacity(self.discovery.images.len()), Signers::default());
        for (number, image) in (0..).zip(&self.discovery.images).filter(|(_, image)| !of_elsewhere(image)) {
            let verdict = self.image(image);
            signers.add(&verdict);
            rows.push(Row::of(number, &verdict));
        }
        (rows, signers)
    }
}

impl MakeVerdict for Evaluation {
    fn make(&self, number: u32) -> ImageVerdict {
        self.image(&self.discovery.images[number as usize])
    }
}

/// Refuses an image that requires a signature but has none that counts.
fn require(verdict: &mut ImageVerdict, required: bool) {
    let lacks = matches!(
        verdict.state,
        VerifyState::Unsigned | VerifyState::SignedOtherwise | VerifyState::Unexpected
    );
    if !required || !lacks {
        return;
    }
    verdict.state = VerifyState::Refused;
    let rule = verdict.rule.as_deref().unwrap_or_default();
    if let Some(why) = verdict.signatures.iter().find_map(|signature| signature.problem.clone()) {
        verdict.problems.push(why);
        return;
    }
    let what = if verdict.others.is_empty() && verdict.attestations.is_empty() {
        "no signature"
    } else {
        "no signature of the kinds that count"
    };
    verdict.problems.push(Diagnostic::new(
        Code::SignatureMissing,
        format!("{rule} asks for a signature, and it has {what}"),
    ));
}

/// Notes that the signer wrote another name, if no rule requires one: the same content may be in several registries.
fn name_differs(judged: &Judged, names: &Names) -> Option<Diagnostic> {
    let signed = judged.reference.as_deref()?;
    (names.is_repository(signed) == Some(false)).then(|| {
        let own = names.source().unwrap_or("another name");
        Diagnostic::new(
            Code::NameDiffers,
            format!("it is good, and was made for {signed}; the image is {own}"),
        )
    })
}

/// Whether it is a different kind of signature.
const fn signs(other: &Other) -> bool {
    matches!(other, Other::Notation | Other::Attestation | Other::Schema1)
}

fn refused(refusal: &Refusal) -> Diagnostic {
    Diagnostic::new(refusal.code(), refusal.to_string())
}
