//! The verbs, as functions that a program can call: each takes a plain request and a [`Context`] and returns an
//! outcome.
//!
//! A request names things as the user does (locations, files, digests), and reading them is a part of the operation.
//! During an operation, messages are sent to [`crate::events::Events`]; the final result is the outcome. Nothing here
//! prints, reads the clock, or accesses the environment: the [`Context`] contains the time and the variables. The
//! terminal output is up to `cli`.

pub mod collect;
mod context;
pub mod diff;
pub mod discover;
mod discover_and_resolve;
mod ends;
pub mod export;
mod failure;
mod fetch;
mod images;
pub mod inspect;
mod kept;
mod key_named;
mod key_sources;
mod log;
mod mappings;
mod misplaced;
mod net;
mod not_carried;
mod oc_mirror;
mod own_file;
mod place;
pub mod pull;
pub mod push;
mod redhat;
pub(crate) mod registries_d;
pub mod revoke;
mod revoked_here;
mod sources;
mod spec;
pub mod state;
mod state_dir;
mod tuf;
pub mod verify;
pub mod verify_blob;

pub use collect::collect;
pub use context::{Caller, Context, Env};
pub use diff::diff;
pub use discover::discover;
pub use export::export;
pub use failure::Failure;
pub use inspect::inspect;
pub use key_sources::KeySources;
pub use net::Net;
pub use pull::pull;
pub use push::push;
pub(crate) use registries_d::registries_d;
pub use revoke::revoke;
pub use sources::Sources;
pub use spec::{AnchorSpec, Exceptions, Lifetime, Rules, TufRoot};
pub(crate) use spec::{parse_duration, parse_lineage, parse_span, parse_time};
pub use verify::verify;
pub use verify_blob::verify_blob;
