//! Which rules a consumer of containers/image can be asked for, and in which version; every other one is refused with the reason.
#![allow(clippy::disallowed_methods, reason = "it reads fixtures")]

use std::path::Path;

use super::{ExportKeys, Others, PolicyFiles, PolicyInput, PulledBy, policy_json, requirement::needed};
use crate::{
    diag::{Code, Diagnostic},
    key::{KeyRef, Role},
    pack::Draft,
    policy::{
        mapping::NameMap,
        rule::{IdentityKind, Log, LogWord, Pattern, Rule, SignedIdentity, Signer},
        target::Target,
    },
    tree::{OutFile, SafeName},
};

/// The keys of `testdata/anchors/newer`: a signer, a Rekor v1 log, a CT log, a Fulcio CA.
fn draft() -> Draft {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/anchors/newer");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        OutFile::new(SafeName::new(&name).unwrap(), std::fs::read(path).unwrap())
    });
    Draft::from_files(files).unwrap()
}

fn key(draft: &Draft, role: Role) -> KeyRef {
    draft.keys().find(|(record, _)| record.role == role).unwrap().0.key_ref()
}

/// A key that the pack names and that is not here: it was revoked on this host.
fn gone(role: Role) -> KeyRef {
    KeyRef { role, id: crate::oci::Digest::of(b"gone") }
}

fn rule(scope: &str, signers: Vec<Signer>, log: Log) -> Rule {
    Rule {
        scope: scope.parse().unwrap(),
        signers,
        log,
        signed_identity: Some(SignedIdentity::MatchRepository {}),
    }
}

fn identity(
    authority: KeyRef,
    subject: Pattern,
    kind: Option<IdentityKind>,
    issuer: Option<Pattern>,
) -> Signer {
    Signer::Identity { authorities: vec![authority], subject, kind, issuer }
}

fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.into())
}

fn export(draft: &Draft, rules: &[Rule], target: &str) -> Result<PolicyFiles, Vec<Diagnostic>> {
    let targets: Vec<Target> = target.split(',').map(|text| text.parse().unwrap()).collect();
    policy_json(&PolicyInput {
        rules,
        keys: &ExportKeys::of(draft),
        targets: &targets,
        others: Others::Reject,
        pulled_by: PulledBy::Source,
        keys_at: None,
        names: &NameMap::default(),
        mirrored: &[],
    })
}

const NONE: Log = Log::Word(LogWord::None);
const REQUIRED: Log = Log::Word(LogWord::Required);

#[test]
fn what_the_library_can_not_be_asked_is_refused() {
    let draft = draft();
    let (signer, rekor, fulcio) =
        (key(&draft, Role::Signer), key(&draft, Role::Rekor), key(&draft, Role::Fulcio));
    let issuer = || Some(exact("https://issuer.test"));
    let uri = || exact("https://ci.test/build.yml@main");
    let mail = || exact("rel@acme.example");
    let cases = [
        (vec![identity(fulcio, uri(), None, issuer())], REQUIRED, "is not an e-mail address"),
        (
            vec![identity(fulcio, uri(), Some(IdentityKind::Uri), issuer())],
            REQUIRED,
            "is not an e-mail address",
        ),
        // A URI may look like an address.
        (
            vec![identity(fulcio, mail(), Some(IdentityKind::Uri), issuer())],
            REQUIRED,
            "is not an e-mail address",
        ),
        (
            vec![identity(fulcio, exact("ci.test/a@main"), None, issuer())],
            REQUIRED,
            "is not an e-mail address",
        ),
        (
            vec![identity(fulcio, Pattern::Regexp(".*@acme.example".into()), None, issuer())],
            REQUIRED,
            "its identity is a regular expression",
        ),
        (
            vec![identity(fulcio, mail(), None, Some(Pattern::Regexp("https://.*".into())))],
            REQUIRED,
            "its oidcIssuer is a regular expression",
        ),
        (vec![identity(fulcio, mail(), None, issuer())], NONE, "with a log entry alone"),
        (
            vec![identity(fulcio, mail(), None, issuer()), identity(fulcio, exact("b@c.d"), None, issuer())],
            REQUIRED,
            "one of several identities",
        ),
        (
            vec![identity(fulcio, mail(), None, issuer()), Signer::Key(signer)],
            REQUIRED,
            "an identity or a key",
        ),
        (
            vec![Signer::Key(signer)],
            Log::Keys(vec![KeyRef { role: Role::Rekor2, id: rekor.id }, gone(Role::Rekor)]),
            "every signer or log was revoked",
        ),
    ];
    for (signers, log, why) in cases {
        let rule = rule("q.io/a", signers, log);
        match needed(&rule, &ExportKeys::of(&draft)) {
            Err(reason) => assert!(reason.contains(why), "{rule}: {reason}"),
            Ok(needed) => assert!(needed.notes.iter().any(|note| note.contains(why)), "{rule}: {needed:?}"),
        }
    }
    assert!(
        needed(
            &rule("q.io/a", vec![identity(fulcio, mail(), None, issuer())], REQUIRED),
            &ExportKeys::of(&draft)
        )
        .is_ok()
    );
}

