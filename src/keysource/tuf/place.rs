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

/// The location of a repository.
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
            // File names are appended to the address.
            _ if address::is_meant(text) => address::parse(text).map(Self::Web).map_err(|e| e.to_string()),
            _ => Ok(Self::Dir(text.into())),
        }
    }

    /// The name in keys/: an address without its trailing slash, or only the name of a directory, because paths differ
    /// between hosts.
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

/// A repository to read from.
pub(super) struct Repository {
    at: At,
    name: String,
    /// Where the metadata are: at the top, as published, or in `metadata/`, as stored.
    metadata: &'static str,
    /// A network or disk error that the TUF workflow can't report.
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

    /// The network or disk error because of which a file could not be read, if any.
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

/// Object stores such as S3 and GCS answer 403 for a missing object; python-tuf treats both alike.
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

/// Reads a file, if it exists.
fn read_file(path: &Path, max: u64) -> Result<Option<Vec<u8>>, KeySourceError> {
    match bounded(fs::open(path), path, max) {
        Err(KeySourceError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
