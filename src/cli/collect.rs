use std::{cell::RefCell, collections::BTreeSet, path::Path};

use jiff::{SignedDuration, Timestamp};

use super::{
    args,
    cache::keys_directory,
    find::{Found, find},
    output::{Format, Output},
    past::{Past, remember},
    places::{keys, location},
    take::{Taken, chains, take, tell_kept_long},
};
use crate::{
    config::When,
    diag::{Code, Diagnostic, Exit},
    display::count,
    key::{Fingerprint, OpenPgpKey, Role},
    oci::Digest,
    pack::{Build, Built, Change, Draft, Expiry, KeyRecord, Revoked, build, not_from_the_future},
    report::{PackReport, Report, WhyMissing, render},
    write,
};

pub(super) fn run(args: &args::Collect, output: &Output) -> Result<Exit, Diagnostic> {
    let locations = args.read.sources.iter().map(|s| location(s)).collect::<Result<Vec<_>, _>>()?;
    let directory = keys_directory(args.output.as_deref(), &locations);
    let old = keys(&directory)?;
    let name = args.name.clone().or_else(|| old.as_ref().map(|o| o.inventory().name.clone()));
    let name = name.unwrap_or_else(|| "default".into());
    if let Some(other) = old.as_ref().map(|o| &o.inventory().name).filter(|other| **other != name) {
        let error = format!("{} belongs to the lineage {other:?}, not {name:?}", directory.display());
        return Err(Diagnostic::new(Code::LineageMismatch, error));
    }
    let created = created(args)?;
    refuse_the_future(old.as_ref(), &directory, created)?;
    output.interrupt.leaves(format!("{} is as it was", directory.display()));
    let past = Past::load(args, &name, old.as_ref(), created)?;
    let met = RefCell::new(fingerprints(old.as_ref()));
    let revoked = |key: &Fingerprint| {
        met.borrow_mut().insert(*key);
        past.is_revoked(key)
    };
    let found = find(&args.read, &revoked, created, output)?;
    tell_unmet(args, &met.borrow(), &directory, output);
    past.admit(&found.gathered.chains)?;
    let mut report = Report::new("collect", &found.discovery, &found.resolution, &found.gathered.unusable);
    explain(&mut report, args, &past, old.as_ref());
    let complete = if report.is_complete() { Exit::Done } else { Exit::Incomplete };
    let when = args.when.unwrap_or_default();
    // A revocation must not wait for the next signed image, nor must rules that are given now.
    let said = args.accept_rules.is_some() || past.revokes_more(old.as_ref());
    let follow = when == When::Auto && !(said && old.is_some());
    if when == When::Never || (follow && report.counts.signatures == 0) {
        print(&report, output)?;
        if when == When::Auto {
            output.warn(
                "no image is signed here, so nothing was written; oc-mirror 4.19 and 4.20 leave signatures out \
                 unless it is run with --remove-signatures=false",
            );
        }
        return Ok(complete);
    }
    let Taken { include, held } = take(args, &found, old.as_ref(), &mut report, output);
    let complete = if report.is_complete() { Exit::Done } else { Exit::Incomplete };
    if include.is_empty() && (old.is_none() || args.prune) {
        print(&report, output)?;
        output.warn("no key could be proved, so nothing was written");
        return Ok(Exit::Incomplete);
    }
    if let Some(Expiry::At(end)) = args.expires.filter(|e| matches!(e, Expiry::At(end) if *end <= created)) {
        return Err(Diagnostic::usage(
            format!("the pack would expire at {end}, before it is made ({created:.0})"),
            "give --expires a time to come, or a span such as \"180 days\"",
        ));
    }
    let built = match build(&Build {
        name: &name,
        keys: include,
        chains: chains(&found, &held, old.as_ref()),
        replaces: old.as_ref(),
        prune: args.prune,
        rules: args.rules.clone(),
        revoked: [past.revoked, by_their_owners(old.as_ref(), &found, created)].concat(),
        created,
        expires: args.expires.unwrap_or(Expiry::Never),
        collected_by: args.collected_by.as_deref(),
        given_by: args.given_by.as_deref(),
        refresh_after: args.refresh_after,
    }) {
        Ok(built) => built,
        Err(e) => {
            // What was found tells why a rule is unmet; a program gets one object.
            if output.format == Format::Text {
                print(&report, output)?;
            }
            let nothing_left = e.code() == Code::PackWithoutKeys;
            let mut failure = Diagnostic::from(e);
            if nothing_left {
                failure = failure.hinting(format!(
                    "every key is revoked, and {} is as it was: give the keys that replace them, and until then \
                     take it out of use by hand",
                    directory.display()
                ));
            }
            return Err(failure);
        }
    };
    tell(&built, output);
    let built = place(&directory, old.as_ref(), built, output)?;
    if let Some(old) = old.as_ref().filter(|_| !past.known) {
        let kept = built.draft.inventory().keys.iter().filter(|k| k.kept.is_some()).count();
        output.warn(&format!(
            "this host does not remember making or authenticating version {} in {}, which was there before; {} from it \
             stayed: look with `keypack inspect`, or leave out what no image needs with --prune",
            old.inventory().version,
            directory.display(),
            count(kept, "key")
        ));
    }
    tell_kept_long(built.draft.inventory(), created, "--prune leaves out what no image needs", output);
    remember(args, &built.draft, &found.gathered.chains, output);
    report.pack = Some(describe(&directory, &built));
    print(&report, output)?;
    Ok(complete)
}

