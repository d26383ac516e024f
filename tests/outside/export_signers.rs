//! Exported rules for GPG keys, keyless signers and private CAs, enforced by skopeo: the good signature is accepted, and that of
//! another key, identity, issuer or CA is not.

use libtest_mimic::Trial;
use rcgen::KeyPair;

use crate::{
    admission::{
        certificates::{Authority, Unusual, authority, dns, email, leaf, uri, v2, valid},
        content::{Content, Layer, now, payload},
        gpg,
    },
    export::{Lab, SOURCE},
    support::{
        find::{find, verifies_sigstore},
        program::Test,
    },
};

pub(crate) fn trials() -> Vec<Trial> {
    let skopeo = find("skopeo").filter(|path| verifies_sigstore(path));
    let ready = find("docker-registry").is_some() && find("gpg").is_some();
    let name = "export::by_gpg_keys_and_certificates";
    vec![match skopeo.filter(|_| ready) {
        Some(skopeo) => Trial::test(name, move || {
            let lab = lab();
            lab.agree(&skopeo, "", false);
            lab.agree(&skopeo, &format!("--keys-at {}", lab.test.path("exported/keys").display()), false);
            lab.agree(&skopeo, "--pulled-by mirror", true);
            Ok(())
        }),
        None => Trial::test(name, || Ok(()))
            .with_kind("needs docker-registry, gpg and skopeo (1.10 or newer)")
            .with_ignored_flag(true),
    }]
}

