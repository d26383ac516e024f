//! Chooses a repository's initial root. Only a root that is built in or given by the user is ever trusted; what the
//! repository serves merely selects one of several.

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
    /// One given by the user, by its index.
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

/// Prefers the given root that the repository serves under its version; then the built-in one for this address; then
/// the only given one; then the public-good root, if a mirror serves it.
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
        // The served root selects among several, at a known address too.
        assert_eq!(choice(own, &[&staging, &github], &[&github]), Choice::Given(1));
        assert_eq!(choice(Instance::GitHub.url(), &[&staging], &[&staging]), Choice::Given(0));
        // A known address starts with its own root, whatever else was given.
        for instance in Instance::ALL {
            assert_eq!(choice(instance.url(), &[], &[]), Choice::Builtin(instance));
            assert_eq!(choice(instance.url(), &[&good, &staging], &[]), Choice::Builtin(instance));
        }
        // Elsewhere the only given root is used; a mirror of the public-good one needs none, one of GitHub's does.
        assert_eq!(choice(own, &[&staging], &[]), Choice::Given(0));
        assert_eq!(choice(own, &[], &[&good]), Choice::Builtin(Instance::PublicGood));
        assert_eq!(choice(own, &[], &[&github]), Choice::None);
        assert_eq!(choice(own, &[&staging, &github], &[&good]), Choice::None);
        let failed = decide(own, &[staging], &|_| Err(TufError::Missing("x".into())));
        assert_eq!(failed.unwrap_err().code().as_str(), "tuf-file-missing");
    }
}
