//! TUF as an anchor: the chain in the pack is verified again, from a root that arrived by another way. It authenticates
//! keys and what the repository says of them, and nothing else of what the pack says.

use jiff::Timestamp;

use super::{Draft, KeyRecord, PackError, TufRecord, chain::IncludeChain};
use crate::{
    key::{Candidate, Grade, Material, Role, Validity},
    trust::tuf::{self, Root, TufError},
};

/// A chain that a root authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChain {
    /// The file that held it.
    pub file: String,
    /// What followed from it.
    pub verified: tuf::Verified,
    /// How it is called in what is made anew: no name out of the pack.
    pub(super) chain: IncludeChain,
}

/// Verifies the chains of the pack from these roots. Each root must be met by a chain.
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
            // Of two states of one repository only one can be the latest; the older one would still vouch for what the
            // newer one has withdrawn.
            let name = found.swap_remove(first + 1).file;
            let reason =
                "the root vouches for another chain in the pack too, and only one can be the latest".into();
            return Err(PackError::Chain { name, reason });
        }
        if found.len() == first {
            // The chain that came furthest says most: one that the root does not know at all ends at its signatures.
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

/// What the repositories say of a key of the pack; nothing if they do not know it. One that is described otherwise than by
/// its repository is refused, whoever else vouches for it.
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
    /// Whether it and a repository's item are about one key.
    pub fn is_of(&self, item: &Candidate) -> bool {
        let id = match self.role {
            Role::Rekor2 => item.key.rekor2_id(self.origin.as_deref().unwrap_or_default()),
            _ => item.key.id,
        };
        item.key.role.may_serve_as(self.role) && id == self.id
    }
}

/// What contradicts the repository. An address that it does not say is not compared; it is dropped. A time of use may be
/// narrower than the repository's, as where another source closed it; a wider one is nobody's to give.
fn difference(item: &Candidate, record: &KeyRecord, material: &Material) -> Option<&'static str> {
    let url = item.key.url.is_some() && item.key.url != record.url;
    let compared = [
        ("the key", item.key.material != *material),
        ("the time of use", !within(record.validity, item.key.validity)),
        ("the address", url),
    ];
    compared.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
}

/// Whether `inner` allows no time that `outer` does not.
fn within(inner: Validity, outer: Validity) -> bool {
    let start = outer.start.is_none_or(|start| inner.start.is_some_and(|own| own >= start));
    let end = outer.end.is_none_or(|end| inner.end.is_some_and(|own| own <= end));
    start && end
}

/// Whether a record says that its key follows from this repository.
pub(super) fn follows_from(record: &KeyRecord, repository: &str) -> bool {
    let start = format!("{repository}/targets/");
    record.provenance.iter().any(|p| p.grade == Grade::Tuf && p.source.starts_with(&start))
}

/// When the evidence is from, as far as anybody vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// No earlier than this, where the repository's root says how long its timestamps are good for.
    pub after: Option<Timestamp>,
    /// No later than this.
    pub until: Timestamp,
}

impl VerifiedChain {
    /// Whether the two are one repository, and the other ends at a root that this one has a successor of. Of two given
    /// roots an older one must not let in what was withdrawn since.
    fn leads_on_from(&self, other: &Self) -> bool {
        let ends = other.verified.chain.roots();
        let Some((_, last)) = ends.last().filter(|_| self.file != other.file) else { return false };
        self.verified.chain.roots().iter().any(|(_, root)| tuf::succeeds(last, root))
    }

    /// How many keys the repository lists and this pack has not.
    pub fn left_out(&self, draft: &Draft) -> usize {
        let absent = |item: &&Candidate| draft.keys().all(|(record, _)| !record.is_of(item));
        self.verified.items.candidates.iter().filter(absent).count()
    }

    /// Its dates. `created`, where it is authenticated, is when the maker of the pack saw it unexpired; a chain that
    /// had ended by then was kept from an earlier collection.
    pub fn dated(&self, created: Option<Timestamp>) -> Dated {
        let evidence = &self.verified.evidence;
        let until = evidence.good_until();
        match created.filter(|created| *created <= until) {
            Some(created) => Dated { after: Some(created), until: created },
            None => Dated { after: evidence.signed_after, until },
        }
    }
}
