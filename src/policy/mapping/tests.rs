use super::*;

const SETS: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: idms-release-0, managedFields: [{fieldsV1: {'f:spec': {'.': {}, 'f:imageDigestMirrors': {}}}}]}
spec:
  imageDigestMirrors:
  - mirrors: [mirror.test:5000/ns/openshift/release]
    source: quay.io/openshift-release-dev/ocp-v4.0-art-dev
  - mirrors: [mirror.test:5000/ns/openshift/release-images, other.test/copy/release-images]
    source: quay.io/openshift-release-dev/ocp-release
    mirrorSourcePolicy: NeverContactSource
status: {}
---
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
spec:
  imageTagMirrors:
  - mirrors: [mirror.test:5000/ns/ubi9]
    source: registry.redhat.io/ubi9
  - mirrors: [mirror.test:5000/ns/ubi9]
    source: registry.access.redhat.com/ubi9
";

fn of(map: &NameMap, name: &str, pull: Pull) -> Vec<String> {
    map.sources(name, pull).into_iter().collect()
}

fn digest(map: &NameMap, name: &str) -> Vec<String> {
    of(map, name, Pull::Digest)
}

#[test]
fn mirror_sets_are_read_both_ways() {
    let map = parse_mirror_sets(SETS).unwrap();
    let release = "mirror.test:5000/ns/openshift/release";
    assert_eq!(digest(&map, release), ["quay.io/openshift-release-dev/ocp-v4.0-art-dev"]);
    assert_eq!(digest(&map, "other.test/copy/release-images"), ["quay.io/openshift-release-dev/ocp-release"]);
    assert_eq!(digest(&map, "mirror.test:5000/ns/openshift/release2"), [""; 0], "part of a name");
    // Both sources of one mirror, and only for tags.
    let both = ["registry.access.redhat.com/ubi9/ubi", "registry.redhat.io/ubi9/ubi"];
    assert_eq!(of(&map, "mirror.test:5000/ns/ubi9/ubi", Pull::Tag), both);
    assert_eq!(digest(&map, "mirror.test:5000/ns/ubi9/ubi"), [""; 0]);
    let places = map.places("quay.io/openshift-release-dev/ocp-release", Pull::Digest).unwrap();
    assert_eq!(
        places.mirrors,
        ["mirror.test:5000/ns/openshift/release-images", "other.test/copy/release-images"]
    );
    assert!(!places.source, "NeverContactSource");
    let places = map.places("registry.redhat.io/ubi9/ubi", Pull::Digest).unwrap();
    assert_eq!((places.mirrors, places.source), (vec![], true));
    assert_eq!(map.places("registry.redhat.io/ubi8", Pull::Tag), None);
}

#[test]
fn the_cache_of_oc_mirror_has_the_names_without_the_destination() {
    let map = parse_mirror_sets(SETS).unwrap();
    // other.test is not below the one destination, so there is no answer.
    assert_eq!(map.at_destinations("ubi9/ubi").next(), None);
    let map = parse_mirror_sets(&SETS.replace(", other.test/copy/release-images", "")).unwrap();
    assert_eq!(map.at_destinations("ubi9/ubi").collect::<Vec<_>>(), ["mirror.test:5000/ns/ubi9/ubi"]);
    let text = "docker://r.io/a/b:1=docker://localhost:55000/a/b:1\ndocker://r.io/c@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a=docker://localhost:55000/x/c:2\n";
    let map = parse_mapping_txt(text).unwrap();
    assert_eq!(map.at_destinations("x/c").collect::<Vec<_>>(), ["localhost:55000/x/c"]);
    assert_eq!(digest(&map, "localhost:55000/x/c"), ["r.io/c"]);
    assert_eq!(digest(&map, "localhost:55000/x/c/d"), [""; 0], "a line is about one repository");
}

#[test]
fn the_longest_beginning_counts_on_both_sides() {
    let text = "\
[[registry]]
prefix = \"r.io\"
location = \"m.test/all\"
[[registry.mirror]]
location = \"m.test/rio\"
[[registry]]
location = \"r.io/ubi9\"
mirror-by-digest-only = true
[[registry.mirror]]
location = \"m.test/rio/special\"
[[registry.mirror]]
location = \"m.test/tags\"
pull-from-mirror = \"tag-only\"
[[registry]]
prefix = \"*.example.com\"
location = \"m.test/example\"
[[registry]]
prefix = \"r.io/one/image:v1\"
location = \"m.test/one\"
[[registry]]
prefix = \"blocked.io\"
blocked = true
";
    let map = parse_registries_conf(text).unwrap();
    // The mirror side: special belongs to r.io/ubi9, not r.io/special, according to the more specific entry.
    assert_eq!(digest(&map, "m.test/rio/special/ubi"), ["r.io/ubi9/ubi"]);
    assert_eq!(digest(&map, "m.test/rio/a"), ["r.io/a"]);
    assert_eq!(digest(&map, "m.test/all/a"), ["r.io/a"], "another location is a mirror");
    // The source side: a consumer with the entry for r.io/ubi9 does not look here.
    assert_eq!(digest(&map, "m.test/rio/ubi9/ubi"), [""; 0]);
    // For tags the entry of r.io/ubi9 has another mirror, and that of r.io is not used.
    assert_eq!(of(&map, "m.test/tags/ubi", Pull::Tag), ["r.io/ubi9/ubi"]);
    assert_eq!(digest(&map, "m.test/tags/ubi"), [""; 0]);
    let places = |name: &str, pull| map.places(name, pull).map(|places| (places.mirrors, places.source));
    assert_eq!(
        places("r.io/a", Pull::Tag),
        Some((vec!["m.test/rio/a".into(), "m.test/all/a".into()], false))
    );
    assert_eq!(places("a.b.example.com/x", Pull::Tag), Some((vec!["m.test/example/x".into()], false)));
    assert_eq!(places("example.com/x", Pull::Tag), None);
    assert_eq!(places("blocked.io/x", Pull::Tag), Some((vec![], false)));
    assert_eq!(digest(&map, "m.test/example/x"), [""; 0], "which host of the domain?");
}

