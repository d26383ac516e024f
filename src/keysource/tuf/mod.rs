//! Keys from TUF repositories, over http(s) or in a directory. [`crate::trust::tuf`] makes all decisions; this module
//! reads the files and chooses the initial root.

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

/// A repository that was read and verified, as it is put into a pack.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Its address, or the name of its directory.
    pub repository: String,
    /// The file name in keys/, without the extension. It never changes for a given repository.
    pub name: String,
    /// The metadata files.
    pub chain: Chain,
    /// Versions and dates.
    pub evidence: Evidence,
    /// The keys.
    pub items: Vec<Candidate>,
}

impl Gathered {
    /// Reads a repository, verifies it strictly at `now`, and adds its keys. `roots` are those given by the user; if
    /// there are several, the one that the repository itself serves is used.
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

/// Adds roots older than the given one, as long as each is validly succeeded by the next: the disconnected side may
/// start with an older root than the connected side. The search ends at the first one that is not available, which is
/// harmless.
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
