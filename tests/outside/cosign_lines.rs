//! `keypack export cosign`: every command line is taken from the file and run as it is printed, by cosign 3 and 2, against a real registry.
//! It accepts what its rule accepts, refuses the rest, and asks nothing but the registry.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    net::TcpListener,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use libtest_mimic::Trial;
use rcgen::KeyPair;

use crate::{
    admission::{
        certificates::{Authority, Unusual, authority, email, leaf},
        content::{Content, Layer, payload},
    },
    support::{
        docker_registry,
        find::find,
        program::{TRUST, Test},
    },
};

pub(crate) fn trials() -> Vec<Trial> {
    let ready = find("docker-registry").is_some();
    let trials = [
        ("cosign", "cosign@3.1", "the lines of cosign 3"),
        ("cosign2", "cosign@2.6", "the lines of cosign 2"),
    ];
    let trial = |(program, target, name): (&str, &'static str, &str)| match find(program).filter(|_| ready) {
        Some(path) => Trial::test(format!("cosign_lines::{name}"), move || {
            lab(&path, target);
            refused(&path, target);
            private_ca(&path, target);
            Ok(())
        }),
        None => Trial::test(format!("cosign_lines::{name}: needs docker-registry and {program}"), || Ok(()))
            .with_ignored_flag(true),
    };
    trials.into_iter().map(trial).collect()
}

/// What the rules of the lab ask for: the repository, the signers, the log, and whether its image is signed so. A bundle is found as a
/// referrer; what cosign's experiment with OCI 1.1 left is not.
const LAB: [(&str, &str, &str, bool); 18] = [
    ("key-tag-notlog", "KEY", "none", true),
    ("key-bundle-notlog", "KEY", "none", true),
    ("key-tag-rekor1", "KEY", "[LOG]", true),
    ("key-bundle-rekor1", "KEY", "[LOG]", true),
    ("key-bundle-rekor2", "KEY", "[LOG2]", true),
    ("keyless-tag-rekor1", "WHO", "[LOG]", true),
    ("keyless-bundle-rekor1", "WHO", "required", true),
    ("keyless-bundle-rekor2", "WHO", "[LOG2]", true),
    // In no log, and in another one.
    ("key-tag-notlog", "KEY", "required", false),
    ("key-bundle-notlog", "KEY", "required", false),
    ("key-tag-rekor1", "KEY", "[LOG2]", false),
    ("key-bundle-rekor1", "KEY", "[LOG2]", false),
    ("key-bundle-rekor2", "KEY", "[LOG]", false),
    ("keyless-tag-rekor1", "WHO", "[LOG2]", false),
    // By another key, and by another identity.
    ("key-tag-notlog", "OTHER", "none", false),
    ("key-bundle-notlog", "OTHER", "none", false),
    ("keyless-bundle-rekor1", "NOBODY", "none", false),
    ("keyless-tag-rekor1", "HALF", "none", false),
];

fn lab(cosign: &Path, target: &str) {
    let registry = docker_registry::lab();
    let other = KeyPair::generate().unwrap();
    let mut scene = Scene::new(cosign, target, registry.host());
    scene.test.write("other.pub", other.public_key_pem());
    // A scope has one rule, so that the wrong ones are in a pack of their own.
    let mut rest: Vec<_> = LAB.iter().collect();
    while !rest.is_empty() {
        let mut seen = BTreeSet::new();
        let (now, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(name, ..)| seen.insert(*name));
        rest = later;
        let rules = now.iter().map(|(name, who, log, _)| scene.rule(name, who, log)).collect::<String>();
        scene.export(&rules, "--key other.pub");
        for (name, who, log, good) in now {
            let ran = scene.verify(name, &format!("{name}/img1:v1"));
            assert_eq!(ran, *good, "{target} {name} {who} {log}");
        }
    }
    assert_eq!(scene.calls(), 0, "cosign asked someone else than the registry");
}

/// An image without a signature, one with a signature for another image, and alternatives.
fn refused(cosign: &Path, target: &str) {
    let mut content = Content::new();
    let keys: Vec<_> = (0..3).map(|_| KeyPair::generate().unwrap()).collect();
    let digests: BTreeMap<_, _> = ["unsigned", "first", "second", "third", "moved"]
        .map(|name| (name, content.image(name, Some("v1"), "amd64")))
        .into();
    for (name, key, of) in
        [("first", 0, "first"), ("second", 1, "second"), ("third", 2, "third"), ("moved", 0, "first")]
    {
        let layer = Layer::signed(&keys[key], payload("a.test/b", &digests[of]));
        content.attach(name, &digests[name], &[layer]);
    }
    let mut scene = Scene::new(cosign, target, content.host());
    for (key, name) in keys.iter().zip(["one", "two"]) {
        scene.test.write(&format!("{name}.pub"), key.public_key_pem());
    }
    let rules: String = digests.keys().map(|name| scene.rule(name, "ONE, TWO", "none")).collect();
    scene.export(&rules, "--key one.pub --key two.pub");
    for (name, good) in
        [("unsigned", false), ("first", true), ("second", true), ("third", false), ("moved", false)]
    {
        for image in [format!("{name}:v1"), format!("{name}@{}", digests[name])] {
            assert_eq!(scene.verify(name, &image), good, "{target} {image}");
        }
    }
    assert_eq!(scene.calls(), 0, "cosign asked someone else than the registry");
}

