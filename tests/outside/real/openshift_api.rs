//! The admission cases of openshift/api for ClusterImagePolicy and ImagePolicy: what its API server takes and refuses, keypack takes
//! and refuses. keypack evaluates the CRD's schema and its CEL rules with code of its own
//! (`src/policy/consumer/openshift/manifest.rs`), so that no rule is only assumed.

use keypack::policy::consumer::openshift::render;
use serde::Deserialize;

use super::{Case, place::fixture};

pub const CASES: &[Case] = &[("every_admission_case_ends_alike", every_admission_case_ends_alike)];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    tests: Tests,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tests {
    on_create: Vec<OnCreate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnCreate {
    name: String,
    initial: String,
    expected_error: Option<String>,
}

fn every_admission_case_ends_alike() {
    let (mut count, mut wrong) = (0, Vec::new());
    for kind in ["", "imagepolicies-"] {
        for gate in ["SigstoreImageVerification", "SigstoreImageVerificationPKI"] {
            let path = fixture(&format!("openshift-api/{kind}{gate}.yaml"));
            let file: File = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            for case in file.tests.on_create {
                count += 1;
                let own = render(&case.initial).map(|_| ()).map_err(|e| e.to_string());
                if own.is_err() != case.expected_error.is_some() {
                    wrong.push(format!(
                        "{kind}{gate}: {}: {:?}, keypack {own:?}",
                        case.name, case.expected_error
                    ));
                }
            }
        }
    }
    assert_eq!(count, 60);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
