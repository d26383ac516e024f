//! policy.json as a document: what its consumer loads, and what makes every pull fail.

use serde_json::json;

use super::{Cell, content::Content};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    content.image("documents/app", Some("v1"), "amd64");
    let with = |requirement: &str| {
        format!(
            r#"{{"default":[{{"type":"insecureAcceptAnything"}}],"transports":{{"docker":{{"other.example":[{requirement}]}}}}}}"#
        )
    };
    let scope = |transport: &str, scope: &str| {
        json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {transport: {scope: [{"type": "reject"}]}}}).to_string()
    };
    let identity = |identity: &str| {
        with(&format!(r#"{{"type":"sigstoreSigned","keyPath":"/x","signedIdentity":{identity}}}"#))
    };
    let mut texts: Vec<String> = [
        "", "{}", "[]", "null", "{", "not json", "{\"default\":[]}", "{\"default\":null}",
        r#"{"default":[{"type":"insecureAcceptAnything"}]}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}]} "#,
        r#"{"default":[{"type":"insecureAcceptAnything"}]}x"#,
        "\u{feff}{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}",
        r#"{"Default":[{"type":"insecureAcceptAnything"}]}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"more":1}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"default":[{"type":"insecureAcceptAnything"}]}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":null}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":null}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{}}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"x":[]}}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"x":null}}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"unheard-of":{"x y":[{"type":"reject"}]}}}"#,
        r#"{"default":[{"type":"insecureAcceptAnything","more":1}]}"#,
        r#"{"default":[{"Type":"insecureAcceptAnything"}]}"#,
        r#"{"default":[{"type":"insecureacceptanything"}]}"#,
        r#"{"default":[{"type":"insecureAcceptAnything","type":"insecureAcceptAnything"}]}"#,
        r#"{"default":[null]}"#, r#"{"default":["x"]}"#, r#"{"default":{"type":"reject"}}"#,
        r#"{"default":[{"type":"reject"}],"transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]}}}"#,
    ]
    .map(str::to_owned)
    .into();
    texts.extend([
        r#"{"type":"unheardOf"}"#,
        r#"{"type":"signedBaseLayer"}"#,
        r#"{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys"}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x"}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":""}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyPaths":[]}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyPaths":null}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyData":""}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyDatas":["AAAA"]}"#,
        r#"{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x","keyData":null}"#,
        r#"{"type":"signedBy","keyType":"X509Certificates","keyPath":"/x"}"#,
        r#"{"type":"signedBy","keyType":"unheardOf","keyPath":"/x"}"#,
        r#"{"type":"signedBy","keyPath":"/x"}"#,
        r#"{"type":"signedBy","keyType":null,"keyPath":"/x"}"#,
        r#"{"type":"sigstoreSigned"}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x"}"#,
        r#"{"type":"sigstoreSigned","keyPath":1}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x","keyData":"AAAA"}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x","keyData":null}"#,
        r#"{"type":"sigstoreSigned","keyData":"!"}"#,
        r#"{"type":"sigstoreSigned","keyData":"AAA"}"#,
        r#"{"type":"sigstoreSigned","keyPaths":[]}"#,
        r#"{"type":"sigstoreSigned","keyPaths":null,"keyPath":"/x"}"#,
        r#"{"type":"sigstoreSigned","keyPaths":["/x",null]}"#,
        r#"{"type":"sigstoreSigned","keyPaths":"/x"}"#,
        r#"{"type":"sigstoreSigned","keyDatas":[]}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x","rekorPublicKeyPath":"/y","rekorPublicKeyData":"AAAA"}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x","rekorPublicKeyPaths":[]}"#,
        r#"{"type":"sigstoreSigned","keyPath":"/x","more":1}"#,
        r#"{"type":"sigstoreSigned","fulcio":null,"keyPath":"/x"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":"e"}}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":""}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","caData":"AAAA","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","subjectEmail":"e"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":""},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":"e","subjectURI":"u"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"/x","subjectEmail":"e"}}"#,
        r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"/x"}}"#,
        r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"/x","subjectEmail":"e"},"rekorPublicKeyPath":"/y"}"#,
        r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"/x","caRootsData":"AAAA","subjectEmail":"e"}}"#,
        r#"{"type":"sigstoreSigned","pki":{"caRootsPath":"/x","caIntermediatesPath":"/y","caIntermediatesData":"AAAA","subjectEmail":"e"}}"#,
    ].map(with));
    texts.extend(
        [
            "null",
            "1",
            "{}",
            r#"{"type":"unheardOf"}"#,
            r#"{"type":"matchExact"}"#,
            r#"{"type":"matchExact","more":1}"#,
            r#"{"type":"exactReference"}"#,
            r#"{"type":"exactReference","dockerReference":"busybox"}"#,
            r#"{"type":"exactReference","dockerReference":"busybox:1"}"#,
            r#"{"type":"exactReference","dockerReference":"BUSY:1"}"#,
            r#"{"type":"exactRepository","dockerRepository":""}"#,
            r#"{"type":"exactRepository","dockerRepository":"a.example/b:1"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example","signedPrefix":"b.example/c"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example/","signedPrefix":"b.example"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example","signedPrefix":"b.example/"}"#,
            r#"{"type":"remapIdentity","prefix":"","signedPrefix":"b.example"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example:5000/x","signedPrefix":"b.example:1/y"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example/X","signedPrefix":"b"}"#,
            r#"{"type":"remapIdentity","prefix":"a.example"}"#,
            r#"{"type":"matchRepository"}"#,
            r#"{"type":"matchRepoDigestOrExact"}"#,
        ]
        .map(identity),
    );
    texts.extend(
        [
            ("dir", "/x"),
            ("dir", "x"),
            ("dir", "/"),
            ("dir", "/x/"),
            ("dir", "/x/../y"),
            ("oci", "/x"),
            ("oci", "/x:tag"),
            ("oci", "x"),
            ("oci-archive", "/x"),
            ("docker-archive", "x"),
            ("docker-archive", "/x"),
            ("tarball", "/x"),
            ("docker-daemon", "x"),
            ("docker-daemon", "sha256:0000000000000000000000000000000000000000000000000000000000000000"),
            ("atomic", "host/ns"),
            ("atomic", "host/ns/stream:tag"),
            ("atomic", "host/ns/a/b"),
            ("atomic", "host:1"),
            ("sif", "/x"),
            ("sif", "x"),
            ("ostree", "anything"),
            ("containers-storage", "[/x]"),
            ("containers-storage", "[overlay@/x]a:b"),
            ("containers-storage", "x"),
            ("containers-storage", "[x]"),
            ("docker", "/"),
            ("docker", " "),
        ]
        .map(|(transport, text)| scope(transport, text)),
    );
    let cell = |(number, policy): (usize, String)| Cell {
        policy,
        ..Cell::new(format!("document {number}"), &json!(null), "documents/app:v1")
    };
    texts.into_iter().enumerate().map(cell).collect()
}
