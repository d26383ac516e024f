//! The policy that each release of OpenShift brings, as data. What counts is that of the mirror's own release: these are copies.

use super::{PolicyFault, Rendered, render};
use crate::oci::Digest;

/// A release with the policy that it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Major and minor version.
    pub version: &'static str,
    /// The commit of openshift/cluster-update-keys that this was read from.
    pub source: &'static str,
    scopes: &'static [&'static str],
}

impl Builtin {
    /// sha256 of the object.
    pub fn digest(&self) -> Digest {
        Digest::of(text(self.version).unwrap_or_default().as_bytes())
    }
}

const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
const CONTENT: &[&str] = &[
    RELEASE,
    "quay.io/openshift-release-dev/ocp-v4.0-art-dev",
    "quay.io/openshift-release-dev/ocp-v5.0-art-dev",
];

/// Up to 4.20 the policy is a technology preview and off by default. The branches from 4.22 on are one commit.
const RELEASES: &[Builtin] = &[
    Builtin { version: "4.21", source: "release-4.21 b3cae8f22b51", scopes: &[RELEASE] },
    Builtin { version: "4.22", source: "release-4.22 3b5c59cc6461", scopes: CONTENT },
    Builtin { version: "4.23", source: "release-4.23 3b5c59cc6461", scopes: CONTENT },
    Builtin { version: "5.0", source: "release-5.0 3b5c59cc6461", scopes: CONTENT },
    Builtin { version: "5.1", source: "release-5.1 3b5c59cc6461", scopes: CONTENT },
];

fn of_release(version: &str) -> Option<&'static Builtin> {
    RELEASES.iter().find(|known| {
        version.strip_prefix(known.version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The object of a release.
pub(super) fn text(version: &str) -> Option<String> {
    let scopes = serde_json::to_string(of_release(version)?.scopes).ok()?;
    Some(include_str!("openshift.yaml").replace("SCOPES\n", &format!("{scopes}\n")))
}

/// The policy of a release: `4.22`, or a patch of it, `4.22.7`.
pub fn builtin(version: &str) -> Result<(Builtin, Rendered), PolicyFault> {
    let known = of_release(version).ok_or_else(|| {
        let all: Vec<_> = RELEASES.iter().map(|release| release.version).collect();
        PolicyFault(format!(
            "no policy of OpenShift {version:?} is built in, only those of {}. Before 4.21, clusters require no signatures by default",
            all.join(", ")
        ))
    })?;
    Ok((*known, render(&text(version).unwrap_or_default())?))
}
