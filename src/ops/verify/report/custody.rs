//! What this host knows of the pack that was used.

use std::path::Path;

use crate::{
    oci::Digest,
    ops::{Context, state_dir, verify::keys::UsedPack},
    outcome::{Before, Handled, PackPart},
    state::{self, LogLine, StateError},
};

/// How many lines of the log are reported: the last ones.
const LINES: usize = 20;

pub(super) fn pack(used: &UsedPack, state_dir: Option<&Path>, ctx: &Context) -> PackPart {
    let mut part = PackPart {
        directory: crate::ops::log::named(&used.directory),
        anchors: used.by.clone(),
        authenticated: used.at,
        revoked_here: used.left_out.clone(),
        ..PackPart::of(&used.draft)
    };
    let Some(dir) = state_dir else { return part };
    match history(dir, part.digest) {
        Ok(history) => part.history = history,
        Err(e) => ctx.events.warn(&format!("{e} [{}]: the report has no history of the pack", e.code())),
    }
    let lineage = state_dir::lineage(&part.name);
    let Some(state) = lineage.ok().and_then(|lineage| state::load(dir, &lineage).ok()) else { return part };
    let others = state.packs().iter().filter(|known| known.digest != part.digest);
    let since = state.known(part.digest).map_or(ctx.now, |known| known.at);
    let before = others.filter(|known| known.at <= since).max_by_key(|known| known.at);
    part.before = before.map(|known| Before { version: known.version, digest: known.digest, at: known.at });
    if let Some(pull) = state.last_pull().filter(|pull| pull.pack == part.digest) {
        part.anchors.extend(pull.anchors.iter().map(|anchor| format!("{anchor}, when it was pulled")));
    }
    part
}

/// Who collected and pulled a pack on this host.
fn history(dir: &Path, pack: Digest) -> Result<Vec<Handled>, StateError> {
    let mut lines = Vec::new();
    for line in state::read_log(dir)? {
        let LogLine::Entry(entry) = line? else { continue };
        // Reports like this one are no part of it.
        if entry.pack != Some(pack) || entry.report.is_some() {
            continue;
        }
        if lines.len() == LINES {
            lines.remove(0);
        }
        lines.push(Handled {
            time: entry.time,
            command: entry.command,
            result: entry.result,
            user: entry.user,
            host: entry.host,
            ticket: entry.ticket,
            place: entry.place,
            anchors: entry.anchors,
        });
    }
    Ok(lines)
}
