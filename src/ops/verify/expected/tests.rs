use std::sync::{Arc, atomic::AtomicBool};

use super::*;
use crate::{
    key::{NameKind, SubjectName},
    oci::Digest,
    ops::verify::names::Namer,
    policy::mapping::NameMap,
};

fn key(role: Role, name: &str) -> KeyRef {
    KeyRef { role, id: Digest::of(name.as_bytes()) }
}

/// A signature with a certificate of the Fulcio `ca`, in the Rekor `log`.
fn keyless(kind: NameKind) -> Good {
    Good {
        keys: vec![key(Role::Fulcio, "ca"), key(Role::Rekor, "log")],
        names: vec![SubjectName { kind, name: "me@example.com".into() }],
        issuer: Some("https://issuer.test".into()),
    }
}

fn identity(ca: KeyRef, kind: Option<IdentityKind>, issuer: Option<&str>) -> Signer {
    Signer::Identity {
        authorities: vec![ca],
        subject: crate::pack::Pattern::Exact("me@example.com".into()),
        kind,
        issuer: issuer.map(|issuer| crate::pack::Pattern::Exact(issuer.into())),
    }
}

fn rule(scope: &str, signer: Signer, log: Log) -> Rule {
    Rule { scope: scope.parse().unwrap(), signers: vec![signer], log, signed_identity: None }
}

/// The code that a good signature is refused with, for the image r.io/app.
fn refused(rules: Vec<Rule>, good: Good) -> Option<Code> {
    let expected = Expected::new(rules, None).unwrap();
    let (given, found) = (NameMap::default(), NameMap::default());
    let namer = Namer { given, found, sources: expected.hosts(), was_used: AtomicBool::new(false) };
    let names = namer.names("docker://r.io", "team/app", &["v1".to_owned()], Digest::of(b"image"));
    let good = Arc::new(good);
    let judged =
        Judged { result: Ok(Arc::clone(&good)), time: None, claim: None, reference: None, predicate: None };
    expected.demand(&names).counts(&good, &judged, &names).err().map(|e| e.code)
}

#[test]
fn each_part_of_an_identity_counts() {
    let none = || Log::Word(LogWord::None);
    let ca = key(Role::Fulcio, "ca");
    let issuer = Some("https://issuer.test");
    let with = |signer, kind| refused(vec![rule("r.io", signer, none())], keyless(kind));
    let unexpected = Some(Code::SignerUnexpected);
    assert_eq!(with(identity(ca, None, issuer), NameKind::Email), None);
    assert_eq!(with(identity(ca, Some(IdentityKind::Email), issuer), NameKind::Email), None);
    assert_eq!(with(identity(ca, Some(IdentityKind::Email), issuer), NameKind::Uri), unexpected, "kind");
    assert_eq!(with(identity(key(Role::Fulcio, "other"), None, issuer), NameKind::Email), unexpected, "CA");
    assert_eq!(with(identity(ca, None, Some("https://other.test")), NameKind::Email), unexpected, "issuer");
    // Without an issuer a private CA is meant, which writes none.
    assert_eq!(with(identity(ca, None, None), NameKind::Email), unexpected, "no issuer");
    let pki = key(Role::Pki, "ca");
    let by_pki = Good { keys: vec![pki], issuer: None, ..keyless(NameKind::Email) };
    assert_eq!(refused(vec![rule("r.io", identity(pki, None, None), none())], by_pki.clone()), None);
    assert_eq!(refused(vec![rule("r.io", identity(pki, None, issuer), none())], by_pki), unexpected);
    let subject = Signer::Identity {
        authorities: vec![ca],
        subject: crate::pack::Pattern::Regexp("me@example".into()),
        kind: None,
        issuer: Some(crate::pack::Pattern::Exact("https://issuer.test".into())),
    };
    assert_eq!(with(subject, NameKind::Email), unexpected, "an expression matches the whole name");
}

#[test]
fn a_key_is_the_one_that_is_named_and_the_log_too() {
    let signer = key(Role::Signer, "signer");
    let good = |logs: &[KeyRef]| Good { keys: [&[signer], logs].concat(), names: Vec::new(), issuer: None };
    let log = key(Role::Rekor, "log");
    let with =
        |named, asked, logs: &[KeyRef]| refused(vec![rule("r.io", Signer::Key(named), asked)], good(logs));
    assert_eq!(with(signer, Log::Word(LogWord::None), &[]), None);
    let other = key(Role::Signer, "other");
    assert_eq!(with(other, Log::Word(LogWord::None), &[]), Some(Code::SignerUnexpected));
    assert_eq!(with(signer, Log::Word(LogWord::Required), &[]), Some(Code::NotLogged));
    assert_eq!(with(signer, Log::Word(LogWord::Required), &[log]), None);
    assert_eq!(with(signer, Log::Keys(vec![log]), &[log]), None);
    assert_eq!(with(signer, Log::Keys(vec![key(Role::Rekor, "b")]), &[log]), Some(Code::NotLogged));
    // A trusted root does not say which version a log has.
    assert_eq!(with(signer, Log::Keys(vec![log]), &[key(Role::Rekor2, "log")]), None);
    assert_eq!(with(signer, Log::Keys(vec![key(Role::Rekor2, "log")]), &[log]), Some(Code::NotLogged));
}

#[test]
fn of_several_rules_the_most_specific_one_decides() {
    let (own, other) = (key(Role::Signer, "own"), key(Role::Signer, "other"));
    let by = |key| Good { keys: vec![key], names: Vec::new(), issuer: None };
    let rules = || {
        vec![
            rule("r.io", Signer::Key(other), Log::Word(LogWord::None)),
            rule("r.io/team/app", Signer::Key(own), Log::Word(LogWord::None)),
            rule("r.io/team", Signer::Key(other), Log::Word(LogWord::None)),
        ]
    };
    assert_eq!(refused(rules(), by(own)), None);
    assert_eq!(refused(rules(), by(other)), Some(Code::SignerUnexpected));
    // Outside of every rule the pack's own signers count, and certificates do not.
    let elsewhere = || vec![rule("q.io/other", Signer::Key(other), Log::Word(LogWord::None))];
    assert_eq!(refused(elsewhere(), by(own)), None);
    assert_eq!(refused(elsewhere(), keyless(NameKind::Email)), Some(Code::SignerWithoutRule));
}
