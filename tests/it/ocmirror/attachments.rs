//! `discover --write-registries-d`, and images whose signatures oc-mirror drops, against our own registry.

use std::collections::BTreeMap;

use keypack::oci::Digest;

use crate::support::{
    fault::{Reply, Server},
    program::Test,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A manifest with one layer, and `more` members.
fn manifest(name: &str, layer: &str, more: &str) -> String {
    let blob = |media: &str| {
        format!(
            r#"{{"mediaType":"{media}","digest":"{}","size":{}}}"#,
            Digest::of(name.as_bytes()),
            name.len()
        )
    };
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]{more}}}"#,
        blob("application/vnd.oci.image.config.v1+json"),
        blob(layer)
    )
}

/// What a registry answers, by path.
#[derive(Default)]
struct Content(BTreeMap<String, Reply>);

impl Content {
    fn manifest(&mut self, repository: &str, tag: &str, body: &str) -> Digest {
        let digest = Digest::of(body.as_bytes());
        let reply = Reply::ok(body).header("content-type", MANIFEST);
        for name in [tag.to_owned(), digest.to_string()] {
            self.0.insert(format!("/v2/{repository}/manifests/{name}"), reply.clone());
        }
        digest
    }

    fn image(&mut self, repository: &str, tag: &str) -> Digest {
        self.manifest(repository, tag, &manifest(&format!("{repository}{tag}"), "application/x-tar", ""))
    }

    fn signed(&mut self, repository: &str, tag: &str) {
        let digest = self.image(repository, tag);
        let signature = manifest(tag, "application/vnd.dev.cosign.simplesigning.v1+json", "");
        self.manifest(repository, &format!("sha256-{}.sig", digest.hex()), &signature);
    }

