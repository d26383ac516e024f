//! Which scope decides, for every kind of name.

use serde_json::{Value, json};

use super::{Cell, content::Content};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let image = content.image("acme/team/app", Some("v1"), "amd64");
    let host = content.host().to_owned();
    let port = host.split(':').nth(1).unwrap();
    let scopes: Vec<String> = vec![
        format!("{host}/acme/team/app:v1"),
        format!("{host}/acme/team/app:v2"),
        format!("{host}/acme/team/app@{image}"),
        format!("{host}/acme/team/app"),
        format!("{host}/acme/team/ap"),
        format!("{host}/acme/team"),
        format!("{host}/acme/team/"),
        format!("{host}/acme"),
        format!("{host}/ACME"),
        format!("{host}"),
        format!("{host}/"),
        format!("docker://{host}"),
        "127.0.0.1".into(),
        "127.0.0.1/acme".into(),
        "*.0.0.1".into(),
        format!("*.0.0.1:{port}"),
        "*.0.1".into(),
        "*.1".into(),
        "*.127.0.0.1".into(),
        "*".into(),
        "*.".into(),
        "".into(),
        "quay.example/acme/team/app".into(),
        "quay.example/acme".into(),
        "quay.example".into(),
        "*.example".into(),
        "*.quay.example".into(),
        "quay.example:443".into(),
    ];
    let mut cells = Vec::new();
    for (at, scope) in scopes.iter().enumerate() {
        // One scope that admits in a policy that rejects, and vice versa.
        for (own, default) in [("insecureAcceptAnything", "reject"), ("reject", "insecureAcceptAnything")] {
            let policy =
                json!({"default": [{"type": default}], "transports": {"docker": {scope: [{"type": own}]}}});
            for source in [None, Some(("acme", "quay.example/acme"))] {
                let pulled =
                    if at % 2 == 0 { format!("acme/team/app@{image}") } else { "acme/team/app:v1".into() };
                let other =
                    if at % 2 == 1 { format!("acme/team/app@{image}") } else { "acme/team/app:v1".into() };
                for pulled in [pulled, other] {
                    let cell = Cell::new(format!("{scope} {own} {source:?}"), &policy, pulled);
                    cells.push(Cell { source, ..cell });
                }
            }
        }
    }
    // The most specific one decides, and a wider one adds nothing.
    let nested: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("narrow rejects", vec![("{host}", "insecureAcceptAnything"), ("{host}/acme/team", "reject")]),
        ("narrow accepts", vec![("{host}", "reject"), ("{host}/acme/team", "insecureAcceptAnything")]),
        (
            "tag before repository",
            vec![("{host}/acme/team/app", "reject"), ("{host}/acme/team/app:v1", "insecureAcceptAnything")],
        ),
        ("host before wildcard", vec![("*.0.0.1", "reject"), ("{host}", "insecureAcceptAnything")]),
        ("narrow wildcard", vec![("*.0.1", "reject"), ("*.0.0.1", "insecureAcceptAnything")]),
        ("transport after wildcard", vec![("", "reject"), ("*.1", "insecureAcceptAnything")]),
    ];
    for (name, list) in nested {
        let scopes: serde_json::Map<String, Value> = list
            .into_iter()
            .map(|(scope, kind)| (scope.replace("{host}", &host), json!([{"type": kind}])))
            .collect();
        let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": scopes}});
        cells.push(Cell::new(name, &policy, "acme/team/app:v1"));
    }
    // All requirements must be met.
    for (name, list) in [
        ("and reject", json!([{"type": "insecureAcceptAnything"}, {"type": "reject"}])),
        ("and accept", json!([{"type": "insecureAcceptAnything"}, {"type": "insecureAcceptAnything"}])),
        (
            "and signed",
            json!([{"type": "insecureAcceptAnything"}, {"type": "sigstoreSigned", "keyPath": "{dir}/rekor.pub"}]),
        ),
        ("base layer", json!([{"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}}])),
    ] {
        cells.push(Cell::new(name, &json!({"default": list}), "acme/team/app:v1"));
    }
    cells
}
