//! keypack finds the public keys that the signatures of mirrored container images need, proves that they fit, packs
//! them as an OCI artifact, and installs them, authenticated, on the disconnected side.
//!
//! # As a library
//!
//! [`ops`] has one function per verb: it takes a plain request and a [`Context`](ops::Context) and returns an outcome
//! or a [`Diagnostic`](diag::Diagnostic). The outcomes are in [`outcome`], and their JSON is described in `schemas/`.
//! [`events`] reports progress. Nothing prints or reads the clock, and the only environment variables that are read are
//! the HTTP client's proxy settings: everything else is an argument.
//!
//! ```no_run
//! use keypack::ops::{self, Context, Env, Sources, discover::Request};
//!
//! # fn main() -> Result<(), keypack::diag::Diagnostic> {
//! let sources = Sources { places: vec!["oci:mirror".into()], ..Sources::default() };
//! let context = Context::new(jiff::Timestamp::now(), Env::from_vars(|name| std::env::var_os(name), None));
//! let report = ops::discover(&Request { sources, draft_rules: None, targets: Vec::new() }, &context)?.report;
//! println!("{} of {} images are signed", report.counts.signed, report.counts.images);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/` has three programs: one discovers the keys of a layout, one judges a bundle, one pulls a pack. Times are
//! `jiff`'s. All other modules are private; the feature `internals` exposes them to the tests of this repository,
//! without any stability guarantee.
//!
//! # Overview
//!
//! ```text
//!  connected side: make a pack                                 disconnected side: use it
//!
//!  oci:dir   docker://reg/…   registry storage                 oci-archive:keys.tar   docker://mirror/…
//!         │ content::Location (pure), content::open_source (I/O)          │
//!         ▼                                                               ▼
//!      Source ─────────────┐                                           Source
//!         │ discover       │                                              │ content::fetch_artifact
//!         ▼                │ keysource (I/O)                              ▼ pack::parse
//!  [UntrustedSignature]    │     │ [Candidate]                       UnverifiedPack
//!         │                │     │                                        │ pack::authenticate (anchors, pure)
//!         ▼                ▼     ▼                                        ▼
//!      resolve (pure): needs × candidates, each proved by trust         Pack
//!         ▼                                                               │
//!   Resolution{keys, answers, conflicts}                                  │
//!         ▼                                                               ▼
//!    pack::build (pure) ─► Draft ─► Artifact ─► Sink              write (I/O): keys/, all or nothing
//!                            └────► write (I/O): keys/
//! ```
//!
//! A `pack::Draft` is complete and consistent and may be pushed. A `pack::Pack` was authenticated by an anchor: it is
//! returned by `pack::authenticate`, or recognised by `state`. `trust` makes all decisions about signatures, the same
//! ones for collecting and for verifying.
//!
//! The binary is `cli` around [`ops`].
//!
//! # Layers
//!
//! A module uses only modules on lower levels, or on its own level where the test permits it; `signature` and `trust`
//! never use `content`. `tests/it/architecture.rs` reads the `use` lines and fails with the file and the rule.
//!
//! | level | modules |
//! |---|---|
//! | 7 | `cli`: arguments, help, terminal output, exit codes; it never uses `trust`, `pack`, `state` or `resolve` |
//! | 6 | [`ops`]: one function per verb, from a request and a context to an outcome |
//! | 5 | [`outcome`], `export`: files for other programs, `write`, `state`, `config`: the YAML configuration, pure |
//! | 4 | `pack`: the inventory, the files of keys/, the artifact, anchors |
//! | 3 | `discover`, `resolve`, `keysource`, `policy`: the organisation's rules (on `discover` and `resolve`), pure |
//! | 2 | `trust`: every decision, no I/O |
//! | 1 | `signature`, `registry`: the registry client, `content`: where content is stored (on `registry`) |
//! | 0 | `address`: which parts of an address may be recorded, `oci`, `key`, `tree`, `limits`, `display`: formatting of values, `fs`: files, directories, locks, [`events`]: progress and messages, `text`: encodings of text files, `yaml`: YAML with the position of each value, `http`: the HTTP client, `workers`: threads |
//!
//! `config` is below [`ops`] rather than on the level of `cli`, because requests contain the choices that it reads
//! (which keys to include, which are revoked). `policy` is on the level of `discover` and below `pack`, because a pack
//! contains rules, and a draft of rules is based on a discovery.
//!
//! Each kind of location is a layout of files in a namespace: `content::Layout` and `content::Storage` each read a
//! `content::DirFiles` or a `content::TarFiles`, which is indexed by its headers and never extracted; `dir:` trees and
//! registries are separate kinds.
//!
//! # Principles
//!
//! 1. Trust is a type: parsers return `Untrusted…`; `Verified` and `Pack` are each created in only one place.
//! 2. Decisions are pure functions: everything they need is an argument. (The verifying crate reads the clock for one
//!    check: a log entry from the future.)
//! 3. Absent, unreachable and bad are three different results: `Ok(None)`, `Err`, a refusal.
//! 4. A key found inside content is a claim. It explains a need but never satisfies it. Two keys for one id are a
//!    conflict.
//! 5. Every read is limited and checked; the unchecked read is not public.
//! 6. Each rule is implemented only once.
//! 7. An error consists of a fact, a remedy, and a stable code.
//! 8. Output appears whole or not at all.
//! 9. The danger is in the name: `--…-unsafe`.
//!
//! All disk and network access is marked: `grep -rn 'allow(clippy::disallowed\|clippy::disallowed_types' src` lists it.

