//! What keypack writes for other programs in addition to keys/: decisions and texts, without I/O.

mod admission;
mod asked;
mod bridge;
mod cosign;
mod keys;
mod kyverno;
mod machine_config;
mod names;
mod object_names;
mod openshift;
mod places;
mod policy_controller;
mod policy_json;
mod registries_d;
mod remaining;
mod requirement;
mod signature_copies;
mod talos;
mod tree;
mod trusted_root;

pub(crate) use admission::{AdmissionFiles, AdmissionInput};
pub(crate) use bridge::{BridgeObject, bridge, bridge_files, with_bridge};
pub(crate) use cosign::{CosignFiles, CosignInput, cosign};
pub(crate) use keys::ExportKeys;
pub use kyverno::KyvernoKind;
pub(crate) use kyverno::{KyvernoInput, Tuf, kyverno};
pub(crate) use machine_config::{butane, machine_config};
pub(crate) use names::Mirrored;
pub(crate) use object_names::ObjectNames;
pub(crate) use openshift::{Objects, ObjectsInput, objects};
pub(crate) use policy_controller::policy_controller;
pub use policy_json::{Others, PulledBy};
pub(crate) use policy_json::{PolicyFiles, PolicyInput, policy_json};
pub(crate) use registries_d::{Asked, Attachments, RegistriesD, full_name, is_ours, scopes};
pub(crate) use signature_copies::{Repository, SignatureCopies, SignatureCopy, Uncopied, Way, is_fix};
pub(crate) use talos::talos;
pub use tree::Manifest;
pub(crate) use tree::{About, CheckedAgainst, ExportTree, MANIFEST, PackOf};
pub use trusted_root::TrustedRootForm;
pub(crate) use trusted_root::{TrustedRootFiles, TrustedRootInput, trusted_root};

/// As Go writes bytes in JSON and YAML.
fn encoded(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

#[cfg(test)]
mod tests;
