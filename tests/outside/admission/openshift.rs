//! ClusterImagePolicy and ImagePolicy: keypack gets the objects, skopeo the policy.json and registries.d that the
//! machine-config-operator makes of them, written here by hand.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::{
    Cell,
    content::{Content, Layer, now, payload},
};

fn object(kind: &str, name: &str, scopes: &[String], policy: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"scopes": scopes, "policy": policy},
    });
    if kind == "ImagePolicy" {
        object["metadata"]["namespace"] = "team".into();
    }
    object
}

fn rendered(scopes: &[(String, Vec<Value>)]) -> Value {
    let docker: serde_json::Map<String, Value> =
        scopes.iter().map(|(scope, list)| (scope.clone(), json!(list))).collect();
    json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": docker}})
}

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let host = content.host().to_owned();
    let data = |key: &KeyPair| BASE64.encode(key.public_key_pem());
    let source = "quay.example/acme";
    let mut cells = Vec::new();
    let identities = [
        (None, None),
        (
            Some(json!({"matchPolicy": "MatchRepoDigestOrExact"})),
            Some(json!({"type": "matchRepoDigestOrExact"})),
        ),
        (Some(json!({"matchPolicy": "MatchRepository"})), Some(json!({"type": "matchRepository"}))),
        (
            Some(
                json!({"matchPolicy": "ExactRepository", "exactRepository": {"repository": format!("{source}/tag")}}),
            ),
            Some(json!({"type": "exactRepository", "dockerRepository": format!("{source}/tag")})),
        ),
        (
            Some(
                json!({"matchPolicy": "RemapIdentity", "remapIdentity": {"prefix": format!("{host}/mirror"), "signedPrefix": source}}),
            ),
            Some(
                json!({"type": "remapIdentity", "prefix": format!("{host}/mirror"), "signedPrefix": source}),
            ),
        ),
    ];
    let logged = KeyPair::generate().unwrap();
    for name in ["tag", "bare", "logged", "unsigned"] {
        let repository = format!("mirror/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        let own = if name == "bare" { format!("{source}/{name}") } else { format!("{source}/{name}:v1") };
        let signer = if name == "logged" { &logged } else { &key };
        let mut layer = Layer::signed(signer, payload(&own, &image));
        if name == "logged" {
            let entry = content.logged(&logged.public_key_pem(), &layer, now());
            layer = layer.with("bundle", entry);
        }
        if name != "unsigned" {
            content.attach(&repository, &image, &[layer]);
        }
        let rekor = BASE64.encode(content.rekor.public_key_pem());
        let roots = [
            (
                json!({"policyType": "PublicKey", "publicKey": {"keyData": data(signer)}}),
                json!({"keyData": data(signer)}),
            ),
            (
                json!({"policyType": "PublicKey", "publicKey": {"keyData": data(&other)}}),
                json!({"keyData": data(&other)}),
            ),
            (
                json!({"policyType": "PublicKey", "publicKey": {"keyData": data(signer), "rekorKeyData": rekor}}),
                json!({"keyData": data(signer), "rekorPublicKeyData": rekor}),
            ),
        ];
        for (root, keys) in &roots {
            for (identity, rendered_identity) in &identities {
                let mut policy = json!({"rootOfTrust": root});
                let mut requirement = json!({"type": "sigstoreSigned"});
                for (field, value) in keys.as_object().unwrap() {
                    requirement[field] = value.clone();
                }
                if let (Some(identity), Some(made)) = (identity, rendered_identity) {
                    policy["signedIdentity"] = identity.clone();
                    requirement["signedIdentity"] = made.clone();
                }
                for (scope, mirrored) in [
                    (source.to_owned(), Some(("mirror", source))),
                    (format!("{host}/mirror"), None),
                    ("other.example".to_owned(), None),
                ] {
                    let manifest = object("ClusterImagePolicy", "own", &[scope.clone()], &policy);
                    let made = rendered(&[(scope.clone(), vec![requirement.clone()])]);
                    // MCO names the scope and its mirrors.
                    let text = format!(
                        "docker:\n  {scope}:\n    use-sigstore-attachments: true\n  {host}/mirror:\n    use-sigstore-attachments: true\n"
                    );
                    let text = if scope == format!("{host}/mirror") {
                        text.replacen(
                            &format!("  {host}/mirror:\n    use-sigstore-attachments: true\n"),
                            "",
                            1,
                        )
                    } else {
                        text
                    };
                    for reference in [format!("{repository}:v1"), format!("{repository}@{image}")] {
                        let cell = Cell::new(format!("{name} {root} {identity:?} {scope}"), &made, reference);
                        let registries = [("sigstore-registries.yaml".to_owned(), text.clone())].into();
                        cells.push(Cell {
                            registries,
                            source: mirrored,
                            manifest: Some(manifest.to_string()),
                            ..cell
                        });
                    }
                }
            }
        }
    }
    cells.extend(together(content, &key, &other));
    cells.extend(image_config(content));
    cells
}

