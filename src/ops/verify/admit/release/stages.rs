//! The stages at which a cluster checks the images of a mirror, and what each would do.

use std::collections::BTreeSet;

use super::{Release, Releases};
use crate::{
    diag::{Code, Diagnostic},
    outcome::admission::{MissingImage, PullReport, Stage, StageReport},
    policy::consumer::Verdict,
};

/// Every stage, in the order in which a cluster comes to them.
pub(super) fn stages(
    releases: &Releases,
    images: &[PullReport],
    missing: &[MissingImage],
) -> Vec<StageReport> {
    let mut all = vec![
        never(
            Stage::InstallMedia,
            "install media and discovery ISOs carry a policy of their own, which is not in the mirror",
            "take /etc/containers/policy.json and registries.d from the medium, and judge by them: --policy FILE --registries-d DIR",
        ),
        never(
            Stage::Bootstrap,
            "reports differ on whether the bootstrap node enforces the policy",
            Code::StageNotJudged.hint(),
        ),
    ];
    all.extend(releases.verified.iter().map(|release| first_boot(release, images, missing)));
    all.push(running(images));
    all.extend(releases.verified.iter().map(update_gate));
    all.extend(releases.rejected.iter().map(|rejected| StageReport {
        stage: Stage::UpdateGate,
        release: rejected.version.clone(),
        verdict: Verdict::Refused,
        code: Some(rejected.why.code),
        cause: rejected.why.message.clone(),
        hint: Some(rejected.why.hint.to_string()),
    }));
    all.push(never(
        Stage::HostCryptoPolicy,
        "a host's crypto policy may refuse what containers/image accepts, such as short RSA keys",
        Code::StageNotJudged.hint(),
    ));
    all
}

fn never(stage: Stage, cause: &str, hint: &'static str) -> StageReport {
    StageReport {
        stage,
        release: None,
        verdict: Verdict::NotJudged,
        code: Some(Code::StageNotJudged),
        cause: cause.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

/// What a node pulls before it is one: podman of the boot image pulls the machine-config-operator
/// (`machine-config-daemon-pull.service`), which pulls the operating system.
fn is_pulled_first(name: &str) -> bool {
    name == "machine-config-operator"
        || ["rhel-coreos", "stream-coreos", "machine-os-content"].iter().any(|os| name.starts_with(os))
            && !name.ends_with("-extensions")
}

fn first_boot(release: &Release, images: &[PullReport], missing: &[MissingImage]) -> StageReport {
    let version = release.payload.version();
    let at = |verdict, code: Option<Code>, cause: String, hint: Option<String>| StageReport {
        stage: Stage::FirstBoot,
        release: Some(version.to_owned()),
        verdict,
        code,
        cause,
        hint,
    };
    let first: Vec<_> =
        release.payload.references.images.iter().filter(|image| is_pulled_first(&image.name)).collect();
    let is_first = |name: &str| first.iter().any(|image| image.name == name);
    let absent: Vec<_> =
        missing.iter().filter(|image| image.release == version && is_first(&image.name)).collect();
    if let [absent, ..] = absent.as_slice() {
        let cause = format!("{} is not in the mirror, and the first boot would hang", absent.name);
        return at(Verdict::Refused, Some(absent.problem.code), cause, Some(absent.problem.hint.to_string()));
    }
    let digests: BTreeSet<_> = first.iter().map(|image| image.digest).collect();
    let pulled = images.iter().filter(|pull| pull.digest.is_some_and(|digest| digests.contains(&digest)));
    let seen: BTreeSet<_> = images.iter().filter_map(|pull| pull.digest).collect();
    let Some(worst) = pulled.max_by_key(|pull| pull.verdict).filter(|_| digests.is_subset(&seen)) else {
        let what =
            "the machine-config-operator and the operating system are not among the images that were judged";
        let cause = Diagnostic::new(Code::StageNotJudged, what).hinting("judge the whole mirror");
        return at(Verdict::NotJudged, Some(cause.code), cause.message, Some(cause.hint.into_owned()));
    };
    let names: Vec<_> = first.iter().map(|image| image.name.as_str()).collect();
    let (verdict, cause) = match worst.verdict {
        Verdict::Outside => (Verdict::Admitted, "the policy asks for no signature of".to_owned()),
        Verdict::Admitted | Verdict::AdmittedUnverified => (worst.verdict, "podman would pull".to_owned()),
        other => (other, worst.cause.clone().unwrap_or_default() + ":"),
    };
    at(
        verdict,
        worst.code.filter(|_| verdict >= Verdict::NotJudged),
        format!("{cause} {}", names.join(", ")),
        None,
    )
}

/// What CRI-O would do: the worst of all pulls in scope.
fn running(images: &[PullReport]) -> StageReport {
    let count = |verdict| images.iter().filter(|image| image.verdict == verdict).count();
    let worst = images.iter().map(|image| image.verdict).max().unwrap_or(Verdict::NotJudged);
    let (refused, open, outside) =
        (count(Verdict::Refused), count(Verdict::NotJudged), count(Verdict::Outside));
    let in_scope = images.len() - outside;
    let (verdict, cause) = match worst {
        Verdict::Refused => (worst, format!("CRI-O would refuse {refused} of {in_scope} pulls in scope")),
        Verdict::NotJudged => (worst, format!("{open} of {in_scope} pulls in scope could not be judged")),
        Verdict::Outside => (Verdict::Admitted, "the policy asks CRI-O for no signature".to_owned()),
        admitted => (admitted, format!("CRI-O would admit all {in_scope} pulls in scope")),
    };
    StageReport { stage: Stage::RunningCluster, release: None, verdict, code: None, cause, hint: None }
}

/// What the cluster version operator would do about an update to this release: it wants the GPG signature, and finds it
/// in a config map or, with a network, at Red Hat's addresses.
fn update_gate(release: &Release) -> StageReport {
    let by = &release.by;
    let (cause, hint) = match &by.configmap {
        Some(map) => {
            (format!("the GPG signature verifies with {}", by.key), format!("before the update: oc apply -f {map}"))
        }
        None => (
            format!("the GPG signature verifies with {}; signature-configmap.yaml is not written yet", by.key),
            "disk-to-mirror writes it; before the update: oc apply -f working-dir/cluster-resources/signature-configmap.yaml"
                .to_owned(),
        ),
    };
    StageReport {
        stage: Stage::UpdateGate,
        release: Some(release.payload.version().to_owned()),
        verdict: Verdict::Admitted,
        code: None,
        cause,
        hint: Some(hint),
    }
}