#![cfg_attr(
    not(feature = "internals"),
    allow(
        unreachable_pub,
        unused_imports,
        reason = "what is public in a private module is so for this repository's tests"
    )
)]

pub mod diag;
pub mod events;
pub mod ops;
pub mod outcome;

mod address;
mod cli;
mod text;
mod workers;
mod yaml;

// Also public for the tests, benchmarks and fuzz targets of keypack.
#[cfg(feature = "internals")]
pub mod config;
#[cfg(not(feature = "internals"))]
mod config;
#[cfg(feature = "internals")]
pub mod content;
#[cfg(not(feature = "internals"))]
mod content;
#[cfg(feature = "internals")]
pub mod discover;
#[cfg(not(feature = "internals"))]
mod discover;
#[cfg(feature = "internals")]
pub mod display;
#[cfg(not(feature = "internals"))]
mod display;
#[cfg(feature = "internals")]
pub mod export;
#[cfg(not(feature = "internals"))]
mod export;
#[cfg(feature = "internals")]
pub mod fs;
#[cfg(not(feature = "internals"))]
mod fs;
#[cfg(feature = "internals")]
pub mod http;
#[cfg(not(feature = "internals"))]
mod http;
#[cfg(feature = "internals")]
pub mod key;
#[cfg(not(feature = "internals"))]
mod key;
#[cfg(feature = "internals")]
pub mod keysource;
#[cfg(not(feature = "internals"))]
mod keysource;
#[cfg(feature = "internals")]
pub mod limits;
#[cfg(not(feature = "internals"))]
mod limits;
#[cfg(feature = "internals")]
pub mod oci;
#[cfg(not(feature = "internals"))]
mod oci;
#[cfg(feature = "internals")]
pub mod pack;
#[cfg(not(feature = "internals"))]
mod pack;
#[cfg(feature = "internals")]
pub mod policy;
#[cfg(not(feature = "internals"))]
mod policy;
#[cfg(feature = "internals")]
pub mod registry;
#[cfg(not(feature = "internals"))]
mod registry;
#[cfg(feature = "internals")]
pub mod resolve;
#[cfg(not(feature = "internals"))]
mod resolve;
#[cfg(feature = "internals")]
pub mod signature;
#[cfg(not(feature = "internals"))]
mod signature;
#[cfg(feature = "internals")]
pub mod state;
#[cfg(not(feature = "internals"))]
mod state;
#[cfg(feature = "internals")]
pub mod tree;
#[cfg(not(feature = "internals"))]
mod tree;
#[cfg(feature = "internals")]
pub mod trust;
#[cfg(not(feature = "internals"))]
mod trust;
#[cfg(feature = "internals")]
pub mod write;
#[cfg(not(feature = "internals"))]
mod write;

#[doc(hidden)]
pub use cli::main;
pub use config::{IncludeKeys, Revocation, When};
pub use key::{Fingerprint, Grade, KeyRef, Pin, PinRest, Provenance, Role, Validity};
pub use keysource::KeyFile;
pub use oci::Digest;
pub use pack::{Change, KnownKey, Rotation};
pub use signature::{IssuerName, Need};
