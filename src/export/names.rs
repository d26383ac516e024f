//! Which rule is about a repository.

use crate::policy::rule::{Rule, Scope};

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

/// A scope of one tag is not seen by pulls by digest, and the reverse: those fall to whatever is wider.
pub(super) fn refuse_one_image(rule: &Rule, all: &[Rule], accepts_others: bool) -> Result<(), String> {
    if !rule.scope.is_image() {
        return Ok(());
    }
    let repository = rule.scope.repository();
    let wider = all.iter().find(|other| !other.scope.is_image() && other.scope.covers(repository));
    if wider.is_none() && !accepts_others {
        return Ok(());
    }
    let next = wider.map_or_else(|| "anything".to_owned(), |rule| format!("what {} asks for", rule.scope));
    Err(format!(
        "it is about one tag or digest, and this consumer looks at it only where the image is pulled exactly so; pulled \
         otherwise, {next} would do"
    ))
}