/// Refuses to count on from a version that lies ahead of the clock: whoever could write keys/ once would keep every later
/// pack out of the enclave with it, or number two alike.
fn refuse_the_future(old: Option<&Draft>, directory: &Path, created: Timestamp) -> Result<(), Diagnostic> {
    let now = Timestamp::now();
    if created.duration_since(now) > SignedDuration::from_hours(24) {
        let error = format!("--created says {created}, and the clock here says {now:.0}");
        let mut failure = Diagnostic::new(Code::VersionFromTheFuture, error);
        failure.hint = "give a time up to a day ahead of the clock here, or set the clock".into();
        return Err(failure);
    }
    let Some(old) = old else { return Ok(()) };
    not_from_the_future(old.inventory(), now.max(created)).map_err(|e| {
        let mut failure = Diagnostic::from(e).on(&directory.display().to_string());
        failure = failure.hinting(format!(
            "if the clock here is right, somebody changed that version: look at {0} with `keypack inspect`, move it \
             away, and collect anew with the same --name",
            directory.display()
        ));
        failure
    })
}

/// Says of the keys that are missing why they are.
fn explain(report: &mut Report, args: &args::Collect, past: &Past, old: Option<&Draft>) {
    let kept = |key: Digest| {
        let record = old?.inventory().keys.iter().find(|k| k.role == Role::Signer && k.id == key)?;
        (!args.prune).then(|| WhyMissing::Kept { file: record.file.clone() })
    };
    report.tell_known(&|key| {
        if past.is_revoked(&key.into()) { Some(WhyMissing::Revoked) } else { kept(key) }
    });
}

/// Warns of revocations of keys that were met nowhere: a digit may be wrong.
fn tell_unmet(args: &args::Collect, met: &BTreeSet<Fingerprint>, directory: &Path, output: &Output) {
    for key in args.revoke.iter().filter(|key| !met.contains(key)) {
        output.warn(&format!(
            "--revoke names {key}, and no key in {} or in a source has this fingerprint; compare it with what \
             `keypack inspect` prints",
            directory.display()
        ));
    }
}

/// The fingerprints of the keys in place, and of those that it says are revoked.
fn fingerprints(old: Option<&Draft>) -> BTreeSet<Fingerprint> {
    let Some(old) = old else { return BTreeSet::new() };
    let keys = old.keys().flat_map(|(_, material)| material.fingerprints());
    keys.chain(old.inventory().revoked.iter().map(|r| r.fingerprint)).collect()
}

