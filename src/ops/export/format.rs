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
}

/// What reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// containers/image.
    PolicyJson,
    /// The operators of OpenShift.
    OpenShift,
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
        }
    }

    pub(super) const fn readers(self) -> Readers {
        match self {
            Self::PolicyJson | Self::RegistriesD | Self::MachineConfig | Self::Butane => Readers::PolicyJson,
            Self::ClusterImagePolicy | Self::ImagePolicy => Readers::OpenShift,
        }
    }
}
