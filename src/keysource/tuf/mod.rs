//! Keys out of TUF repositories, over http(s) or in a directory. Everything is decided by [`crate::trust::tuf`]; here
//! its files are read, and the root is chosen that it begins with.

mod place;
mod roots;

use std::sync::Arc;

use jiff::Timestamp;

use self::place::Repository;
pub use self::{
    place::Place,
    roots::{Choice, read_root},
};
use super::{Gathered, KeySourceError, Undated, Unusable};
use crate::{
    http::Client,
    key::Candidate,
    limits,
    trust::tuf::{self, Chain, Evidence, Files, RepositoryPath, Root},
};

/// A repository that was read and verified, as it goes into a pack.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Its address, or the name of its directory.
    pub repository: String,
    /// The name of the file in keys/, without the ending: the same for ever for one repository.
    pub name: String,
    /// The files.
    pub chain: Chain,
    /// Versions and dates.
    pub evidence: Evidence,
    /// The keys.
    pub items: Vec<Candidate>,
}

impl Gathered {
    /// Reads a repository, verifies it strictly at `now`, and adds its keys. `roots` are what the user gave; of several
    /// the one is meant that the repository itself serves.
    pub fn add_tuf(
        &mut self,
        place: &Place,
        roots: &[Root],
        client: impl FnOnce() -> Client,
        now: Timestamp,
    ) -> Result<Choice, KeySourceError> {
        let repository = Arc::new(Repository::open(place, client)?);
        let failed = |error| match repository.failure() {
            Some(own) => own,
            None => KeySourceError::Tuf { repository: repository.name().to_owned(), error },
        };
        let choice = roots::choose(&repository, roots).map_err(failed)?;
        let Some(root) = choice.root(roots).map_err(failed)? else {
            return Err(KeySourceError::TufRoot { repository: repository.name().into(), given: roots.len() });
        };
        let files: Arc<dyn Files> = Arc::clone(&repository) as _;
        let verified = tuf::refresh(files, &root, now, repository.name()).map_err(failed)?;
        let tuf::Verified { mut chain, evidence, items, .. } = verified;
        earlier_roots(&repository, &mut chain, root.version());
        for entry in items.unusable {
            self.unusable.push(Unusable {
                source: format!("{} {}", repository.name(), entry.target),
                entry: Some(entry.entry),
                problem: entry.problem,
                claims: entry.claims,
            });
        }
        let source = format!("{} {}", repository.name(), tuf::TRUSTED_ROOT);
        self.undated.extend(items.undated.into_iter().map(|entry| Undated { source: source.clone(), entry }));
        self.candidates.extend(items.candidates.iter().cloned());
        let name = chain.name(Some(repository.name()));
        let repository = repository.name().to_owned();
        self.chains.push(Collected { repository, name, chain, evidence, items: items.candidates });
        Ok(choice)
    }
}

/// Adds the roots before the one that was given, as far back as each may be followed by the next: an enclave may begin
/// with an older root than the connected side. One that can't be had ends the search; nothing hangs on it here.
fn earlier_roots(repository: &Repository, chain: &mut Chain, first: u64) {
    for version in (1..first).rev().take(limits::TUF_ROOTS) {
        let name = |version: u64| format!("{version}.root.json");
        let Ok(path) = RepositoryPath::new(&name(version)) else { return };
        let Ok(Some(older)) = repository.get(&path, limits::TUF_ROOT) else { return };
        let follows = chain.get(&name(version + 1)).is_some_and(|newer| tuf::succeeds(&older, newer));
        let mut longer = chain.clone();
        if !follows || longer.insert(path, older).is_err() {
            return;
        }
        *chain = longer;
    }
}
