//! The name that the signer wrote, the name that the policy accepts, and how the image is pulled, in all combinations.

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::{
    Cell,
    content::{Content, Layer, payload},
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    content.file("cosign.pub", key.public_key_pem());
    let host = content.host().to_owned();
    let source = "quay.example/acme";
    let mut cells = Vec::new();
    let names: [(&str, &dyn Fn(&str, &str) -> String); 10] = [
        ("tag", &|app, _| format!("{host}/mirror/{app}:v1")),
        ("digest", &|app, image| format!("{host}/mirror/{app}@{image}")),
        ("bare", &|app, _| format!("{host}/mirror/{app}")),
        ("other-tag", &|app, _| format!("{host}/mirror/{app}:v2")),
        ("other-repository", &|_, _| format!("{host}/mirror/else:v1")),
        ("source-tag", &|app, _| format!("{source}/{app}:v1")),
        ("source-digest", &|app, image| format!("{source}/{app}@{image}")),
        ("source-bare", &|app, _| format!("{source}/{app}")),
        ("both", &|app, image| format!("{host}/mirror/{app}:v1@{image}")),
        ("nonsense", &|_, _| "UPPER case".into()),
    ];
    for (kind, name) in names {
        let repository = format!("mirror/{kind}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let layer = Layer::signed(&key, payload(&name(kind, &image), &image));
        content.attach(&repository, &image, &[layer]);
        let forms: [(&str, Option<Value>); 9] = [
            ("default", None),
            ("exact", Some(json!({"type": "matchExact"}))),
            ("repo-digest-or-exact", Some(json!({"type": "matchRepoDigestOrExact"}))),
            ("repository", Some(json!({"type": "matchRepository"}))),
            (
                "exact-reference",
                Some(
                    json!({"type": "exactReference", "dockerReference": format!("{host}/mirror/{kind}:v1")}),
                ),
            ),
            (
                "exact-repository",
                Some(json!({"type": "exactRepository", "dockerRepository": format!("{host}/mirror/{kind}")})),
            ),
            (
                "source-repository",
                Some(
                    json!({"type": "exactRepository", "dockerRepository": format!("{source}/{kind}:ignored")}),
                ),
            ),
            (
                "remap",
                Some(
                    json!({"type": "remapIdentity", "prefix": format!("{host}/mirror"), "signedPrefix": source}),
                ),
            ),
            (
                "remap-other",
                Some(
                    json!({"type": "remapIdentity", "prefix": format!("{host}/mir"), "signedPrefix": source}),
                ),
            ),
        ];
        for (form, identity) in forms {
            let mut requirement = json!({"type": "sigstoreSigned", "keyPath": "{dir}/cosign.pub"});
            if let Some(identity) = identity {
                requirement["signedIdentity"] = identity;
            }
            let policy = super::everything(requirement);
            for pulled in [format!("{repository}:v1"), format!("{repository}@{image}")] {
                for mirrored in [None, Some(("mirror", source))] {
                    let cell = Cell::new(format!("{kind} {form} {mirrored:?}"), &policy, pulled.clone());
                    cells.push(Cell { source: mirrored, ..cell });
                }
            }
        }
    }
    cells
}