#[test]
fn a_revoked_signer_is_written_nowhere_and_the_last_one_leaves_nothing_admitted() {
    let draft = draft();
    let signer = key(&draft, Role::Signer);
    let both = rule("q.io/a", vec![Signer::Key(gone(Role::Signer)), Signer::Key(signer)], NONE);
    let alone = rule("q.io/b", vec![Signer::Key(gone(Role::Signer))], NONE);
    let without_log = rule("q.io/c", vec![Signer::Key(signer)], Log::Keys(vec![gone(Role::Rekor)]));
    let made = export(&draft, &[both, alone, without_log], "podman@4.2").unwrap();
    let policy: serde_json::Value = serde_json::from_str(&made.policy).unwrap();
    let docker = &policy["transports"]["docker"];
    assert!(docker["q.io/a"][0]["keyData"].is_string(), "one key is left: {docker}");
    for scope in ["q.io/b", "q.io/c"] {
        assert_eq!(docker[scope], serde_json::json!([{"type": "reject"}]), "{scope}");
    }
    assert_eq!(made.sections.iter().collect::<Vec<_>>(), ["q.io/a"]);
    assert_eq!(
        made.notes.iter().filter(|note| note.code == Code::ConsumerDiffers).count(),
        5,
        "{:?}",
        made.notes
    );
}

#[test]
fn a_version_is_asked_only_for_what_it_knows() {
    let draft = draft();
    let (signer, fulcio) = (key(&draft, Role::Signer), key(&draft, Role::Fulcio));
    let plain = rule("q.io/a", vec![Signer::Key(signer)], NONE);
    let logged = rule("q.io/b", vec![Signer::Key(signer)], REQUIRED);
    let keyless =
        rule("q.io/c", vec![identity(fulcio, exact("a@b.c"), None, Some(exact("https://i.test")))], REQUIRED);
    assert!(export(&draft, std::slice::from_ref(&plain), "podman@4.2").is_ok());
    for (target, refused) in
        [("podman@4.3", 2), ("podman@4.4", 0), ("podman@5.3,podman@4.3", 2), ("rhel@9,crio@1.35", 0)]
    {
        let all = [plain.clone(), logged.clone(), keyless.clone()];
        let found = export(&draft, &all, target).err().unwrap_or_default();
        assert_eq!(found.len(), refused, "{target}: {found:?}");
        assert!(found.iter().all(|refused| refused.message.contains("can't be asked for")), "{found:?}");
    }
}

#[test]
fn a_scope_of_one_tag_is_refused_where_another_way_to_pull_would_ask_for_less() {
    let draft = draft();
    let signer = key(&draft, Role::Signer);
    let tagged = rule("q.io/a/b:v1", vec![Signer::Key(signer)], REQUIRED);
    let wide = rule("q.io/a", vec![Signer::Key(signer)], NONE);
    assert!(export(&draft, std::slice::from_ref(&tagged), "podman@5.3").is_ok(), "else it is rejected");
    let refused = export(&draft, &[tagged, wide], "podman@5.3").unwrap_err();
    assert!(refused[0].message.contains("what q.io/a asks for would do"), "{refused:?}");
}

#[test]
fn sections_of_distributions_are_left_to_their_files() {
    let draft = draft();
    let signer = key(&draft, Role::Signer);
    let rules = ["registry.redhat.io", "registry.redhat.io/ubi9", "registry.access.redhat.com"]
        .map(|scope| rule(scope, vec![Signer::Key(signer)], NONE));
    let made = export(&draft, &rules, "rhel@9").unwrap();
    assert_eq!(made.sections.iter().collect::<Vec<_>>(), ["registry.redhat.io/ubi9"]);
    let notes: Vec<_> = made.notes.iter().map(|note| note.code).collect();
    assert_eq!(notes, [Code::SectionOfDistribution; 2]);
    assert_eq!(made.registries_d("x").lines().count(), 5);
}
