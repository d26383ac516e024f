//! Where mirrored repositories come from, as clusters, hosts and oc-mirror record it.

use super::{Test, image, keep, key, pulled, says_nothing_is_verified, strip, strip_below};
use crate::support::mirror;

const FORM: &str = "key-tag-notlog";

fn set(mirror: &str, source: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: idms-0}}\nspec:\n  \
         imageDigestMirrors:\n  - mirrors: [{mirror}]\n    source: {source}\n"
    )
}

/// The rule is for the source, and requires its name in the signature: the lab signed as `127.0.0.1:5012/…`.
fn ruled(scope: &str) -> Test {
    let identity = "    signedIdentity: {type: matchRepository}\n";
    let test = pulled(Some(&format!("rules:\n{}{identity}", key(scope))));
    keep(&test, FORM);
    test
}

#[test]
fn every_kind_of_mapping_says_where_images_of_a_registry_are_from() {
    let server = mirror::start(|_, _| None);
    let host = server.host();
    let test = Test::new();
    let source = "127.0.0.1:5012/key-tag-rekor1/img1";
    let sets = set(&format!("{host}/team/app"), source);
    test.write("one/idms.yaml", &sets);
    test.write("one/catalog.yaml", "kind: CatalogSource\nspec: {image: x}\n");
    test.write("itms.yaml", sets.replace("Digest", "Tag").replace("imageDigest", "imageTag"));
    test.write("install-config.yaml", format!("baseDomain: x.test\nimageDigestSources:\n- mirrors: [{host}/team]\n  source: other.test/team\n- mirrors: [{host}/team/app]\n  source: {source}\n"));
    test.write(
        "registries.conf",
        format!(
            "[[registry]]\nlocation = \"{source}\"\n[[registry.mirror]]\nlocation = \"{host}/team/app\"\n"
        ),
    );
    test.write("mapping.txt", format!("docker://{source}:v1=docker://{host}/team/app:v1\n"));
    let line = format!(
        "verify docker://{host}/team --trusted-root lab/trust/trusted_root.json --key lab/trust/cosign.pub --plain-http --format json"
    );
    let unmapped = test.run(&line).exits(0).json();
    assert_eq!(image(&unmapped, "team/app")["signatures"][0]["problem"]["code"], "name-differs");
    for mapping in [
        "--idms one",
        "--idms one/idms.yaml",
        "--itms itms.yaml",
        "--idms install-config.yaml",
        "--registries-conf registries.conf",
        "--mapping mapping.txt",
        "--idms registries.conf --itms itms.yaml",
    ] {
        let ran = test.run(&format!("{line} {mapping}")).exits(0);
        assert!(!ran.err.contains("mapping-unused"), "{mapping}: {}", ran.err);
        let found = ran.json();
        let image = image(&found, "team/app");
        assert_eq!(image["name"], source, "{mapping}");
        assert_eq!(image["signatures"][0].get("problem"), None, "{mapping}");
    }
    // A list of images written by oc-mirror says it as well.
    let listed =
        test.run(&line.replace("/team --trusted", " --images mapping.txt --trusted")).exits(0).json();
    assert_eq!(image(&listed, "team/app")["name"], source);
}

#[test]
fn the_rule_of_the_source_holds_for_its_mirror() {
    let test = ruled("127.0.0.1:5012/key-tag-notlog");
    // An oc-mirror layout has no host: all names of the file together show the prefix.
    test.write("idms.yaml", set("mirror.test/ns/key-tag-notlog", "127.0.0.1:5012/key-tag-notlog"));
    test.run("verify storage --idms idms.yaml").exits(0).says("5 images verified");
    let test = ruled("registry.example/key-tag-notlog");
    test.write("idms.yaml", set("mirror.test/ns/key-tag-notlog", "registry.example/key-tag-notlog"));
    says_nothing_is_verified(test.run("verify storage --idms idms.yaml").exits(4).says("name-differs"));
    // The more specific of the two counts: img1 is from another source, without any rule.
    let more =
        "  - mirrors: [mirror.test/ns/key-tag-notlog/img1]\n    source: other.example/key-tag-notlog/img1\n";
    test.write("idms.yaml", set("mirror.test/ns/key-tag-notlog", "registry.example/key-tag-notlog") + more);
    let found = test.run("verify storage --idms idms.yaml --format json").exits(4).json();
    assert_eq!(image(&found, "key-tag-notlog/img1")["state"], "good");
    assert_eq!(image(&found, "key-tag-notlog/img2")["state"], "refused");
}

