//! Secrets in URLs: none is shown, and none is written anywhere.

use serde_json::json;

use super::{
    fault::{Reply, Server},
    pack_builder::PackBuilder,
    program::{LAB, Test},
};

const SECRET: &str = "REKSECRET";

/// URLs of a host that could be contacted, each with a secret in another part.
fn addresses(host: &str) -> [String; 6] {
    [
        format!("http://user:{SECRET}@{host}"),
        format!("http://{SECRET}@{host}/"),
        format!("HTTP://:{SECRET}@{host}"),
        format!("http://{host}/?token={SECRET}"),
        format!("http://{host}/?{SECRET}"),
        format!("http://{host}/#{SECRET}"),
    ]
}

/// Fails, and the secret appears nowhere: not in the output, nor in any file.
#[track_caller]
fn refused(test: &Test, line: &[&str], code: &str) {
    for format in ["text", "json"] {
        let output = test.command().args(line).args(["--format", format, "--no-host"]).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(output.status.code().is_some_and(|code| code != 0), "{line:?}: {said}");
        assert!(!said.contains(SECRET), "{line:?}: {said}");
        assert!(said.contains(code), "{line:?}: {said}");
    }
    assert!(!test.has("keys"), "{line:?}");
}

fn rekor() -> Server {
    let key = std::fs::read(format!("{LAB}/trust/rekor.pub")).unwrap();
    Server::start(move |asked| match asked.target.split('?').next() {
        Some("/api/v1/log/publicKey") => Reply::ok(key.clone()),
        _ => Reply::new(404),
    })
}

#[test]
fn a_secret_in_an_address_that_is_named() {
    let (test, server) = (Test::new(), rekor());
    let collect = ["collect", "lab/layouts/key-bundle-rekor1-oras"];
    for address in addresses(&server.host()) {
        for option in ["--rekor", "--tuf"] {
            refused(&test, &[&collect[..], &[option, &address]].concat(), "usage");
            refused(&test, &[&collect[..], &[&format!("{option}={address}")]].concat(), "usage");
        }
        for setting in [
            format!("sources: {{ rekor: [\"{address}\"] }}"),
            format!("sources: {{ tuf: [{{ repository: \"{address}\" }}] }}"),
            format!("sources: {{ rekor: \"{address}\" }}"),
            format!("sources: {{ keys: [\"{address}\"] }}"),
            format!("sources: {{ trustedRoots: [\"{address}\"] }}"),
            format!("when: \"{address}\""),
        ] {
            test.write("keypack.yaml", &setting);
            refused(&test, &[&collect[..], &["--config", "keypack.yaml"]].concat(), "config-malformed");
        }
        // Where a file is expected, or no URL at all.
        for option in ["--key", "--trusted-root", "--from-policy", "--tuf-root", "--accept-rules", "--config"]
        {
            refused(&test, &[&collect[..], &[option, &address]].concat(), "keypack");
        }
        refused(&test, &["collect", &address], "usage");
        refused(
            &test,
            &["collect", &address.replacen("http", "docker", 1).replacen("HTTP", "docker", 1)],
            "usage",
        );
        refused(&test, &["pull", "oci:x:y", &address], "unexpected argument");
    }
    assert!(server.log().is_empty(), "nobody was asked");
    // Unreadable ones are not repeated either.
    for address in
        [format!("https://u:{SECRET}/x@h"), format!("http://[{SECRET}"), format!("https:u:{SECRET}@")]
    {
        for option in ["--rekor", "--tuf"] {
            refused(&test, &[&collect[..], &[option, &address]].concat(), "usage");
        }
    }
}

#[test]
fn a_secret_in_an_address_of_a_trusted_root() {
    let test = Test::new();
    for address in addresses("rekor.test") {
        let mut root: serde_json::Value =
            serde_json::from_slice(&std::fs::read(format!("{LAB}/trust/trusted_root.json")).unwrap())
                .unwrap();
        for list in ["tlogs", "ctlogs"] {
            for entry in root[list].as_array_mut().unwrap() {
                entry["baseUrl"] = address.clone().into();
            }
        }
        for list in ["certificateAuthorities", "timestampAuthorities"] {
            for entry in root[list].as_array_mut().unwrap() {
                entry["uri"] = address.clone().into();
            }
        }
        // Entries that can't be used are reported with their URL.
        let mut bad = root["tlogs"][0].clone();
        bad["publicKey"]["rawBytes"] = "AAAA".into();
        root["tlogs"].as_array_mut().unwrap().push(bad);
        test.write("root.json", root.to_string());
        let line = "collect lab/layouts/keyless-bundle-rekor1-oras --trusted-root root.json --no-host -v";
        let ran = test.run(line);
        assert!(ran.code == 0 || ran.code == 4, "{}", ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains(SECRET), "{}{}", ran.out, ran.err);
        assert!(test.has("keys/trusted_root.json"), "{}{}", ran.out, ran.err);
        for folder in ["keys", ".local"] {
            if !test.has(folder) {
                continue;
            }
            for (name, bytes) in test.tree(folder) {
                assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{address}: {name}");
            }
        }
        let kept = test.json("keys/keypack.json")["keys"][0]["url"].clone();
        assert!(kept.as_str().is_some_and(|url| url.starts_with("http://rekor.test")), "{kept}");
        std::fs::remove_dir_all(test.path("keys")).unwrap();
    }
}

#[test]
fn a_secret_in_an_address_of_a_pack() {
    for address in addresses("rekor.test") {
        for place in ["url", "origin", "source", "repository"] {
            let mut pack = PackBuilder::new("image");
            let chains = json!([{ "name": "tuf-x", "file": "tuf-x.tar", "repository": address }]);
            pack.forged(|inventory, entries| match place {
                "source" => inventory["keys"][0]["provenance"][0]["source"] = address.clone().into(),
                "repository" => {
                    entries.push(super::pack_builder::file("keys/tuf-x.tar", b""));
                    let record = json!({ "name": "tuf-x.tar", "sha256": "", "size": 0 });
                    let files = inventory["files"].as_array_mut().unwrap();
                    files.push(record);
                    files.sort_by_key(|file| file["name"].to_string());
                    inventory["tuf"] = chains;
                }
                field => inventory["keys"][0][field] = address.clone().into(),
            });
            pack.publish();
            let test = &pack.test;
            for line in [
                format!("pull oci:m:keys --digest {} -o out", pack.pack),
                "pull oci:m:keys -o out".to_owned(),
                "inspect oci:m:keys".to_owned(),
                "diff keys oci:m:keys".to_owned(),
            ] {
                let ran = test.run(&line).exits(3).tells("[inventory-malformed]");
                assert!(
                    !format!("{}{}", ran.out, ran.err).contains(SECRET),
                    "{line}: {}{}",
                    ran.out,
                    ran.err
                );
            }
        }
    }
}
