//! The client workflow (specification, section 5), run over any repository, and the files it read.

use std::{
    future::{Future, ready},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use jiff::Timestamp;
use sigstore_tuf::{
    Error, Repository, Targets, TrustedMetadataSet, Updater, UpdaterConfig, transport::FetchFuture,
};

use super::{Chain, Evidence, Items, RepositoryPath, Root, TufError, evidence, items, keys, legacy};
use crate::{
    key::{Grade, Provenance},
    limits,
    oci::Digest,
};

/// The files of a repository, wherever they are. `Ok(None)` if a file does not exist.
pub trait Files: Send + Sync {
    /// Reads a file of at most `max` bytes; a longer one is an error.
    fn get(&self, path: &RepositoryPath, max: u64) -> Result<Option<Vec<u8>>, TufError>;
}

impl Files for Chain {
    fn get(&self, path: &RepositoryPath, max: u64) -> Result<Option<Vec<u8>>, TufError> {
        match Self::get(self, path.as_str()) {
            Some(bytes) if bytes.len() as u64 > max => {
                Err(TufError::TooLarge(format!("{path} longer than {max} bytes")))
            }
            found => Ok(found.map(<[u8]>::to_vec)),
        }
    }
}

/// The result for a root and a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The root that it was verified from.
    pub root: Digest,
    /// Versions and dates.
    pub evidence: Evidence,
    /// Exactly the files that were needed.
    pub chain: Chain,
    /// The keys.
    pub items: Items,
}

/// Runs the whole workflow at `now`, strictly. `source` is the name of the keys' origin.
pub fn refresh(
    files: Arc<dyn Files>,
    root: &Root,
    now: Timestamp,
    source: &str,
) -> Result<Verified, TufError> {
    let kept = Arc::new(Mutex::new(Kept::default()));
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .keep(&format!("{}.root.json", root.version()), root.bytes())?;
    let recorder = Recorder { files, kept: Arc::clone(&kept) };
    let updater =
        Updater::new(recorder, root.bytes()).map_err(|e| TufError::Root(super::error::chain(&e)))?;
    let mut run = Run { updater: updater.with_config(config()), kept, now };
    run.attempt(|updater, now| finish(updater.refresh(now)))?;
    let mut items = Items::default();
    let targets = run.targets()?;
    // The date of a document is derived from metadata that have been verified by now.
    let date = run.evidence()?.targets_date;
    let provenance = |path: &str, bytes: &[u8]| Provenance {
        grade: Grade::Tuf,
        source: format!("{source}/targets/{path}"),
        sha256: Digest::of(bytes),
        date,
    };
    if let Some(bytes) = run.target(items::TRUSTED_ROOT)? {
        items.add_trusted_root(&bytes, &provenance(items::TRUSTED_ROOT, &bytes));
    }
    let mut documents = Vec::new();
    for listed in legacy::listed(&targets, &items)? {
        let missing = || TufError::Missing(format!("targets/{}", listed.path));
        let bytes = run.target(&listed.path)?.ok_or_else(missing)?;
        documents.push((provenance(&listed.path, &bytes), listed, bytes));
    }
    legacy::add(&mut items, &documents);
    if items.candidates.is_empty() {
        let why = items.unusable.first().map(|u| format!(": {}: {}", u.entry, u.problem.message));
        return Err(TufError::NoKeys(why.unwrap_or_default()));
    }
    // Again, because the delegated roles are known only now.
    let evidence = run.evidence()?;
    let chain = run.kept.lock().unwrap_or_else(PoisonError::into_inner).chain.clone();
    Ok(Verified { root: root.digest(), evidence, chain, items })
}

/// Runs it over stored files. Nothing is refused because it has expired since: [`Evidence`] shows how old it is.
pub fn verify(chain: &Chain, root: &Root, source: &str) -> Result<Verified, TufError> {
    refresh(Arc::new(chain.clone()), root, Timestamp::MIN, source)
}

/// Whether the root `new` may succeed `old`: signed as both require.
pub fn succeeds(old: &[u8], new: &[u8]) -> bool {
    TrustedMetadataSet::from_root(old).is_ok_and(|mut set| set.update_root(new).is_ok())
}

struct Run {
    updater: Updater,
    kept: Arc<Mutex<Kept>>,
    now: Timestamp,
}

