//! The headings of the help. Each argument names its own: one for a whole group would also take what stands behind it.

/// What every command takes.
pub(in crate::cli) const GENERAL: &str = "General options";
/// Where keys come from.
pub(in crate::cli) const KEYS: &str = "Sources of keys";
/// What authenticates a pack.
pub(in crate::cli) const ANCHORS: &str =
    "Anchors: what reached you by another way than the pack (all that are given must hold)";
/// What this host remembers, and what is held against it.
pub(in crate::cli) const STATE: &str = "State options";
/// How registries are spoken to.
pub(in crate::cli) const REGISTRY: &str = "Registry options";
