use std::collections::BTreeMap;

use serde::Serialize;

use super::{ImageReport, NeedReport};
use crate::{diag::Code, key::Role, oci::Digest};

/// A need that is not met, with how many images have it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenNeed {
    /// The role of the key.
    pub role: Role,
    /// The key as the signatures name it.
    pub id: String,
    /// `missing`, `unproved` or `refused`.
    pub state: &'static str,
    /// The stable code.
    pub code: Code,
    /// What is true.
    pub reason: String,
    /// What to do.
    pub hint: String,
    /// The fingerprint of the signer key that log entries name: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Digest>,
    /// How many images have this need.
    pub images: usize,
    /// One of them.
    pub example: String,
}

/// Counts over a report.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// Images, also absent ones that a signature speaks for; packs of keys are not counted.
    pub images: usize,
    /// With at least one signature.
    pub signed: usize,
    /// Without.
    pub unsigned: usize,
    /// Named by the place but not in it.
    pub absent: usize,
    /// Signatures.
    pub signatures: usize,
    /// Keys that are needed and proved.
    pub have: usize,
    /// Needs that stay open.
    pub open: usize,
    /// Images and signatures that could not be read, and signatures that do not verify.
    pub problems: usize,
}

impl Counts {
    pub(super) fn of(images: &[ImageReport], open: &[OpenNeed], have: usize) -> Self {
        let signatures = || images.iter().flat_map(|i| &i.signatures);
        let signed = images.iter().filter(|i| !i.signatures.is_empty()).count();
        // A pack that lies beside the images is none of them.
        let pack = |i: &&ImageReport| {
            i.signatures.is_empty() && i.artifact_type.as_deref() == Some(crate::pack::media::KEYS)
        };
        let all = images.len() - images.iter().filter(pack).count();
        let absent = images.iter().filter(|i| i.kind == "absent" && i.signatures.is_empty()).count();
        Self {
            images: all,
            signed,
            unsigned: all - signed - absent,
            absent,
            signatures: signatures().count(),
            have,
            open: open.len(),
            problems: images.iter().map(|i| i.problems.len()).sum::<usize>()
                + signatures().filter(|s| s.problem.is_some()).count(),
        }
    }
}

impl super::Report {
    /// Says of missing signer keys why they are: `known` tells whether the key of a fingerprint is revoked, or the file in
    /// which the directory in place keeps it.
    pub fn tell_known(&mut self, known: &dyn Fn(Digest) -> Option<WhyMissing>) {
        for need in self.open.iter_mut().filter(|n| n.state == "missing" && n.role == Role::Signer) {
            match Digest::from_hex(&need.id).ok().and_then(known) {
                Some(WhyMissing::Revoked) => {
                    need.code = Code::KeyRevoked;
                    need.reason = "this key is revoked: nothing that it signed counts".into();
                    need.hint =
                        "ask who publishes the image for a signature by the key that replaces it".into();
                }
                Some(WhyMissing::Kept { file }) => {
                    need.reason = format!(
                        "no source of this run gives this key; {file} holds it from an earlier collection, and stays"
                    );
                    need.hint = "give the key again by --key FILE, beside the others; --revoke takes it out of the pack".into();
                }
                None => {}
            }
        }
    }
}

/// What is known of a key that no source gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyMissing {
    /// It must not be trusted any more.
    Revoked,
    /// The directory in place has it.
    Kept {
        /// In this file.
        file: String,
    },
}