    fn bundled(&mut self, repository: &str, tag: &str) {
        let digest = self.image(repository, tag);
        let subject = format!(
            r#","artifactType":"{BUNDLE}","subject":{{"mediaType":"{MANIFEST}","digest":"{digest}","size":1}}"#
        );
        let bundle = manifest(tag, BUNDLE, &subject);
        let at = self.manifest(repository, "unused", &bundle);
        let entry = format!(
            r#"{{"mediaType":"{MANIFEST}","artifactType":"{BUNDLE}","digest":"{at}","size":{}}}"#,
            bundle.len()
        );
        let index = "application/vnd.oci.image.index.v1+json";
        let body = format!(r#"{{"schemaVersion":2,"mediaType":"{index}","manifests":[{entry}]}}"#);
        let reply = Reply::ok(body).header("content-type", index);
        self.0.insert(format!("/v2/{repository}/referrers/{digest}"), reply);
    }

    /// An image whose signature request is rate-limited.
    fn limited(&mut self, repository: &str, tag: &str) {
        let digest = self.image(repository, tag);
        let path = format!("/v2/{repository}/manifests/sha256-{}.sig", digest.hex());
        self.0.insert(path, Reply::new(429));
    }

    fn serve(self) -> Server {
        self.serve_but("/nothing", Reply::new(404))
    }

    /// The same, with another answer to every request whose path starts with `path`.
    fn serve_but(mut self, start: &'static str, other: Reply) -> Server {
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in self.0.keys() {
            let (repository, tag) = path.split_once("/manifests/").unwrap_or_default();
            if !tag.is_empty() && !tag.starts_with("sha256:") && tag != "unused" {
                tags.entry(format!("{repository}/tags/list")).or_default().push(format!("{tag:?}"));
            }
        }
        for (path, tags) in tags {
            let name = path.trim_start_matches("/v2/").trim_end_matches("/tags/list");
            let list = format!(r#"{{"name":"{name}","tags":[{}]}}"#, tags.join(","));
            self.0.insert(path, Reply::ok(list).header("content-type", "application/json"));
        }
        Server::start(move |asked| {
            let path = asked.target.split('?').next().unwrap();
            match self.0.get(path) {
                _ if path.starts_with(start) => other.clone(),
                Some(reply) => reply.clone(),
                None if path == "/v2/" => Reply::ok("{}"),
                None => Reply::new(404),
            }
        })
    }
}

fn registry() -> Server {
    let mut content = Content::default();
    content.signed("signed/a", "1");
    content.image("plain/b", "1");
    content.image("plain/b", "2");
    content.signed("mixed/c", "1");
    content.image("mixed/c", "2");
    content.bundled("bundle/d", "1");
    content.serve()
}

const IMAGES: [&str; 6] = ["signed/a:1", "plain/b:1", "plain/b:2", "mixed/c:1", "mixed/c:2", "bundle/d:1"];

/// oc-mirror's dry-run/mapping.txt.
fn mapping(test: &Test, host: &str, images: &[&str]) {
    let lines =
        images.iter().map(|image| format!("docker://{host}/{image}=docker://mirror.test/ns/{image}\n"));
    test.write("mapping.txt", lines.collect::<String>());
}

const LINE: &str = "discover --images mapping.txt --plain-http --retry-times 0 --write-registries-d d";

#[test]
fn only_repositories_without_any_signature_are_switched_off() {
    let (test, server) = (Test::new(), registry());
    let host = server.host();
    mapping(&test, &host, &IMAGES);
    let ran = test.run(LINE).exits(0);
    let section =
        |scope: &str, on: bool| format!("  \"{host}/{scope}\":\n    use-sigstore-attachments: {on}\n");
    let text = String::from_utf8(test.read("d/keypack.yaml")).unwrap();
    let sections = [("bundle/d", true), ("mixed/c", true), ("plain/b", false), ("signed/a", true)];
    let sections = sections.map(|(scope, on)| section(scope, on)).concat();
    assert!(text.ends_with(&format!("docker:\n{sections}")), "{text}");
    let ran = ran.says("off for 1 repository without signatures, and on for 3 repositories");
    let ran = ran.says(&format!("others are signed:\n  {host}/mixed/c:2\n"));
    ran.says("oc-mirror does not mirror").says(&format!("  {host}/bundle/d:1\n"));
    assert_eq!(test.names("d"), ["keypack.yaml"]);
    // Again, over its own file, and as JSON.
    let json = test.run(&format!("{LINE} --format json")).exits(0).json();
    assert_eq!(json["off"][0]["scope"], format!("{host}/plain/b"));
    assert_eq!(json["on"].as_array().unwrap().len(), 3);
    let schema = include_str!("../../../schemas/results-v1.schema.json");
    assert!(jsonschema::is_valid(&serde_json::from_str(schema).unwrap(), &json));
    assert_eq!(test.read("d/keypack.yaml"), text.as_bytes());
}

#[test]
fn what_could_not_be_read_stays_on() {
    let mut content = Content::default();
    content.image("plain/b", "1");
    content.limited("limited/e", "1");
    content.image("unasked/h", "1");
    content.image("known/g", "1");
    let unasked = "/v2/unasked/h/referrers/";
    let login = Reply::new(302).header("location", "ftp://login.test/");
    let (test, server) = (Test::new(), content.serve_but(unasked, login));
    let host = server.host();
    // One is rate-limited, one does not exist, one does not exist next to an unsigned one, one has its referrers
    // behind a login.
    let images = ["limited/e:1", "gone/f:1", "plain/b:1", "plain/b:gone", "unasked/h:1", "known/g:1"];
    mapping(&test, &host, &images);
    let ran = test.run(LINE).fails(4, "incomplete");
    let text = String::from_utf8(test.read("d/keypack.yaml")).unwrap();
    for (scope, on) in
        [("gone/f", true), ("known/g", false), ("limited/e", true), ("plain/b", true), ("unasked/h", true)]
    {
        let section = format!("  \"{host}/{scope}\":\n    use-sigstore-attachments: {on}\n");
        assert!(text.contains(&section), "{scope}: {text}");
    }
    for image in ["limited/e:1", "gone/f:1", "plain/b:gone", "unasked/h:1"] {
        assert!(ran.out.contains(&format!("{host}/{image}\n")), "{image}: {}", ran.out);
    }
}

#[test]
fn files_and_sections_of_others_are_left_alone() {
    let (test, server) = (Test::new(), registry());
    let host = server.host();
    mapping(&test, &host, &IMAGES);
    test.write("d/keypack.yaml", "docker: {}\n");
    test.run(LINE).fails(1, "registries-d-taken").tells("was not written by keypack");
    assert_eq!(test.read("d/keypack.yaml"), b"docker: {}\n");
    std::fs::remove_file(test.path("d/keypack.yaml")).unwrap();
    for other in
        [format!("docker:\n  {host}/plain/b:\n    use-sigstore-attachments: true\n"), "docker: [".into()]
    {
        test.write("d/team.yaml", other);
        test.run(LINE).fails(1, "registries-d-taken").tells("d/team.yaml");
        assert_eq!(test.names("d"), ["team.yaml"]);
    }
    // A more general section may exist, and so may a file without a YAML name.
    test.write("d/team.yaml", format!("docker:\n  {host}:\n    use-sigstore-attachments: true\n"));
    test.write("d/README", "docker: [");
    test.run(LINE).exits(0);
    let line = "discover oci:lab/layouts/key-tag-rekor1-oras --write-registries-d d";
    test.run(line).exits(2).tells("--images");
}

#[test]
fn images_whose_signatures_oc_mirror_leaves_behind_are_named() {
    let (test, server) = (Test::new(), registry());
    let host = server.host();
    let line = "--plain-http --retry-times 0 --no-host";
    mapping(&test, &host, &IMAGES);
    let warning = format!(
        "1 image is signed by bundles alone, which oc-mirror does not mirror, whatever its flags: {host}/bundle/d:1;"
    );
    test.run(&format!("discover --images mapping.txt {line}")).tells(&warning).tells("oras cp -r");
    let images = IMAGES.map(|image| format!("    - name: {host}/{image}\n")).concat();
    test.write("isc.yaml", format!("kind: ImageSetConfiguration\nmirror:\n  additionalImages:\n{images}"));
    test.run(&format!("discover --images isc.yaml {line}")).tells(&warning);
    // A user's own list says nothing about oc-mirror.
    test.write("list.txt", IMAGES.map(|image| format!("{host}/{image}\n")).concat());
    let ran = test.run(&format!("discover --images list.txt {line}"));
    assert!(!ran.err.contains("oc-mirror"), "{}", ran.err);
    // As Windows writes it.
    let utf16: Vec<u8> =
        format!("\u{feff}{host}/plain/b:1\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    test.write("list.txt", utf16);
    test.run(&format!("discover --images list.txt {line}")).exits(0).says("1 image: 0 signed, 1 unsigned");
}

/// A mirror of the images, with the signatures of those in `signed`.
fn mirror(signed: &[&str]) -> Server {
    let mut content = Content::default();
    for image in IMAGES {
        let (repository, tag) = image.split_once(':').unwrap();
        let repository = format!("ns/{repository}");
        if signed.contains(&image) {
            content.signed(&repository, tag);
        } else {
            content.image(&repository, tag);
        }
    }
    content.serve()
}

const READ: &str = "--plain-http --retry-times 0 --no-host --images-table";

#[test]
fn what_did_not_come_along_is_found_at_the_sources() {
    let (test, source) = (Test::new(), registry());
    let host = source.host();
    mapping(&test, &host, &IMAGES);
    let images = IMAGES.map(|image| format!("    - name: {host}/{image}\n")).concat();
    test.write("isc.yaml", format!("kind: ImageSetConfiguration\nmirror:\n  additionalImages:\n{images}"));
    let bundles = format!(
        "1 image is signed by bundles alone, which oc-mirror does not mirror, whatever its flags: {host}/bundle/d:1;"
    );
    for list in ["mapping.txt", "isc.yaml"] {
        // All signatures that oc-mirror mirrors are there.
        let here = mirror(&["signed/a:1", "mixed/c:1"]);
        let ran = test.run(&format!("discover docker://{}/ns --images {list} {READ}", here.host()));
        let ran = ran.tells(&bundles).tells("oras cp -r").says("bundle/d:1 ").says("signature not mirrored");
        assert!(!ran.err.contains("remove-signatures"), "{}", ran.err);
        assert_eq!(ran.out.matches("signature not mirrored").count(), 1, "{}", ran.out);
        // One is missing, and another is there: the flag is not the reason.
        let here = mirror(&["signed/a:1"]);
        let ran = test.run(&format!("discover docker://{}/ns --images {list} {READ}", here.host()));
        let ran =
            ran.tells(&format!("at its source and not here: {host}/mixed/c:1; other signatures came along"));
        assert!(!ran.err.contains("remove-signatures"), "{}", ran.err);
        // None is there.
        let here = mirror(&[]);
        let ran = test.run(&format!("discover docker://{}/ns --images {list} {READ}", here.host())).exits(0);
        let ran = ran.tells(&format!("at their source and not here: {host}/mixed/c:1, {host}/signed/a:1;"));
        ran.tells("mirror again with --remove-signatures=false").tells(&bundles);
    }
    // A source is asked by name alone: a product's repository has too many tags to list them for a few images.
    assert!(!source.lines().iter().any(|line| line.contains("/tags/list")), "{:?}", source.lines());
}

#[test]
fn sources_that_are_not_there_are_no_fault_of_the_mirror() {
    let (test, source) = (Test::new(), registry());
    mapping(&test, "127.0.0.1:1", &IMAGES);
    let here = mirror(&["signed/a:1"]);
    let line = format!("docker://{}/ns {READ}", here.host());
    let ran = test.run(&format!("discover --images mapping.txt {line}"));
    ran.tells("127.0.0.1:1: it is not known whether").says("unsigned");
    // Credentials on the command line are for the mirror.
    mapping(&test, &source.host(), &IMAGES);
    test.run(&format!("discover --images mapping.txt --creds me:secret {line}"));
    assert!(source.log().is_empty());
}

#[test]
fn a_folder_of_oc_mirror_is_compared_with_its_sources() {
    let (test, source) = (Test::new(), registry());
    let host = source.host();
    let storage = "home/.oc-mirror/.cache/docker/registry/v2";
    for image in ["bundle/d:1", "plain/b:1"] {
        let (repository, tag) = image.split_once(':').unwrap();
        let body = manifest(&format!("{repository}{tag}"), "application/x-tar", "");
        let (digest, hex) = (Digest::of(body.as_bytes()), Digest::of(body.as_bytes()).hex());
        let manifests = format!("{storage}/repositories/{repository}/_manifests");
        test.write(&format!("{manifests}/tags/{tag}/current/link"), digest.to_string());
        test.write(&format!("{manifests}/revisions/sha256/{hex}/link"), digest.to_string());
        test.write(&format!("{storage}/blobs/sha256/{}/{hex}/data", &hex[..2]), body);
    }
    mapping(&test, &host, &IMAGES);
    let place = "oc-mirror:home/.oc-mirror/.cache";
    let ran = test.run(&format!("discover {place} --images mapping.txt {READ}")).exits(0);
    let ran =
        ran.tells(&format!("whatever its flags: {host}/bundle/d:1;")).says("2 images: 0 signed, 2 unsigned");
    ran.says("signature not mirrored");
    // A list from another source is not oc-mirror's.
    test.write("list.txt", format!("{host}/bundle/d:1\n"));
    test.run(&format!("discover {place} --images list.txt {READ}")).exits(2).tells("mapping.txt");
    test.run(&format!("discover {place} --images mapping.txt --no-network {READ}")).exits(2);
}

#[test]
fn a_signature_tag_that_cant_be_read_is_called_what_it_is() {
    let mut content = Content::default();
    let digest = content.image("a/b", "1");
    content.manifest("a/b", &format!("sha256-{}.sig", digest.hex()), "{}");
    let (test, server) = (Test::new(), content.serve());
    mapping(&test, &server.host(), &["a/b:1"]);
    let line = "discover --images mapping.txt --plain-http --retry-times 0";
    let ran = test.run(&format!("{line} --no-host --format json")).exits(4);
    let signature = &ran.json()["images"][0]["signatures"][0];
    assert_eq!((&signature["form"], &signature["found"]), (&"simple-signing".into(), &"tag".into()));
    // It is no reason to turn the signature lookup off, and oc-mirror does not drop it.
    let ran = test.run(&format!("{line} --write-registries-d d")).exits(0).says("off for 0 repositories");
    assert!(!ran.out.contains("bundles"), "{}", ran.out);
}
