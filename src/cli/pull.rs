use std::path::Path;

use jiff::Timestamp;

use super::{
    age::fresh,
    anchors::{authenticate, read},
    args,
    cache::keys_directory,
    inspect,
    install::{Install, Installed},
    memory,
    output::{Format, Output},
    packs::{Wanted, pack},
    places::{keys, location},
    take::tell_kept_long,
};
use crate::{
    diag::{Diagnostic, Exit},
    display::count,
    oci::Digest,
    pack::{Anchor, INVENTORY, PackError, UnverifiedPack},
    state,
};

pub(super) fn run(args: &args::Pull, output: &Output) -> Result<Exit, Diagnostic> {
    let now = Timestamp::now();
    let path = Path::new(&args.source);
    if path.join(INVENTORY).is_file() {
        return Err(Diagnostic::usage(
            format!("{} is a directory with keys, and pull takes a place that holds a pack", path.display()),
            format!(
                "keypack inspect {0} prints it; keypack push {0} oci-archive:FILE:TAG packs it",
                path.display()
            ),
        ));
    }
    let location = location(&args.source)?;
    let directory = keys_directory(args.output.as_deref(), std::slice::from_ref(&location));
    let anchors = read(args, &location, &directory)?;
    let whole = anchors.iter().any(Anchor::covers_inventory);
    if args.min_version.is_some() && !anchors.is_empty() && !whole {
        return Err(Diagnostic::usage(
            "--min-version has nothing to compare with: pins and TUF roots authenticate keys, not a version",
            "give --digest or --verify-key too",
        ));
    }
    output.interrupt.leaves(format!("{} is as it was", directory.display()));
    output.working(&format!("fetching from {location}"));
    let digests: Vec<_> = anchors
        .iter()
        .filter_map(|anchor| if let Anchor::Digest(digest) = anchor { Some(*digest) } else { None })
        .collect();
    let wanted = Wanted { location: &location, wire: &args.wire, cache: &args.cache, digests: &digests };
    let fetched = pack(&wanted, output)?;
    let manifest = fetched.pack.manifest_digest();
    if anchors.is_empty() {
        let draft = fetched.pack.into_draft()?;
        // A program gets one object, the failure; `inspect` gives it what the pack says.
        if output.format == Format::Text {
            output.data(&inspect::text(&draft, Some(manifest), false, false))?;
        }
        let none = Diagnostic::from(PackError::NoAnchor);
        let verifiable = !draft.inventory().tuf.is_empty();
        return Err(if verifiable {
            none.also("--tuf-root, with which its TUF chain is verified again")
        } else {
            none
        });
    }
    let dir = memory::directory(args.state.dir.as_deref())?;
    let lineage = match &args.name {
        Some(name) => name.clone(),
        None => expected(&directory, &dir)?,
    };
    let pack = authenticate(&fetched, &anchors, &lineage, now, output)?;
    let overruled = fresh(args, &pack, now, output)?;
    if !pack.is_whole() {
        tell_dropped(&fetched.pack, output);
    }
    // One lock holds decision, exchange and memory together: of two pulls at once the second sees what the first did.
    let outcome = state::update(&dir, &memory::lineage(&lineage)?, |state| {
        let in_place = keys(&directory)?;
        let known = in_place.as_ref().is_some_and(|draft| state.known(draft.digest()).is_some());
        let install = Install {
            args,
            directory: &directory,
            output,
            anchors: &anchors,
            pack: &pack,
            in_place: in_place.as_ref(),
            known,
            now,
            overruled,
        };
        install.run(state)
    })??;
    tell_kept_long(
        outcome.draft.inventory(),
        now,
        "ask the pack's maker whether they are still wanted",
        output,
    );
    print(&directory, &outcome, manifest, output)?;
    Ok(Exit::Done)
}

/// The lineage that is expected where the user names none: that of the keys/ in place, if this host knows it. Of one that
/// it does not know, anybody may have written the name: on a carried fs, keys/ lies where pull writes by default.
fn expected(directory: &Path, state: &Path) -> Result<String, Diagnostic> {
    let known = match keys(directory)? {
        Some(draft) if memory::is_known(state, &draft)? => Some(draft.inventory().name.clone()),
        _ => None,
    };
    Ok(known.unwrap_or_else(|| "default".into()))
}

/// Says what the maker of the pack wrote and nobody vouches for.
fn tell_dropped(pack: &UnverifiedPack, output: &Output) {
    let Ok(draft) = pack.clone().into_draft() else { return };
    let inventory = draft.inventory();
    let said = [(inventory.rules.len(), "rule"), (inventory.revoked.len(), "revocation")];
    let said: Vec<_> = said.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    if !said.is_empty() {
        output.warn(&format!(
            "the pack also has {}: neither pins nor TUF roots vouch for that, so it is left out; --digest or --verify-key do",
            said.join(" and ")
        ));
    }
}

fn print(
    directory: &Path,
    installed: &Installed,
    manifest: Digest,
    output: &Output,
) -> Result<(), Diagnostic> {
    let inventory = installed.draft.inventory();
    let directory = directory.display();
    if installed.unchanged {
        output.note(&format!("version {} is already installed in {directory}", inventory.version));
    } else {
        output.note(&format!(
            "wrote {}, version {}, to {directory}",
            count(inventory.keys.len(), "key"),
            inventory.version
        ));
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "directory": directory.to_string(),
            "name": inventory.name,
            "version": inventory.version,
            "packDigest": installed.draft.digest(),
            "manifestDigest": manifest,
            "unchanged": installed.unchanged,
            "keys": inventory.keys.iter().map(|k| &k.file).collect::<Vec<_>>(),
        })),
        Format::Text => {
            let mut text: String = inventory.keys.iter().map(|k| format!("{}\n", k.file)).collect();
            text.push_str(&format!("Pack: {}\n", installed.draft.digest()));
            output.data(&text)
        }
    }
}
