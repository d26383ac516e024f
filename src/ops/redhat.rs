//! Asking Red Hat for the keys of its images, where nothing else has them.

use std::time::Duration;

use super::Context;
use crate::{
    http::{self, Client},
    key::Role,
    keysource::{Gathered, is_redhat, is_redhats},
    resolve::{Answer, Question, Resolution},
};

/// Asks for what is missing. Whether anything came. It never blocks: what does not work is one warning.
pub(super) fn ask(
    gathered: &mut Gathered,
    questions: &[Question<'_>],
    resolution: &Resolution,
    ctx: &Context,
) -> bool {
    let mut roles: Vec<Role> = questions
        .iter()
        .zip(&resolution.answers)
        .filter(|(question, _)| question.signature.claimed_reference().is_some_and(is_redhat))
        .flat_map(|(_, answers)| &answers.needs)
        .filter(|(_, answer)| matches!(answer, Answer::Missing { .. }))
        .map(|(need, _)| need.role())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return false;
    }
    ctx.events.step("asking Red Hat for its keys");
    let mut options = http::Options {
        retries: 0,
        connect_timeout: Duration::from_secs(5),
        silence: Duration::from_secs(10),
        ..ctx.registry().http
    };
    // --tls-verify=false is said of the user's own registry.
    options.tls.verify = true;
    let before = gathered.candidates.len();
    let problems = gathered.add_redhat(&roles, &Client::new(options));
    if let Some(problem) = problems.first() {
        ctx.events.warn(&format!(
            "these are images of Red Hat's, and its published keys could not be had: {problem}; give them by --key \
             FILE (the log's by --rekor FILE), or keep keypack from asking by --no-network"
        ));
    }
    gathered.candidates.len() > before
}

/// Takes out what Red Hat's addresses gave and what neither is known by its fingerprint nor proved a signature.
pub(super) fn keep_proved(gathered: &mut Gathered, resolution: &Resolution) {
    let proved = |candidate: &crate::key::Candidate| resolution.keys.contains_key(&candidate.key.key_ref());
    gathered.candidates.retain(|candidate| !is_redhats(candidate) || proved(candidate));
}
