//! keypack finds the public keys that the signatures of mirrored container images need, proves that they fit, packs
//! them as an OCI artifact, and lays them down, authenticated, on the disconnected side.
//!
//! # As a library
//!
//! [`ops`] has one function for each verb: a plain request and a [`Context`](ops::Context) in, an outcome or a
//! [`Diagnostic`](diag::Diagnostic) out. What they found is in [`outcome`], and its JSON by a schema in
//! `schemas/`. [`events`] is what is reported on the way. Nothing prints or reads the clock, and of the environment only the
//! HTTP client reads the variables that name a proxy: all else is an argument.
//!
//! ```no_run
//! use keypack::ops::{self, Context, Env, Sources, discover::Request};
//!
//! # fn main() -> Result<(), keypack::diag::Diagnostic> {
//! let sources = Sources { places: vec!["oci:mirror".into()], ..Sources::default() };
//! let context = Context::new(jiff::Timestamp::now(), Env::from_vars(|name| std::env::var_os(name), None));
//! let report = ops::discover(&Request { sources, draft_rules: None }, &context)?.report;
//! println!("{} of {} images are signed", report.counts.signed, report.counts.images);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/` has three programs: one discovers the keys of a layout, one judges a bundle, one pulls a pack. Times are
//! `jiff`'s. All other modules are private; the feature `internals` shows them to the tests of this repository, without
//! any promise.
//!
//! # One picture
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
//! A `pack::Draft` is whole and consistent and may be pushed. A `pack::Pack` is what an anchor authenticated: it
//! comes out of `pack::authenticate`, or `state` recognises it. `trust` decides about every signature, once for
//! collecting and for verifying.
//!
//! The binary is `cli` around [`ops`].
//!
//! # Layers
//!
//! A module uses modules of a smaller number only; `signature` and `trust` never use `content`.
//! `tests/it/architecture.rs` reads the `use` lines and fails with the file and the rule.
//!
//! | level | modules |
//! |---|---|
//! | 7 | `cli`: arguments, help, terminal output, exit codes; it never uses `trust`, `pack`, `state` or `resolve` |
//! | 6 | [`ops`]: one function per verb, a request and a context in, an outcome out |
//! | 5 | [`outcome`], `export`: files for other programs, `write`, `state`, `config`: what people write in YAML, pure |
//! | 4 | `pack`: the inventory, the files of keys/, the artifact, anchors |
//! | 3 | `discover`, `resolve`, `keysource`, `policy`: the organisation's rules (on `discover` and `resolve`), pure |
//! | 2 | `trust`: every decision, no I/O |
//! | 1 | `signature`, `registry`: the client of registries, `content`: where content lives (on `registry`) |
//! | 0 | `address`: what may be kept of one, `oci`, `key`, `tree`, `limits`, `display`: values as people read them, `fs`: files, directories, locks, [`events`]: what is reported while it runs, `text`: encodings of named files, `yaml`: YAML with the place of each value, `http`: the HTTP client, `workers`: threads |
//!
//! `config` is below [`ops`] and not beside `cli`: requests hold the choices that it reads (what to include, what is
//! revoked). `policy` is beside `discover` and below `pack`: a pack carries rules, and a draft of rules is what a discovery
//! saw.
//!
//! A place is an arrangement over a namespace: `content::Layout` and `content::Storage` each read a
//! `content::DirFiles` or a `content::TarFiles`, which is indexed by its headers and never extracted; `dir:` trees
//! and registries are places of their own.
//!
//! # Laws
//!
//! 1. Trust is a type: parsers return `Untrusted…`; `Verified` and `Pack` are made in one place each.
//! 2. Decisions are arithmetic: what they need is an argument. (The verifying crate reads the clock for one check: a log
//!    entry from the future.)
//! 3. Absent, unreachable and bad are three shapes: `Ok(None)`, `Err`, a refusal.
//! 4. A key found inside content is a claim. It explains a need and never meets it. Two keys for one id are a conflict.
//! 5. Every read is bounded and checked; the unchecked read is not public.
//! 6. A rule exists once.
//! 7. An error is two sentences, what is true and what to do, with a stable code.
//! 8. Output appears whole or not at all.
//! 9. The danger is in the name: `--…-unsafe`.
//!
//! All disk and network access is marked: `grep -rn 'allow(clippy::disallowed\|clippy::disallowed_types' src` is its
//! map.

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
mod export;
mod text;
mod workers;
mod yaml;

// What the tests, benchmarks and fuzz targets of keypack see as well.
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
