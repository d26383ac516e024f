//! Which root a repository begins with. Whatever the repository serves, only a root that the user gave or that is built
//! in is ever believed; what is served merely tells which of several is meant.

use std::path::Path;

use super::Repository;
use crate::{
    keysource::{KeySourceError, read},
    limits,
    trust::tuf::{Files, Instance, RepositoryPath, Root, TufError},
};

/// The root that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// One that the user gave, by its index.
    Given(usize),
    /// A built-in one.
    Builtin(Instance),
    /// None fits.
    None,
}

impl Choice {
    pub(super) fn root(self, roots: &[Root]) -> Result<Option<Root>, TufError> {
        match self {
            Self::Given(index) => Ok(roots.get(index).cloned()),
            Self::Builtin(instance) => instance.root().map(Some),
            Self::None => Ok(None),
        }
    }
}

/// Of the roots that were given the one that the repository serves under its version; else the built-in one of this
/// address; else the only one that was given; else the public good's, where a mirror of it serves it.
pub(super) fn choose(repository: &Repository, roots: &[Root]) -> Result<Choice, TufError> {
    let served = |root: &Root| -> Result<bool, TufError> {
        let path = RepositoryPath::new(&format!("{}.root.json", root.version()))?;
        Ok(repository.get(&path, limits::TUF_ROOT)?.as_deref() == Some(root.bytes()))
    };
    decide(repository.name(), roots, &served)
}

fn decide(
    name: &str,
    roots: &[Root],
    served: &dyn Fn(&Root) -> Result<bool, TufError>,
) -> Result<Choice, TufError> {
    for (index, root) in roots.iter().enumerate() {
        if served(root)? {
            return Ok(Choice::Given(index));
        }
    }
    let instance = Instance::ALL.into_iter().find(|instance| instance.url() == name);
    match (instance, roots.len()) {
        (Some(instance), _) => Ok(Choice::Builtin(instance)),
        (None, 1) => Ok(Choice::Given(0)),
        (None, 0) if served(&Instance::PublicGood.root()?)? => Ok(Choice::Builtin(Instance::PublicGood)),
        (None, _) => Ok(Choice::None),
    }
}

/// Reads a root from a file.
pub fn read_root(path: &Path) -> Result<Root, KeySourceError> {
    let (bytes, _) = read(path)?;
    Root::new(bytes).map_err(|error| KeySourceError::NotARoot { path: path.into(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_one_that_was_given_or_is_built_in() {
        let [good, staging, github] = Instance::ALL.map(|instance| instance.root().unwrap());
        let own = "https://tuf.example.com";
        let choice = |name: &str, given: &[&Root], serves: &[&Root]| {
            let given: Vec<_> = given.iter().map(|root| (*root).clone()).collect();
            decide(name, &given, &|root| Ok(serves.contains(&root))).unwrap()
        };
        // What is served tells which of several is meant, at a known address too.
        assert_eq!(choice(own, &[&staging, &github], &[&github]), Choice::Given(1));
        assert_eq!(choice(Instance::GitHub.url(), &[&staging], &[&staging]), Choice::Given(0));
        // A known address begins with its own, whatever else was given.
        for instance in Instance::ALL {
            assert_eq!(choice(instance.url(), &[], &[]), Choice::Builtin(instance));
            assert_eq!(choice(instance.url(), &[&good, &staging], &[]), Choice::Builtin(instance));
        }
        // Elsewhere the only one that was given; a mirror of the public good needs none, one of GitHub's does.
        assert_eq!(choice(own, &[&staging], &[]), Choice::Given(0));
        assert_eq!(choice(own, &[], &[&good]), Choice::Builtin(Instance::PublicGood));
        assert_eq!(choice(own, &[], &[&github]), Choice::None);
        assert_eq!(choice(own, &[&staging, &github], &[&good]), Choice::None);
        let failed = decide(own, &[staging], &|_| Err(TufError::Missing("x".into())));
        assert_eq!(failed.unwrap_err().code().as_str(), "tuf-file-missing");
    }
}
