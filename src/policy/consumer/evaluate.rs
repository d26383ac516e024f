//! The verdict on one pull (`signature/policy_eval.go`): all requirements of the most precise scope must be met, each by one
//! signature.

use jiff::Timestamp;

use super::{
    identity::Identity,
    keys::{KeyFault, Ready},
    openpgp::SignedBy,
    policy::Scopes,
    reference::ImageName,
    scope::Matched,
    signature::Found,
    verdict::Verdict,
};
use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
    signature::{consumer_claims, media},
    trust::attachment::{Attached, Objection, Trusted},
};

/// One pull.
#[derive(Debug)]
pub struct Pulled<'a> {
    /// The name by which the image is pulled, with its tag or digest.
    pub name: &'a ImageName,
    /// The manifest of the one image that is pulled: of a list, the instance.
    pub image: Digest,
    /// Whether attachments were looked for.
    pub attachments: bool,
    /// What was found. As an error, why the pull fails before any requirement is looked at.
    pub signatures: Result<&'a [Found], Diagnostic>,
}

/// A verdict with where it is from.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The verdict.
    pub verdict: Verdict,
    /// Where the requirements are from.
    pub matched: Matched,
    /// Why, where it is not admitted.
    pub cause: Option<Diagnostic>,
}

/// What a requirement says.
enum Cause {
    /// It is met by a signature.
    Met,
    /// It asks for nothing.
    Nothing,
    /// keypack can't tell.
    NotJudged(Diagnostic),
    /// It is not met.
    Refused(Diagnostic),
}

impl Scopes<Ready> {
    /// What the consumer would do about one pull.
    pub(super) fn admit(&self, pulled: &Pulled<'_>, now: Timestamp) -> Admission {
        let (matched, requirements) = self.of(pulled.name);
        let with = |verdict, cause| Admission { verdict, matched: matched.clone(), cause };
        let mut verdict = Verdict::AdmittedUnverified;
        let mut doubt = None;
        for requirement in requirements {
            match meets(requirement, pulled, now) {
                Cause::Met => verdict = Verdict::Admitted,
                Cause::Nothing => {}
                Cause::NotJudged(why) => doubt = doubt.or(Some(why)),
                Cause::Refused(why) => return with(Verdict::Refused, Some(why)),
            }
        }
        if let Some(why) = doubt {
            return with(Verdict::NotJudged, Some(why));
        }
        // What can't be read ends the pull, also where nothing is asked for.
        if let Err(why) = &pulled.signatures {
            return with(Verdict::Refused, Some(why.clone()));
        }
        let nothing = |message: &str| Some(Diagnostic::new(Code::NotVerifiedByPolicy, message));
        match (verdict, &matched) {
            (Verdict::AdmittedUnverified, Matched::Default)
                if self.docker.keys().any(|scope| !scope.is_empty()) =>
            {
                with(
                    Verdict::Outside,
                    nothing("no scope of the policy is its own, and the default accepts anything"),
                )
            }
            (Verdict::AdmittedUnverified, _) => {
                with(verdict, nothing("the policy accepts it whoever signed it (insecureAcceptAnything)"))
            }
            _ => with(verdict, None),
        }
    }
}

fn meets(requirement: &Ready, pulled: &Pulled<'_>, now: Timestamp) -> Cause {
    match requirement {
        Ready::Accept => Cause::Nothing,
        Ready::Reject => Cause::Refused(Diagnostic::new(
            Code::PolicyRejects,
            "the policy rejects every image here, however it is signed",
        )),
        Ready::SignedBaseLayer => Cause::Refused(Diagnostic::new(
            Code::PolicyRejects,
            "the policy asks for signedBaseLayer, which no consumer has ever implemented",
        )),
        Ready::SignedBy { signed_by, identity } => {
            let signatures = match &pulled.signatures {
                Ok(signatures) => *signatures,
                Err(why) => return Cause::Refused(why.clone()),
            };
            let messages: Vec<_> = signatures
                .iter()
                .filter_map(|found| match found {
                    Found::Simple(message) => Some(message),
                    Found::Sigstore { .. } => None,
                })
                .collect();
            match signed_by {
                Ok(signed_by) => {
                    best(messages.into_iter().map(|file| gpg(signed_by, identity, file, pulled, now)), || {
                        missing(pulled, "GPG")
                    })
                }
                Err(_) if messages.is_empty() => Cause::Refused(missing(pulled, "GPG")),
                Err(fault) => unusable(fault),
            }
        }
        Ready::Sigstore { trusted, identity } => {
            let signatures = match &pulled.signatures {
                Ok(signatures) => *signatures,
                Err(why) => return Cause::Refused(why.clone()),
            };
            let attached: Vec<_> = signatures
                .iter()
                .filter_map(|found| match found {
                    Found::Sigstore { media_type, payload, annotations }
                        if media_type == media::SIMPLE_SIGNING =>
                    {
                        Some(Attached { payload, annotations })
                    }
                    _ => None,
                })
                .collect();
            match trusted {
                Ok(trusted) => best(
                    attached.iter().map(|attached| sigstore(trusted, identity, attached, pulled, now)),
                    || missing(pulled, "sigstore"),
                ),
                Err(_) if attached.is_empty() => Cause::Refused(missing(pulled, "sigstore")),
                Err(fault) => unusable(fault),
            }
        }
    }
}

