//! Writes keys/, and reports on it.

use std::path::Path;

use crate::{
    diag::Diagnostic,
    display::count,
    ops::{Context, place::file_names},
    outcome::PackReport,
    pack::{Built, Change, Draft},
    write,
};

/// Warns of keys in the existing directory that no longer count.
pub(super) fn warn_of_lapsed(built: &Built, ctx: &Context) {
    for dropped in &built.dropped {
        ctx.events.warn(&format!(
            "the rule for {} names {}, which is revoked: it does not count; remove it from the rules",
            dropped.scope, dropped.key
        ));
    }
    for file in &built.withdrawn {
        ctx.events.warn(&format!(
            "{file} is kept, but the TUF repository that it came from no longer lists it in this form: `pull \
             --tuf-root` refuses a pack with it unless another anchor vouches for it; --prune leaves it out, --revoke \
             does so for good"
        ));
    }
}

/// Replaces the old directory with the new one, unless nothing changed. A signature is kept only as long as it covers
/// the inventory.
pub(super) fn install(
    directory: &Path,
    old: Option<&Draft>,
    built: Built,
    ctx: &Context,
) -> Result<Built, Diagnostic> {
    let (draft, stale) = match (built.change, old) {
        (Change::Unchanged, _) => built.draft.without_stale_signatures(),
        (_, old) => (built.draft, old.map(|o| o.signatures().cloned().collect()).unwrap_or_default()),
    };
    let built = Built { draft, ..built };
    if built.change == Change::Unchanged && stale.is_empty() {
        return Ok(built);
    }
    let names: Vec<String> = old.map(file_names).unwrap_or_default();
    let outcome = ctx.interrupt.whole(format!("{} is written", directory.display()), || {
        write::replace(directory, &built.draft.to_files(), &|name| names.iter().any(|n| n == name))
    })?;
    outcome.warnings().for_each(|warning| ctx.events.warn(&warning));
    for signature in stale {
        ctx.events.warn(&format!(
            "{signature} is not a signature of this inventory and was removed; sign this one"
        ));
    }
    Ok(built)
}

pub(super) fn warn_of_unknown_directory(old: Option<&Draft>, built: &Built, directory: &Path, ctx: &Context) {
    let Some(old) = old else { return };
    let kept = built.draft.inventory().keys.iter().filter(|k| k.kept.is_some()).count();
    ctx.events.warn(&format!(
        "this host has no record of making or authenticating version {} in {}, which was there before; {} from it \
         stayed: check with `keypack inspect`, or leave out what no image needs with --prune",
        old.inventory().version,
        directory.display(),
        count(kept, "key")
    ));
}

pub(super) fn describe(directory: &Path, built: &Built) -> PackReport {
    let inventory = built.draft.inventory();
    let files = |kept: bool| {
        inventory.keys.iter().filter(|k| k.kept.is_some() == kept).map(|k| k.file.clone()).collect()
    };
    PackReport {
        directory: directory.display().to_string(),
        name: inventory.name.clone(),
        version: inventory.version,
        digest: built.draft.digest(),
        change: built.change,
        keys: files(false),
        kept: files(true),
        unproved: inventory.keys.iter().filter(|k| !k.proved).map(|k| k.file.clone()).collect(),
    }
}