/// Certificates of a private CA: at tags, with the certificates above them, as cosign 2 signs; and in bundles, by cosign 3 itself.
fn private_ca(cosign: &Path, target: &str) {
    let mut content = Content::new();
    let root = authority("root", None, |_| ());
    let signing = authority("signing", Some(&root), |_| ());
    let below = authority("below", Some(&signing), |_| ());
    let beside = authority("beside", Some(&root), |_| ());
    let other = authority("root", None, |_| ());
    let not: Unusual = |_| ();
    let dev: Unusual = |params| params.subject_alt_names = vec![email("dev@acme.example")];
    let expired: Unusual = |params| crate::admission::certificates::valid(params, -3600, -1800);
    let cells: [(&str, Option<&Authority>, Unusual, bool); 7] = [
        ("good", Some(&signing), not, true),
        ("by-one-below", Some(&below), not, true),
        ("by-one-beside", Some(&beside), not, false),
        ("other-ca", Some(&other), not, false),
        ("other-name", Some(&signing), dev, false),
        ("expired", Some(&signing), expired, false),
        ("unsigned", None, not, false),
    ];
    for (name, parent, change, _) in cells {
        let image = content.image(name, Some("v1"), "amd64");
        let Some(parent) = parent else { continue };
        let (certificate, key) = leaf(parent, &change);
        let layer = Layer::signed(&key, payload(&format!("a.test/{name}"), &image));
        let chain = format!("{}{}{}", parent.pem(), signing.pem(), root.pem());
        let layer = layer.with("certificate", certificate.pem()).with("chain", chain);
        content.attach(name, &image, &[layer]);
    }
    let mut cells: Vec<_> = cells.iter().map(|(name, _, _, good)| (*name, *good)).collect();
    if let Some(signer) = find("cosign") {
        for (name, parent, change, good) in [
            ("bundle", &signing, not, true),
            ("bundle-other-ca", &other, not, false),
            ("bundle-other-name", &signing, dev, false),
        ] {
            let image = content.image(name, Some("v1"), "amd64");
            sign_bundle(&signer, parent, &change, &format!("{}/{name}@{image}", content.host()));
            cells.push((name, good));
        }
    }
    let mut scene = Scene::new(cosign, target, content.host());
    scene.test.write("ca.pem", format!("{}{}", signing.pem(), root.pem()));
    let rules: String = cells.iter().map(|(name, ..)| scene.rule(name, "CA", "none")).collect();
    scene.export(&rules, "--key pki=ca.pem");
    for (name, good) in cells {
        assert_eq!(scene.verify(name, &format!("{name}:v1")), good, "{target} {name}");
    }
    assert_eq!(scene.calls(), 0, "cosign asked someone else than the registry");
}

