//! What `export` writes, and what reads it.

use crate::export::TrustedRootForm;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// policy.json with registries.d.
    PolicyJson,
    /// registries.d alone.
    RegistriesD,
    /// The files of policy.json in a MachineConfig, for the nodes of a pool.
    MachineConfig,
    /// The same as a Butane config, for Fedora CoreOS.
    Butane,
    /// ClusterImagePolicies of OpenShift.
    ClusterImagePolicy,
    /// ImagePolicies of OpenShift, for one namespace.
    ImagePolicy,
    /// Policies of Kyverno.
    Kyverno,
    /// ClusterImagePolicies of policy-controller.
    PolicyController,
    /// ImageVerificationConfig of Talos.
    Talos,
    /// sigstore's trusted root.
    TrustedRoot(TrustedRootForm),
    /// Command lines of cosign.
    Cosign,
}

/// What reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// containers/image.
    PolicyJson,
    /// The operators of OpenShift.
    OpenShift,
    /// Sigstore clients, of any version: what it holds is keys, and no policy.
    Sigstore,
    /// cosign.
    Cosign,
    /// What decides about pods, or pulls for them, by rules of its own: the consumer of this name.
    Admission(&'static str),
}

impl Format {
    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyJson => "policy-json",
            Self::RegistriesD => "registries-d",
            Self::MachineConfig => "machine-config",
            Self::Butane => "butane",
            Self::ClusterImagePolicy => "cluster-image-policy",
            Self::ImagePolicy => "image-policy",
            Self::Kyverno => "kyverno",
            Self::PolicyController => "policy-controller",
            Self::Talos => "talos",
            Self::Cosign => "cosign",
            Self::TrustedRoot(TrustedRootForm::Plain) => "trusted-root",
            Self::TrustedRoot(TrustedRootForm::Kyverno) => "trusted-root-kyverno",
            Self::TrustedRoot(TrustedRootForm::PolicyController) => "trusted-root-policy-controller",
            Self::TrustedRoot(TrustedRootForm::Flux) => "trusted-root-flux",
            Self::TrustedRoot(TrustedRootForm::Rhacs) => "trusted-root-rhacs",
        }
    }

    pub(super) const fn readers(self) -> Readers {
        match self {
            Self::PolicyJson | Self::RegistriesD | Self::MachineConfig | Self::Butane => Readers::PolicyJson,
            Self::ClusterImagePolicy | Self::ImagePolicy => Readers::OpenShift,
            Self::TrustedRoot(_) => Readers::Sigstore,
            Self::Cosign => Readers::Cosign,
            Self::Kyverno | Self::PolicyController | Self::Talos => Readers::Admission(self.as_str()),
        }
    }

    /// Whether it is one object that the user may name.
    pub(super) const fn has_a_name(self) -> bool {
        matches!(self, Self::TrustedRoot(TrustedRootForm::PolicyController | TrustedRootForm::Flux))
    }

    pub(super) const fn has_a_namespace(self) -> bool {
        matches!(self, Self::TrustedRoot(TrustedRootForm::Flux))
    }

    /// Whether keypack can tell what it would do to the images of a mirror; the reason, if not.
    pub(super) const fn is_checkable(self) -> Result<(), &'static str> {
        match self.readers() {
            Readers::PolicyJson | Readers::OpenShift => Ok(()),
            Readers::Cosign => Err("keypack evaluates no policy of cosign"),
            Readers::Admission(_) => Err("keypack evaluates policies of containers/image alone"),
            Readers::Sigstore => Err("a trusted root holds keys and decides nothing about images"),
        }
    }
}
