//! Settings for registries and other hosts.

use std::{num::NonZeroUsize, path::PathBuf};

use super::Context;
use crate::{
    diag::{Code, Diagnostic},
    fs,
    http::{self, Limiter, Notice, Tls},
    registry::{
        AllowedRealm, Options,
        credentials::{CredentialStore, Credentials},
    },
};

/// Settings for registries and other hosts. They may contain a password, so they can't be printed.
#[derive(Clone)]
pub struct Net {
    /// The credentials file; if omitted, those of containers-auth.json(5).
    pub authfile: Option<PathBuf>,
    /// `USER[:PASSWORD]` for the only registry in use.
    pub creds: Option<String>,
    /// A directory with `ca.crt`, `client.cert` and `client.key` for the registry.
    pub cert_dir: Option<PathBuf>,
    /// Whether a registry's certificate is verified; if not, http to the local machine is allowed too.
    pub tls_verify: bool,
    /// Whether http is used.
    pub plain_http: bool,
    /// The number of retries of a request.
    pub retries: u32,
    /// Concurrent requests, over all registries and hosts of the run.
    pub(crate) jobs: Limiter,
    /// Additional hosts, `HOST[:PORT]`, that may receive the registry's credentials.
    pub allow_realms: Vec<String>,
}

impl Default for Net {
    fn default() -> Self {
        Self {
            authfile: None,
            creds: None,
            cert_dir: None,
            tls_verify: true,
            plain_http: false,
            retries: 3,
            jobs: Limiter::new(http::JOBS),
            allow_realms: Vec::new(),
        }
    }
}

impl Net {
    /// Sets the number of concurrent requests, over all registries and hosts of the run; the default is 16.
    #[must_use]
    pub fn with_jobs(self, jobs: NonZeroUsize) -> Self {
        Self { jobs: Limiter::new(jobs.get()), ..self }
    }

    /// Checks what can be checked before a registry is contacted. `hosts` is the number of registries in this run.
    pub(super) fn check(&self, hosts: usize) -> Result<(), Diagnostic> {
        if self.creds.is_some() && hosts > 1 {
            return Err(Diagnostic::usage(
                "--creds names credentials for one registry, and several are read",
                "use --authfile, which keeps them apart",
            ));
        }
        if self.creds.as_deref().is_some_and(|creds| Credentials::parse(creds).is_none()) {
            return Err(Diagnostic::usage("--creds names no user", "write --creds USER:PASSWORD"));
        }
        for realm in &self.allow_realms {
            AllowedRealm::parse(realm).map_err(|e| {
                Diagnostic::usage(format!("--allow-realm: {e}"), "give a host, with a port where needed")
            })?;
        }
        // The file is read only when a registry asks for credentials, but a missing one is reported at once.
        if let Some(file) = self.authfile.as_deref().filter(|_| hosts > 0) {
            let error = match fs::is_file(file) {
                Ok(true) => None,
                Ok(false) => {
                    Some(format!("{}: the credentials file that was named is not there", file.display()))
                }
                Err(e) => Some(format!("could not read {}: {e}", file.display())),
            };
            error.map_or(Ok(()), |error| Err(Diagnostic::new(Code::AuthFile, error)))?;
        }
        if let Some(dir) = &self.cert_dir {
            let error = match fs::is_directory(dir) {
                Ok(true) => None,
                Ok(false) => Some(format!("{} is not a directory", dir.display())),
                Err(e) => Some(format!("could not read {}: {e}", dir.display())),
            };
            error.map_or(Ok(()), |error| Err(Diagnostic::new(Code::CertificateFile, error)))?;
        }
        Ok(())
    }
}

impl Context {
    /// The options for a registry.
    pub(super) fn registry(&self) -> Options {
        let wanted = &self.net;
        let credentials = if let Some(given) = wanted.creds.as_deref().and_then(Credentials::parse) {
            CredentialStore::given(given)
        } else {
            let mut locations = self.env.credentials.clone();
            locations.authfile = wanted.authfile.clone().or(locations.authfile);
            CredentialStore::new(locations)
        };
        let mut tls =
            self.env.home.as_deref().map_or_else(Tls::default, |home| Tls::default().with_home(home));
        tls.verify = wanted.tls_verify;
        tls.cert_dir.clone_from(&wanted.cert_dir);
        let events = self.events.clone();
        Options {
            http: http::Options {
                retries: wanted.retries,
                jobs: wanted.jobs.clone(),
                tls,
                notice: Some(Notice::new(move |text: &str| events.waiting(text))),
                meter: self.progress.clone(),
                ..http::Options::default()
            },
            plain_http: wanted.plain_http,
            credentials,
            allowed: wanted.allow_realms.iter().filter_map(|realm| AllowedRealm::parse(realm).ok()).collect(),
        }
    }
}
