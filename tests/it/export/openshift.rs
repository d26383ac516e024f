//! ClusterImagePolicy and ImagePolicy.

use super::{RULES, SIGNER, golden, pulled};

const ONE: &str = "export cluster-image-policy --for openshift@4.22 -o policies";

#[test]
fn the_objects_are_as_people_expect_them() {
    let test = pulled(Some(RULES));
    test.run(ONE).exits(0);
    golden(&test, "policies", "cluster-image-policy");
    for (path, bytes) in test.tree("policies").into_iter().filter(|(path, _)| path.starts_with("keypack-127"))
    {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("# Applying this rolls out a new MachineConfig to every pool. "), "{path}");
        keypack::policy::consumer::openshift::render(&text).unwrap();
    }
    test.run("export image-policy --for openshift@4.19 --namespace team --object-name own -o team")
        .exits(0)
        .says("technology preview");
    golden(&test, "team", "image-policy");
}

#[test]
fn what_an_object_can_not_say_is_refused() {
    let rule = |scope: &str, rest: &str| {
        format!("  - scope: {scope}\n    signers: [{{key: signer-43ef7bc8}}]\n{rest}")
    };
    let mut rules = "rules:\n".to_owned();
    for (scope, rest) in [
        ("quay.io/openshift-release-dev/ocp-release", "    log: none\n"),
        ("quay.io/a:v1", "    log: none\n"),
        ("quay.io/b", "    log: none\n    signedIdentity: {type: matchExact}\n"),
        ("mirror.example:5000/a", "    log: none\n"),
    ] {
        rules += &rule(scope, rest);
    }
    let test = pulled(Some(&rules));
    let ran = test.run(&format!("{ONE} --map mirror.example:5000=quay.io"));
    let ran = ran.fails(4, "rule-not-expressible");
    for why in [
        "4 rules can't be exported",
        "the release brings the policy for its images",
        "it is about one tag or digest",
        "its signedIdentity is matchExact",
        "mirror.example:5000 is the mirror",
    ] {
        assert!(ran.err.contains(why), "{why}: {}", ran.err);
    }
    assert!(!test.has("policies"));
}

#[test]
fn a_revoked_key_leaves_a_policy_that_can_not_be_said() {
    let test = pulled(Some(RULES));
    test.run(&format!("revoke {SIGNER} --reason stolen")).exits(0);
    test.run(ONE).fails(4, "rule-not-expressible").tells("a policy of OpenShift can't reject");
}

#[test]
fn the_command_line_says_one_thing() {
    let test = pulled(Some(RULES));
    for (options, says) in [
        ("--object-name openshift-mine", "names that start with openshift"),
        ("--object-name A_b", "is not a name"),
        ("--namespace team", "is in no namespace"),
        ("--for openshift@4.21", "name one release"),
        ("--for podman@5.3", "does not read what cluster-image-policy writes"),
        ("--pulled-by mirror", "are about policy.json"),
        ("--leave-out-unsigned", "--check"),
    ] {
        test.run(&format!("{ONE} {options}")).exits(2).tells(says);
    }
    test.run("export image-policy --for openshift@4.22").exits(2).tells("--namespace NAME");
    test.run("export policy-json --for podman@5.3 --object-name x")
        .exits(2)
        .tells("about objects of OpenShift");
}

/// A scope that the cluster may not pull from stops the operator that writes the nodes' configuration.
#[test]
fn a_scope_is_one_that_the_cluster_may_pull_from() {
    let test = pulled(Some(RULES));
    let write = |list: &str| {
        let text = format!(
            "apiVersion: config.openshift.io/v1\nkind: Image\nspec: {{registrySources: {{{list}}}}}\n"
        );
        test.write("image.yaml", text);
    };
    write("blockedRegistries: ['127.0.0.1:5012/key-tag-rekor1']");
    test.run(&format!("{ONE} --image-config image.yaml"))
        .fails(3, "policy-invalid")
        .tells("blockedRegistries");
    write("allowedRegistries: [quay.io]");
    test.run(&format!("{ONE} --image-config image.yaml"))
        .fails(3, "policy-invalid")
        .tells("allowedRegistries");
    assert!(!test.has("policies"));
    write("allowedRegistries: ['127.0.0.1:5012']");
    test.run(&format!("{ONE} --image-config image.yaml")).exits(0);
}
