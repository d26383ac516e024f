use std::collections::BTreeSet;

use crate::{key::slug, policy::rule::Scope};

/// The names of objects or files, which are made of scopes. They are cut at 40 characters, so that those of two scopes are often
/// the same; each is given once.
#[derive(Debug, Default)]
pub(crate) struct ObjectNames(BTreeSet<String>);

impl ObjectNames {
    /// The name of an object for this scope. Only a number has a dot before it, so that no name of another scope looks alike.
    pub(super) fn of(&mut self, beginning: &str, scope: &Scope) -> String {
        self.free(&format!("{beginning}-{}", slug(scope.as_str())))
    }

    /// This name or, if it is taken, the next one.
    pub(super) fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut number = 1;
        while !self.0.insert(free.clone()) {
            number += 1;
            free = format!("{name}.{number}");
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut names = ObjectNames::default();
        let long = "registry.example:5000/mirror/namespace/of-a-team/app";
        let all = [
            long,
            "q.io/a",
            "q.io-a",
            "q.io/a-2",
            "q.io/a/2",
            "registry.example:5000/mirror/namespace/of-a-team/b",
        ];
        let given: Vec<_> = all
            .iter()
            .map(|scope| names.of("k", &scope.parse().unwrap_or_else(|e| panic!("{scope}: {e}"))))
            .collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), all.len(), "{given:?}");
        assert_eq!(given[1], "k-q-io-a");
        assert!(given[5].starts_with(&given[0]), "they are cut to the same: {given:?}");
    }
}