fn unusable(fault: &KeyFault) -> Cause {
    match fault {
        KeyFault::Refused(_) => Cause::Refused(fault.diagnostic()),
        KeyFault::NotJudged(_) => Cause::NotJudged(fault.diagnostic()),
    }
}

/// One signature that meets it is enough. Else the one that came furthest tells why.
fn best(results: impl Iterator<Item = Cause>, missing: impl Fn() -> Diagnostic) -> Cause {
    let mut refused: Option<Diagnostic> = None;
    let mut doubt = None;
    for result in results {
        match result {
            Cause::Met | Cause::Nothing => return Cause::Met,
            Cause::NotJudged(why) => doubt = Some(why),
            Cause::Refused(why) => {
                if refused.as_ref().is_none_or(|other| progress(other.code) < progress(why.code)) {
                    refused = Some(why);
                }
            }
        }
    }
    match (doubt, refused) {
        (Some(why), _) => Cause::NotJudged(why),
        (None, Some(why)) => Cause::Refused(why),
        (None, None) => Cause::Refused(missing()),
    }
}

/// How many checks are passed before one is refused with this code.
const fn progress(code: Code) -> u8 {
    match code {
        Code::IdentityNotAccepted => 5,
        Code::SignedForOtherImage => 4,
        Code::SubjectNotAccepted => 3,
        Code::SignatureMalformed => 2,
        Code::SignatureDoesNotMatch => 0,
        _ => 1,
    }
}

fn sigstore(
    trusted: &Trusted,
    identity: &Identity,
    attached: &Attached<'_>,
    pulled: &Pulled<'_>,
    now: Timestamp,
) -> Cause {
    match trusted.accepts(attached, now) {
        Ok(()) => claims(attached.payload, Kind::Sigstore, identity, pulled),
        Err(objection @ Objection::NotJudged(_)) => {
            Cause::NotJudged(Diagnostic::new(objection.code(), objection.message()))
        }
        Err(objection) => Cause::Refused(Diagnostic::new(objection.code(), objection.message())),
    }
}

fn gpg(signed_by: &SignedBy, identity: &Identity, file: &[u8], pulled: &Pulled<'_>, now: Timestamp) -> Cause {
    match signed_by.text(file, now) {
        Ok(text) => claims(&text, Kind::Gpg, identity, pulled),
        Err((why, true)) => Cause::NotJudged(why),
        Err((why, false)) => Cause::Refused(why),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sigstore,
    Gpg,
}

/// What a payload whose signature is good says: is it about this image, under a name that is accepted?
fn claims(payload: &[u8], kind: Kind, identity: &Identity, pulled: &Pulled<'_>) -> Cause {
    let claims = match consumer_claims(payload, kind == Kind::Gpg) {
        Ok(claims) => claims,
        Err(e) => return Cause::Refused(Diagnostic::from(&e)),
    };
    let own = pulled.image.to_string();
    // Another algorithm than SHA-256 never matches there (`manifest.MatchesDigest`).
    if claims.digest != own {
        let why = format!("it is for {}, and the image that is pulled is {own}", claims.digest);
        return Cause::Refused(Diagnostic::new(Code::SignedForOtherImage, why));
    }
    if identity.accepts(pulled.name, &claims.reference) {
        return Cause::Met;
    }
    let bare = ImageName::parse(&claims.reference).is_some_and(|name| name.form().is_none());
    let tagless = if bare { ", which has neither tag nor digest (cosign signs so)" } else { "" };
    let why = format!("it is made for {}{tagless}; {}", claims.reference, identity.describe(pulled.name));
    Cause::Refused(Diagnostic::new(Code::IdentityNotAccepted, why))
}

fn missing(pulled: &Pulled<'_>, kind: &str) -> Diagnostic {
    if kind == "sigstore" && !pulled.attachments {
        return Diagnostic::new(
            Code::AttachmentsOff,
            "the policy asks for a sigstore signature, and registries.d does not switch use-sigstore-attachments on for \
             the place that it is pulled from",
        );
    }
    let (code, place) = match kind {
        "GPG" => (Code::GpgSignatureMissing, "in the lookaside"),
        _ => (Code::SignatureMissing, "at its tag sha256-<digest>.sig"),
    };
    let what = format!(
        "the policy asks for a {kind} signature, and there is none for the image that is pulled {place}"
    );
    Diagnostic::new(code, what)
}
