//! TUF as an anchor: the chain in the pack is verified again, from a root obtained out of band. It authenticates keys
//! and the repository's statements about them, and nothing else in the pack.

use jiff::Timestamp;

use super::{Draft, KeyRecord, PackError, TufRecord, chain::IncludeChain};
use crate::{
    key::{Candidate, Grade, Material, Role, Validity},
    trust::tuf::{self, Root, TufError},
};

/// A chain that a root authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChain {
    /// The file that contained it.
    pub file: String,
    /// The result of verifying it.
    pub verified: tuf::Verified,
    /// The chain as included when the pack is rebuilt, under a name that does not come from the pack.
    pub(super) chain: IncludeChain,
}

/// Verifies the chains of the pack from these roots. There must be a chain for each root.
pub(super) fn verify(draft: &Draft, roots: &[Root]) -> Result<Vec<VerifiedChain>, PackError> {
    if draft.inventory().tuf.is_empty() {
        return Err(PackError::NoChain);
    }
    let mut found: Vec<VerifiedChain> = Vec::new();
    for root in roots {
        let mut refused: Vec<(&TufRecord, TufError)> = Vec::new();
        let first = found.len();
        for (record, chain) in draft.chains() {
            match tuf::verify(chain, root, &root.label()) {
                Ok(verified) => {
                    let chain = IncludeChain {
                        name: verified.chain.name(None),
                        repository: root.label(),
                        chain: verified.chain.clone(),
                        items: Vec::new(),
                    };
                    found.push(VerifiedChain { file: record.file.clone(), verified, chain });
                }
                Err(e) => refused.push((record, e)),
            }
        }
        if found.len() > first + 1 {
            // Only one of two states of a repository can be the latest; the older one would still vouch for keys that
            // the newer one has withdrawn.
            let name = found.swap_remove(first + 1).file;
            let reason =
                "the root vouches for another chain in the pack too, and only one can be the latest".into();
            return Err(PackError::Chain { name, reason });
        }
        if found.len() == first {
            // Report the chain that got furthest: with an unrelated root, verification fails at the signatures.
            let stranger = |e: &TufError| matches!(e, TufError::Signatures { .. });
            refused.sort_by_key(|(_, e)| stranger(e));
            let (record, error) = refused.swap_remove(0);
            return Err(PackError::Tuf { name: record.file.clone(), root: root.digest(), error });
        }
    }
    match found.iter().find(|one| found.iter().any(|other| other.leads_on_from(one))) {
        None => Ok(found),
        Some(old) => Err(PackError::Chain {
            name: old.file.clone(),
            reason: "it ends at a root that another chain in the pack leads on from, so it is not the latest"
                .into(),
        }),
    }
}

/// The repositories' entries for a key in the pack; empty if they don't list it. A key whose description differs from
/// its repository's is refused, whatever else authenticates it.
pub(super) fn items<'a>(
    verified: &'a [VerifiedChain],
    record: &KeyRecord,
    material: &Material,
) -> Result<Vec<&'a Candidate>, PackError> {
    let all = verified.iter().flat_map(|v| &v.verified.items.candidates).filter(|item| record.is_of(item));
    let (mut equal, mut differs) = (Vec::new(), None);
    for item in all {
        match difference(item, record, material) {
            None => equal.push(item),
            Some(what) => differs = Some(what),
        }
    }
    match differs.filter(|_| equal.is_empty()) {
        None => Ok(equal),
        Some(what) => Err(PackError::TufDiffers { name: record.file.clone(), what }),
    }
}

impl KeyRecord {
    /// Whether it and a repository's item are the same key.
    pub fn is_of(&self, item: &Candidate) -> bool {
        let id = match self.role {
            Role::Rekor2 => item.key.rekor2_id(self.origin.as_deref().unwrap_or_default()),
            _ => item.key.id,
        };
        item.key.role.may_serve_as(self.role) && id == self.id
    }
}

/// The part that contradicts the repository. An address that the repository does not state is not compared; it is
/// dropped. A period of use may be narrower than the repository's, if another source ended it, but not wider.
fn difference(item: &Candidate, record: &KeyRecord, material: &Material) -> Option<&'static str> {
    let url = item.key.url.is_some() && item.key.url != record.url;
    let compared = [
        ("the key", item.key.material != *material),
        ("the time of use", !within(record.validity, item.key.validity)),
        ("the address", url),
    ];
    compared.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
}

/// Whether `inner` is entirely inside `outer`.
fn within(inner: Validity, outer: Validity) -> bool {
    let start = outer.start.is_none_or(|start| inner.start.is_some_and(|own| own >= start));
    let end = outer.end.is_none_or(|end| inner.end.is_some_and(|own| own <= end));
    start && end
}

/// Whether a record states that its key came from this repository.
pub(super) fn follows_from(record: &KeyRecord, repository: &str) -> bool {
    let start = format!("{repository}/targets/");
    record.provenance.iter().any(|p| p.grade == Grade::Tuf && p.source.starts_with(&start))
}

/// When the evidence was made, as far as that is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// No earlier than this, if the repository's root states how long its timestamps are valid.
    pub after: Option<Timestamp>,
    /// No later than this.
    pub until: Timestamp,
}

impl VerifiedChain {
    /// Whether both are the same repository, and this chain has a successor of the other's last root. Of two given
    /// roots the older one must not let in what has been withdrawn since.
    fn leads_on_from(&self, other: &Self) -> bool {
        let ends = other.verified.chain.roots();
        let Some((_, last)) = ends.last().filter(|_| self.file != other.file) else { return false };
        self.verified.chain.roots().iter().any(|(_, root)| tuf::succeeds(last, root))
    }

    /// How many keys the repository lists that are not in this pack.
    pub fn left_out(&self, draft: &Draft) -> usize {
        let absent = |item: &&Candidate| draft.keys().all(|(record, _)| !record.is_of(item));
        self.verified.items.candidates.iter().filter(absent).count()
    }

    /// Its dates. `created`, if authenticated, is when the maker of the pack saw it unexpired; a chain that had expired
    /// by then was retained from an earlier run.
    pub fn dated(&self, created: Option<Timestamp>) -> Dated {
        let evidence = &self.verified.evidence;
        let until = evidence.good_until();
        match created.filter(|created| *created <= until) {
            Some(created) => Dated { after: Some(created), until: created },
            None => Dated { after: evidence.signed_after, until },
        }
    }
}
