//! Queries Red Hat for the keys of its images, if no other source has them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Context, discover_and_resolve::leave_out};
use crate::{
    http::{self, Client},
    key::{Candidate, Fingerprint, Key, Role},
    keysource::{Gathered, KeySourceError, is_redhat, is_redhats},
    resolve::{LateKeys, Resolution},
};

/// Red Hat's addresses, each of which is queried once, when a signature needs a key that no other source has. Failures
/// are never fatal: there is a single warning.
pub(super) struct RedHat<'a> {
    revoked: &'a (dyn Fn(&Fingerprint) -> bool + Sync),
    ctx: &'a Context,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    roles: Vec<Role>,
    /// Whether the addresses can't be reached.
    unreachable: bool,
    warned: bool,
    found: Found,
}

/// What the addresses returned.
#[derive(Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Revoked keys.
    pub(super) left_out: Vec<Key>,
}

impl<'a> RedHat<'a> {
    pub(super) fn new(revoked: &'a (dyn Fn(&Fingerprint) -> bool + Sync), ctx: &'a Context) -> Self {
        Self { revoked, ctx, asked: Mutex::default() }
    }

    /// This as a key source for a resolver.
    pub(super) fn late_keys(&self) -> LateKeys<'_> {
        LateKeys { applies: is_redhat, ask: Box::new(|need| self.ask(need.role())) }
    }

    /// Everything that was returned.
    pub(super) fn found(self) -> Found {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner).found
    }

    fn ask(&self, role: Role) -> Vec<Candidate> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.unreachable || asked.roles.contains(&role) {
            return Vec::new();
        }
        asked.roles.push(role);
        self.ctx.events.step("asking Red Hat for its keys");
        let mut options = http::Options {
            retries: 0,
            connect_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(10),
            ..self.ctx.registry().http
        };
        // --tls-verify=false applies only to the user's own registry.
        options.tls.verify = true;
        let mut gathered = Gathered::default();
        let problems = gathered.add_redhat(&[role], &Client::new(options));
        asked.unreachable = problems.iter().any(KeySourceError::is_unreachable);
        if let Some(problem) = problems.first().filter(|_| !asked.warned) {
            asked.warned = true;
            self.ctx.events.warn(&format!(
                "these are images of Red Hat, and its published keys are not available: {problem}; give them with \
                 --key FILE (the log's with --rekor FILE), or keep keypack from asking with --no-network"
            ));
        }
        asked.found.left_out.extend(leave_out(&mut gathered, self.revoked, self.ctx));
        asked.found.candidates.extend(gathered.candidates.iter().cloned());
        gathered.candidates
    }
}

/// Removes keys from Red Hat's addresses that are neither well known by fingerprint nor proved by a signature.
pub(super) fn keep_proved(gathered: &mut Gathered, resolution: &Resolution) {
    let proved = |candidate: &Candidate| resolution.keys.contains_key(&candidate.key.key_ref());
    gathered.candidates.retain(|candidate| !is_redhats(candidate) || proved(candidate));
}
