//! Which rule is about a repository.

use crate::policy::rule::Scope;

/// A repository of a mirror, with the name at its source; the same, where no other is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mirrored {
    /// `HOST/REPOSITORY` at the mirror.
    pub(crate) at: String,
    /// `HOST/REPOSITORY` at the source.
    pub(crate) source: String,
}

/// The entry with the most precise scope that a repository is in, as containers/image looks it up.
pub(super) fn rule_of<'a, T>(repository: &str, all: &'a [T], scope: impl Fn(&T) -> &Scope) -> Option<&'a T> {
    let wide = |scope: &Scope| if scope.as_str().starts_with('*') { 0 } else { scope.as_str().len() };
    all.iter()
        .filter(|one| !scope(one).is_image() && scope(one).covers(repository))
        .max_by_key(|one| (wide(scope(one)), scope(one).as_str().len()))
}
