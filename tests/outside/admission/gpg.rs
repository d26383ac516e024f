//! Simple signing with GnuPG, in a lookaside tree.

use std::{fs, path::Path, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Cell, content::Content, everything};

pub fn gpg(home: &Path, args: &[&str]) -> Vec<u8> {
    let mut command = Command::new("gpg");
    command.env("GNUPGHOME", home).current_dir(home).args([
        "--batch",
        "--quiet",
        "--yes",
        "--pinentry-mode",
        "loopback",
    ]);
    let output = command.args(["--passphrase", ""]).args(args).output().unwrap();
    assert!(output.status.success(), "gpg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

pub fn text(reference: &str, image: &str) -> String {
    json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": image},
            "type": "atomic container signature",
        },
        "optional": {},
    })
    .to_string()
}

/// Signs a text with the key of this name.
pub fn sign(home: &Path, text: &str, who: &str, how: &[&str]) -> Vec<u8> {
    fs::write(home.join("text"), text).unwrap();
    let mut args = vec!["-u", who, "-o", "out"];
    args.extend(how);
    args.push("text");
    gpg(home, &args);
    fs::read(home.join("out")).unwrap()
}

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for name in ["own", "other", "gone"] {
        gpg(home, &["--quick-generate-key", &format!("{name}@x.test"), "rsa2048", "sign", "1y"]);
        content.file(&format!("{name}.gpg"), gpg(home, &["--export", name]));
        content.file(&format!("{name}.asc"), gpg(home, &["--armor", "--export", name]));
    }
    gpg(home, &["--export", "own"]);
    let both = [gpg(home, &["--export", "other"]), gpg(home, &["--export", "own"])].concat();
    content.file("both.gpg", &both);
    content.file("garbage", "nothing");
    content.file("empty", "");
    let own = gpg(home, &["--export", "own"]);
    let sign = |text: &str, who: &str, how: &[&str]| sign(home, text, who, how);
    let lookaside = content.files().join("lookaside");
    let put = |content: &mut Content, name: &str, files: &dyn Fn(&str, &str) -> Vec<(u32, Vec<u8>)>| {
        let repository = format!("gpg/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let reference = format!("{}/{repository}:v1", content.host());
        let folder = lookaside.join(format!("{repository}@{}", image.replace(':', "=")));
        fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in files(&reference, &image) {
            fs::write(folder.join(format!("signature-{number}")), bytes).unwrap();
        }
    };
    let good = |reference: &str, image: &str| sign(&text(reference, image), "own", &["--sign"]);
    let bad = |reference: &str, image: &str| sign(&text(reference, image), "other", &["--sign"]);
    let names = [
        "none",
        "good",
        "bad",
        "bad-and-good",
        "gap",
        "armour",
        "clear",
        "garbage-and-good",
        "empty-file",
        "detached",
        "bare",
        "other-image",
        "optional-null",
        "unknown-field",
        "cosign-type",
        "uncompressed",
        "two-signers",
        "marked",
    ];
    for name in names {
        put(content, name, &|r, i| match name {
            "none" => vec![],
            "good" => vec![(1, good(r, i))],
            "bad" => vec![(1, bad(r, i))],
            "bad-and-good" => vec![(1, bad(r, i)), (2, good(r, i))],
            "gap" => vec![(2, good(r, i))],
            "armour" => vec![(1, sign(&text(r, i), "own", &["--armor", "--sign"]))],
            "clear" => vec![(1, sign(&text(r, i), "own", &["--clear-sign"]))],
            "garbage-and-good" => vec![(1, good(r, i)), (2, b"text".to_vec())],
            "empty-file" => vec![(1, Vec::new())],
            "detached" => vec![(1, sign(&text(r, i), "own", &["--detach-sign"]))],
            "bare" => vec![(1, good(r.rsplit_once(':').unwrap().0, i))],
            "other-image" => vec![(1, good(r, &i.replace(['0', '1'], "2")))],
            "optional-null" => vec![(
                1,
                sign(&text(r, i).replace("\"optional\":{}", "\"optional\":null"), "own", &["--sign"]),
            )],
            "unknown-field" => vec![(1, sign(&text(r, i).replacen('{', "{\"x\":1,", 1), "own", &["--sign"]))],
            "cosign-type" => vec![(
                1,
                sign(
                    &text(r, i).replace("atomic container signature", "cosign container image signature"),
                    "own",
                    &["--sign"],
                ),
            )],
            "uncompressed" => vec![(1, sign(&text(r, i), "own", &["--compress-algo", "none", "--sign"]))],
            "two-signers" => vec![(1, sign(&text(r, i), "own", &["-u", "other", "--sign"]))],
            _ => vec![(1, [b"\0simple-signing\n".as_slice(), &good(r, i)].concat())],
        });
    }
    let requirements = [
        ("key", json!({"keyPath": "{dir}/own.gpg"})),
        ("armoured key", json!({"keyPath": "{dir}/own.asc"})),
        ("other key", json!({"keyPath": "{dir}/other.gpg"})),
        ("both keys", json!({"keyPath": "{dir}/both.gpg"})),
        ("two files", json!({"keyPaths": ["{dir}/other.gpg", "{dir}/own.asc"]})),
        ("data", json!({"keyData": BASE64.encode(own)})),
        ("missing", json!({"keyPath": "{dir}/nowhere"})),
        ("no keys", json!({"keyPaths": []})),
        ("empty", json!({"keyPath": "{dir}/empty"})),
        ("garbage", json!({"keyPath": "{dir}/garbage"})),
        ("garbage beside", json!({"keyPaths": ["{dir}/own.gpg", "{dir}/garbage"]})),
        ("bare identity", json!({"keyPath": "{dir}/own.gpg", "signedIdentity": {"type": "matchRepository"}})),
        ("unimplemented", json!({"keyPath": "{dir}/own.gpg", "keyType": "signedByGPGKeys"})),
    ];
    let mut cells = Vec::new();
    for name in names {
        let mut all: Vec<(&str, Value)> = requirements
            .iter()
            .map(|(how, more)| {
                let mut requirement = json!({"type": "signedBy", "keyType": "GPGKeys"});
                for (name, value) in more.as_object().unwrap() {
                    requirement[name] = value.clone();
                }
                (*how, requirement)
            })
            .collect();
        all.push(("sigstore", json!({"type": "sigstoreSigned", "keyPath": "{dir}/rekor.pub"})));
        all.push(("anything", json!({"type": "insecureAcceptAnything"})));
        for (how, requirement) in all {
            let cell =
                Cell::new(format!("{name}, {how}"), &everything(requirement), format!("gpg/{name}:v1"));
            let text = format!("default-docker:\n  lookaside: file://{}\n", lookaside.display());
            cells.push(Cell { registries: [("a.yaml".to_owned(), text)].into(), ..cell });
        }
    }
    cells
}
