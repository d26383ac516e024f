//! Builds a pack from proved keys. The same inputs give the same bytes, in every version of keypack.

use std::collections::BTreeSet;

use jiff::{Span, Timestamp, ToSpan};

use super::{
    Draft, Dropped, Expiry, IncludeChain, Inventory, KeyRecord, KeySelector, PackError, Revoked, Rule,
    SCHEMA_VERSION, TufRecord,
    expiry::whole_seconds,
    files,
    inventory::is_lineage,
    media,
    retained::{chains, describe_anew, renewed_only, withdrawn},
};
use crate::{
    key::{Grade, KeyRef, Material, Provenance, Role, Validity, name_of, origin_of},
    policy::rule::{RuleKeys, bind},
    tree::{OutFile, SafeName},
    trust::tuf::Chain,
};

/// A key to include in the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Role and id.
    pub key: KeyRef,
    /// The key.
    pub material: Material,
    /// Its address.
    pub url: Option<String>,
    /// The checkpoint origin, for a Rekor v2 log.
    pub origin: Option<String>,
    /// When the key was or is in use.
    pub validity: Validity,
    /// Its sources.
    pub provenance: Vec<Provenance>,
    /// For a CA: whether its certificates must have a CT log's timestamp.
    pub ct_required: bool,
    /// Whether a signature has verified with it.
    pub proved: bool,
}

/// The input for a build.
#[derive(Debug)]
pub struct Build<'a> {
    /// The lineage.
    pub name: &'a str,
    /// The keys collected in this run.
    pub keys: Vec<Include>,
    /// The TUF repositories that were read. Those that a key in the pack came from are included.
    pub chains: Vec<IncludeChain>,
    /// The keys/ being replaced, if there is one. Its keys are retained.
    pub replaces: Option<&'a Draft>,
    /// Leave out keys that only the replaced keys/ has.
    pub prune: bool,
    /// The organisation's rules; `None` keeps the existing ones.
    pub rules: Option<Vec<Rule<KeySelector>>>,
    /// Additional revocations.
    pub revoked: Vec<Revoked>,
    /// The current time, or the time given by the user.
    pub created: Timestamp,
    /// When the pack expires.
    pub expires: Expiry,
    /// Who collected the keys, as stated by the user; `None` keeps the text of the replaced pack.
    pub collected_by: Option<&'a str>,
    /// Who supplied the files of newly added keys.
    pub given_by: Option<&'a str>,
    /// The age at which a new version of an unchanged pack is made.
    pub refresh_after: Span,
}

/// The outcome of building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The pack to write, or the existing one if unchanged.
    pub draft: Draft,
    /// How it differs from the existing pack.
    pub change: Change,
    /// Revoked keys that rules name; they do not count.
    pub dropped: Vec<Dropped>,
    /// Files of retained keys that are no longer listed by the TUF repository that they came from.
    pub withdrawn: Vec<String>,
}

/// Whether there is a new version, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// There is no earlier version here.
    First,
    /// The content differs.
    Changed,
    /// The content is the same, but the old version is due for renewal.
    Refreshed,
    /// Nothing differs, so nothing has to be written.
    Unchanged,
}

impl Build<'_> {
    /// Thirty days: the default age at which an unchanged pack is renewed.
    pub fn default_refresh_after() -> Span {
        (30 * 24).hours()
    }
}

/// Builds the next version.
pub fn build(request: &Build<'_>) -> Result<Built, PackError> {
    if !is_lineage(request.name) {
        return Err(PackError::Inventory(format!(
            "the name {:?} is not 1 to 64 letters, digits, dots and dashes",
            request.name
        )));
    }
    let created = whole_seconds(request.created);
    let old = request.replaces.filter(|old| old.inventory().name == request.name);
    let mut entries = entries(request, created)?;
    entries.sort_by(|a, b| (a.0.role, &a.0.name).cmp(&(b.0.role, &b.0.name)));
    let content = |inventory: &Inventory| {
        let mut plain = inventory.clone();
        (plain.version, plain.created, plain.expires) = (0, Timestamp::UNIX_EPOCH, None);
        plain
    };
    let seconds = u64::try_from(created.as_second()).unwrap_or_default();
    let replaced = request.replaces.map(|d| d.inventory().version);
    let version = seconds.max(replaced.map_or(0, |v| v.saturating_add(1)));
    let (rules, dropped) = rules(request, &entries)?;
    let chains = chains(request, &entries);
    let draft = assemble(request, &entries, &rules, &chains, version, created)?;
    let withdrawn = withdrawn(request, &entries, &chains);
    let built = |draft, change| Ok(Built { draft, change, dropped, withdrawn });
    let Some(old) = old else { return built(draft, Change::First) };
    // A chain with only a renewed timestamp does not count as a change: timestamps are renewed every few days.
    let as_before = match renewed_only(&chains, old) {
        Some(before) => &assemble(request, &entries, &rules, &before, version, created)?,
        None => &draft,
    };
    // "180 days" is the same setting for every version, although the date changes.
    let same_expiry =
        request.expires.of(old.inventory().created, old.inventory().expires) == old.inventory().expires;
    if content(as_before.inventory()) != content(old.inventory()) || !same_expiry {
        return built(draft, Change::Changed);
    }
    let due = old.inventory().created.checked_add(request.refresh_after).is_ok_and(|due| created >= due);
    if due {
        return built(draft, Change::Refreshed);
    }
    built(old.clone(), Change::Unchanged)
}

