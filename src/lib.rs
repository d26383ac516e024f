//! keypack finds the public keys that the signatures of mirrored container images need, proves that they fit, packs
//! them as an OCI artifact, and lays them down, authenticated, on the disconnected side.
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
//! A [`pack::Draft`] is whole and consistent and may be pushed. A [`pack::Pack`] is what an anchor authenticated: it
//! comes out of [`pack::authenticate`], or [`state`] recognises it. [`trust`] decides about every signature, once for
//! collecting and for verifying.
//!
//! A program calls the verbs as functions: [`ops`] has one for each, with a plain request and a context in, and an
//! outcome out. The binary is [`cli`] around them.
//!
//! # Layers
//!
//! A module uses modules of a smaller number only; `signature` and `trust` never use `content`.
//! `tests/it/architecture.rs` reads the `use` lines and fails with the file and the rule.
//!
//! | level | modules |
//! |---|---|
//! | 7 | [`cli`]: arguments, help, terminal output, exit codes; it never uses [`trust`], [`pack`], [`state`] or [`resolve`](mod@resolve) |
//! | 6 | [`ops`]: one function per verb, a request and a context in, an outcome out |
//! | 5 | [`outcome`], [`export`]: files for other programs, [`write`](mod@write), [`state`], [`config`]: what people write in YAML, pure |
//! | 4 | [`pack`]: the inventory, the files of keys/, the artifact, anchors |
//! | 3 | [`discover`], [`resolve`](mod@resolve), [`keysource`], [`policy`]: the organisation's rules (on `discover` and `resolve`), pure |
//! | 2 | [`trust`]: every decision, no I/O |
//! | 1 | [`signature`], [`registry`]: the client of registries, [`content`]: where content lives (on `registry`) |
//! | 0 | [`address`]: what may be kept of one, [`oci`], [`key`], [`tree`], [`limits`], [`display`]: values as people read them, [`fs`]: files, directories, locks, [`events`]: what is reported while it runs, [`text`]: encodings of named files, [`yaml`]: YAML with the place of each value, [`http`]: the HTTP client, [`workers`]: threads |
//!
//! `config` is below [`ops`] and not beside [`cli`]: requests hold the choices that it reads (what to include, what is
//! revoked). `policy` is beside `discover` and below `pack`: a pack carries rules, and a draft of rules is what a discovery
//! saw.
//!
//! A place is an arrangement over a namespace: [`content::Layout`] and [`content::Storage`] each read a
//! [`content::DirFiles`] or a [`content::TarFiles`], which is indexed by its headers and never extracted; `dir:` trees
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

pub mod address;
pub mod cli;
pub mod config;
pub mod content;
pub mod diag;
pub mod discover;
pub mod display;
pub mod events;
pub mod export;
pub mod fs;
pub mod http;
pub mod key;
pub mod keysource;
pub mod limits;
pub mod oci;
pub mod ops;
pub mod outcome;
pub mod pack;
pub mod policy;
pub mod registry;
pub mod resolve;
pub mod signature;
pub mod state;
pub mod text;
pub mod tree;
pub mod trust;
pub mod workers;
pub mod write;
pub mod yaml;