#[test]
fn what_lies_beside_the_images_takes_none_out_of_its_rule() {
    let test = ruled("registry.example/key-tag-notlog");
    std::fs::create_dir(test.path("in")).unwrap();
    std::fs::rename(test.path("storage/docker"), test.path("in/docker")).unwrap();
    std::fs::rename(test.path("keys"), test.path("in/keys")).unwrap();
    let planted = "in/working-dir/cluster-resources/idms-oc-mirror.yaml";
    let line = "verify oc-mirror:in --format json";
    let before = test.run(line).exits(0).json();
    // The person who brings the disk writes this.
    for source in ["127.0.0.1:5012/key-tag-notlog", "unruled.example/key-tag-notlog"] {
        test.write(planted, set("mirror.test/ns/key-tag-notlog", source));
        let found = test.run(line).exits(0).json();
        assert_eq!(found["counts"], before["counts"], "{source}");
        assert_eq!(image(&found, "key-tag-notlog/img1")["rule"], "registry.example/key-tag-notlog");
        assert_eq!(image(&found, "key-tag-notlog/img1")["name"], format!("{source}/img1"));
    }
    strip_below(&test, "in");
    let found = says_nothing_is_verified(test.run(line).fails(4, "images-refused")).json();
    assert_eq!(found["counts"]["refused"], 5);
    // A claim adds an image to further scopes: another path hides it from no rule.
    let test = pulled(Some(&format!("rules:\n{}", key("registry.example/apps"))));
    keep(&test, FORM);
    strip(&test);
    std::fs::create_dir(test.path("in")).unwrap();
    std::fs::rename(test.path("storage/docker"), test.path("in/docker")).unwrap();
    let line = "verify oc-mirror:in --keys-dir keys --format json";
    assert_eq!(test.run(line).exits(4).json()["counts"]["refused"], 0);
    let two = set("mirror.test/ns/key-tag-notlog", "registry.example/apps")
        + "  - mirrors: [mirror.test/ns/ubi9]\n    source: registry.redhat.io/ubi9\n";
    test.write(planted, two);
    let found = test.run(line).exits(4).json();
    assert_eq!(found["counts"]["refused"], 5, "{found:#}");
    // An unreadable part is skipped, and reported.
    test.write(planted, "kind: ImageDigestMirrorSet\nspec: [");
    test.run(line).exits(4).tells("mapping-malformed");
}

#[test]
fn a_mapping_that_says_nothing_is_told() {
    let test = pulled(None);
    keep(&test, FORM);
    test.write("good.yaml", set("mirror.test/other", "registry.example/other"));
    test.run("verify storage --idms good.yaml").exits(0).tells("[mapping-unused]").tells("mirror.test/other");
    test.run("verify storage --map mirror.test/a=registry.example/a").exits(0).tells("[mapping-unused]");
    test.write("empty.yaml", "kind: ImageDigestMirrorSet\nspec: {}\n");
    test.write("none/readme.yaml", "a: b\n");
    test.write("text.txt", "hello\n");
    for path in ["empty.yaml", "none", "text.txt"] {
        test.run(&format!("verify storage --idms {path}")).fails(1, "mapping-empty");
    }
    let bomb = format!("a: &a [x, x]\nb: &b [*a, *a]\n{}", set("m.test/a", "r.io/a"));
    test.write("bomb.yaml", bomb);
    test.write("twice.yaml", set("m.test/a", "r.io/a\n    source: r.io/b"));
    test.write("bad.conf", "[[registry]]\nlocation = 1\n");
    test.write("bad.txt", "docker://r.io/a:1=docker://M\n");
    test.write("folder/a.yaml", set("m.test/a", "r.io/a"));
    test.write("folder/b.yaml", "kind: ImageTagMirrorSet\nspec: [");
    for path in ["bomb.yaml", "twice.yaml", "bad.conf", "bad.txt", "folder"] {
        test.run(&format!("verify storage --idms {path}")).fails(1, "mapping-malformed");
    }
    test.run("verify storage --idms absent.yaml").fails(1, "read-failed");
}
