//! Policies of Kyverno, of either kind. Fields and their meaning: kyverno/kyverno v1.13.0 to v1.19.0, the files named below.

mod cluster_policy;
mod image_validating;

use super::{
    admission::{AdmissionFiles, AdmissionInput, mirrors_note, names_note},
    trusted_root::NO_ADDRESS,
};
use crate::diag::{Code, Diagnostic};

/// Which kind of object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KyvernoKind {
    /// ClusterPolicy with verifyImages.
    #[default]
    ClusterPolicy,
    /// ImageValidatingPolicy.
    ImageValidatingPolicy,
}

/// What only Kyverno is asked.
pub(crate) struct KyvernoInput<'a> {
    pub(crate) admission: AdmissionInput<'a>,
    pub(crate) kind: KyvernoKind,
    /// Whether signatures are bundles rather than tags.
    pub(crate) bundles: bool,
    /// A TUF repository that Kyverno can reach, with the root that is trusted, if it is not Sigstore's.
    pub(crate) tuf: Option<Tuf<'a>>,
}

/// A TUF repository.
#[derive(Clone, Copy)]
pub(crate) struct Tuf<'a> {
    pub(crate) mirror: &'a str,
    pub(crate) root: Option<&'a [u8]>,
}

/// How long the API server waits for Kyverno, which asks a registry several times: the most that it takes.
const SECONDS: u32 = 30;

/// Makes the objects, or says for every rule why Kyverno can't be asked for it.
pub(crate) fn kyverno(input: &KyvernoInput<'_>) -> Result<AdmissionFiles, Vec<Diagnostic>> {
    let (made, notes) = match input.kind {
        KyvernoKind::ClusterPolicy => {
            AdmissionFiles::of_each(&input.admission, &|one| cluster_policy::text(one, input))?
        }
        KyvernoKind::ImageValidatingPolicy => {
            AdmissionFiles::of_each(&input.admission, &|one| image_validating::text(one, input))?
        }
    };
    let mut files = AdmissionFiles {
        head: head(input.admission.enforce).to_owned(),
        texts: made.into_iter().map(|(name, text)| (format!("{name}.yaml"), text)).collect(),
        how: how(input.kind),
        notes,
    };
    files.notes.extend(mirrors_note("Kyverno", input.admission.pulled_by));
    files.notes.push(names_note("Kyverno"));
    if input.kind == KyvernoKind::ImageValidatingPolicy && input.tuf.is_some() {
        let what = "Kyverno 1.19 asks the TUF repository before it looks at trustedRoot: while it can't be reached, or its timestamp has expired, no image verifies";
        files.notes.push(Diagnostic::new(Code::ConsumerDiffers, what));
    }
    Ok(files)
}

const fn head(enforce: bool) -> &'static str {
    if enforce {
        "Enforced: pods whose images don't meet their rule are refused, also while Kyverno or the registry can't be reached."
    } else {
        "Audit: it reports, and stops nothing."
    }
}

fn how(kind: KyvernoKind) -> String {
    let (resource, switch) = match kind {
        KyvernoKind::ClusterPolicy => ("clusterpolicy", "failureAction: Enforce"),
        KyvernoKind::ImageValidatingPolicy => ("imagevalidatingpolicy", "validationActions: [Deny]"),
    };
    format!(
        "Apply:    kubectl apply -f FILE -f FILE…\n\
         Watch:    kubectl get {resource}; kubectl get policyreport,clusterpolicyreport -A, for some days\n\
         Enforce:  export again with --enforce, which writes {switch}\n\
         Go back:  kubectl delete -f FILE; pods that run are never stopped\n\n\
         Images that no rule is about run unverified. Pods in the namespace of Kyverno itself, and what its resourceFilters leave out, are not looked at.\n"
    )
}