/// Collects the needs that stay open, in role order.
pub(super) fn open_needs(images: &[ImageReport]) -> Vec<OpenNeed> {
    let mut open: BTreeMap<(Role, String, &str), OpenNeed> = BTreeMap::new();
    for image in images {
        let mut here: Vec<&NeedReport> = Vec::new();
        for need in image.signatures.iter().flat_map(|s| &s.needs).filter(|n| n.state != "have") {
            if !here.iter().any(|n| n.role == need.role && n.id == need.id && n.state == need.state) {
                here.push(need);
            }
        }
        for need in here {
            open.entry((need.role, need.id.clone(), need.state))
                .and_modify(|n| {
                    n.images += 1;
                    if n.claim.is_none() && need.claim.is_some() {
                        let known = open_need(need, "");
                        (n.claim, n.reason) = (known.claim, known.reason);
                    }
                })
                .or_insert_with(|| open_need(need, &image.label));
        }
    }
    open.into_values().collect()
}

fn open_need(need: &NeedReport, example: &str) -> OpenNeed {
    let missing = need.state == "missing";
    let reason = need.reason.clone().unwrap_or_else(|| match (need.role, need.claim) {
        (Role::Signer, Some(claim)) if claim.hex() == need.id => {
            "no key with this fingerprint was given; the one in the log entry is a claim and proves nothing".into()
        }
        (Role::Signer, Some(claim)) => format!(
            "no key with this fingerprint was given; the log entry names one with {claim}, which is a claim and proves nothing"
        ),
        (Role::Signer, None) => "no key was given that made this signature".into(),
        _ => format!("no source that was given has this {}", need.role.title()),
    });
    let hint = match (missing, need.role) {
        _ if need.code == Some(Code::UnsupportedByVerifier) => {
            "the verifier in keypack does not take this form, and cosign may: verify it with `cosign verify`, and give the keys that it needed with `--include all`"
        }
        _ if need.code == Some(Code::CtTimestampMissing) => {
            "another signature with a certificate of this CA may prove it; ask the signer how a certificate came about that no CT log saw"
        }
        _ if need.state == "unproved" && need.code == Some(Code::NoKey) => {
            "get the missing keys first: a signature that needs them proves this one together with them"
        }
        _ if need.state == "unproved" => {
            "nothing is known against this key: another signature may prove it, once what is refused beside it is mended"
        }
        (true, Role::Signer) => {
            "get the signer's public key from its owner, compare the fingerprint by another way, and give it by --key FILE"
        }
        (true, Role::Gpg) => {
            "get this GPG key from its owner, compare the fingerprint by another way, and give it by --key FILE"
        }
        (false, _) if need.code == Some(Code::SignatureLapsed) => {
            "the owner's current copy of the key may last longer; else ask the publisher to sign anew: GnuPG and podman refuse this one too"
        }
        (false, _) if need.code == Some(Code::SigningKeyRevoked) => {
            "ask the publisher for a signature with a key that is good, and take this key out of what trusts it"
        }
        (false, _) if need.code == Some(Code::ChainRefused) => {
            "compare the chain with its publisher: a certificate in it was not good when it was used"
        }
        (false, _) if need.code == Some(Code::SignatureWeak) => {
            "ask the publisher for a signature with SHA-256; nobody should take this one"
        }
        (true, Role::Pki) => {
            "nothing says when this certificate signed, as is usual for the certificates of an organisation's own CA: give that CA by --key pki=FILE, or a policy.json whose `pki` names it by --from-policy"
        }
        (false, Role::Pki) => {
            "podman, CRI-O and `cosign verify --ca-roots` judge such a certificate by the clock too: compare the CA with its owner, and ask the publisher to sign anew where a certificate has expired"
        }
        (true, _) => {
            "give the trusted root of this signing infrastructure by --trusted-root FILE, or its keys by --key ROLE=FILE (rekor, rekor2, ctlog, fulcio, tsa)"
        }
        (false, _) => {
            "compare the key that was given with its publisher; if the key is right, this signature is not: do not mirror the image"
        }
    };
    OpenNeed {
        role: need.role,
        id: need.id.clone(),
        state: need.state,
        code: need.code.unwrap_or(Code::KeyMissing),
        reason,
        hint: hint.into(),
        claim: need.claim,
        images: 1,
        example: example.to_owned(),
    }
}