/// Signs with a key and the certificate of this CA for it, in no log.
fn sign_bundle(
    cosign: &Path,
    parent: &Authority,
    change: &dyn Fn(&mut rcgen::CertificateParams),
    image: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = leaf(parent, change);
    for (name, text) in [
        ("leaf.pem", certificate.pem()),
        ("chain.pem", parent.pem()),
        ("key.pem", key.serialize_pem()),
        ("config.json", r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#.to_owned()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |line: &str| {
        let mut command = Command::new(cosign);
        command.current_dir(folder.path()).env_clear().env("HOME", folder.path()).env("COSIGN_PASSWORD", "");
        // It asks for a trusted root that it then does not need.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        let output = command.args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("import-key-pair --key key.pem --output-key-prefix own");
    run(&format!(
        "sign --yes --key own.key --certificate leaf.pem --certificate-chain chain.pem --signing-config config.json {image}"
    ));
}

/// A host that exports and runs; and a proxy for everything but the registry, which is on this host.
struct Scene {
    test: Test,
    target: String,
    host: String,
    proxy: String,
    calls: Arc<AtomicUsize>,
    packs: usize,
}

impl Scene {
    fn new(cosign: &Path, target: &str, host: &str) -> Self {
        let test = Test::new();
        std::fs::create_dir(test.path("bin")).unwrap();
        symlink(cosign, test.path("bin/cosign")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.map(|mut stream| stream.read(&mut [0; 1]));
            }
        });
        Self { test, target: target.to_owned(), host: host.to_owned(), proxy, calls, packs: 0 }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn rule(&self, name: &str, who: &str, log: &str) -> String {
        let id = |file: &str| {
            let spki = keypack_spki(&String::from_utf8(self.test.read(file)).unwrap());
            format!("\"signer:{}\"", &crate::admission::content::digest(&spki)[7..])
        };
        let identity = |subject: &str| {
            format!("{{authorities: [fulcio-FULCIO], {subject}, oidcIssuer: \"https://issuer.test\"}}")
        };
        let signers = match who {
            "KEY" => format!("{{key: {}}}", id("lab/trust/cosign.pub")),
            "OTHER" => format!("{{key: {}}}", id("other.pub")),
            "ONE, TWO" => format!("{{key: {}}}, {{key: {}}}", id("one.pub"), id("two.pub")),
            "CA" => "{authorities: [pki-PKI], identity: rel@acme.example}".to_owned(),
            "WHO" => identity("identity: \"https://ci.test/build.yml@main\""),
            "NOBODY" => identity("identity: \"https://ci.test/other.yml@main\""),
            // The whole name must match.
            "HALF" => identity("identityRegexp: \"https://ci[.]test/(it's|build)\""),
            other => panic!("{other}"),
        };
        let scope = format!("{}/{name}", self.host);
        format!("  - scope: \"{scope}\"\n    signers: [{signers}]\n    log: {log}\n")
    }

    /// A new pack with these rules, and its lines.
    fn export(&mut self, rules: &str, keys: &str) {
        self.packs += 1;
        let (packs, host) = (self.packs, &self.host);
        let line =
            format!("collect docker://{host} --plain-http {TRUST} {keys} --include all --state there{packs}");
        // The names of the keys are those of a first run.
        self.test.run(&format!("{line} -o names{packs}"));
        let named = |role: &str| {
            let names = self.test.names(&format!("names{packs}"));
            let name = names.into_iter().find(|name| name.starts_with(role)).unwrap_or_default();
            name.rsplit_once('.').map(|(stem, _)| stem.to_owned()).unwrap_or_default()
        };
        let rules = rules
            .replace("fulcio-FULCIO", &named("fulcio-"))
            .replace("pki-PKI", &named("pki-"))
            .replace("LOG2", &named("rekor2-"))
            .replace("LOG", &named("rekor-"));
        self.test.write("rules.yaml", format!("rules:\n{rules}"));
        let pack = self.test.run(&format!("{line} -o made{packs} --accept-rules rules.yaml")).after("Pack: ");
        self.test.push(&format!("made{packs}"), &format!("oci-archive:keys{packs}.tar:k"));
        let name =
            format!("oci-archive:keys{packs}.tar:k --digest {pack} -o keys{packs} --state state{packs}");
        self.test.run(&format!("pull {name}")).exits(0);
        let export = format!(
            "export cosign --for {} --keys-dir keys{packs} --state state{packs} -o lines{packs}",
            self.target
        );
        self.test.run(&export).exits(0);
    }

    /// Whether one of the lines of this repository succeeds.
    fn verify(&self, repository: &str, image: &str) -> bool {
        let folder = format!("lines{}", self.packs);
        let text =
            String::from_utf8(self.test.read(&format!("{folder}/{}.txt", self.target.replace('@', "-"))))
                .unwrap();
        let head = format!("# {}/{repository}: ", self.host);
        let section = text.split("\n\n").find(|section| section.starts_with(&head)).unwrap();
        let lines: Vec<_> = section.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!lines.is_empty(), "{text}");
        let passes = |line: &&&str| {
            let mut command = Command::new("sh");
            command.args(["-c", line]).current_dir(self.test.path(&folder)).env_clear();
            command.env("PATH", format!("{}:/usr/bin:/bin", self.test.path("bin").display()));
            command.env("HOME", self.test.path("home")).env("IMAGE", format!("{}/{image}", self.host));
            command.env("HTTPS_PROXY", &self.proxy).env("HTTP_PROXY", &self.proxy);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // A line that cosign does not understand refuses everything, too.
            for wrong in ["unknown flag", "loading trusted root", "no such file"] {
                assert!(!said.contains(wrong), "{line}: {said}");
            }
            output.status.success()
        };
        lines.iter().any(|line| passes(&line))
    }
}

fn keypack_spki(pem: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}
