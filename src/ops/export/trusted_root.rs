//! sigstore's trusted root and what holds one.

use super::{Given, Made, OpenShift, options::check_name};
use crate::{
    diag::{Code, Diagnostic},
    export::{TrustedRootForm, TrustedRootInput, trusted_root},
};

/// The files.
pub(super) fn make(form: TrustedRootForm, given: &Given<'_>) -> Result<Made, Diagnostic> {
    let OpenShift { name, namespace, .. } = &given.request.openshift;
    let name = name.as_deref().unwrap_or("keypack");
    check_name(name)?;
    namespace.as_deref().map_or(Ok(()), check_name)?;
    let Some(json) = given.keys.trusted_root(&|_| true) else {
        let what = "a trusted root holds logs, CAs and timestamp authorities, and the pack has none";
        return Err(Diagnostic::new(Code::TrustedRootUnusable, what)
            .hinting("signers by key alone need no trusted root: give the consumer their keys"));
    };
    let input = TrustedRootInput { form, keys: given.keys, json, name, namespace: namespace.as_deref() };
    Ok(Made::TrustedRoot(trusted_root(&input)?))
}
