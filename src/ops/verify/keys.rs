//! The keys to verify with: those of an authenticated keys/, or of files that the caller vouches for; no built-in keys.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;

use super::Request;
use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    display::count,
    key::{Fingerprint, Key, KeyRef, Role, name_of},
    keysource::Gathered,
    oci::Digest,
    ops::{Context, ends::warn_of_ends, oc_mirror},
    pack::{self, Inventory, Pack, PackError, Rule},
    resolve::merged,
    state,
    trust::KeySet,
};

/// The keys of a run, and their origin.
pub(super) struct Keys {
    pub(super) set: KeySet,
    pub(super) named: BTreeMap<KeyRef, NamedKey>,
    /// The pack's rules on who must sign what.
    pub(super) rules: Vec<Rule>,
    pub(super) origin: KeysOrigin,
}

/// A key with its display name.
pub(in crate::ops) struct NamedKey {
    pub(super) name: String,
    pub(super) fingerprint: Fingerprint,
}

/// The origin of the keys.
pub(super) enum KeysOrigin {
    /// An authenticated keys/.
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The pack digest.
        digest: Digest,
        /// The lineage, the version and the times of the pack.
        name: String,
        version: u64,
        created: Timestamp,
        /// Descriptions of what authenticated it.
        by: Vec<String>,
        /// When this host authenticated it, if that is in its state.
        at: Option<Timestamp>,
    },
    /// Files named by the caller.
    Files(Vec<String>),
}

/// Reads the keys given by the request.
pub(super) fn load(request: &Request, locations: &[Location], ctx: &Context) -> Result<Keys, Diagnostic> {
    if request.trusted_roots.is_empty() && request.keys.is_empty() {
        of_directory(request, locations, ctx)
    } else {
        of_files(request, ctx)
    }
}

fn of_directory(request: &Request, locations: &[Location], ctx: &Context) -> Result<Keys, Diagnostic> {
    let directory = oc_mirror::keys_directory(request.keys_dir.as_deref(), locations);
    let cache = request.cache_dir.as_deref();
    let found = request.authentication.of_directory(&directory, locations, cache, ctx)?;
    check_times(found.pack.draft().inventory(), &found.state, ctx)?;
    warn_of_ends(found.pack.draft(), ctx);
    of_pack(&found.pack, directory, found.known.map(|known| known.at))
}

/// A clock that is behind the pack would refuse every fresh signature and accept expired ones.
fn check_times(inventory: &Inventory, state: &state::State, ctx: &Context) -> Result<(), Diagnostic> {
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

fn of_pack(pack: &Pack, directory: PathBuf, at: Option<Timestamp>) -> Result<Keys, Diagnostic> {
    let draft = pack.draft();
    let inventory = draft.inventory();
    let mut named = BTreeMap::new();
    let keys = draft.keys().map(|(record, material)| {
        let known = NamedKey { name: record.file.clone(), fingerprint: record.fingerprint };
        named.insert(record.key_ref(), known);
        record.key(material)
    });
    let set = KeySet::new(keys.collect::<Vec<_>>()).map_err(conflict)?;
    Ok(Keys {
        set,
        named,
        rules: inventory.rules.clone(),
        origin: KeysOrigin::Directory {
            directory,
            digest: draft.digest(),
            name: inventory.name.clone(),
            version: inventory.version,
            created: inventory.created,
            by: pack.evidence().iter().map(ToString::to_string).collect(),
            at,
        },
    })
}

fn of_files(request: &Request, ctx: &Context) -> Result<Keys, Diagnostic> {
    let authentication = &request.authentication;
    if request.keys_dir.is_some() || !(authentication.anchors.is_empty() || authentication.are_of_setting) {
        return Err(Diagnostic::usage(
            "--trusted-root and --key are used instead of a keys/ directory, but both are given",
            "give either --keys-dir with what authenticates it, or the files",
        ));
    }
    let mut gathered = Gathered::default();
    for file in &request.keys {
        gathered.add_key_file(file)?;
    }
    for path in &request.trusted_roots {
        gathered.add_trusted_root(path)?;
    }
    gathered.tell_conflicts();
    report_unusable(&gathered, ctx)?;
    ctx.events
        .warn("nothing authenticates the keys of this run: only the source of these files vouches for them");
    let paths = request.keys.iter().map(|file| &file.path).chain(&request.trusted_roots);
    let files = paths.map(|path| path.display().to_string()).collect();
    let (set, named) = set_of(&gathered, &|_| true)?;
    Ok(Keys { set, named, rules: Vec::new(), origin: KeysOrigin::Files(files) })
}

/// Reports unusable content of the files; a key on which two files conflict stops the run.
pub(in crate::ops) fn report_unusable(gathered: &Gathered, ctx: &Context) -> Result<(), Diagnostic> {
    for entry in &gathered.unusable {
        if entry.problem.code == Code::KeyConflict {
            return Err(entry.problem.clone().on(&entry.source));
        }
        let which = entry.entry.as_deref().map_or_else(String::new, |which| format!("{which}: "));
        ctx.events
            .warn(&format!("{}: {which}{} [{}]", entry.source, entry.problem.message, entry.problem.code));
    }
    Ok(())
}

/// The keys of files, each under its own name, limited to those that are `acceptable`.
pub(in crate::ops) fn set_of(
    gathered: &Gathered,
    acceptable: &dyn Fn(&Key) -> bool,
) -> Result<(KeySet, BTreeMap<KeyRef, NamedKey>), Diagnostic> {
    let mut resolved = merged(&gathered.candidates);
    resolved.retain(|_, resolved| acceptable(&resolved.key));
    if resolved.is_empty() {
        let error = format!(
            "the files that were given hold no usable key ({} unusable)",
            count(gathered.unusable.len(), "entry")
        );
        return Err(Diagnostic::new(Code::KeyUnusable, error));
    }
    let named = resolved.iter().map(|(key, resolved)| {
        let material = &resolved.key.material;
        // A signer's own file is identified by its name; a document with many keys is not.
        let own = matches!(key.role, Role::Signer | Role::Gpg);
        let source = resolved.provenance.first().filter(|_| own).map(|p| p.source.clone());
        let name = source.unwrap_or_else(|| name_of(*key, material));
        (*key, NamedKey { name, fingerprint: material.fingerprint() })
    });
    let named = named.collect();
    let set = KeySet::new(resolved.into_values().map(|resolved| resolved.key)).map_err(conflict)?;
    Ok((set, named))
}

fn conflict(conflict: crate::trust::KeyConflict) -> Diagnostic {
    Diagnostic::new(Code::KeyConflict, conflict.to_string())
}
