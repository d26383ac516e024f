use super::*;

fn names(place: &str, repository: &str, tags: &[&str], sources: &[&str], maps: &[&str]) -> Names {
    let mappings: Vec<Mapping> = maps.iter().map(|map| map.parse().unwrap()).collect();
    let sources = sources.iter().map(|s| (*s).to_owned()).collect();
    let given = map_of(&mappings).unwrap();
    let namer = Namer { given, found: NameMap::default(), sources, was_used: AtomicBool::new(false) };
    let tags: Vec<_> = tags.iter().map(|t| (*t).to_owned()).collect();
    namer.names(place, repository, &tags, Digest::of(b"image"))
}

fn fits(names: &Names, scope: &str) -> bool {
    names.fit(&scope.parse().unwrap()).is_some()
}

#[test]
fn an_image_of_a_source_is_in_its_own_scopes_alone() {
    let image = names("docker://quay.io/acme", "acme/app", &["v1"], &["quay.io"], &[]);
    for scope in ["quay.io", "quay.io/acme", "quay.io/acme/app", "quay.io/acme/app:v1", "*.io"] {
        assert!(fits(&image, scope), "{scope}");
    }
    for scope in ["quay.io/acme/ap", "quay.io/acme/app:v2", "r.io/acme", "*.quay.io", "q.io/app"] {
        assert!(!fits(&image, scope), "{scope}");
    }
}

#[test]
fn an_image_of_a_mirror_is_in_each_scope_in_which_it_may_be() {
    let image = names("docker://mirror:5000", "ns/ubi9/ubi", &["9.6"], &["registry.redhat.io"], &[]);
    for scope in ["registry.redhat.io", "registry.redhat.io/ubi9", "r.io/ubi9/ubi:9.6", "mirror:5000/ns"] {
        assert!(fits(&image, scope), "{scope}");
    }
    assert!(!fits(&image, "registry.redhat.io/ubi8"));
    let better = |a: &str, b: &str| image.fit(&a.parse().unwrap()) > image.fit(&b.parse().unwrap());
    assert!(better("r.io/ubi9/ubi", "r.io/ubi9") && better("r.io/ubi9", "registry.redhat.io"));
}

#[test]
fn a_mapping_and_the_releases_say_where_an_image_is_from() {
    let image =
        names("docker://mirror:5000", "ns/ubi", &[], &[], &["mirror:5000/ns=registry.redhat.io/ubi9"]);
    assert!(fits(&image, "registry.redhat.io/ubi9/ubi") && !fits(&image, "quay.io"));
    let release = names("oc-mirror:/in", "openshift/release-images", &[], &[], &[]);
    assert!(fits(&release, "quay.io/openshift-release-dev/ocp-release") && !fits(&release, "r.io"));
    assert_eq!(release.is_repository("quay.io/openshift-release-dev/ocp-release:4"), Some(true));
    assert!("a".parse::<Mapping>().is_err() && "a=b".parse::<Mapping>().is_err());
}

#[test]
fn a_mapping_names_what_a_location_on_disk_has() {
    for (place, map) in [
        ("oci:out/mirror", "out/mirror=quay.io/acme/app"),
        ("oci:./out/mirror/", "oci:out/mirror=quay.io/acme/app"),
        ("oci-archive:/srv/a=b.tar", "/srv/a=b.tar=quay.io/acme/app"),
    ] {
        let image = names(place, "", &["v1"], &[], &[map]);
        assert!(fits(&image, "quay.io/acme/app:v1") && !fits(&image, "r.io"), "{place}");
    }
    let image = names("storage", "ubi9/ubi", &["v1"], &[], &["storage=registry.redhat.io"]);
    assert!(fits(&image, "registry.redhat.io/ubi9/ubi") && !fits(&image, "quay.io"));
    let other = names("oci:mirror2", "", &["v1"], &[], &["mirror=quay.io/acme/app"]);
    assert!(fits(&other, "r.io"));
}

#[test]
fn an_image_without_a_name_is_in_every_scope() {
    let image = names("oci:mirror", "", &["v1"], &[], &[]);
    assert!(fits(&image, "quay.io") && fits(&image, "quay.io/acme/app"));
    assert_eq!(image.is_repository("quay.io/acme/app"), None);
    let named = names("oci:mirror", "", &["quay.io/acme/app:v1"], &[], &[]);
    assert!(fits(&named, "quay.io/acme") && !fits(&named, "r.io"));
}

#[test]
fn signed_names_are_compared_by_their_kind() {
    let image = names("docker://quay.io", "acme/app", &["v1"], &["quay.io"], &[]);
    let is = |identity: &SignedIdentity, named: &str| image.satisfy(identity, named);
    let exact = SignedIdentity::MatchExact {};
    assert!(is(&exact, "quay.io/acme/app:v1") && !is(&exact, "quay.io/acme/app:v2"));
    assert!(is(&exact, &format!("quay.io/acme/app@{}", Digest::of(b"image"))));
    let digest = SignedIdentity::MatchRepoDigestOrExact {};
    assert!(is(&digest, "quay.io/acme/app:v2") && !is(&digest, "quay.io/acme/app"));
    let repository = SignedIdentity::MatchRepository {};
    assert!(is(&repository, "quay.io/acme/app") && !is(&repository, "quay.io/acme/other:v1"));
    let remap =
        SignedIdentity::RemapIdentity { prefix: "quay.io/acme".into(), signed_prefix: "r.io/x".into() };
    assert!(is(&remap, "r.io/x/app:v9") && !is(&remap, "quay.io/acme/app:v1"));
    assert!(
        image.satisfy(&SignedIdentity::ExactRepository { docker_repository: "a.io/b".into() }, "a.io/b:v1")
    );
    assert_eq!(parts("r.io:5000/a"), ("r.io:5000/a", None, None));
}
