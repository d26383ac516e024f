use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ImageReport, ImageState, NeedReport, NeedState, as_reason};
use crate::{
    diag::{Code, Diagnostic},
    key::Role,
    oci::Digest,
    signature::Need,
};

/// An unmet need, with the number of images that have it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenNeed {
    /// The role of the key.
    pub role: Role,
    /// The key as the signatures name it.
    pub id: String,
    /// Its fingerprint, if it is a signer's key and the signatures contain one.
    #[serde(skip)]
    pub fingerprint: Option<Digest>,
    /// `missing`, `unproved` or `refused`.
    pub state: NeedState,
    /// Why it is not met, and what to do.
    #[serde(flatten, serialize_with = "as_reason")]
    pub problem: Diagnostic,
    /// The fingerprint of the signer key in log entries: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Digest>,
    /// The number of images with this need.
    pub images: usize,
    /// One of them.
    pub example: String,
}

impl super::Report {
    /// Adds to missing needs that a revoked key fits them. `revoked` contains their roles and ids.
    pub(crate) fn mark_revoked(&mut self, revoked: &BTreeSet<(Role, String)>) {
        for need in self.open.iter_mut().filter(|n| n.state == NeedState::Missing) {
            if revoked.contains(&(need.role, need.id.clone())) {
                need.problem = key_revoked();
            }
        }
    }

    /// Adds to missing signer keys the reason why they are missing: `known` returns, for a fingerprint, that the key is
    /// revoked, or the file of the existing directory that contains it.
    pub(crate) fn tell_known(&mut self, known: &dyn Fn(Digest) -> Option<WhyMissing>) {
        for need in self.open.iter_mut().filter(|n| n.state == NeedState::Missing) {
            match need.fingerprint.and_then(known) {
                Some(WhyMissing::Revoked) => need.problem = key_revoked(),
                Some(WhyMissing::Kept { file }) => {
                    let reason = format!(
                        "no source of this run gives this key; it is kept in {file} from an earlier collection"
                    );
                    need.problem = Diagnostic::new(need.problem.code, reason).hinting(
                        "give the key again with --key FILE, along with the others; --revoke removes it from the pack",
                    );
                }
                None => {}
            }
        }
    }
}

fn key_revoked() -> Diagnostic {
    Diagnostic::new(Code::KeyRevoked, "this key is revoked: nothing that it signed counts")
        .hinting("ask who publishes the image for a signature by the key that replaces it")
}

/// Why no source has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhyMissing {
    /// It is revoked.
    Revoked,
    /// It is in the existing directory.
    Kept {
        /// The file.
        file: String,
    },
}

/// Collects the unmet needs, in role order.
pub(super) fn open_needs(images: impl Iterator<Item = ImageReport>) -> Vec<OpenNeed> {
    let mut open: BTreeMap<(Role, String, NeedState), OpenNeed> = BTreeMap::new();
    for image in images.filter(|image| image.state != ImageState::Pack) {
        let mut here: Vec<&NeedReport> = Vec::new();
        for need in image.signatures.iter().flat_map(|s| &s.needs).filter(|n| n.state != NeedState::Have) {
            if !here.iter().any(|n| n.need == need.need && n.state == need.state) {
                here.push(need);
            }
        }
        for need in here {
            open.entry((need.need.role(), need.need.id(), need.state))
                .and_modify(|n| {
                    n.images += 1;
                    if n.claim.is_none() && need.claim.is_some() {
                        (n.claim, n.problem) = (need.claim, problem(need));
                    }
                })
                .or_insert_with(|| open_need(need, &image.label));
        }
    }
    open.into_values().collect()
}

fn open_need(need: &NeedReport, example: &str) -> OpenNeed {
    let fingerprint = if let Need::Signer { fingerprint } = &need.need { *fingerprint } else { None };
    OpenNeed {
        role: need.need.role(),
        id: need.need.id(),
        fingerprint,
        state: need.state,
        problem: problem(need),
        claim: need.claim,
        images: 1,
        example: example.to_owned(),
    }
}

/// Why a need is unmet, with a suitable hint.
fn problem(need: &NeedReport) -> Diagnostic {
    let problem = need.problem.clone().unwrap_or_else(|| Diagnostic::new(Code::KeyMissing, missing(need)));
    let hint = hint(problem.code, need);
    problem.hinting(hint)
}

fn missing(need: &NeedReport) -> String {
    match (&need.need, need.claim) {
        (Need::Signer { fingerprint }, Some(claim)) if *fingerprint == Some(claim) => {
            "no key with this fingerprint was given; the one in the log entry is a claim and proves nothing"
                .into()
        }
        (Need::Signer { .. }, Some(claim)) => format!(
            "no key with this fingerprint was given; the log entry names one with {claim}, which is a claim and proves nothing"
        ),
        (Need::Signer { fingerprint: Some(_) }, None) => "no key with this fingerprint was given".into(),
        (Need::Signer { .. }, None) => "no key was given that made this signature".into(),
        (need, _) => format!("no source that was given has this {}", need.role().title()),
    }
}

fn hint(code: Code, need: &NeedReport) -> &'static str {
    match (need.state, code, need.need.role()) {
        (_, Code::UnsupportedByVerifier, _) => {
            "the verifier in keypack does not support this form, but cosign may: verify it with `cosign verify`, and \
             give the keys that it needed with `--include all`"
        }
        (_, Code::CtTimestampMissing, _) => {
            "another signature with a certificate of this CA may prove it; ask the signer why this certificate is in \
             no CT log"
        }
        (_, Code::ClockBehind, _) => {
            "compare the clock of this host with a source of time that you trust, and set it; if it is right, ask the \
             publisher why the signature is dated in the future"
        }
        (NeedState::Unproved, Code::NoKey, _) => {
            "get the missing keys first: a signature that needs them proves this key too"
        }
        (NeedState::Unproved, _, _) => {
            "this key itself was not refused: another signature may prove it, once the other refusals are resolved"
        }
        (NeedState::Missing, _, Role::Signer) => {
            "get the signer's public key from its owner, confirm the fingerprint out of band, and give it with --key \
             FILE"
        }
        (NeedState::Missing, _, Role::Gpg) => {
            "get this GPG key from its owner, confirm the fingerprint out of band, and give it with --key FILE"
        }
        (NeedState::Missing, _, Role::Pki) => {
            "there is no evidence of when this certificate signed, as is usual for the certificates of an \
             organisation's own CA: give that CA with --key pki=FILE, or with --from-policy a policy.json whose `pki` \
             names it"
        }
        (NeedState::Missing, _, _) => {
            "give the trusted root of this signing infrastructure with --trusted-root FILE, or its keys with --key \
             ROLE=FILE (rekor, rekor2, ctlog, fulcio, tsa)"
        }
        (_, Code::ChainRefused, _) => {
            "check the chain with its publisher: a certificate in it was not valid when it was used"
        }
        (_, Code::SignatureLapsed | Code::SigningKeyRevoked | Code::SignatureWeak, _) => code.hint(),
        (_, _, Role::Pki) => {
            "podman, CRI-O and `cosign verify --ca-roots` check such a certificate against the clock too: confirm the \
             CA with its owner, and ask the publisher to sign again where a certificate has expired"
        }
        _ => {
            "confirm the key with its publisher; if the key is right, this signature is wrong: do not mirror the image"
        }
    }
}
