//! Merges several configuration files.

use super::{Config, Sources};

impl Config {
    /// This configuration, with `below` as the default for values not set here. Key sources, revocations and realms are
    /// combined, because more of them never reduce safety; anchors and rules are replaced as a whole.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            when: self.when.or(below.when),
            on_failure: self.on_failure.or(below.on_failure),
            name: self.name.or(below.name),
            expires: self.expires.or(below.expires),
            include: self.include.or(below.include),
            sources: self.sources.over(below.sources),
            network: self.network.or(below.network),
            rules: self.rules.or(below.rules),
            pins: self.pins.or(below.pins),
            verify_keys: self.verify_keys.or(below.verify_keys),
            tuf_roots: self.tuf_roots.or(below.tuf_roots),
            revoked: both(self.revoked, below.revoked),
            images: self.images.or(below.images),
            signature_repository: self.signature_repository.or(below.signature_repository),
            allow_realms: both(self.allow_realms, below.allow_realms),
            state: self.state.or(below.state),
            require_state: self.require_state.or(below.require_state),
            max_age: self.max_age.or(below.max_age),
            max_expires: self.max_expires.or(below.max_expires),
            enforce: self.enforce.or(below.enforce),
        }
    }
}

impl Sources {
    fn over(self, below: Self) -> Self {
        Self {
            trusted_roots: both(self.trusted_roots, below.trusted_roots),
            keys: both(self.keys, below.keys),
            from_policy: self.from_policy.or(below.from_policy),
            rekor: both(self.rekor, below.rekor),
            tuf: both(self.tuf, below.tuf),
        }
    }
}

fn both<T>(mut first: Vec<T>, second: Vec<T>) -> Vec<T> {
    first.extend(second);
    first
}
