//! Which consumer could verify which of the images: what their signatures are, against what a version of it reads. No policy is
//! asked; one that names the signers could admit these images, and none could admit the others.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    as_reason,
    lines::{gap, hint, line, paragraph},
};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Form, FoundSignature, Image, Kind, Via},
    display::{Paint, count, shown},
    key::{NameKind, Role},
    policy::target::{Feature, Target},
    resolve::{Answer, Resolution, Verdict},
};

/// A consumer with the images that it could verify.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerReport {
    /// As it was named: `openshift@4.22`.
    pub consumer: String,
    /// The version that it is taken for.
    pub taken_for: String,
    /// The library that decides, with its version.
    pub library: String,
    /// The images with a signature, in whatever form; an index with its instances is one.
    pub signed: usize,
    /// Those of them that it could verify.
    pub could: usize,
    /// The others, by reason.
    pub cannot: Vec<CannotReport>,
}

/// Images that a consumer could not verify, for one reason.
#[derive(Debug, Clone, Serialize)]
pub struct CannotReport {
    /// How many.
    pub images: usize,
    /// Their names; of many, the first ones.
    pub examples: Vec<String>,
    /// Why, and what would mend it.
    #[serde(flatten, serialize_with = "as_reason")]
    pub problem: Diagnostic,
}

/// The most names for one reason.
const EXAMPLES: usize = 20;

/// Asks for each consumer.
pub(crate) fn consumers(
    targets: &[Target],
    discovery: &Discovery<Verdict>,
    resolution: &Resolution,
) -> Vec<ConsumerReport> {
    let mut instances: BTreeMap<_, Vec<&Image<Verdict>>> = BTreeMap::new();
    for image in &discovery.images {
        if let Some(list) = image.list() {
            instances.entry((image.place(), image.repository(), list)).or_default().push(image);
        }
    }
    let units: Vec<_> = discovery
        .images
        .iter()
        .filter(|image| image.list().is_none() && !matches!(image.kind, Kind::Artifact(_)))
        .map(|image| {
            let of = instances.get(&(image.place(), image.repository(), image.digest));
            (image, of.map_or(&[][..], Vec::as_slice))
        })
        .filter(|(image, of)| is_signed(image) || of.iter().any(|instance| is_signed(instance)))
        .collect();
    targets.iter().map(|target| of_target(target, &units, resolution)).collect()
}

fn is_signed(image: &Image<Verdict>) -> bool {
    image.signatures.iter().any(|signature| signature.form != Form::Attestation)
}

fn of_target(
    target: &Target,
    units: &[(&Image<Verdict>, &[&Image<Verdict>])],
    resolution: &Resolution,
) -> ConsumerReport {
    let asked = Asked { target, resolution };
    let mut cannot: BTreeMap<(Code, String), CannotReport> = BTreeMap::new();
    let mut could = 0;
    for (image, instances) in units {
        let Some(problem) = asked.unit(image, instances) else {
            could += 1;
            continue;
        };
        let key = (problem.code, problem.message.clone());
        let one =
            cannot.entry(key).or_insert_with(|| CannotReport { images: 0, examples: Vec::new(), problem });
        one.images += 1;
        if one.examples.len() < EXAMPLES {
            one.examples.push(image.label());
        }
    }
    let mut cannot: Vec<_> = cannot.into_values().collect();
    cannot.sort_by_key(|one| std::cmp::Reverse(one.images));
    ConsumerReport {
        consumer: target.to_string(),
        taken_for: format!("{}@{}", target.consumer, target.row),
        library: target.library.clone(),
        signed: units.len(),
        could,
        cannot,
    }
}

struct Asked<'a> {
    target: &'a Target,
    resolution: &'a Resolution,
}

/// Why a signature is not enough; the higher, the closer it came.
type Objection = (u8, Diagnostic);