impl Run {
    fn attempt<T>(
        &mut self,
        step: impl FnOnce(&mut Updater, Timestamp) -> Result<T, Error>,
    ) -> Result<T, TufError> {
        let outcome = step(&mut self.updater, self.now);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.map_err(|e| match (kept.failure.take(), &e) {
            (Some(failure), _) => failure,
            (None, Error::Transport { .. }) => TufError::Missing(kept.missing.clone()),
            (None, e) => TufError::sort(e, self.updater.trusted().root().version, self.now),
        })
    }

    /// Finds a target by following the delegations.
    fn target(&mut self, path: &str) -> Result<Option<Vec<u8>>, TufError> {
        let Some(found) = self.attempt(|updater, now| finish(updater.get_target_info(path, now)))? else {
            return Ok(None);
        };
        if found.length > limits::KEY_FILE {
            return Err(TufError::TooLarge(format!("{} bytes in targets/{path}", found.length)));
        }
        self.attempt(|updater, _| finish(updater.download_target(&found, path))).map(Some)
    }

    fn targets(&self) -> Result<Targets, TufError> {
        let targets = self.updater.trusted().targets_role("targets");
        targets.cloned().ok_or_else(|| TufError::Missing("targets.json".into()))
    }

    fn evidence(&self) -> Result<Evidence, TufError> {
        let trusted = self.updater.trusted();
        let missing = |name: &str| TufError::Missing(name.into());
        let timestamp = trusted.timestamp().ok_or_else(|| missing("timestamp.json"))?;
        let snapshot = trusted.snapshot().ok_or_else(|| missing("snapshot.json"))?;
        let roles = snapshot.meta.keys().filter_map(|name| name.strip_suffix(".json"));
        let targets: Vec<_> =
            roles.filter_map(|role| Some((role.to_owned(), trusted.targets_role(role)?))).collect();
        targets.iter().try_for_each(|(_, targets)| keys::delegations(targets))?;
        let chain = self.kept.lock().unwrap_or_else(PoisonError::into_inner).chain.clone();
        let roots: Vec<_> = chain.roots().into_iter().map(|(_, bytes)| bytes).collect();
        roots.iter().try_for_each(|bytes| keys::root(&evidence::parse(bytes)?))?;
        Evidence::new(&roots, timestamp, snapshot, &targets)
    }
}

/// The limits are those of python-tuf, which follow the specification, except for those set here.
fn config() -> UpdaterConfig {
    let mut config = UpdaterConfig::default();
    config.target_max_length = limits::KEY_FILE;
    // One more than the recorder allows, because the recorder's error message is better.
    config.max_root_rotations = u32::try_from(limits::TUF_ROOTS).unwrap_or(u32::MAX).saturating_add(1);
    config
}

/// The files read so far.
#[derive(Default)]
struct Kept {
    chain: Chain,
    roots: usize,
    /// Why reading failed, which the crate's own error can't contain.
    failure: Option<TufError>,
    /// The last requested file that does not exist.
    missing: String,
}

impl Kept {
    fn keep(&mut self, path: &str, bytes: &[u8]) -> Result<(), TufError> {
        self.chain.insert(RepositoryPath::new(path)?, bytes.to_vec())
    }
}

/// Keeps each file that the workflow requests.
struct Recorder {
    files: Arc<dyn Files>,
    kept: Arc<Mutex<Kept>>,
}

impl Recorder {
    fn take(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = || {
            let found = self.files.get(&RepositoryPath::new(path)?, max)?;
            match &found {
                Some(bytes) => {
                    kept.roots += usize::from(path.ends_with(".root.json"));
                    if kept.roots > limits::TUF_ROOTS {
                        return Err(TufError::TooLarge(format!("more than {} roots", limits::TUF_ROOTS)));
                    }
                    kept.keep(path, bytes)?;
                }
                None => path.clone_into(&mut kept.missing),
            }
            Ok(found)
        };
        read().map_err(|failure| {
            let text = failure.to_string();
            kept.failure = Some(failure);
            Error::transport(text)
        })
    }
}

impl Repository for Recorder {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(ready(self.take(name, max_length)))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(ready(self.take(&format!("targets/{path}"), max_length)))
    }
}

/// Drives a future that never waits, because [`Recorder`] has read the file when it returns: one poll is enough.
fn finish<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::transport("a file was not read at once")),
    }
}
