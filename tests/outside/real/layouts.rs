//! A layout full of traps: loops, nested indexes, referrers and fallback tags of things that are not signatures.

use std::collections::BTreeSet;

use keypack::{content::Location, discover::Kind};

use super::{
    Case,
    place::{fixture, found},
};

pub const CASES: &[Case] =
    &[("regclient_testrepo_is_walked_to_its_end", regclient_testrepo_is_walked_to_its_end)];

fn regclient_testrepo_is_walked_to_its_end() {
    let discovery = found(&[Location::Layout(fixture("oci-layouts/regclient-testrepo"), None)]);
    let tags: BTreeSet<_> = discovery.images.iter().flat_map(|i| i.tags.iter().map(String::as_str)).collect();
    for tag in ["v1", "v2", "v3", "loop", "child", "mirror", "b1", "b2", "b3", "a-docker"] {
        assert!(tags.contains(tag), "{tag} is missing in {tags:?}");
    }
    // A tag with its own manifest's digest is what oc-mirror gives to an image named by digest; one with another's
    // digest is a list of referrers.
    for image in &discovery.images {
        let own = image.digest.to_string().replace(':', "-");
        assert!(
            !image.tags.iter().any(|t| t.starts_with("sha256-") && t.len() == own.len() && **t != *own),
            "lists of referrers are no images: {image:?}"
        );
    }
    for image in &discovery.images {
        assert!(image.signatures.is_empty(), "{image:?}");
        assert!(image.problems.is_empty(), "{image:?}");
        assert_ne!(image.kind, Kind::Unreadable, "{image:?}");
    }
    assert_eq!(discovery.places[0].absent, 0);
}
