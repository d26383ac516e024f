//! Keys that were given for one purpose and that signatures need for another. They are not used: a signature that names
//! a key as its log does not make it a log's key.

use std::collections::BTreeSet;

use crate::{
    diag::{Code, Diagnostic},
    key::{Candidate, Grade, Key, KeyRef, Provenance, Role},
    keysource::{Gathered, Unusable},
    resolve::{Answer, Resolution},
    signature::Need,
};

/// Reports them, instead of reporting that they are unused.
pub(super) fn report(gathered: &mut Gathered, resolution: &mut Resolution) {
    let needs = resolution.answers.iter().flat_map(|answers| &answers.needs);
    let missing: BTreeSet<&Need> = needs
        .filter(|(need, answer)| {
            matches!(answer, Answer::Missing { .. }) && !matches!(need, Need::Signer { fingerprint: None })
        })
        .map(|(need, _)| need)
        .collect();
    let mut found: BTreeSet<(Provenance, Role, Role, bool)> = BTreeSet::new();
    for candidate in gathered.candidates.iter().filter(|c| c.provenance.grade == Grade::File) {
        for need in missing.iter().filter(|need| would_meet(candidate, need)) {
            let signer = KeyRef { role: Role::Signer, id: candidate.key.material.id() };
            let signs = candidate.key.role == Role::Signer && resolution.keys.contains_key(&signer);
            found.insert((candidate.provenance.clone(), candidate.key.role, need.role(), signs));
        }
    }
    for (provenance, given, needed, signs) in found {
        let (is, other) = (given.title(), needed.title());
        let reason = if signs {
            format!("signatures here name it both as their {is} and as their {other}: that proves nothing")
        } else {
            format!(
                "it is given as a {is} ({given}), but signatures here need it as a {other}; if the operator confirms \
                 that, give it with --key {needed}=FILE"
            )
        };
        resolution.unused.retain(|unused| *unused != provenance);
        gathered.unusable.push(Unusable {
            source: provenance.source,
            entry: None,
            problem: Diagnostic::new(Code::KeyRole, reason),
            claims: None,
        });
    }
}

/// Whether the key would satisfy the need in the needed role.
fn would_meet(candidate: &Candidate, need: &Need) -> bool {
    let Candidate { key: Key { role, material, url, .. }, .. } = candidate;
    let as_needed = || Key::new(need.role(), material.clone()).map(|key| key.at(url.clone()));
    *role != need.role() && as_needed().is_ok_and(|key| need.fits(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Material, PublicKey, parse_key_file};

    const PEM: &str = include_str!("../../testdata/lab/trust/cosign.pub");

    fn candidate(role: Role, grade: Grade) -> Candidate {
        let key = parse_key_file(PEM.as_bytes()).unwrap().material.remove(0);
        let sha256 = crate::oci::Digest::of(PEM.as_bytes());
        let provenance = Provenance { grade, source: "vendor.pub".into(), sha256, date: None };
        Candidate::new(role, key, provenance).unwrap()
    }

    /// The report on this key if its log id is missing and, with `signs`, it is a proved signer.
    fn reported(candidate: &Candidate, signs: bool) -> Vec<String> {
        let Material::Key(key) = &candidate.key.material else { panic!() };
        let log_id = PublicKey::fingerprint(key);
        let answers = vec![(Need::Rekor { log_id }, Answer::Missing { claim: None })];
        let mut resolution = Resolution {
            answers: vec![crate::resolve::Answers { needs: answers, ..Default::default() }],
            unused: vec![candidate.provenance.clone()],
            ..Resolution::default()
        };
        if signs {
            let (key, provenance) = (candidate.key.clone(), vec![candidate.provenance.clone()]);
            let resolved = crate::resolve::ResolvedKey { key, provenance, proofs: 1 };
            resolution.keys.insert(candidate.key.key_ref(), resolved);
        }
        let mut gathered = Gathered { candidates: vec![candidate.clone()], ..Gathered::default() };
        report(&mut gathered, &mut resolution);
        assert_eq!(resolution.unused.len(), 1 - gathered.unusable.len());
        gathered.unusable.into_iter().map(|unusable| unusable.problem.message).collect()
    }

    #[test]
    fn a_signer_who_is_named_as_his_own_log_is_not_recommended_as_one() {
        let given = candidate(Role::Signer, Grade::File);
        let [reason] = reported(&given, false).try_into().unwrap();
        assert!(reason.contains("--key rekor=FILE"), "{reason}");
        let [reason] = reported(&given, true).try_into().unwrap();
        assert!(reason.contains("proves nothing") && !reason.contains("--key"), "{reason}");
    }

    #[test]
    fn keys_in_their_role_and_keys_that_nobody_named() {
        assert_eq!(reported(&candidate(Role::Signer, Grade::Builtin), false), [""; 0]);
        assert_eq!(reported(&candidate(Role::CtLog, Grade::File), false).len(), 1);
        assert_eq!(reported(&candidate(Role::Rekor, Grade::File), false), [""; 0]);
    }
}
