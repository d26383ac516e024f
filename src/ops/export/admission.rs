//! Objects for admission controllers, and what is like them. keypack can't evaluate these, so that nothing is checked.

use std::path::{Path, PathBuf};

use super::{
    Format, Given, KyvernoKind, Made,
    options::check_name,
    policy_json::{not_expressible, nothing_in_scope},
};
use crate::{
    diag::Diagnostic,
    export::{AdmissionInput, KyvernoInput, Tuf, kyverno, policy_controller, talos},
    fs::{self, FsError},
    limits,
};

/// What only these have.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// Whether what does not meet its rule is refused, and not only reported.
    pub enforce: bool,
    /// The kind of Kyverno's objects; a ClusterPolicy if there is none.
    pub kind: Option<KyvernoKind>,
    /// Whether a ClusterPolicy is for bundles rather than signatures at tags.
    pub bundles: bool,
    /// The address of a TUF repository that Kyverno can reach.
    pub tuf_mirror: Option<String>,
    /// A file with the root of that repository; Kyverno has Sigstore's.
    pub tuf_mirror_root: Option<PathBuf>,
}

impl Admission {
    /// Refuses what means nothing in this format.
    pub(super) fn refuse(&self, format: Format) -> Result<(), Diagnostic> {
        let Self { enforce, kind, bundles, tuf_mirror, tuf_mirror_root } = self;
        let is_kyverno = format == Format::Kyverno;
        let is_validating = is_kyverno && *kind == Some(KyvernoKind::ImageValidatingPolicy);
        let refuse = |what: &'static str, hint: &'static str| Err(Diagnostic::usage(what, hint));
        if *enforce && !is_kyverno && format != Format::PolicyController {
            return refuse(
                "--enforce is about Kyverno and policy-controller, which can also only report",
                "leave it out: everything else is enforced anyway",
            );
        }
        if (kind.is_some() || *bundles) && !is_kyverno {
            return refuse("--kind and --bundles are about Kyverno", "leave them out");
        }
        if *bundles && is_validating {
            return refuse(
                "--bundles is about a ClusterPolicy",
                "leave it out: an ImageValidatingPolicy finds bundles by itself",
            );
        }
        if tuf_mirror.is_some() && !is_validating {
            return refuse(
                "--tuf-mirror is about an ImageValidatingPolicy",
                "leave it out, or add --kind image-validating-policy: a ClusterPolicy takes its keys from the policy",
            );
        }
        if tuf_mirror_root.is_some() && tuf_mirror.is_none() {
            return refuse(
                "--tuf-mirror-root is the root of a --tuf-mirror",
                "name the repository too: --tuf-mirror URL",
            );
        }
        match tuf_mirror {
            Some(url)
                if !url
                    .parse::<url::Url>()
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) =>
            {
                Err(Diagnostic::usage(
                    format!("--tuf-mirror {url:?} is not an address"),
                    "write one such as https://tuf.example",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// The objects.
pub(super) fn make(given: &Given<'_>) -> Result<Made, Diagnostic> {
    let request = given.request;
    let Admission { enforce, kind, bundles, tuf_mirror, tuf_mirror_root } = &request.admission;
    let name = request.openshift.name.as_deref().unwrap_or("keypack");
    check_name(name)?;
    let [target] = given.targets else {
        return Err(Diagnostic::usage(
            "the objects for several versions may differ",
            "name one version: --for kyverno@1.19",
        ));
    };
    let input = AdmissionInput {
        rules: given.rules,
        keys: given.keys,
        target,
        name,
        enforce: *enforce,
        pulled_by: request.pulled_by,
        names: given.names,
    };
    let made = match request.format {
        Format::Talos => talos(&input),
        Format::PolicyController => policy_controller(&input),
        _ => {
            let root = tuf_mirror_root.as_deref().map(root).transpose()?;
            let tuf = tuf_mirror.as_deref().map(|mirror| Tuf { mirror, root: root.as_deref() });
            let kind = kind.unwrap_or_default();
            kyverno(&KyvernoInput { admission: input, kind, bundles: *bundles, tuf })
        }
    };
    let made = made.map_err(|refused| not_expressible(&refused))?;
    if made.is_empty() { Err(nothing_in_scope()) } else { Ok(Made::Admission(made)) }
}

fn root(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let read = fs::open(path).and_then(|file| fs::read(file, limits::TUF_ROOT));
    read.map_err(|e| FsError::read(e, path))?.ok_or_else(|| {
        Diagnostic::usage(
            format!("{} is too large for the root of a TUF repository", path.display()),
            "name its root.json",
        )
    })
}
