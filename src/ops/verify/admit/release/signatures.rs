//! The GPG signatures of releases, and whether one of them is by a key that counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{super::AdmitRequest, configmap, keys::ReleaseKeys};
use crate::{
    content::{self, Location, OcMirror, Source},
    diag::{Code, Diagnostic},
    key::OpenPgpFault,
    oci::Digest,
    ops::sources::Opened,
    signature::UntrustedGpg,
};

/// A file that is said to be the signature of a release.
struct Signature {
    at: String,
    bytes: Vec<u8>,
    /// Whether it is in the config map for the cluster.
    is_for_cluster: bool,
}

/// The signatures by the release that they are said to be for.
pub(super) struct Signatures(BTreeMap<Digest, Vec<Signature>>);

/// What authenticates a release.
pub(super) struct Verified {
    /// The name of the key.
    pub(super) key: String,
    /// The file with the signature.
    pub(super) at: String,
    /// The config map that brings a good signature to the cluster, if there is one.
    pub(super) configmap: Option<String>,
}

impl Signatures {
    /// Those of the wanted releases, wherever oc-mirror puts them.
    pub(super) fn collect(
        request: &AdmitRequest,
        opened: &[Opened],
        locations: &[Location],
        wanted: &BTreeSet<Digest>,
    ) -> Result<Self, Diagnostic> {
        let mut found = Self(BTreeMap::new());
        for place in opened {
            found.add_of(place.source.as_ref(), wanted)?;
        }
        // The list of images may be a folder of oc-mirror, whose signatures are not in the registry.
        let places: BTreeSet<_> = opened.iter().map(|opened| opened.source.place()).collect();
        for location in locations {
            let Some(path) = content::oc_mirror_path(location) else { continue };
            if !places.contains(&Location::OcMirror(path.to_owned()).to_string()) {
                found.add_of(&OcMirror::open(path)?, wanted)?;
            }
        }
        for map in configmap::read(locations, &request.mapping_files)? {
            let at = map.path.display().to_string();
            for (digest, bytes) in map.signatures {
                found.add(digest, Signature { at: at.clone(), bytes, is_for_cluster: true });
            }
        }
        Ok(found)
    }

    fn add_of(&mut self, source: &dyn Source, wanted: &BTreeSet<Digest>) -> Result<(), Diagnostic> {
        if let Some(detached) = source.abilities().detached {
            detached.detached(&mut |digest, file| {
                if wanted.contains(&digest) {
                    self.add(digest, Signature { at: file.name, bytes: file.bytes, is_for_cluster: false });
                }
            })?;
        }
        Ok(())
    }

    fn add(&mut self, digest: Digest, signature: Signature) {
        self.0.entry(digest).or_default().push(signature);
    }

    /// Checks that a key that counts signed this digest.
    pub(super) fn verify(
        &self,
        digest: &Digest,
        beside: &[(String, Vec<u8>)],
        keys: &ReleaseKeys,
        now: Timestamp,
    ) -> Result<Verified, Diagnostic> {
        let (mut good, mut configmap, mut why) = (None, None, None);
        let apart = self.0.get(digest).into_iter().flatten();
        let apart = apart.map(|one| (one.at.as_str(), one.bytes.as_slice(), one.is_for_cluster));
        let beside = beside.iter().map(|(at, bytes)| (at.as_str(), bytes.as_slice(), false));
        for (at, bytes, is_for_cluster) in apart.chain(beside) {
            match key_of(bytes, *digest, keys, now) {
                Ok(key) => {
                    if is_for_cluster {
                        configmap.get_or_insert_with(|| at.to_owned());
                    }
                    good.get_or_insert_with(|| (key, at.to_owned()));
                }
                Err(fault) => why = Some(format!("{at}: {fault}")),
            }
        }
        if let Some((key, at)) = good {
            return Ok(Verified { key, at, configmap });
        }
        let hint = if why.is_some() { OTHER_KEY } else { NO_SIGNATURE };
        let why = why.unwrap_or_else(|| "no GPG signature of it was found".to_owned());
        let left_out = keys.left_out.as_ref().map_or_else(String::new, |problem| {
            format!(". The keys here don't count: {} [{}]", problem.message, problem.code)
        });
        let what = format!("nothing authenticates it, so its policy does not count: {why}{left_out}");
        Err(Diagnostic::new(Code::PolicyUnauthenticated, what).hinting(hint))
    }
}

