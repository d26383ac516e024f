use std::path::Path;

use super::{
    args::{self, Format},
    collect::known_names,
    failure::{Exit, Failure},
    find::{keys, location, pack},
    inspect,
    output::Output,
};
use crate::{
    content::Location,
    oci::Digest,
    pack::{Anchor, Compared, INVENTORY, PackError, check},
    write,
};

pub(super) fn run(args: &args::Pull, output: &Output) -> Result<Exit, Failure> {
    let path = Path::new(&args.source);
    if path.join(INVENTORY).is_file() {
        return Err(Failure::usage(
            format!("{} is a directory with keys, and pull takes a place that holds a pack", path.display()),
            format!(
                "keypack inspect {0} prints it; keypack push {0} oci-archive:FILE:TAG packs it",
                path.display()
            ),
        ));
    }
    let location = location(&args.source)?;
    let anchors = anchors(args, &location);
    output.interrupt.leaves(format!("{} is as it was", args.output.display()));
    output.working(&format!("fetching from {location}"));
    let untrusted = pack(&location, &args.wire)?;
    if anchors.is_empty() {
        let manifest = untrusted.manifest_digest();
        let draft = untrusted.into_draft()?;
        output.data(&inspect::text(&draft, Some(manifest), false))?;
        return Err(PackError::NoAnchor.into());
    }
    let old = keys(&args.output)?;
    let lineage = args.name.clone().or_else(|| old.as_ref().map(|o| o.inventory().name.clone()));
    let lineage = lineage.unwrap_or_else(|| "default".into());
    let manifest = untrusted.manifest_digest();
    let pack = check(untrusted, &anchors, &lineage)?;
    let names = old.as_ref().map(known_names).unwrap_or_default();
    let outcome = output.interrupt.whole(format!("{} is written", args.output.display()), || {
        write::replace(
            &args.output,
            &pack.draft().to_files(),
            &|name| names.iter().any(|n| n == name),
            write::Options { non_atomic_unsafe: args.non_atomic_unsafe },
        )
    })?;
    let inventory = pack.draft().inventory();
    let directory = args.output.display();
    let met: Vec<_> = pack.compared().iter().map(|c: &Compared| c.as_str()).collect();
    output.note(&format!("authenticated by the {} that was given", met.join(" and the ")));
    if outcome.change == write::Change::Unchanged {
        output.note(&format!("version {} is already installed in {directory}", inventory.version));
    } else {
        output.note(&format!(
            "wrote {} keys, version {}, to {directory}",
            inventory.keys.len(),
            inventory.version
        ));
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "directory": directory.to_string(),
            "name": inventory.name,
            "version": inventory.version,
            "packDigest": pack.draft().digest(),
            "manifestDigest": manifest,
            "unchanged": outcome.change == write::Change::Unchanged,
            "keys": inventory.keys.iter().map(|k| &k.file).collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            let mut text: String = inventory.keys.iter().map(|k| format!("{}\n", k.file)).collect();
            text.push_str(&format!("Pack: {}\n", pack.draft().digest()));
            output.data(&text)?;
        }
    }
    Ok(Exit::Done)
}

/// `--digest`, and a digest in the reference itself: both were typed by the user and not taken from the pack.
fn anchors(args: &args::Pull, location: &Location) -> Vec<Anchor> {
    let named = location.reference().and_then(|name| name.parse::<Digest>().ok());
    args.digest.into_iter().chain(named).map(Anchor::Digest).collect()
}
