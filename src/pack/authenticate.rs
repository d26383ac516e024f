use super::{
    Anchor, Draft, Evidence, PackError, UnverifiedPack, VerifiedChain, endorsement, pins, rebuild::rebuild,
    tuf_anchor,
};
use crate::{key::Fingerprint, oci::Digest, signature::UntrustedSignature, tree::SafeName};

/// A pack that an anchor authenticated. Verifying, and writing policies, requires this type.
///
/// It has no public constructor: it is returned by [`authenticate`], or by
/// [`State::recognise`](crate::state::State::recognise) if this host has authenticated or made the same pack before.
///
/// ```compile_fail
/// # fn make(draft: keypack::pack::Draft) -> keypack::pack::Pack {
/// // E0451: the fields are private.
/// keypack::pack::Pack { draft, evidence: Vec::new(), whole: true, chains: Vec::new(), signatures: Vec::new() }
/// # }
/// ```
///
/// ```compile_fail
/// # fn make(draft: keypack::pack::Draft, digest: keypack::oci::Digest) {
/// // E0624: only `state` can create one.
/// let _ = keypack::pack::KnownHere::in_state(digest);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    draft: Draft,
    evidence: Vec<Evidence>,
    whole: bool,
    chains: Vec<VerifiedChain>,
    signatures: Vec<SafeName>,
}

impl Pack {
    /// The content. If only the keys are authenticated, it is rebuilt from them.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Combines two results for the same pack. If either covers the maker's inventory, its content is used, because it
    /// includes all of the other's.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let (mut more, mut less) = if self.whole || !other.whole { (self, other) } else { (other, self) };
        less.evidence.retain(|evidence| !more.evidence.contains(evidence));
        less.chains.retain(|chain| !more.chains.contains(chain));
        less.signatures.retain(|name| !more.signatures.contains(name));
        more.evidence.append(&mut less.evidence);
        more.chains.append(&mut less.chains);
        more.signatures.append(&mut less.signatures);
        more
    }

    /// What authenticated it.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Whether the maker's inventory (version, dates, rules) is authenticated. If not, only the keys are.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The signature files that an anchor verified.
    pub fn verified_signatures(&self) -> &[SafeName] {
        &self.signatures
    }

    /// The TUF chains that were verified.
    pub fn verified_chains(&self) -> &[VerifiedChain] {
        &self.chains
    }
}

/// Confirmation from the state that this host has made or authenticated the pack with this digest before.
///
/// Only `state` may create it (`tests/it/architecture.rs`): anywhere else it would bypass every anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHere {
    pack: Digest,
}

impl KnownHere {
    /// For `state` only.
    pub(crate) const fn in_state(pack: Digest) -> Self {
        Self { pack }
    }
}

/// The requirements for authenticating a pack.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// All of these must match, and there must be at least one.
    pub anchors: &'a [Anchor],
    /// Signatures of the manifest found alongside it. They come from the same source, so only those by a key of
    /// `anchors` count.
    pub manifest_signatures: &'a [UntrustedSignature],
    /// The required lineage.
    pub lineage: &'a str,
    /// The current time, used as the date of a pack rebuilt from authenticated keys.
    pub now: jiff::Timestamp,
}

/// Authenticates a pack: every anchor must match, and there must be at least one. Anchors of the inventory authenticate
/// all keys. Pins and TUF roots together authenticate the keys that either names: pins are the exact set of the keys
/// that are in no repository.
///
/// Digests and signatures are compared before the inventory is parsed, so that nothing written by an attacker is
/// interpreted first. A pack that contains a key that it revokes itself is contradictory, and is refused.
pub fn authenticate(pack: UnverifiedPack, demand: &Demand<'_>) -> Result<Pack, PackError> {
    if demand.anchors.is_empty() {
        return Err(PackError::NoAnchor);
    }
    let (mut evidence, mut signatures) = (Vec::new(), Vec::new());
    let (mut pinned, mut roots) = (Vec::new(), Vec::new());
    for anchor in demand.anchors {
        match anchor {
            Anchor::Digest(expected) => evidence.push(digest(&pack, *expected)?),
            Anchor::Keys { keys, threshold } => {
                let endorsed = endorsement::check(&pack, keys, *threshold, demand.manifest_signatures)?;
                evidence.extend(endorsed.evidence);
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
    let chains = if roots.is_empty() { Vec::new() } else { tuf_anchor::verify(&draft, &roots)? };
    let pins = demand.anchors.iter().any(|a| matches!(a, Anchor::Pins(_)));
    let mut listed = Vec::new();
    for (record, material) in draft.keys() {
        if !tuf_anchor::items(&chains, record, material)?.is_empty() {
            listed.push(record.key_ref());
        } else if !roots.is_empty() && !whole && !pins {
            return Err(PackError::NotInTuf(record.file.clone()));
        }
    }
    evidence.extend(roots.iter().map(|root| Evidence::Tuf(root.digest())));
    if pins {
        pins::exact(&draft, &pinned, whole, &|record| listed.contains(&record.key_ref()))?;
        evidence.push(Evidence::Pins);
    }
    let draft = if whole { draft } else { rebuild(&draft, &chains, demand.lineage, demand.now)? };
    refuse_revoked(&draft, |key| draft.inventory().revoked.iter().any(|r| r.fingerprint == *key))?;
    Ok(Pack { draft, evidence, whole, chains, signatures })
}

/// Accepts a keys/ that this host has authenticated or made before; `revoked` tests keys against the state. A [`Draft`]
/// exists only if the files match the inventory.
pub(crate) fn recognise(
    draft: Draft,
    known: KnownHere,
    revoked: &dyn Fn(&Fingerprint) -> bool,
) -> Result<Pack, PackError> {
    if draft.digest() != known.pack {
        return Err(PackError::NoAnchor);
    }
    refuse_revoked(&draft, revoked)?;
    let evidence = vec![Evidence::Host];
    Ok(Pack { draft, evidence, whole: true, chains: Vec::new(), signatures: Vec::new() })
}

/// Refuses a pack that contains a revoked key, even in the middle of a chain.
pub fn refuse_revoked(draft: &Draft, revoked: impl Fn(&Fingerprint) -> bool) -> Result<(), PackError> {
    for (record, material) in draft.keys() {
        if let Some(fingerprint) = material.fingerprints().into_iter().find(|f| revoked(f)) {
            return Err(PackError::Revoked { name: record.file.clone(), fingerprint });
        }
    }
    Ok(())
}

fn digest(pack: &UnverifiedPack, expected: Digest) -> Result<Evidence, PackError> {
    Evidence::digest(expected, pack.digest(), pack.manifest_digest()).ok_or_else(|| PackError::Digest {
        expected,
        pack: pack.digest(),
        manifest: Some(pack.manifest_digest()),
    })
}
