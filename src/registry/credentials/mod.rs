//! Credentials and their lookup. Where they may be sent is decided in `registry`.
//!
//! The order is that of containers-auth.json(5): `--creds`; otherwise `--authfile` or `REGISTRY_AUTH_FILE` alone;
//! otherwise `$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/$UID/auth.json` if that variable is not set),
//! `${XDG_CONFIG_HOME:-~/.config}/containers/auth.json`, `${DOCKER_CONFIG:-~/.docker}/config.json`, `~/.dockercfg`. The
//! first file with a matching entry wins. Within a file: the host's program in `credHelpers`; then `auths`, the most
//! specific path first; then the program in `credsStore`.
//!
//! No message, error or `Debug` output contains a secret.

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
    /// An unreadable or malformed auth file. Its content is not repeated.
    #[error("the auth file {path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A credential program that failed.
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

/// Looks up the credentials of a registry.
#[derive(Debug)]
pub struct CredentialStore {
    given: Option<Credentials>,
    locations: Locations,
    patience: Duration,
    files: OnceLock<Vec<AuthFile>>,
    /// The answers of credential programs, by program and server: they may prompt the user.
    said: Mutex<HashMap<(String, String), Option<Credentials>>>,
}

impl CredentialStore {
    /// A store that reads from these locations.
    pub fn new(locations: Locations) -> Self {
        Self {
            given: None,
            locations,
            patience: Duration::from_secs(60),
            files: OnceLock::new(),
            said: Mutex::default(),
        }
    }

    /// A store without credentials.
    pub fn anonymous() -> Self {
        Self::new(Locations::default())
    }

    /// A store with these credentials alone (`--creds`), returned for any host: for a single registry.
    pub fn given(credentials: Credentials) -> Self {
        Self { given: Some(credentials), ..Self::anonymous() }
    }

    /// Sets how long to wait for a credential program.
    #[cfg(feature = "internals")]
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The credentials for a repository of a registry. The host is written as in the reference (`docker.io`,
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
        // Docker's programs store Docker Hub under the address of its first version.
        let server = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
        let key = (helper.to_owned(), server.to_owned());
        // The lock is held while the program runs, so that several threads don't prompt the user at once.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = said.get(&key) {
            return Ok(known.clone());
        }
        let found = helper::get(helper, server, self.locations.path.as_deref(), self.patience)?;
        said.insert(key, found.clone());
        Ok(found)
    }
}
