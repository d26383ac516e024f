//! Keys of files that the caller vouches for, in place of a keys/.

use std::collections::BTreeMap;

use super::{
    Request,
    keys::{Keys, KeysOrigin, NamedKey, conflict},
};
use crate::{
    diag::{Code, Diagnostic},
    display::count,
    key::{Key, KeyRef, Role, name_of},
    keysource::Gathered,
    ops::{Context, revoked_here},
    resolve::merged,
    trust::KeySet,
};

pub(super) fn of_files(request: &Request, ctx: &Context) -> Result<Keys, Diagnostic> {
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
    let here = revoked_here::load(authentication.state_dir.as_deref(), &ctx.env)?;
    let (set, named) = set_of(&gathered, &|key| {
        let revoked = here.names(&key.material);
        if let Some((fingerprint, _)) = revoked {
            ctx.events.warn(&format!("the key {fingerprint} was revoked on this host, and is left out"));
        }
        revoked.is_none()
    })?;
    Ok(Keys {
        set,
        count: named.len(),
        revoked: None,
        named,
        rules: Vec::new(),
        origin: KeysOrigin::Files(files),
    })
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
