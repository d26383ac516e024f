use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::super::{KeySourceError, bounded};
use crate::{
    address, fs,
    http::{Client, Method, Request, StatusCode, Url},
    limits,
    trust::tuf::{Files, RepositoryPath, TufError},
};

/// Where a repository lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    Web(Url),
    /// In a directory.
    Dir(PathBuf),
}

impl Place {
    /// An http(s) address, or a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("file", path)) => Err(format!("a directory is given as it is: {path}")),
            // Files are named behind the address.
            _ if address::is_meant(text) => address::parse(text).map(Self::Web).map_err(|e| e.to_string()),
            _ => Ok(Self::Dir(text.into())),
        }
    }

    /// How it is called in keys/: an address without its last slash; of a directory the name alone, for paths differ
    /// from host to host.
    fn name(&self) -> String {
        match self {
            Self::Web(url) => url.as_str().trim_end_matches('/').to_owned(),
            Self::Dir(path) => {
                let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
                let name = whole.file_name().map(|n| n.to_string_lossy().into_owned());
                name.unwrap_or_default().chars().take(100).collect()
            }
        }
    }
}

/// A repository that is read.
pub(super) struct Repository {
    at: At,
    name: String,
    /// Where the metadata lie: at the top, as they are published, or in `metadata/`, as they are kept.
    metadata: &'static str,
    /// What went wrong with the network or the disk, which the workflow can't tell.
    failure: Mutex<Option<KeySourceError>>,
}

enum At {
    Web(Box<Client>, String),
    Dir(PathBuf),
}

impl Repository {
    pub(super) fn open(place: &Place, client: impl FnOnce() -> Client) -> Result<Self, KeySourceError> {
        let at = match place {
            Place::Web(url) => At::Web(Box::new(client()), url.as_str().trim_end_matches('/').to_owned()),
            Place::Dir(path) => At::Dir(path.clone()),
        };
        let mut repository = Self { at, name: place.name(), metadata: "", failure: Mutex::default() };
        let missing = |repository: &Self| KeySourceError::NotTuf { place: repository.shown() };
        if let At::Dir(path) = &repository.at
            && !fs::is_directory(path)
                .map_err(|source| KeySourceError::Read { path: path.clone(), source })?
        {
            return Err(missing(&repository));
        }
        for metadata in ["", "metadata/"] {
            repository.metadata = metadata;
            if repository.read("timestamp.json", limits::TUF_ROOT)?.is_some() {
                return Ok(repository);
            }
        }
        Err(missing(&repository))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        match &self.at {
            At::Web(_, base) => base.clone(),
            At::Dir(path) => path.display().to_string(),
        }
    }

    /// What the network or the disk said, if that is why a file could not be read.
    pub(super) fn failure(&self) -> Option<KeySourceError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn read(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, KeySourceError> {
        let folder = if path.starts_with("targets/") { "" } else { self.metadata };
        match &self.at {
            At::Web(client, base) => fetch(client, &format!("{base}/{folder}{path}"), max),
            At::Dir(dir) => read_file(&dir.join(folder).join(path), max),
        }
    }
}

impl Files for Repository {
    fn get(&self, path: &RepositoryPath, max: u64) -> Result<Option<Vec<u8>>, TufError> {
        self.read(path.as_str(), max).map_err(|e| {
            let reason = e.to_string();
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            TufError::Unreadable { file: path.to_string(), reason }
        })
    }
}

/// An object store says 403 for what is not there, as S3 and GCS do; python-tuf takes both alike.
fn fetch(client: &Client, address: &str, max: u64) -> Result<Option<Vec<u8>>, KeySourceError> {
    let answer = |reason: String| KeySourceError::TufAnswer { url: address.to_owned(), reason };
    let url: Url = address.parse().map_err(|_| answer("it is not an address".into()))?;
    let response = client.fetch(&Request::new(Method::GET, url), max).map_err(KeySourceError::Net)?;
    match response.status {
        StatusCode::OK => Ok(Some(response.body)),
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE => Ok(None),
        other => Err(answer(format!("it answers {other}"))),
    }
}

/// Reads a file, if it is there.
fn read_file(path: &Path, max: u64) -> Result<Option<Vec<u8>>, KeySourceError> {
    match bounded(fs::open(path), path, max) {
        Err(KeySourceError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