#[test]
fn other_kinds_that_name_mirrors_are_read() {
    for text in [
        "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nspec:\n  repositoryDigestMirrors:\n  - {mirrors: [m.test/a], source: r.io/a}\n",
        "kind: List\nitems:\n- kind: ImageDigestMirrorSet\n  spec: {imageDigestMirrors: [{mirrors: [m.test/a], source: r.io/a}]}\n",
        "apiVersion: v1\nbaseDomain: x.test\ncompute: [{replicas: 0}]\nimageDigestSources:\n- {mirrors: [m.test/a], source: r.io/a, sourcePolicy: AllowContactingSource}\n",
        "imageContentSources:\n- {mirrors: [m.test/a], source: r.io/a}\n",
        "{\"kind\":\"ImageDigestMirrorSet\",\"spec\":{\"imageDigestMirrors\":[{\"mirrors\":[\"m.test/a\"],\"source\":\"r.io/a\"}]}}",
    ] {
        assert!(names_mirror_sets(text));
        let map = parse_mirror_sets(text).unwrap();
        assert_eq!(digest(&map, "m.test/a/b"), ["r.io/a/b"], "{text}");
    }
}

#[test]
fn two_maps_are_one() {
    let mut map = parse_mirror_sets(SETS).unwrap();
    let mut other = NameMap::default();
    other.add_copy("mirror.test:5000/ns", "q.io/all", false);
    other.add_copy("mirror.test:5000/ns/ubi9", "q.io/exact", true);
    map.merge(other);
    assert_eq!(digest(&map, "mirror.test:5000/ns/x"), ["q.io/all/x"]);
    assert_eq!(of(&map, "mirror.test:5000/ns/ubi9", Pull::Tag).len(), 3);
    assert_eq!(digest(&map, "mirror.test:5000/ns/ubi9"), ["q.io/exact"]);
    let before = map.clone();
    map.merge(parse_mirror_sets(SETS).unwrap());
    assert_eq!(map, before, "the same twice is the same");
}

#[test]
fn what_is_not_a_mapping_is_refused() {
    let set = |mirror: &str, source: &str| {
        format!(
            "kind: ImageDigestMirrorSet\nspec: {{imageDigestMirrors: [{{mirrors: ['{mirror}'], source: '{source}'}}]}}\n"
        )
    };
    assert!(parse_mirror_sets(&set("m.test/a", "r.io/a")).is_ok());
    let bomb = format!("a: &a [x, x]\nb: &b [*a, *a]\n{}", set("m.test/a", "r.io/a"));
    for text in [
        &set("M.test/a", "r.io/a"),
        &set("m.test/a:v1", "r.io/a"),
        &set("*.m.test", "r.io/a"),
        &set("docker://m.test/a", "r.io/a"),
        &set("", "r.io/a"),
        &set("m.test/a", "ubi9"),
        &set("m.test/a", "r.io/a@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
        "spec: {imageDigestMirrors: [{mirrors: [m.test/a]}]}",
        "spec: {imageDigestMirrors: [{mirrors: [m.test/a], source: r.io/a, source: r.io/b}]}",
        "spec: {imageDigestMirrors: [{mirrors: [m.test/a], source: r.io/a, mirrorSourcePolicy: Sometimes}]}",
        "spec: {imageDigestMirrors: m.test/a}",
        "spec: [",
        &bomb,
        &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
    ] {
        assert!(matches!(parse_mirror_sets(text), Err(MappingError::Malformed(_))), "{text:.200}");
    }
    for text in [
        "",
        "kind: ImageDigestMirrorSet\n",
        "spec: {imageDigestMirrors: [{mirrors: [], source: r.io/a}]}",
        "a: b",
    ] {
        assert!(matches!(parse_mirror_sets(text), Err(MappingError::Empty(_))), "{text}");
    }
    for text in [
        "[[registry]]\nlocation = 1\n",
        "[[registry]\n",
        "[[registry]]\nlocation=\"r.io\"\n[[registry.mirror]]\nlocation=\"M\"\n",
        "[[registry]]\nlocation=\"r.io\"\nlocation=\"r.io\"\n",
    ] {
        assert!(matches!(parse_registries_conf(text), Err(MappingError::Malformed(_))), "{text}");
    }
    for text in [
        "",
        "unqualified-search-registries = [\"r.io\"]\n",
        "[registries.search]\nregistries = ['r.io']\n",
        "[[registry]]\nlocation=\"r.io\"\n",
    ] {
        assert!(matches!(parse_registries_conf(text), Err(MappingError::Empty(_))), "{text}");
    }
    assert!(matches!(parse_mapping_txt("r.io/a:1\n"), Err(MappingError::Malformed(_))));
    assert!(matches!(parse_mapping_txt(""), Err(MappingError::Empty(_))));
    let cache = "docker://localhost:55000/a:1=docker://m.test/a:1\n";
    assert!(matches!(parse_mapping_txt(cache), Err(MappingError::Empty(e)) if e.contains("cache")));
}
