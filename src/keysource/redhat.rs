//! The addresses at which Red Hat publishes the keys of its images. They are queried only when a signature of a Red Hat
//! image needs a key that no other source has. TLS alone vouches for the answer, so a key in it counts only if its
//! fingerprint is in the table of [`crate::key::well_known`], or if it proves a signature.

use super::{Gathered, KeySourceError, rekor::get};
use crate::{
    http::Client,
    key::{Candidate, Grade, KeyRef, Material, Provenance, Role, parse_key_file, well_known},
    oci::Digest,
};

/// Prefixes of Red Hat's image references: its registries and the release repositories.
const REFERENCES: [&str; 3] =
    ["registry.redhat.io/", "registry.access.redhat.com/", "quay.io/openshift-release-dev/"];

/// Sources: the product signing keys page of access.redhat.com (`security/team/key`) for the two keys; Red Hat's public
/// verification scripts for the log and its TUF repository. The log is used by Red Hat alone.
const ADDRESSES: [(Role, &str); 4] = [
    (Role::Signer, "https://security.access.redhat.com/data/63405576.txt"),
    (Role::Gpg, "https://access.redhat.com/security/data/fd431d51.txt"),
    (
        Role::Rekor,
        "https://rekor-server-default.apps.rosa.rekor-prod.2jng.p3.openshiftapps.com/api/v1/log/publicKey",
    ),
    (Role::Rekor, "https://tuf-default.apps.rosa.rekor-prod.2jng.p3.openshiftapps.com/targets/rekor.pub"),
];

/// Whether the image reference written by a signer is one of Red Hat's.
pub fn is_redhat(reference: &str) -> bool {
    REFERENCES.iter().any(|prefix| reference.starts_with(prefix))
}

/// Whether a candidate came from one of these addresses and is not well known, so that it has to prove a signature.
pub fn is_redhats(candidate: &Candidate) -> bool {
    let known = well_known(candidate.key.key_ref()).is_some();
    let fetched = ADDRESSES.iter().any(|(_, address)| *address == candidate.provenance.source);
    fetched && !known
}

/// The key that signs the releases of OpenShift (openshift/cluster-update-keys 3b5c59c,
/// `keys/verifier-public-key-redhat-release`), if it has the built-in fingerprint.
pub fn release_key() -> Option<Material> {
    let parsed = parse_key_file(include_bytes!("redhat-release.asc")).ok()?;
    let named = |key: &Material| well_known(KeyRef { role: Role::Gpg, id: key.id() }) == Some(RELEASE_KEY);
    parsed.material.into_iter().find(named)
}

/// The name of that key.
pub const RELEASE_KEY: &str = "gpg-redhat-release";

impl Gathered {
    /// Asks Red Hat for keys of these roles. Failures are returned and are not fatal. If an address can't be reached,
    /// the others are not tried, because then the network has no way out.
    pub fn add_redhat(&mut self, roles: &[Role], client: &Client) -> Vec<KeySourceError> {
        let mut problems = Vec::new();
        for (role, address) in ADDRESSES.into_iter().filter(|(role, _)| roles.contains(role)) {
            match self.add_address(role, address, client) {
                Ok(()) => {}
                Err(e) => {
                    let unreachable = e.is_unreachable();
                    problems.push(e);
                    if unreachable {
                        break;
                    }
                }
            }
        }
        problems
    }

    fn add_address(&mut self, role: Role, address: &str, client: &Client) -> Result<(), KeySourceError> {
        let answer = |reason: String| KeySourceError::Answer { url: address.into(), reason };
        let url = address.parse().map_err(|_| answer("it is not an address".into()))?;
        let bytes = get(client, url)?;
        let parsed = parse_key_file(&bytes).map_err(|e| answer(format!("it answers with no key: {e}")))?;
        let source = address.to_owned();
        let provenance = Provenance { grade: Grade::Tls, source, sha256: Digest::of(&bytes), date: None };
        let keys = parsed.material.into_iter();
        self.candidates.extend(keys.filter_map(|key| Candidate::new(role, key, provenance.clone()).ok()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_key_is_built_in() {
        let key = release_key().unwrap();
        assert_eq!(key.fingerprint().to_string(), "567E347AD0044ADE55BA8A5F199E2F91FD431D51");
    }

    #[test]
    fn names_that_only_look_like_red_hats() {
        assert!(is_redhat("registry.redhat.io/ubi9/ubi:latest"));
        assert!(is_redhat("quay.io/openshift-release-dev/ocp-release:4.20.1-x86_64"));
        for other in
            ["registry.redhat.io.evil.test/a", "quay.io/openshift-release-dev-evil/a", "quay.io/a", ""]
        {
            assert!(!is_redhat(other), "{other}");
        }
    }
}
