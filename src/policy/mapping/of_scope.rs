use std::collections::BTreeSet;

use super::{NameMap, below};
use crate::policy::rule::Scope;

impl NameMap {
    /// The places, at the mirrors, of everything that is in a scope.
    pub fn mirrors_of(&self, scope: &Scope) -> BTreeSet<String> {
        let name = scope.repository();
        let mut found = BTreeSet::new();
        let mut add = |source: &str, location: &str, exact: bool| {
            if source == name || scope.covers(source) {
                found.insert(location.to_owned());
            } else if let Some(rest) = below(name, source).filter(|_| !exact) {
                found.insert(format!("{location}{rest}"));
            } else if source.parse().is_ok_and(|wide: Scope| source.starts_with('*') && wide.covers(name)) {
                // The whole host is mirrored there.
                let rest = name.find('/').map_or("", |at| &name[at..]);
                found.insert(format!("{location}{rest}"));
            }
        };
        for (source, entry) in &self.entries {
            entry.mirrors.iter().for_each(|mirror| add(source, &mirror.location, false));
        }
        for (location, sources) in &self.copies {
            for (source, exact) in sources {
                add(source, location, *exact);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::mapping::parse_mirror_sets;

    #[test]
    fn what_a_scope_holds_is_found_at_each_mirror() {
        let mut map = parse_mirror_sets(
            "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nspec:\n  imageDigestMirrors:\n  \
             - {source: registry.redhat.io/ubi9, mirrors: [mirror:5000/ubi9, second:5000/x]}\n  \
             - {source: '*.example.com', mirrors: [mirror:5000/all]}\n  \
             - {source: quay.io, mirrors: [mirror:5000/quay]}\n",
        )
        .unwrap();
        map.add_copy("mirror:5000/one", "docker.io/library/one", true);
        let of =
            |scope: &str| -> Vec<String> { map.mirrors_of(&scope.parse().unwrap()).into_iter().collect() };
        assert_eq!(of("registry.redhat.io"), ["mirror:5000/ubi9", "second:5000/x"]);
        assert_eq!(of("registry.redhat.io/ubi9/ubi"), ["mirror:5000/ubi9/ubi", "second:5000/x/ubi"]);
        assert_eq!(of("registry.redhat.io/ubi90"), Vec::<String>::new());
        assert_eq!(of("quay.io/a/b:v1"), ["mirror:5000/quay/a/b"]);
        assert_eq!(of("r.example.com/team"), ["mirror:5000/all/team"]);
        assert_eq!(of("*.redhat.io"), ["mirror:5000/ubi9", "second:5000/x"]);
        assert_eq!(of("docker.io"), ["mirror:5000/one"]);
        assert_eq!(of("docker.io/library/one/two"), Vec::<String>::new());
    }
}
