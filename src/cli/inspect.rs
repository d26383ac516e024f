use std::{fmt::Write, path::Path};

use super::{
    args::{self, Format},
    failure::{Exit, Failure},
    find::{keys, location},
    output::Output,
    packs::{Wanted, pack},
};
use crate::{
    oci::Digest,
    pack::{Draft, INVENTORY},
    report::shown,
};

pub(super) fn run(args: &args::Inspect, output: &Output) -> Result<Exit, Failure> {
    let path = Path::new(&args.place);
    let (draft, manifest) = if path.join(INVENTORY).is_file() {
        let draft = keys(path)?.ok_or_else(|| {
            Failure::new("keys-not-found", format!("{} holds no keys", path.display()), Exit::CouldNot)
        })?;
        (draft, None)
    } else {
        let location = location(&args.place)?;
        let wanted = Wanted { location: &location, wire: &args.wire, cache: &args.cache, digests: &[] };
        let untrusted = pack(&wanted, output)?;
        let manifest = untrusted.manifest_digest();
        (untrusted.into_draft()?, Some(manifest))
    };
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "authenticated": false,
            "packDigest": draft.digest(),
            "manifestDigest": manifest,
            "inventory": draft.inventory(),
        }))?,
        Format::Text => output.data(&text(&draft, manifest, output.verbose))?,
    }
    Ok(Exit::Done)
}

/// What a pack says of itself, with fingerprints to compare.
pub(super) fn text(draft: &Draft, manifest: Option<Digest>, verbose: bool) -> String {
    let inventory = draft.inventory();
    let mut out = String::new();
    let _ = writeln!(out, "UNVERIFIED: this is what the pack says of itself; nothing authenticates it yet.");
    let _ = writeln!(
        out,
        "Lineage {}, version {}, made {}",
        inventory.name, inventory.version, inventory.created
    );
    if let Some(expires) = inventory.expires {
        let _ = writeln!(out, "Expires {expires}");
    }
    for (key, _) in draft.keys() {
        let kept = if key.kept.is_some() { ", kept from an earlier collection" } else { "" };
        let _ = writeln!(out, "\n{}  {}{kept}", key.file, key.role.title());
        let _ = writeln!(out, "  fingerprint {} ({})", key.spki, key.algorithm);
        if key.id != key.spki {
            let _ = writeln!(out, "  id          {}", key.id.hex());
        }
        for (what, value) in [("url", &key.url), ("origin", &key.origin), ("subject", &key.subject)] {
            if let Some(value) = value {
                let _ = writeln!(out, "  {what:11} {}", shown(value));
            }
        }
        let date = |t: Option<jiff::Timestamp>| t.map_or("…".to_owned(), |t| t.to_string());
        if key.validity.start.is_some() || key.validity.end.is_some() {
            let _ = writeln!(out, "  in use      {} to {}", date(key.validity.start), date(key.validity.end));
        }
        for provenance in &key.provenance {
            let _ =
                writeln!(out, "  from        {} ({})", shown(&provenance.source), provenance.grade.as_str());
            if verbose {
                let _ = writeln!(out, "              {}", provenance.sha256);
            }
        }
    }
    for revoked in &inventory.revoked {
        let _ = writeln!(
            out,
            "\nrevoked {} since {}: {}",
            revoked.fingerprint,
            revoked.date,
            shown(&revoked.reason)
        );
    }
    let _ = writeln!(out, "\nPack: {}", draft.digest());
    if let Some(manifest) = manifest {
        let _ = writeln!(out, "Digest: {manifest}");
    }
    out
}
