use super::*;

fn target(text: &str) -> Target {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn a_version_is_that_of_the_library_it_is_built_with() {
    for (text, library) in [
        ("podman@4.9", "containers/image 5.29.1"),
        ("podman@4.9.4", "containers/image 5.29.1"),
        ("podman@5.3", "containers/image 5.33.0"),
        ("crio@1.35", "containers/image 5.38.0"),
        ("openshift@4.22.7", "containers/image 5.38.0"),
        // The oldest that it may be.
        ("rhel@9", "containers/image 5.24.0"),
        ("rhel@10", "containers/image 5.34.3"),
        ("podman@5", "containers/image 5.30.0"),
    ] {
        assert_eq!(target(text).library, library, "{text}");
    }
    assert_eq!(target("podman@7.0").row.to_string(), "5.8");
}

#[test]
fn features_come_with_versions() {
    let has = |text: &str, feature| target(text).has(feature);
    assert!(!has("podman@4.3", Feature::Rekor) && has("podman@4.4", Feature::Rekor));
    assert!(!has("podman@5.2", Feature::SeveralKeys) && has("podman@5.3", Feature::SeveralKeys));
    assert!(!has("podman@5.4", Feature::Pki) && has("podman@5.5", Feature::Pki));
    // Red Hat took it back to 5.34.
    assert!(has("rhel@9.6", Feature::Pki) && !has("rhel@9.5", Feature::Pki));
    assert!(!has("podman@5.8", Feature::Bundles) && !has("podman@5.8", Feature::RekorV2));
}

#[test]
fn openshift_has_limits_of_its_own() {
    let api = |text: &str| target(text).openshift.unwrap().clone();
    assert_eq!(
        (api("openshift@4.19").api_version.as_str(), api("openshift@4.19").tech_preview),
        ("v1alpha1", true)
    );
    assert_eq!((api("openshift@4.20").api_version.as_str(), api("openshift@4.20").pki), ("v1", false));
    assert!(api("openshift@4.21").pki);
    assert!(target("podman@5.3").openshift.is_none() && target("podman@5.3").reads_policy_json());
    assert!(!target("openshift@4.22").reads_policy_json());
}

#[test]
fn what_is_not_known_is_refused() {
    for (text, why) in [
        ("podman", "write CONSUMER@VERSION"),
        ("docker@28", "there is no consumer \"docker\""),
        ("podman@4.1", "the oldest that keypack knows is podman@4.2"),
        ("openshift@4.15", "the oldest that keypack knows is openshift@4.16"),
        ("podman@", "is not a version"),
        ("podman@5.x", "is not a version"),
        ("podman@+5", "is not a version"),
        ("podman@1.2.3.4", "is not a version"),
        ("podman@99999999999", "is not a version"),
    ] {
        let refused = text.parse::<Target>().unwrap_err();
        assert!(refused.contains(why), "{text}: {refused}");
    }
}