impl Asked<'_> {
    /// Nothing, if it could verify the image; else why not.
    fn unit(&self, image: &Image<Verdict>, instances: &[&Image<Verdict>]) -> Option<Diagnostic> {
        let own = self.image(image);
        if !self.target.library.starts_with("containers/image ")
            || image.kind != Kind::Index
            || instances.is_empty()
        {
            return own.err().map(|(_, why)| why);
        }
        // A pull checks the chosen instance, never the index.
        let mut best: Option<Objection> = None;
        for instance in instances {
            match self.image(instance) {
                Ok(()) => return None,
                Err(why) => best = best.filter(|best| best.0 >= why.0).or(Some(why)),
            }
        }
        if own.is_ok() {
            let what =
                "the index is signed, and no image in it is; this consumer checks the image that it pulls";
            return Some(Diagnostic::new(Code::OnlyIndexSigned, what));
        }
        let own = own.err();
        best.filter(|best| own.as_ref().is_none_or(|own| own.0 <= best.0)).or(own).map(|(_, why)| why)
    }

    fn image(&self, image: &Image<Verdict>) -> Result<(), Objection> {
        let mut best = (0, Diagnostic::new(Code::SignatureMissing, "it has no signature"));
        for signature in &image.signatures {
            match self.signature(signature, image.repository().is_empty()) {
                Ok(()) => return Ok(()),
                Err(why) if why.0 > best.0 => best = why,
                Err(_) => {}
            }
        }
        Err(best)
    }

    fn signature(&self, found: &FoundSignature<Verdict>, is_layout: bool) -> Result<(), Objection> {
        let Self { target, .. } = self;
        // `cosign load` writes to the signature's tag what `cosign save` left without one.
        let is_at_tag = matches!(found.via, Via::Tag | Via::File) || is_layout && found.via == Via::Untagged;
        let of_image = target.library.starts_with("containers/image ");
        let unread =
            |what: &str| (1, Diagnostic::new(Code::FormNotRead, format!("{target} does not read {what}")));
        let (feature, what) = match found.form {
            Form::Attestation => return Err(unread("attestations as signatures")),
            Form::OpenPgp => (Feature::SimpleSigning, "GPG signatures"),
            Form::Bundle if target.has(Feature::KeylessBundles) => (Feature::KeylessBundles, ""),
            Form::Bundle => (Feature::Bundles, "bundles, cosign 3's default"),
            // cosign alone reads them as referrers (--experimental-oci11).
            Form::SimpleSigning if target.consumer != "cosign" && !is_at_tag => {
                return Err(unread("signatures that are not at the tag sha256-<hex>.sig"));
            }
            Form::SimpleSigning => (Feature::TagSignatures, "signatures at tags"),
        };
        if !target.has(feature) {
            return Err(unread(what));
        }
        let verdict = found.content.as_ref().map_err(|why| (2, Diagnostic::clone(why)))?;
        let Some(answers) = self.resolution.answers(verdict) else { return Err(unread("it")) };
        // Neither the CT log nor a timestamp is looked at there.
        let counts = |role: Role| !(of_image && matches!(role, Role::CtLog | Role::Tsa));
        let needs = || answers.needs.iter().filter(|(need, _)| counts(need.role()));
        let needs_role = |role: Role| needs().any(|(need, _)| need.role() == role);
        let older =
            |what: &str| (4, Diagnostic::new(Code::ConsumerTooOld, format!("{target} can't check {what}")));
        if feature == Feature::KeylessBundles && !needs_role(Role::Fulcio) {
            return Err(unread("bundles of signers by key"));
        }
        if needs_role(Role::Rekor2) && !target.has(Feature::RekorV2) {
            return Err(older("entries of Rekor v2"));
        }
        if needs_role(Role::Pki) && !target.has(Feature::Pki) {
            return Err(older("certificates of a private CA"));
        }
        if needs_role(Role::Fulcio) {
            if !target.has(Feature::FulcioEmail) {
                return Err(older("certificates"));
            }
            if of_image && !needs_role(Role::Rekor) {
                let what = format!("{target} takes certificates with a log entry alone, and there is none");
                return Err((
                    4,
                    Diagnostic::new(Code::NotLogged, what)
                        .hinting("ask the signer to log its signatures in a Rekor v1"),
                ));
            }
        }
        let is_certified = needs_role(Role::Fulcio) || needs_role(Role::Pki);
        let compares = target.has(Feature::FulcioIdentity)
            || matches!(
                (answers.identity_kind, needs_role(Role::Pki)),
                (Some(NameKind::Email) | None, _) | (Some(NameKind::Dns), true)
            );
        if is_certified && !compares {
            let what =
                format!("the signer's identity is no e-mail address, and {target} compares nothing else");
            return Err((5, Diagnostic::new(Code::SubjectNotAccepted, what)));
        }
        if needs().any(|(_, answer)| matches!(answer, Answer::Missing { .. })) {
            return Err((6, Diagnostic::new(Code::KeyMissing, "a key that the signature needs is missing")));
        }
        if let Some((_, Answer::Refused { refusal, .. })) =
            needs().find(|(_, a)| matches!(a, Answer::Refused { .. }))
        {
            return Err((3, Diagnostic::from(refusal)));
        }
        match &answers.refusal {
            Some(refusal) => Err((3, Diagnostic::from(refusal))),
            None if answers.needs.is_empty() => {
                Err((2, Diagnostic::new(Code::NoEvidence, "nothing in the signature can be checked")))
            }
            None => Ok(()),
        }
    }
}

/// The report about consumers, as text.
pub(super) fn render(out: &mut String, reports: &[ConsumerReport], paint: Paint, all: bool) {
    for report in reports {
        let ConsumerReport { consumer, taken_for, library, signed, could, cannot } = report;
        gap(out);
        let name = shown(&consumer.replace('@', " ").to_uppercase());
        let head = format!("{name} COULD VERIFY {could} of {}", count(*signed, "signed image"));
        let as_other =
            if consumer == taken_for { String::new() } else { format!(", as {}", shown(taken_for)) };
        paragraph(out, 0, &format!("{} ({library}{as_other})", paint.strong(&head)));
        for CannotReport { images, examples, problem } in cannot {
            paragraph(out, 2, &format!("{images} could not: {} [{}]", shown(&problem.message), problem.code));
            let most = if all { examples.len() } else { 1 };
            let such_as = if *images > 1 && !all { "such as " } else { "" };
            for name in examples.iter().take(most) {
                line(out, &format!("    {such_as}{}", shown(name)));
            }
            hint(out, 4, &problem.hint);
        }
    }
}
