//! From arguments to requests.

use super::{Collect, Pull, Read};
use crate::ops::{Sources, collect, pull};

impl From<&Read> for Sources {
    fn from(args: &Read) -> Self {
        Self {
            places: args.sources.clone(),
            images: args.images.clone(),
            signature_repository: args.signature_repository.clone(),
            keys: (&args.keys).into(),
            revoked: args.revoked.clone(),
            cache_dir: args.cache.cache_dir.clone(),
        }
    }
}

impl From<&Collect> for collect::Request {
    fn from(args: &Collect) -> Self {
        Self {
            sources: (&args.read).into(),
            output: args.output.clone(),
            name: args.name.clone(),
            expires: args.expires,
            collected_by: args.collected_by.clone(),
            given_by: args.given_by.clone(),
            created: args.created,
            include: args.include.unwrap_or_default(),
            when: args.when.unwrap_or_default(),
            prune: args.prune,
            refresh_after: args.refresh_after,
            revoke: args.revoke.clone(),
            reason: args.reason.clone(),
            accept_change: args.accept_change.clone(),
            rules: args.rules.clone(),
            state_dir: args.state.dir.clone(),
        }
    }
}

impl From<&Pull> for pull::Request {
    fn from(args: &Pull) -> Self {
        Self {
            source: args.source.clone(),
            output: args.output.clone(),
            anchors: args.anchors.specs(),
            enforced: args.anchors.enforced.clone(),
            settings: args.anchors.settings.clone(),
            name: args.name.clone(),
            state_dir: args.state.dir.clone(),
            require_state: args.require_state,
            min_version: args.min_version,
            max_age: args.max_age,
            max_expires: args.max_expires,
            exceptions: (&args.except).into(),
            revoked: args.revoked.iter().map(|revocation| revocation.fingerprint).collect(),
            cache_dir: args.cache.cache_dir.clone(),
        }
    }
}