/// Several objects: the same scope twice, a narrower scope, an ImagePolicy inside and outside a ClusterImagePolicy.
fn together(content: &mut Content, key: &KeyPair, other: &KeyPair) -> Vec<Cell> {
    let host = content.host().to_owned();
    let repository = "together/team/app";
    let image = content.image(repository, Some("v1"), "amd64");
    let layer = Layer::signed(key, payload(&format!("{host}/{repository}:v1"), &image));
    content.attach(repository, &image, &[layer]);
    let root = |key: &KeyPair| {
        let data = BASE64.encode(key.public_key_pem());
        (
            json!({"rootOfTrust": {"policyType": "PublicKey", "publicKey": {"keyData": data}}}),
            json!({"type": "sigstoreSigned", "keyData": data}),
        )
    };
    let ((good, good_made), (bad, bad_made)) = (root(key), root(other));
    let wide = format!("{host}/together");
    let narrow = format!("{host}/together/team");
    let cases = [
        (
            "twice",
            vec![
                object("ClusterImagePolicy", "a", std::slice::from_ref(&wide), &good),
                object("ClusterImagePolicy", "b", std::slice::from_ref(&wide), &bad),
            ],
            vec![(wide.clone(), vec![good_made.clone(), bad_made.clone()])],
        ),
        (
            "narrower",
            vec![
                object("ClusterImagePolicy", "a", std::slice::from_ref(&wide), &bad),
                object("ClusterImagePolicy", "b", std::slice::from_ref(&narrow), &good),
            ],
            vec![(wide.clone(), vec![bad_made.clone()]), (narrow.clone(), vec![good_made.clone()])],
        ),
        (
            "namespaced inside",
            vec![
                object("ClusterImagePolicy", "a", std::slice::from_ref(&wide), &good),
                object("ImagePolicy", "b", std::slice::from_ref(&narrow), &bad),
            ],
            vec![(wide.clone(), vec![good_made.clone()])],
        ),
        (
            "namespaced alone",
            vec![object("ImagePolicy", "b", std::slice::from_ref(&narrow), &bad)],
            vec![(narrow.clone(), vec![bad_made.clone()])],
        ),
        (
            "namespaced around",
            vec![
                object("ClusterImagePolicy", "a", std::slice::from_ref(&narrow), &good),
                object("ImagePolicy", "b", std::slice::from_ref(&wide), &bad),
            ],
            vec![(narrow, vec![good_made]), (wide, vec![bad_made])],
        ),
    ];
    cases
        .into_iter()
        .map(|(name, objects, made)| {
            let texts: Vec<_> = objects.iter().map(Value::to_string).collect();
            let cell = Cell::new(name, &rendered(&made), format!("{repository}:v1"));
            Cell { manifest: Some(format!("---\n{}\n", texts.join("\n---\n"))), ..cell }
        })
        .collect()
}

/// The lists of `image.config`, with the policy.json and the registries.conf that are made of them.
fn image_config(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    let host = content.host().to_owned();
    let source = "quay.example/acme";
    let image = content.image("lists/own", Some("v1"), "amd64");
    let own = Layer::signed(&key, payload(&format!("{source}/own:v1"), &image));
    content.attach("lists/own", &image, &[own]);
    content.image("lists/other", Some("v1"), "amd64");
    let scope = format!("{source}/own");
    let data = BASE64.encode(key.public_key_pem());
    let requirement = json!({"type": "sigstoreSigned", "keyData": data});
    let policy = json!({"rootOfTrust": {"policyType": "PublicKey", "publicKey": {"keyData": data}}});
    let manifest = object("ClusterImagePolicy", "own", std::slice::from_ref(&scope), &policy).to_string();
    let (accept, reject) = (json!([{"type": "insecureAcceptAnything"}]), json!([{"type": "reject"}]));
    let lists = [
        (
            "allowed",
            json!({"allowedRegistries": ["quay.example"]}),
            &reject,
            vec![("quay.example", &accept)],
            None,
        ),
        ("own alone allowed", json!({"allowedRegistries": [scope]}), &reject, vec![], None),
        (
            "domain allowed",
            json!({"allowedRegistries": ["*.example"]}),
            &reject,
            vec![("*.example", &accept)],
            None,
        ),
        (
            "other blocked",
            json!({"blockedRegistries": ["quay.example/acme/other"]}),
            &accept,
            vec![("quay.example/acme/other", &reject)],
            None,
        ),
        (
            "mirror blocked",
            json!({"blockedRegistries": [host]}),
            &accept,
            vec![(host.as_str(), &reject)],
            Some(host.clone()),
        ),
        (
            "mirror allowed",
            json!({"allowedRegistries": [host, "quay.example/acme/own"]}),
            &reject,
            vec![(host.as_str(), &accept)],
            None,
        ),
    ];
    let mut cells = Vec::new();
    for (name, sources, default, scopes, blocked) in lists {
        let mut docker: serde_json::Map<String, Value> =
            scopes.into_iter().map(|(scope, list)| (scope.to_owned(), list.clone())).collect();
        docker.insert(scope.clone(), json!([requirement]));
        let rendered = json!({"default": default, "transports": {"docker": docker}});
        for image in ["own", "other"] {
            let mut cell = Cell::new(format!("{name}: {image}"), &rendered, format!("lists/{image}:v1"));
            cell.source = Some(("lists", source));
            cell.manifest = Some(manifest.clone());
            let config = json!({"apiVersion": "config.openshift.io/v1", "kind": "Image", "metadata": {"name": "cluster"},
                                "spec": {"registrySources": sources}});
            cell.image_config = Some(config.to_string());
            cell.blocked.clone_from(&blocked);
            cells.push(cell);
        }
    }
    cells
}