/// Keys by the names of a first run: a role has one key here.
const RULES: &str = "\
rules:
  - scope: quay.example/acme/gpg
    signers: [{key: GPG}]
    log: none
    signedIdentity: {type: matchRepository}
  - scope: quay.example/acme/keyless
    signers: [{authorities: [FULCIO], identity: rel@acme.example, oidcIssuer: \"https://login.acme.example\"}]
    log: [LOG]
    signedIdentity: {type: matchRepository}
  - scope: quay.example/acme/private
    signers: [{authorities: [PKI], identity: rel@acme.example}]
    log: none
    signedIdentity: {type: matchRepository}
  - scope: quay.example/acme/host
    signers: [{authorities: [PKI], identity: sign.acme.example, identityKind: dns}]
    log: none
    signedIdentity: {type: matchRepository}
";

fn lab() -> Lab {
    let test = Test::new();
    let mut content = Content::new();
    let mut pulls = Vec::new();
    let root = authority("root", None, |_| ());
    let signing = authority("signing", Some(&root), |_| ());
    // The rule names the CA that signs, and neither those above it nor those beside it.
    let beside = authority("beside", Some(&root), |_| ());
    let other = authority("root", None, |_| ());
    let chain = format!("{}{}", signing.pem(), root.pem());
    test.write("ca.pem", &chain);
    test.write("rekor.pub", content.rekor.public_key_pem());
    let other_log = KeyPair::generate().unwrap();
    let image = |content: &mut Content, pulls: &mut Vec<_>, name: &str, good: bool| {
        let repository = format!("acme/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        pulls.push((format!("{repository}:v1"), "amd64", good));
        pulls.push((format!("{repository}@{image}"), "amd64", good));
        (repository, image)
    };

    let not: Unusual = |_| ();
    let dev: Unusual = |params| params.subject_alt_names = vec![email("dev@acme.example")];
    let host: Unusual = |params| params.subject_alt_names = vec![dns("sign.acme.example")];
    let as_uri: Unusual = |params| params.subject_alt_names = vec![uri("rel@acme.example")];
    let elsewhere: Unusual = |params| params.custom_extensions = vec![v2("https://other.example")];
    let expired: Unusual = |params| valid(params, -3600, -1800);
    let other_host: Unusual = |params| params.subject_alt_names = vec![dns("build.acme.example")];
    let cells: [(&str, &Authority, Unusual, bool); 19] = [
        ("keyless/good", &signing, not, true),
        ("keyless/expired-since", &signing, expired, true),
        ("keyless/other-identity", &signing, dev, false),
        ("keyless/uri", &signing, as_uri, false),
        ("keyless/other-issuer", &signing, elsewhere, false),
        ("keyless/other-ca", &other, not, false),
        ("keyless/by-the-root", &root, not, false),
        ("keyless/by-a-ca-beside", &beside, not, false),
        ("keyless/no-log", &signing, not, false),
        ("keyless/other-log", &signing, not, false),
        ("private/good", &signing, not, true),
        ("private/other-identity", &signing, dev, false),
        ("private/other-ca", &other, not, false),
        ("private/by-the-root", &root, not, false),
        ("private/by-a-ca-beside", &beside, not, false),
        ("private/expired", &signing, expired, false),
        ("host/good", &signing, host, true),
        ("host/other-host", &signing, other_host, false),
        ("host/email", &signing, not, false),
    ];
    for (name, parent, change, good) in cells {
        let (repository, image) = image(&mut content, &mut pulls, name, good);
        let (certificate, key) = leaf(parent, &change);
        let pem = certificate.pem();
        let layer = Layer::signed(&key, payload(&format!("{SOURCE}/{name}"), &image));
        let time = if name == "keyless/expired-since" { now() - 3000 } else { now() };
        let log: &KeyPair = if name == "keyless/other-log" { &other_log } else { &content.rekor };
        let entry = content.logged_as(log, &pem, &layer, time, &|_| ());
        // As cosign does, with everything above the certificate.
        let brought = format!("{}{}", parent.pem(), root.pem());
        let mut layer = layer.with("certificate", pem).with("chain", brought);
        if name.starts_with("keyless/") && name != "keyless/no-log" {
            layer = layer.with("bundle", entry);
        }
        content.attach(&repository, &image, &[layer]);
    }
    for name in ["gpg/unsigned", "keyless/unsigned", "private/unsigned"] {
        image(&mut content, &mut pulls, name, false);
    }
    let lookaside = by_gpg(&test, &mut |name, good| image(&mut content, &mut pulls, name, good));
    test.write("host.d/lookaside.yaml", format!("default-docker:\n  lookaside: file://{lookaside}\n"));

    let host = content.host();
    let collect = format!(
        "collect docker://{host} lookaside:{lookaside} --plain-http --key fulcio=ca.pem --key pki=ca.pem --key own.asc \
         --key rekor=rekor.pub --include all --state there"
    );
    test.run(&format!("{collect} -o names"));
    let mut rules = RULES.to_owned();
    for (word, role) in [("GPG", "gpg-"), ("FULCIO", "fulcio-"), ("PKI", "pki-"), ("LOG", "rekor-")] {
        let name = test.names("names").into_iter().find(|name| name.starts_with(role)).unwrap();
        rules = rules.replace(word, name.rsplit_once('.').unwrap().0);
    }
    test.write("rules.yaml", rules);
    // Keys are missing: those of the wrong signatures.
    let pack = test.run(&format!("{collect} -o made --accept-rules rules.yaml")).exits(4).after("Pack: ");
    test.push("made", "oci-archive:keys.tar:k");
    test.run(&format!("pull oci-archive:keys.tar:k --digest {pack} -o keys")).exits(0);
    Lab { test, content, pulls, has_host_files: true }
}

/// Simple signing in a lookaside tree; its folder.
fn by_gpg(test: &Test, image: &mut dyn FnMut(&str, bool) -> (String, String)) -> String {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for name in ["own", "other"] {
        gpg::gpg(home, &["--quick-generate-key", &format!("{name}@x.test"), "rsa2048", "sign", "1y"]);
    }
    test.write("own.asc", gpg::gpg(home, &["--armor", "--export", "own"]));
    for (name, who, signed, good) in [
        ("gpg/good", "own", "gpg/good", true),
        ("gpg/other-key", "other", "gpg/other-key", false),
        ("gpg/other-name", "own", "gpg/good", false),
    ] {
        let (repository, image) = image(name, good);
        let text = gpg::text(&format!("{SOURCE}/{signed}:v1"), &image);
        let signature = gpg::sign(home, &text, who, &["--sign"]);
        test.write(&format!("lookaside/{repository}@{}/signature-1", image.replace(':', "=")), signature);
    }
    test.path("lookaside").display().to_string()
}
