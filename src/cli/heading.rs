//! The headings of the help. Each argument names its own: one for a whole group would also apply to the arguments after
//! it.

/// What every command takes.
pub(super) const GENERAL: &str = "General options";
/// Where keys come from.
pub(super) const KEYS: &str = "Sources of keys";
/// What authenticates a pack.
pub(super) const ANCHORS: &str = "Anchors: what reached you out of band (all that are given must hold)";
/// What this host remembers, and what a pack is compared with.
pub(super) const STATE: &str = "State options";
/// How registries are spoken to.
pub(super) const REGISTRY: &str = "Registry options";
/// Who should have signed, and what is required of signatures.
pub(super) const SIGNERS: &str = "What is expected of signatures";
/// What is exported.
pub(super) const EXPORT: &str = "What is exported";
/// What it is checked against before it is written.
pub(super) const CHECK: &str = "What it is checked against";
/// How a change of keys is rolled out.
pub(super) const PLAN: &str = "The change of keys at a consumer";
/// What is written about a result.
pub(super) const REPORT: &str = "The report";
/// What a consumer's policy says.
pub(super) const POLICY: &str = "The policy of a consumer";
