//! The keys to verify with: those of an authenticated keys/, or of files that the caller vouches for; no built-in keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;

use super::{Request, revoked::RevokedKeys};
use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    key::{Fingerprint, KeyRef},
    ops::{Context, KeySources, Sources, ends::warn_of_ends, oc_mirror},
    outcome::RevokedKey,
    pack::{self, Draft, Inventory, KeyRecord, Pack, PackError, Rule},
    state::{self, RevokedHere},
    trust::KeySet,
};

/// The keys of a run, and their origin.
#[derive(Clone)]
pub(in crate::ops) struct Keys {
    pub(super) set: KeySet,
    /// How many there are.
    pub(super) count: usize,
    /// The same with those that were revoked here.
    pub(super) revoked: Option<RevokedKeys>,
    /// All of them, by name.
    pub(super) named: BTreeMap<KeyRef, NamedKey>,
    /// The pack's rules on who must sign what.
    pub(super) rules: Vec<Rule>,
    pub(super) origin: KeysOrigin,
}

/// A key with its display name.
#[derive(Clone)]
pub(in crate::ops) struct NamedKey {
    pub(super) name: String,
    pub(super) fingerprint: Fingerprint,
}

impl NamedKey {
    pub(super) fn of(record: &KeyRecord) -> Self {
        Self { name: record.file.clone(), fingerprint: record.fingerprint }
    }
}

/// The origin of the keys.
#[derive(Clone)]
pub(in crate::ops) enum KeysOrigin {
    /// An authenticated keys/.
    Directory(UsedPack),
    /// Files named by the caller.
    Files(Vec<String>),
}

/// An authenticated keys/ whose keys are used.
#[derive(Clone)]
pub(in crate::ops) struct UsedPack {
    /// The directory.
    pub(in crate::ops) directory: PathBuf,
    /// The pack.
    pub(in crate::ops) draft: Arc<Draft>,
    /// Descriptions of what authenticated it.
    pub(in crate::ops) by: Vec<String>,
    /// When this host authenticated it, if that is in its state.
    pub(in crate::ops) at: Option<Timestamp>,
    /// The keys that were revoked here.
    pub(in crate::ops) left_out: Vec<RevokedKey>,
}

impl UsedPack {
    pub(in crate::ops) fn of(
        pack: &Pack,
        directory: PathBuf,
        at: Option<Timestamp>,
        left_out: Vec<RevokedKey>,
    ) -> Self {
        let by = pack.evidence().iter().map(ToString::to_string).collect();
        Self { directory, draft: Arc::new(pack.draft().clone()), by, at, left_out }
    }
}

impl Keys {
    /// The pack that they are from.
    pub(super) const fn used(&self) -> Option<&UsedPack> {
        match &self.origin {
            KeysOrigin::Directory(used) => Some(used),
            KeysOrigin::Files(_) => None,
        }
    }

    /// The same where these keys are not revoked, as they were before.
    pub(in crate::ops) fn with_revoked(&self, these: &BTreeSet<KeyRef>) -> Result<Self, Diagnostic> {
        let more = self.revoked.iter().flat_map(|revoked| revoked.keys(these));
        let set = KeySet::new(self.set.all().cloned().chain(more)).map_err(conflict)?;
        Ok(Self { set, revoked: None, ..self.clone() })
    }
}

/// Reads the keys given by the request.
/// The places of a request, as they are opened.
pub(super) fn sources(request: &Request) -> Sources {
    Sources {
        places: request.places.clone(),
        images: request.images.clone(),
        signature_repository: request.signature_repository.clone(),
        keys: KeySources { host_root: None, ..KeySources::default() },
        revoked: Vec::new(),
        cache_dir: request.cache_dir.clone(),
    }
}

pub(super) fn load(request: &Request, locations: &[Location], ctx: &Context) -> Result<Keys, Diagnostic> {
    if request.trusted_roots.is_empty() && request.keys.is_empty() {
        of_directory(request, locations, ctx)
    } else {
        super::files::of_files(request, ctx)
    }
}

fn of_directory(request: &Request, locations: &[Location], ctx: &Context) -> Result<Keys, Diagnostic> {
    let directory = oc_mirror::keys_directory(request.keys_dir.as_deref(), locations);
    let cache = request.cache_dir.as_deref();
    let found = request.authentication.of_directory(&directory, locations, cache, ctx)?;
    check_times(found.pack.draft().inventory(), &found.state, ctx)?;
    warn_of_ends(found.pack.draft(), ctx);
    let mut keys = of_pack(&found.pack, directory, found.known.map(|known| known.at), &found.here)?;
    if let KeysOrigin::Directory(used) = &mut keys.origin {
        used.left_out = found.left_out;
    }
    refuse_none(&keys)?;
    Ok(keys)
}

/// A clock that is behind the pack would refuse every fresh signature and accept expired ones.
pub(in crate::ops) fn check_times(
    inventory: &Inventory,
    state: &state::State,
    ctx: &Context,
) -> Result<(), Diagnostic> {
    pack::not_from_the_future(inventory, ctx.now)?;
    if inventory.created > ctx.now {
        let error =
            format!("this host's clock says {}, but the keys were packed at {}", ctx.now, inventory.created);
        return Err(Diagnostic::new(Code::ClockBehind, error));
    }
    if let Some(expires) = inventory.expires.filter(|expires| *expires <= ctx.now) {
        return Err(PackError::Expired { expires, now: ctx.now }.into());
    }
    if let Some(newer) =
        state.packs().iter().filter(|p| p.version > inventory.version).max_by_key(|p| p.version)
    {
        ctx.events.warn(&format!(
            "these keys are version {}, but this host has seen version {}: it may revoke some of them",
            inventory.version, newer.version
        ));
    }
    Ok(())
}

/// Refuses a keys/ whose every key was revoked, unless signatures from before may still count.
fn refuse_none(keys: &Keys) -> Result<(), Diagnostic> {
    let Some(UsedPack { directory, left_out, .. }) = keys.used() else { return Ok(()) };
    if keys.count > 0 || left_out.iter().any(|key| key.since.is_some()) {
        return Ok(());
    }
    let error = format!("every key of {} was revoked on this host", directory.display());
    Err(Diagnostic::new(Code::RevokedHere, error)
        .hinting("nothing is verified without keys: pull a pack with the keys that replace them"))
}

/// The keys of an authenticated keys/.
pub(in crate::ops) fn of_pack(
    pack: &Pack,
    directory: PathBuf,
    at: Option<Timestamp>,
    here: &RevokedHere,
) -> Result<Keys, Diagnostic> {
    let draft = pack.draft();
    let inventory = draft.inventory();
    let mut named = draft.keys().map(|(record, _)| (record.key_ref(), NamedKey::of(record))).collect();
    let keys: Vec<_> = draft.keys().map(|(record, material)| record.key(material)).collect();
    let count = keys.len();
    let revoked = RevokedKeys::of(draft, here, &keys, &mut named).map_err(conflict)?;
    let set = KeySet::new(keys).map_err(conflict)?;
    Ok(Keys {
        set,
        count,
        revoked,
        named,
        rules: inventory.rules.clone(),
        origin: KeysOrigin::Directory(UsedPack::of(pack, directory, at, Vec::new())),
    })
}

pub(super) fn conflict(conflict: crate::trust::KeyConflict) -> Diagnostic {
    Diagnostic::new(Code::KeyConflict, conflict.to_string())
}
