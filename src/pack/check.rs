use super::{
    Anchor, Draft, Met, PackError, UntrustedPack, Vouched, endorsement, pins, rebuild::rebuild, vouch,
};
use crate::{key::Fingerprint, oci::Digest, signature::UntrustedSignature, tree::SafeName};

/// A pack that an anchor authenticated. Only this file makes one; what verifies or writes policy takes nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    draft: Draft,
    met: Vec<Met>,
    whole: bool,
    vouched: Vec<Vouched>,
    signatures: Vec<SafeName>,
}

impl Pack {
    /// The content. Where only the keys are authenticated, it is made anew from them.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// What authenticated it.
    pub fn met(&self) -> &[Met] {
        &self.met
    }

    /// Whether the maker's inventory is authenticated: its version, its times, its rules. Where not, only the keys are.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The signature files that an anchor verified.
    pub fn verified_signatures(&self) -> &[SafeName] {
        &self.signatures
    }

    /// The TUF chains that were verified again.
    pub fn vouched(&self) -> &[Vouched] {
        &self.vouched
    }
}

/// What a pack is held to.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// All of these must hold, and there must be one.
    pub anchors: &'a [Anchor],
    /// Signatures of the manifest that were found beside it. They come from the same place and prove nothing
    /// but by a key of `anchors`.
    pub manifest_signatures: &'a [UntrustedSignature],
    /// The name that the pack must have.
    pub lineage: &'a str,
    /// Now: what a pack that is made anew from authenticated keys is dated.
    pub now: jiff::Timestamp,
}

/// Authenticates a pack: every anchor must hold, and there must be one. Anchors of the inventory vouch for all keys; pins
/// and TUF roots together for those that either names: pins are the exact set of what no repository lists.
///
/// Digests and signatures are compared before the inventory is read: nothing that an attacker wrote is interpreted
/// first. A key that the pack itself revokes refuses it: its maker contradicts himself.
pub fn check(pack: UntrustedPack, demand: &Demand<'_>) -> Result<Pack, PackError> {
    if demand.anchors.is_empty() {
        return Err(PackError::NoAnchor);
    }
    let (mut met, mut signatures) = (Vec::new(), Vec::new());
    let (mut pinned, mut roots) = (Vec::new(), Vec::new());
    for anchor in demand.anchors {
        match anchor {
            Anchor::Digest(expected) => met.push(digest(&pack, *expected)?),
            Anchor::Keys(keys) => {
                let endorsed = endorsement::check(&pack, keys, demand.manifest_signatures)?;
                met.extend(endorsed.met);
                signatures.extend(endorsed.files);
            }
            Anchor::Pins(pins) => pinned.extend_from_slice(pins),
            Anchor::Tuf(given) => roots.extend_from_slice(given),
        }
    }
    let whole = demand.anchors.iter().any(Anchor::covers_inventory);
    let draft = pack.into_draft()?;
    let actual = &draft.inventory().name;
    if actual != demand.lineage {
        return Err(PackError::Lineage { expected: demand.lineage.into(), actual: actual.clone() });
    }
    let vouched = if roots.is_empty() { Vec::new() } else { vouch::verify(&draft, &roots)? };
    let pins = demand.anchors.iter().any(|a| matches!(a, Anchor::Pins(_)));
    let mut listed = Vec::new();
    for (record, material) in draft.keys() {
        if !vouch::items(&vouched, record, material)?.is_empty() {
            listed.push(record.key_ref());
        } else if !roots.is_empty() && !whole && !pins {
            return Err(PackError::NotInTuf(record.file.clone()));
        }
    }
    met.extend(roots.iter().map(|root| Met::Tuf(root.digest())));
    if pins {
        pins::exact(&draft, &pinned, &|record| listed.contains(&record.key_ref()))?;
        met.push(Met::Pins);
    }
    let draft = if whole { draft } else { rebuild(&draft, &vouched, demand.lineage, demand.now)? };
    refuse_revoked(&draft, |key| draft.inventory().revoked.iter().any(|r| r.fingerprint == *key))?;
    Ok(Pack { draft, met, whole, vouched, signatures })
}

/// Takes a keys/ that this host authenticated or made before: `known` is what its memory says of the pack digest,
/// `revoked` of keys. That the files match the inventory is what makes it a [`Draft`].
pub fn recognise(
    draft: Draft,
    known: &dyn Fn(Digest) -> bool,
    revoked: &dyn Fn(&Fingerprint) -> bool,
) -> Result<Pack, PackError> {
    if !known(draft.digest()) {
        return Err(PackError::NoAnchor);
    }
    refuse_revoked(&draft, revoked)?;
    Ok(Pack { draft, met: vec![Met::Host], whole: true, vouched: Vec::new(), signatures: Vec::new() })
}

/// Refuses a pack that holds a revoked key, be it in the middle of a chain.
pub fn refuse_revoked(draft: &Draft, revoked: impl Fn(&Fingerprint) -> bool) -> Result<(), PackError> {
    for (record, material) in draft.keys() {
        if let Some(fingerprint) = material.fingerprints().into_iter().find(|f| revoked(f)) {
            return Err(PackError::Revoked { name: record.file.clone(), fingerprint });
        }
    }
    Ok(())
}

fn digest(pack: &UntrustedPack, expected: Digest) -> Result<Met, PackError> {
    Met::digest(expected, pack.digest(), pack.manifest_digest()).ok_or_else(|| PackError::Digest {
        expected,
        pack: pack.digest(),
        manifest: Some(pack.manifest_digest()),
    })
}