/// Says what of the keys in place does not count any more.
fn tell(built: &Built, output: &Output) {
    for dropped in &built.dropped {
        output.warn(&format!(
            "the rule for {} names {}, which is revoked: it does not count; take it out of the rules",
            dropped.scope, dropped.key
        ));
    }
    for file in &built.withdrawn {
        output.warn(&format!(
            "{file} stays, and the TUF repository that it came from no longer lists it as it is: `pull --tuf-root` refuses a pack \
             with it unless another anchor vouches for it; --prune leaves it out, --revoke does so for ever"
        ));
    }
}

fn print(report: &Report, output: &Output) -> Result<(), Diagnostic> {
    match output.format {
        Format::Json => output.json(report),
        Format::Text => output.data(&render(report, output.paint(), output.verbose)),
    }
}

/// Puts the new directory in the place of the old one, unless nothing changed. A signature stays only while it is about
/// the inventory.
fn place(directory: &Path, old: Option<&Draft>, built: Built, output: &Output) -> Result<Built, Diagnostic> {
    let (draft, stale) = match (built.change, old) {
        (Change::Unchanged, _) => built.draft.without_stale_signatures(),
        (_, old) => (built.draft, old.map(|o| o.signatures().cloned().collect()).unwrap_or_default()),
    };
    let built = Built { draft, ..built };
    if built.change == Change::Unchanged && stale.is_empty() {
        return Ok(built);
    }
    let names: Vec<String> = old.map(known_names).unwrap_or_default();
    let outcome = output.interrupt.whole(format!("{} is written", directory.display()), || {
        write::replace(directory, &built.draft.to_files(), &|name| names.iter().any(|n| n == name))
    })?;
    outcome.warning.iter().for_each(|warning| output.warn(warning));
    for signature in stale {
        output.warn(&format!("{signature} is no signature of this inventory and was removed; sign this one"));
    }
    Ok(built)
}

/// The files of a keys/ that keypack wrote there.
pub(super) fn known_names(draft: &Draft) -> Vec<String> {
    draft.to_files().iter().map(|f| f.name.to_string()).collect()
}

fn created(args: &args::Collect) -> Result<Timestamp, Diagnostic> {
    if let Some(created) = args.created {
        return Ok(created);
    }
    // https://reproducible-builds.org/specs/source-date-epoch/
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(Timestamp::now()),
        Ok(text) => text.parse().ok().and_then(|s| Timestamp::from_second(s).ok()).ok_or_else(|| {
            Diagnostic::usage(
                format!("SOURCE_DATE_EPOCH is {text:?}"),
                "set it to whole seconds since 1970, or unset it",
            )
        }),
    }
}

/// The keys in place that a copy which was found says are revoked by their owner: they must not stay.
fn by_their_owners(old: Option<&Draft>, found: &Found, created: Timestamp) -> Vec<Revoked> {
    let candidates = found.gathered.candidates.iter().filter_map(|c| c.material.openpgp());
    let ids: BTreeSet<_> = candidates.filter(|key| key.is_revoked()).map(OpenPgpKey::id).collect();
    let date = Timestamp::from_second(created.as_second()).unwrap_or(created);
    let revoked = |key: &KeyRecord| Revoked {
        fingerprint: key.fingerprint,
        reason: "revoked by its owner".into(),
        date,
        since: None,
    };
    let keys = old.iter().flat_map(|old| &old.inventory().keys);
    keys.filter(|key| key.role == Role::Gpg && ids.contains(&key.id)).map(revoked).collect()
}

fn describe(directory: &Path, built: &Built) -> PackReport {
    let inventory = built.draft.inventory();
    let files = |kept: bool| {
        inventory.keys.iter().filter(|k| k.kept.is_some() == kept).map(|k| k.file.clone()).collect()
    };
    PackReport {
        directory: directory.display().to_string(),
        name: inventory.name.clone(),
        version: inventory.version,
        digest: built.draft.digest(),
        change: match built.change {
            Change::First => "first",
            Change::Changed => "changed",
            Change::Refreshed => "refreshed",
            Change::Unchanged => "unchanged",
        },
        keys: files(false),
        kept: files(true),
    }
}
