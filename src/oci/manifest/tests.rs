use super::*;

fn parse(text: &str) -> Result<Document, ManifestError> {
    Document::parse(&Blob::new(text.as_bytes().to_vec()))
}

const D: &str = r#"{"mediaType":"m","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;

#[test]
fn a_document_that_is_two_things_is_refused() {
    let both = format!(r#"{{"schemaVersion":2,"config":{D},"layers":[],"manifests":[]}}"#);
    assert_eq!(parse(&both).unwrap_err().code(), Code::ManifestAmbiguous);
    let says = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{D},"layers":[]}}"#
    );
    assert_eq!(parse(&says).unwrap_err().code(), Code::ManifestAmbiguous);
}

#[test]
fn bytes_that_are_no_text_are_refused_in_what_is_not_read_too() {
    let text = format!(r#"{{"schemaVersion":2,"x":"?","config":{D},"layers":[]}}"#);
    let mut bytes = text.into_bytes();
    assert!(Document::parse(&Blob::new(bytes.clone())).is_ok());
    let at = bytes.iter().position(|b| *b == b'?').unwrap();
    bytes[at] = 0xff;
    assert_eq!(Document::parse(&Blob::new(bytes)).unwrap_err().code(), Code::ManifestMalformed);
}

#[test]
fn deep_json_and_other_shapes_are_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        parse(&format!(r#"{{"schemaVersion":2,"x":{deep}}}"#)).unwrap_err().code().as_str(),
        "manifest-malformed"
    );
    assert_eq!(parse("[]").unwrap_err().code(), Code::ManifestMalformed);
    assert_eq!(parse(r#"{"schemaVersion":1,"fsLayers":[]}"#).unwrap_err().code(), Code::ManifestSchema1);
}

#[test]
fn an_odd_descriptor_is_a_fault_of_the_manifest_but_of_a_list_only_that_of_one_entry() {
    let sha512 = format!(r#"{{"mediaType":"m","digest":"sha512:{}","size":1}}"#, "a".repeat(128));
    for (odd, code) in [
        (sha512.as_str(), Code::DigestUnsupported),
        (r#"{"mediaType":"m","digest":"md5:00","size":1}"#, Code::DigestUnsupported),
        (r#"{"mediaType":"m","digest":"sha256:00","size":1}"#, Code::ManifestMalformed),
        (r#"{"mediaType":"m","size":1}"#, Code::ManifestMalformed),
        (r#"{"digest":1,"size":-1}"#, Code::ManifestMalformed),
        ("null", Code::ManifestMalformed),
    ] {
        let manifest = format!(r#"{{"schemaVersion":2,"config":{D},"layers":[{odd}]}}"#);
        assert_eq!(parse(&manifest).unwrap_err().code(), code, "{odd}");
        let list = parse(&format!(r#"{{"schemaVersion":2,"manifests":[{odd},{D},{odd}]}}"#)).unwrap();
        let Document::Index(list) = list else { panic!("{list:?}") };
        let codes: Vec<_> = list.unreadable.iter().map(ManifestError::code).collect();
        assert_eq!((list.manifests.len(), codes), (1, vec![code, code]), "{odd}");
    }
}

#[test]
fn what_is_told_of_odd_entries_has_an_end() {
    let entries = vec!["1"; 10_000].join(",");
    let list = parse(&format!(r#"{{"schemaVersion":2,"manifests":[{entries},{D}]}}"#)).unwrap();
    let Document::Index(list) = list else { panic!("{list:?}") };
    assert_eq!((list.manifests.len(), list.unreadable.len()), (1, limits::UNREADABLE_ENTRIES));
}
