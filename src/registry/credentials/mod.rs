//! Credentials: where they are looked for, and what they are. Where they may be sent is `registry`'s rule.
//!
//! The order is that of containers-auth.json(5): `--creds`; else `--authfile` or `REGISTRY_AUTH_FILE` alone; else
//! `$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/$UID/auth.json` where that variable is not set),
//! `${XDG_CONFIG_HOME:-~/.config}/containers/auth.json`, `${DOCKER_CONFIG:-~/.docker}/config.json`, `~/.dockercfg`.
//! The first file that knows something wins. Within a file: the host's program in `credHelpers`; then `auths`, the
//! most specific path first; then the program in `credsStore`.
//!
//! No text, error or `Debug` output holds a secret.

mod file;
mod helper;
mod locations;
mod secret;

use crate::diag::Code;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use file::AuthFile;
pub use locations::Locations;
pub use secret::{Credentials, Secret};
use thiserror::Error;

/// Why credentials could not be looked up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// An auth file that can't be read. What it holds is not repeated.
    #[error("the auth file {path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A credential program that does not do its work.
    #[error("the credential program docker-credential-{name}: {reason}")]
    Helper {
        /// Its name.
        name: String,
        /// What went wrong.
        reason: String,
    },
}

impl CredentialsError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::File { .. } => Code::AuthFile,
            Self::Helper { .. } => Code::CredentialHelper,
        }
    }
}

/// Finds the credentials of a registry.
#[derive(Debug)]
pub struct CredentialStore {
    given: Option<Credentials>,
    locations: Locations,
    patience: Duration,
    files: OnceLock<Vec<AuthFile>>,
    /// What programs said, by program and server: they may ask a person.
    said: Mutex<HashMap<(String, String), Option<Credentials>>>,
}

impl CredentialStore {
    /// Looks in these places.
    pub fn new(locations: Locations) -> Self {
        Self {
            given: None,
            locations,
            patience: Duration::from_secs(60),
            files: OnceLock::new(),
            said: Mutex::default(),
        }
    }

    /// Has none.
    pub fn anonymous() -> Self {
        Self::new(Locations::default())
    }

    /// Has these alone (`--creds`), for whatever host is asked about: for one registry.
    pub fn given(credentials: Credentials) -> Self {
        Self { given: Some(credentials), ..Self::anonymous() }
    }

    /// Waits for a credential program at most this long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The credentials for a repository of a registry, whose host is as the reference says (`docker.io`,
    /// `mirror:5000`).
    pub fn lookup(&self, host: &str, repository: &str) -> Result<Option<Credentials>, CredentialsError> {
        if let Some(given) = &self.given {
            return Ok(Some(given.clone()));
        }
        for file in self.files()? {
            if let Some(helper) = file.helper(host)
                && let Some(found) = self.ask(helper, host)?
            {
                return Ok(Some(found));
            }
            if let Some(found) = file.entry(host, repository)? {
                return Ok(Some(found));
            }
            if let Some(store) = file.store()
                && let Some(found) = self.ask(store, host)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn files(&self) -> Result<&[AuthFile], CredentialsError> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let mut files = Vec::new();
        for place in self.locations.places() {
            files.extend(AuthFile::read(&place)?);
        }
        Ok(self.files.get_or_init(|| files))
    }

    fn ask(&self, helper: &str, host: &str) -> Result<Option<Credentials>, CredentialsError> {
        // Docker's programs know Docker Hub under the address of its first version.
        let server = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
        let key = (helper.to_owned(), server.to_owned());
        // The lock is kept while the program runs, so that several threads do not ask a person at once.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = said.get(&key) {
            return Ok(known.clone());
        }
        let found = helper::get(helper, server, self.locations.path.as_deref(), self.patience)?;
        said.insert(key, found.clone());
        Ok(found)
    }
}
