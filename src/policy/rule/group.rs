//! Repositories of one namespace that are signed alike are one rule of a draft.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scope, Signer, observe::Seen};
use crate::key::KeyRef;

/// The scope of a rule, or the name of the repository or namespace where a location does not say the registry.
pub(super) type Named = Result<Scope, String>;

/// What is written as one rule.
pub(super) struct Group {
    pub(super) seen: Seen,
    /// The repositories of a namespace; none, if the rule is about one repository.
    pub(super) repositories: Vec<String>,
}

/// What a rule would say about a repository.
type Rule<'a> = (BTreeSet<&'a Signer>, Option<&'a BTreeSet<KeyRef>>, bool);

fn rule(seen: &Seen) -> Option<Rule<'_>> {
    // Where nothing verifies there is no rule, and where something is unsigned a wider one would refuse more.
    let has_rule = !seen.signers.is_empty() && seen.unsigned == 0;
    has_rule.then(|| (seen.signers.keys().collect(), seen.every_log(), seen.bare > 0))
}

/// Groups by the widest namespaces in which everything that was seen would have the same rule. A registry is none.
pub(super) fn by_namespace(seen: BTreeMap<Named, Seen>) -> BTreeMap<Named, Group> {
    let mut all: BTreeMap<Named, Group> = BTreeMap::new();
    let alike = alike(&seen);
    for (name, seen) in seen {
        let namespace = above(&name).into_iter().find(|namespace| alike.contains(namespace));
        let repository = namespace.is_some().then(|| text(&name).to_owned());
        let group = all
            .entry(namespace.unwrap_or(name))
            .or_insert_with(|| Group { seen: Seen::default(), repositories: Vec::new() });
        group.seen.merge(seen);
        group.repositories.extend(repository);
    }
    all
}

/// The namespaces of two or more repositories, all with the same rule.
fn alike(seen: &BTreeMap<Named, Seen>) -> BTreeSet<Named> {
    let mut rules: Vec<_> =
        seen.iter().map(|(name, seen)| ((name.is_ok(), text(name)), rule(seen))).collect();
    rules.sort_unstable_by_key(|(name, _)| *name);
    let namespaces: BTreeSet<Named> = seen.keys().flat_map(above).collect();
    let is_alike = |namespace: &Named| {
        let (kind, prefix) = (namespace.is_ok(), format!("{}/", text(namespace)));
        let start = rules.partition_point(|(name, _)| *name < (kind, prefix.as_str()));
        let within = rules.iter().skip(start);
        let mut within = within.take_while(|((is, text), _)| *is == kind && text.starts_with(&prefix));
        let first = within.next().and_then(|(_, rule)| rule.as_ref());
        let mut others = within.map(|(_, rule)| rule.as_ref()).peekable();
        first.is_some() && others.peek().is_some() && others.all(|other| other == first)
    };
    namespaces.into_iter().filter(is_alike).collect()
}

fn text(name: &Named) -> &str {
    match name {
        Ok(scope) => scope.as_str(),
        Err(name) => name,
    }
}

/// The namespaces that a repository is in, the widest first.
fn above(name: &Named) -> Vec<Named> {
    let text = text(name);
    let host = if name.is_ok() { text.find('/').map_or(text.len(), |end| end + 1) } else { 0 };
    let ends = text.match_indices('/').map(|(at, _)| at).filter(|at| *at >= host);
    ends.filter_map(|end| text.get(..end))
        .filter(|namespace| !namespace.is_empty())
        .filter_map(|namespace| match name {
            Ok(_) => namespace.parse().ok().map(Ok),
            Err(_) => Some(Err(namespace.to_owned())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::Role, oci::Digest};

    fn signed_by(key: &str) -> Seen {
        let key = KeyRef { role: Role::Signer, id: Digest::of(key.as_bytes()) };
        Seen {
            images: 1,
            signatures: 1,
            unlogged: 1,
            signers: [(Signer::Key(key), 1)].into(),
            ..Seen::default()
        }
    }

    fn groups(seen: &[(&str, Seen)]) -> Vec<(String, usize, Vec<String>)> {
        let named = |name: &str| name.parse().map_err(|_| name.to_owned());
        let seen = seen.iter().map(|(name, seen)| (named(name), seen.clone())).collect();
        let groups = by_namespace(seen).into_iter();
        groups.map(|(name, group)| (text(&name).to_owned(), group.seen.images, group.repositories)).collect()
    }

    fn names(seen: &[(&str, Seen)]) -> Vec<String> {
        groups(seen).into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn a_namespace_signed_alike_is_one_rule() {
        let (a, b) = (|| signed_by("a"), || signed_by("b"));
        let one = groups(&[("q.io/n/x", a()), ("q.io/n/y/z", a())]);
        assert_eq!(one, [("q.io/n".into(), 2, vec!["q.io/n/x".into(), "q.io/n/y/z".into()])]);
        assert_eq!(names(&[("q.io/n/x", a()), ("q.io/n/y", b())]), ["q.io/n/x", "q.io/n/y"]);
        // Other signers further in keep the outer namespace apart.
        let deeper = [("q.io/n/m/x", b()), ("q.io/n/m/y", b()), ("q.io/n/x", a())];
        assert_eq!(names(&deeper), ["q.io/n/m", "q.io/n/x"]);
        // Neither a registry nor a namespace whose name begins alike is one.
        assert_eq!(names(&[("q.io/x", a()), ("q.io/y", a())]), ["q.io/x", "q.io/y"]);
        assert_eq!(names(&[("q.io/n/x", a()), ("q.io/n2/y", a())]), ["q.io/n/x", "q.io/n2/y"]);
        // Where the registry is not known.
        assert_eq!(names(&[("n/x", a()), ("n/y", a()), ("z", a())]), ["n", "z"]);
    }

    #[test]
    fn what_is_unsigned_is_in_no_wider_rule() {
        let unsigned = || Seen { images: 1, unsigned: 1, ..Seen::default() };
        let some = || Seen { unsigned: 1, ..signed_by("a") };
        for other in [unsigned(), some()] {
            let seen = [("q.io/n/x", signed_by("a")), ("q.io/n/y", signed_by("a")), ("q.io/n/z", other)];
            assert_eq!(names(&seen), ["q.io/n/x", "q.io/n/y", "q.io/n/z"]);
        }
    }
}