const NO_SIGNATURE: &str = "bring the folder in which oc-mirror keeps the signatures of releases: name oc-mirror:DIR, for a registry with --images \
    oc-mirror:DIR, or by --idms the cluster-resources with signature-configmap.yaml; or judge by --policy builtin:openshift@VERSION";
const OTHER_KEY: &str = "whoever can change images can change the policy in a release, so find out who signed this one; if its key is yours to trust, pull a \
    pack that has it, and name it by --keys-dir";

/// The signature files beside an image, in a `dir:`.
pub(super) fn beside(source: &dyn Source, repository: &str, digest: &Digest) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    if let Some(sidecars) = source.abilities().sidecars {
        // A file that can't be read authenticates nothing.
        let _ = sidecars.attachments(repository, digest, &mut |file| found.push((file.name, file.bytes)));
    }
    found
}

/// The key that made a signature for this digest.
fn key_of(bytes: &[u8], digest: Digest, keys: &ReleaseKeys, now: Timestamp) -> Result<String, String> {
    let gpg = UntrustedGpg::parse(bytes).map_err(|e| e.to_string())?;
    if gpg.claimed_image != digest {
        return Err(format!("it is the signature of {}", gpg.claimed_image));
    }
    let by = gpg.message.issuer().unwrap_or(gpg.message.key_id()).to_owned();
    let mut fault =
        format!("by its own words it is by the GPG key {by}, and that is not one of the keys that count");
    for (name, key) in &keys.keys {
        match key.verify(&gpg.message, now) {
            Ok(()) => return Ok(name.clone()),
            Err(OpenPgpFault::NotMade(_)) if !key.is_named(gpg.message.issuer(), &by) => {}
            Err(why) => fault = format!("{name}: {why}"),
        }
    }
    Err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::Material, keysource::release_key};

    /// A signature that Red Hat made with the key that signs releases too.
    const REDHATS: &[u8] = include_bytes!("../../../../../testdata/gpg/redhat/signature-rhel7");

    fn verify(digest: Digest, keys: Vec<(String, crate::key::OpenPgpKey)>) -> Result<Verified, Diagnostic> {
        let at = "working-dir/signatures/x".to_owned();
        let signature = Signature { at, bytes: REDHATS.to_vec(), is_for_cluster: false };
        let signatures = Signatures(BTreeMap::from([(digest, vec![signature])]));
        let keys = ReleaseKeys { keys, used: None, left_out: None };
        signatures.verify(&digest, &[], &keys, "2026-02-20T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn red_hats_key_counts_by_its_built_in_fingerprint_and_for_its_own_image_alone() {
        let key = release_key().as_ref().and_then(Material::openpgp).cloned().unwrap();
        let redhat = || vec![("gpg-redhat-release".to_owned(), key.clone())];
        let own = UntrustedGpg::parse(REDHATS).unwrap().claimed_image;
        let verified = verify(own, redhat()).unwrap();
        assert_eq!((verified.key.as_str(), verified.configmap), ("gpg-redhat-release", None));
        for (digest, keys, says) in [
            (Digest::of(b"other"), redhat(), "it is the signature of"),
            (own, Vec::new(), "not one of the keys that count"),
        ] {
            let refused = verify(digest, keys).err().unwrap();
            assert_eq!(refused.code, Code::PolicyUnauthenticated);
            assert!(refused.message.contains(says), "{}", refused.message);
        }
    }
}
