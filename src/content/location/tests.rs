use super::*;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn parse(text: &str) -> Result<Location, LocationError> {
    Location::parse(text, |path| ["mirror", "my.dir/keys", "name:tag"].iter().any(|p| path == Path::new(p)))
}

#[test]
fn prints_what_it_reads() {
    for text in [
        "oci:out",
        "oci:/mnt/out:v1",
        "oci:out:quay.io/ns/app:v1",
        &format!("oci:out@{DIGEST}"),
        "oci-archive:keys.tar:v1",
        "dir:tree/r.example/app:v1",
        "oc-mirror:/out",
        "docker://reg:5000/ns/app:v1",
        "docker://reg:5000/ns",
        "docker://reg:5000",
        "mirror",
        "./absent:v1",
        "name:tag",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn the_path_ends_at_the_first_colon() {
    assert_eq!(parse("oci:a:b/c:d"), Ok(Location::Layout("a".into(), Some(Selector::Tag("b/c:d".into())))));
    assert_eq!(parse("oci:out:v1").unwrap().reference().as_deref(), Some("v1"));
    assert_eq!(parse(&format!("oci:a@{DIGEST}")).unwrap().reference().as_deref(), Some(DIGEST));
}

#[test]
fn a_bare_word_is_a_path_or_a_registry_and_never_docker_hub() {
    assert_eq!(parse("mirror"), Ok(Location::Path("mirror".into())));
    assert_eq!(parse("my.dir/keys"), Ok(Location::Path("my.dir/keys".into())));
    assert!(matches!(parse("quay.io/ns/app:v1"), Ok(Location::Registry(_))));
    assert!(matches!(parse("localhost/app"), Ok(Location::Repositories(..))));
    for text in ["mirror.example:5000", "localhost:5000", "registry:443", "[::1]:5000", "registry:5000/"] {
        let all = Location::Repositories(Host::parse(text.trim_end_matches('/')).unwrap(), String::new());
        assert_eq!(parse(text), Ok(all), "{text:?}");
    }
    for text in ["postgres:16", "busybox", "library/busybox", "keys.tar", "mirror:v1", "", ":", "C:\\keys"] {
        assert!(parse(text).is_err(), "{text:?}");
    }
    assert!(parse("mirror:v1").unwrap_err().hint().contains("oci:DIR:TAG"));
}

#[test]
fn no_error_repeats_a_password() {
    for text in ["u:hunter2@q.io/a", "u:hunter2@q.io:5000/a:1", "u:hun/ter2@q.io/a", "u:hunter2@q.io"] {
        for scheme in ["", "docker://", "https://", "http://"] {
            let error = Location::parse(&format!("{scheme}{text}"), |_| false).unwrap_err();
            assert!(!error.to_string().contains("ter2"), "{error}");
        }
    }
    let path = Location::parse("oci-archive:a@b:c d", |_| false).unwrap_err();
    assert!(path.to_string().contains("a@b"), "{path}");
}

#[test]
fn spellings_of_other_tools_get_a_hint() {
    for (text, hint) in [
        ("oci://reg/ns", "docker://HOST"),
        ("ocidir://x", "oci:DIR"),
        ("https://quay.io/ns", "docker://HOST"),
        ("docker:quay.io/ns", "docker://HOST"),
        ("docker://quay.io/UPPER", "docker://HOST"),
        ("docker-archive:x.tar", "oci-archive:FILE"),
        ("oci:", "path after the colon"),
        ("oci:out:", "PATH:TAG"),
        ("oci:out:-v", "PATH:TAG"),
        ("oci:out@sha256:0", "PATH@sha256"),
        (&format!("oci:out:v1@{DIGEST}"), "PATH@sha256"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.hint().contains(hint), "{text}: {error}: {}", error.hint());
    }
}
