//! What is known of the releases of OpenShift in a mirror, and of the stages at which a cluster checks their images.

use serde::Serialize;

use crate::{
    diag::{Code, Diagnostic},
    oci::Digest,
    policy::consumer::Verdict,
};

/// A release of OpenShift.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseReport {
    /// Its version. Where nothing authenticates it, what its image says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The digest by which it is pulled.
    pub digest: Digest,
    /// The place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The platforms of its instances that are here.
    pub platforms: Vec<String>,
    /// The key that authenticates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// The file with that key's signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// How many images it consists of.
    pub images: usize,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Diagnostic>,
}

/// An image of a release that is not in the mirror, or could not be looked up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingImage {
    /// The version of the release.
    pub release: String,
    /// What it is called in the release.
    pub name: String,
    /// By which name it is pulled.
    pub image: String,
    /// What is wrong.
    pub problem: Diagnostic,
}

/// A stage at which a cluster checks images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// ISOs for installing.
    InstallMedia,
    /// The node that installs the others.
    Bootstrap,
    /// podman of the boot image.
    FirstBoot,
    /// CRI-O.
    RunningCluster,
    /// The cluster version operator.
    UpdateGate,
    /// What a host's libraries may refuse on top.
    HostCryptoPolicy,
}

impl Stage {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstallMedia => "install media",
            Self::Bootstrap => "bootstrap",
            Self::FirstBoot => "first boot",
            Self::RunningCluster => "running cluster (CRI-O)",
            Self::UpdateGate => "update gate (CVO)",
            Self::HostCryptoPolicy => "crypto policy of hosts",
        }
    }
}

/// What happens at a stage. One that keypack never judges does not change the exit code.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageReport {
    /// The stage.
    pub stage: Stage,
    /// The release that it is about, where each has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// What would happen there.
    pub verdict: Verdict,
    /// Why it is not admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The same for people.
    pub cause: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