/// The records with their keys: those of this run, followed by those retained from the replaced pack.
fn entries(request: &Build<'_>, created: Timestamp) -> Result<Vec<(KeyRecord, Material)>, PackError> {
    let old = request.replaces;
    let mut entries = Vec::new();
    for include in &request.keys {
        let known = old.and_then(|old| old.inventory().key(include.key));
        entries.push((record(request, include, known)?, include.material.clone()));
    }
    if let Some(old) = old.filter(|_| !request.prune) {
        for (record, material) in old.keys() {
            let again = request.keys.iter().any(|k| k.key == record.key_ref());
            let revoked = request.revoked.iter().chain(&old.inventory().revoked);
            if !again && !revoked.into_iter().any(|r| material.fingerprints().contains(&r.fingerprint)) {
                let mut record = record.clone();
                record.kept.get_or_insert(created);
                describe_anew(&mut record, material, &request.chains);
                entries.push((record, material.clone()));
            }
        }
    }
    Ok(entries)
}

fn record(request: &Build<'_>, include: &Include, known: Option<&KeyRecord>) -> Result<KeyRecord, PackError> {
    // A key keeps its name, even if it is assigned a bare one later.
    let name = known.map_or_else(|| name_of(include.key, &include.material), |known| known.name.clone());
    let of_file = include.provenance.first().is_some_and(|p| p.grade == Grade::File);
    let given_by = match known {
        Some(known) => known.given_by.clone(),
        None => request.given_by.filter(|_| of_file).map(str::to_owned),
    };
    let about = super::description::KeyDescription::of(&include.material)
        .map_err(|reason| PackError::Key { name: name.clone(), reason })?;
    let origin = (include.key.role == Role::Rekor2)
        .then(|| include.url.as_deref().map(origin_of).or_else(|| include.origin.clone()))
        .flatten();
    Ok(KeyRecord {
        file: format!("{name}.{}", include.key.role.extension()),
        name,
        role: include.key.role,
        id: include.key.id,
        fingerprint: about.fingerprint,
        algorithm: about.algorithm,
        url: include.url.clone(),
        origin,
        certificates: about.certificates,
        user_id: about.user_id,
        validity: about.validity.unwrap_or(include.validity),
        // Findings of earlier runs are kept: a CA still has CT logs even if it is now given without them.
        ct_required: include.ct_required || known.is_some_and(|known| known.ct_required),
        proved: include.proved || known.is_some_and(|known| known.proved),
        given_by,
        provenance: include.provenance.clone(),
        kept: None,
    })
}

/// The rules for the included keys. The rules of the replaced pack are checked too: a key that was removed because it
/// was revoked is ignored, but if it was removed for another reason, its rules need a decision.
fn rules(
    request: &Build<'_>,
    entries: &[(KeyRecord, Material)],
) -> Result<(Vec<Rule>, Vec<Dropped>), PackError> {
    let old = request.replaces;
    let kept = || old.iter().flat_map(|o| &o.inventory().rules).map(Rule::from).collect();
    let written: Vec<Rule<KeySelector>> = request.rules.clone().unwrap_or_else(kept);
    let said = request.revoked.iter().chain(old.iter().flat_map(|o| &o.inventory().revoked));
    let revoked: BTreeSet<_> = said.map(|r| r.fingerprint).collect();
    let gone = old.iter().flat_map(|o| o.keys()).filter(|(record, material)| {
        entries.iter().all(|(e, _)| e.key_ref() != record.key_ref())
            && material.fingerprints().iter().any(|f| revoked.contains(f))
    });
    let left_out = old.iter().flat_map(|o| o.left_out()).map(|(record, _)| record);
    let gone = gone.map(|(record, _)| record).chain(left_out).map(KeyRecord::named).collect();
    let present = entries.iter().map(|(record, _)| record.named()).collect();
    Ok(bind(&written, &RuleKeys { present, gone, revoked })?)
}

fn assemble(
    request: &Build<'_>,
    entries: &[(KeyRecord, Material)],
    rules: &[Rule],
    chains: &[(TufRecord, Chain)],
    version: u64,
    created: Timestamp,
) -> Result<Draft, PackError> {
    let keys: Vec<KeyRecord> = entries.iter().map(|(record, _)| record.clone()).collect();
    let with_material: Vec<_> = entries.iter().map(|(record, material)| (record, material)).collect();
    let with_chains: Vec<_> = chains.iter().map(|(record, chain)| (record, chain)).collect();
    let mut out = files::of_keys(&with_material, &with_chains)?;
    let chains: Vec<TufRecord> = chains.iter().map(|(record, _)| record.clone()).collect();
    let old = request.replaces.map(Draft::inventory);
    let mut revoked = old.map(|o| o.revoked.clone()).unwrap_or_default();
    for entry in &request.revoked {
        if !revoked.iter().any(|r| r.fingerprint == entry.fingerprint) {
            revoked.push(entry.clone());
        }
    }
    revoked.sort_by_key(|r| r.fingerprint);
    let inventory = Inventory {
        schema_version: SCHEMA_VERSION,
        media_type: media::INVENTORY.into(),
        name: request.name.into(),
        version,
        created,
        expires: request.expires.of(created, old.and_then(|old| old.expires)),
        collected_by: request
            .collected_by
            .map(str::to_owned)
            .or_else(|| old.and_then(|old| old.collected_by.clone())),
        keys,
        files: out.iter().map(files::record).collect(),
        tuf: chains,
        rules: rules.to_vec(),
        revoked,
        extensions: old.map(|old| old.extensions.clone()).unwrap_or_default(),
    };
    out.push(OutFile::new(SafeName::new(files::INVENTORY)?, inventory.to_json()));
    Ok(Draft::from_files(out)?.without_signatures(&|_| true))
}
