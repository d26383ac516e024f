use super::*;
use std::sync::Arc;

use crate::discover::{At, Doubt, FoundSignature, Home, Place, Via};

const PLACE: &str = "docker://r.test";

fn problem() -> Diagnostic {
    Diagnostic::new(Code::RateLimited, "429")
}

fn image(repository: &str, tag: &str, forms: &[Form]) -> Image {
    Image {
        home: Arc::new(Home { place: PLACE.into(), repository: repository.into() }),
        tags: [tag.into()].into(),
        digest: Digest::of(format!("{repository}:{tag}").as_bytes()),
        kind: Kind::Image,
        instance_of: None,
        signatures: forms
            .iter()
            .map(|form| FoundSignature {
                via: Via::Tag,
                at: At::File("x".into()),
                form: *form,
                content: Err(Box::new(problem())),
            })
            .collect(),
        others: [].into(),
        problems: [].into(),
        doubt: None,
    }
}

/// The one repository that is asked for, and whether its section is on.
fn decided(references: &[&str], images: Vec<Image>, problems: Vec<Diagnostic>) -> (Repository, bool) {
    let asked = BTreeMap::from([("a/b".into(), references.iter().map(|r| (*r).to_owned()).collect())]);
    let asked = [Asked { place: PLACE.into(), host: "r.test".into(), images: &asked }];
    let places = vec![Place { name: PLACE.into(), read: 1, problems, ..Place::default() }];
    let decision = RegistriesD::decide(&asked, &Discovery { images, places });
    let on = decision.to_yaml().contains("use-sigstore-attachments: true");
    (decision.repositories.into_iter().next().unwrap(), on)
}

#[test]
fn only_a_repository_that_is_known_to_be_unsigned_is_switched_off() {
    use Form::{Attestation, Bundle, SimpleSigning};
    let plain = |tag: &str| image("a/b", tag, &[]);
    let signed = |tag: &str| image("a/b", tag, &[SimpleSigning]);
    assert!(!decided(&["1"], vec![plain("1")], vec![]).1);
    assert!(!decided(&["1", "2"], vec![plain("1"), image("a/b", "2", &[Attestation])], vec![]).1);
    // Signed, signed in part, signed by another form.
    assert!(decided(&["1"], vec![signed("1")], vec![]).1);
    let (mixed, on) = decided(&["1", "2"], vec![signed("1"), plain("2")], vec![]);
    assert!(on);
    assert_eq!((mixed.signed, mixed.unsigned), (vec!["r.test/a/b:1".into()], vec!["r.test/a/b:2".into()]));
    let (bundle, on) = decided(&["1"], vec![image("a/b", "1", &[Bundle])], vec![]);
    assert!(on);
    assert_eq!(bundle.bundles, ["r.test/a/b:1"]);
    // Not read: not there, named and not there, with a problem, unreadable, or among problems of the place.
    let absent = Image { kind: Kind::Absent, ..plain("1") };
    let limited = Image { problems: [problem()].into(), ..plain("1") };
    let unreadable = Image { kind: Kind::Unreadable, ..plain("1") };
    let doubtful = Image { doubt: Some(Doubt::Login), ..plain("1") };
    for images in [vec![], vec![plain("2")], vec![absent], vec![limited], vec![unreadable], vec![doubtful]] {
        let (repository, on) = decided(&["1"], images, vec![]);
        assert!(on);
        assert_eq!((repository.unread, repository.unsigned), (vec!["r.test/a/b:1".into()], vec![]));
    }
    assert!(decided(&["1"], vec![plain("1")], vec![problem()]).1);
    let elsewhere = Diagnostic::new(Code::NameUnknown, "another image");
    assert!(!decided(&["1"], vec![plain("1")], vec![elsewhere]).1);
    // One that was not read keeps a repository on whose others are unsigned.
    assert!(decided(&["1", "2"], vec![plain("1")], vec![]).1);
}

#[test]
fn the_signature_of_an_instance_counts_for_its_list() {
    let list = Image { kind: Kind::Index, ..image("a/b", "1", &[]) };
    let inner = Image {
        kind: Kind::Index,
        instance_of: Some(Box::new(list.digest)),
        tags: [].into(),
        ..image("a/b", "i", &[])
    };
    let instance = Image {
        instance_of: Some(Box::new(inner.digest)),
        tags: [].into(),
        ..image("a/b", "s", &[Form::SimpleSigning])
    };
    let (found, on) = decided(&["1"], vec![list, inner, instance], vec![]);
    assert!(on);
    assert_eq!(found.signed, ["r.test/a/b:1"]);
}

#[test]
fn scopes_are_fully_expanded() {
    assert_eq!(scope("docker.io", "busybox"), "docker.io/library/busybox");
    assert_eq!(scope("index.docker.io", "a/b"), "docker.io/a/b");
    assert_eq!(scope("r.test:5000", "busybox"), "r.test:5000/busybox");
}

#[test]
fn the_scopes_of_other_files_are_read() {
    let text = "default-docker: {lookaside: x}\ndocker:\n  r.test/a:\n    use-sigstore-attachments: true\n  b:5000: {}\n";
    assert_eq!(scopes(text).unwrap(), ["b:5000".to_owned(), "r.test/a".into()].into());
    for none in ["", "# nothing\n", "docker:\n", "default-docker:\n  lookaside: x\n"] {
        assert_eq!(scopes(none), Some(BTreeSet::new()), "{none:?}");
    }
    assert_eq!(scopes("- a\n"), None);
    assert_eq!(scopes("docker: ["), None);
    let (repository, _) = decided(&["1"], vec![image("a/b", "1", &[])], vec![]);
    let ours = RegistriesD { repositories: vec![repository] }.to_yaml();
    assert_eq!(scopes(&ours), Some(["r.test/a/b".to_owned()].into()));
}

#[test]
fn a_file_of_somebody_else_is_not_ours() {
    assert!(is_ours(RegistriesD::default().to_yaml().as_bytes()));
    for other in ["", "docker:\n", "#\n# Written by keypack discover --write-registries-d.\n"] {
        assert!(!is_ours(other.as_bytes()), "{other:?}");
    }
}
