//! registries.d: which section decides, field by field, and what makes every pull fail.

use rcgen::KeyPair;
use serde_json::json;

use super::{
    Cell,
    content::{Content, Layer, payload},
    everything,
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    content.file("folders.pub", key.public_key_pem());
    let repository = "acme/folders/app";
    let image = content.image(repository, Some("v1"), "amd64");
    let layer = Layer::signed(&key, payload(&format!("{}/{repository}", content.host()), &image));
    content.attach(repository, &image, &[layer]);
    let policy = everything(json!({
        "type": "sigstoreSigned", "keyPath": "{dir}/folders.pub",
        "signedIdentity": {"type": "exactRepository", "dockerRepository": format!("{}/{repository}", content.host())},
    }));
    let anything = json!({"default": [{"type": "insecureAcceptAnything"}]});
    let on = "use-sigstore-attachments: true";
    let folders: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![("a.yaml", "".into())],
        vec![("a.yaml", "# nothing\n".into())],
        vec![("a.yaml", "---\n".into())],
        vec![("a.yaml", format!("default-docker:\n  {on}\n"))],
        vec![("a.yml", format!("default-docker:\n  {on}\n"))],
        vec![("a.conf", "docker: [".into())],
        vec![("a.yaml", format!("docker:\n  {{host}}:\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  {{host}}/acme:\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  {{host}}/acme/folders/app:v1:\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  {{host}}/acme/folders/app:v2:\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  \"*.0.0.1\":\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  127.0.0.1:\n    {on}\n"))],
        vec![("a.yaml", format!("docker:\n  quay.example:\n    {on}\n"))],
        vec![(
            "a.yaml",
            format!(
                "docker:\n  {{host}}:\n    {on}\n  {{host}}/acme:\n    use-sigstore-attachments: false\n"
            ),
        )],
        vec![(
            "a.yaml",
            format!("docker:\n  {{host}}:\n    {on}\n  {{host}}/acme:\n    lookaside: file:///nowhere\n"),
        )],
        vec![("a.yaml", format!("docker:\n  {{host}}:\n    {on}\n  {{host}}/acme: {{}}\n"))],
        vec![("a.yaml", format!("docker:\n  {{host}}:\n    {on}\n  {{host}}/acme:\n"))],
        vec![(
            "a.yaml",
            format!("default-docker:\n  {on}\ndocker:\n  {{host}}:\n    use-sigstore-attachments: no\n"),
        )],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: yes\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: on\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: Yes\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: True\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: \"true\"\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: 1\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments:\n".into())],
        vec![("a.yaml", "default-docker:\n  use-sigstore-attachments: null\n".into())],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  unheard-of: 1\nmore: [1]\n"))],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  {on}\n"))],
        vec![
            ("a.yaml", format!("default-docker:\n  {on}\n")),
            ("b.yaml", format!("default-docker:\n  {on}\n")),
        ],
        vec![
            ("a.yaml", format!("docker:\n  {{host}}:\n    {on}\n")),
            ("b.yaml", "docker:\n  {host}:\n    lookaside: file:///x\n".into()),
        ],
        vec![
            ("a.yaml", format!("docker:\n  {{host}}:\n    {on}\n")),
            ("b.yaml", "docker:\n  other.example: {}\n".into()),
        ],
        vec![("a.yaml", "docker: [".into())],
        vec![("a.yaml", "- a\n".into())],
        vec![("a.yaml", "docker:\n- a\n".into())],
        vec![("a.yaml", "text\n".into())],
        vec![("a.yaml", "docker:\n\ta: b\n".into())],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  lookaside: \"ftp://x\"\n"))],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  lookaside: \"\"\n"))],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  lookaside: nowhere\n"))],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  sigstore: file:///nowhere\n"))],
        vec![("a.yaml", format!("default-docker:\n  {on}\n  lookaside: 5\n"))],
        vec![("a.yaml", format!("default-docker: {{{on}}}\n...\n---\nmore: 1\n"))],
        vec![("a.yaml", format!("x: &a\n  {on}\ndefault-docker: *a\n"))],
        vec![("a.yaml", format!("x: &a\n  {on}\ndefault-docker:\n  <<: *a\n"))],
        vec![("a.yaml", format!("Default-Docker:\n  {on}\n"))],
    ];
    let mut cells = Vec::new();
    for (number, files) in folders.into_iter().enumerate() {
        for (how, policy, source) in [
            ("signed", &policy, None),
            ("mirrored", &policy, Some(("acme", "quay.example/acme"))),
            ("anything", &anything, None),
        ] {
            let cell =
                Cell::new(format!("folder {number} {how}: {files:?}"), policy, format!("{repository}:v1"));
            let registries = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
            cells.push(Cell { registries, source, ..cell });
        }
    }
    cells
}
