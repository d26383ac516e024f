//! What a consumer of containers/image (podman, CRI-O, skopeo, bootc, rpm-ostree) admits: its policy.json
//! (containers-policy.json(5)) and registries.d (containers-registries.d(5)), read and evaluated as its own code does.
//!
//! Measured against containers/image 5.41 (`podman-container-tools/container-libs` 9869b8f, `image/signature`, `image/docker`);
//! `tests/outside/real/admission.rs` holds every verdict to that of skopeo. Where that code and its manual differ, the code counts.
//! Nothing here does I/O: files that a policy names are handed in as [`Files`].

mod evaluate;
mod evaluator;
mod fields;
mod identity;
mod keys;
mod openpgp;
pub mod openshift;
mod policy;
mod reference;
mod registries_d;
mod requirement;
mod scope;
mod signature;
mod verdict;

pub use evaluate::{Admission, Pulled};
pub use evaluator::Evaluator;
pub use keys::{FileBytes, Files};
pub use policy::{ConsumerPolicy, PolicyFault};
pub use reference::{Form, ImageName};
pub use registries_d::{Lookup, RegistriesD, RegistriesFault};
pub use scope::Matched;
pub use signature::{Found, Unreadable, from_file};
pub use verdict::Verdict;
