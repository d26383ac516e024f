//! How registries and other hosts are spoken to.

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

/// How registries and other hosts are spoken to. It can hold a password, so it can't be printed.
#[derive(Clone)]
pub struct Net {
    /// The credentials file; without it, those of containers-auth.json(5).
    pub authfile: Option<PathBuf>,
    /// `USER[:PASSWORD]` for the one registry that is named.
    pub creds: Option<String>,
    /// A directory with `ca.crt`, `client.cert` and `client.key` for the registry.
    pub cert_dir: Option<PathBuf>,
    /// Whether a registry's certificate is checked; without, http on this machine is allowed too.
    pub tls_verify: bool,
    /// Whether http is spoken.
    pub plain_http: bool,
    /// How often a request is tried again.
    pub retries: u32,
    /// Requests at a time, over all registries and hosts of the run.
    pub(crate) jobs: Limiter,
    /// Further hosts, `HOST[:PORT]`, that may see the registry's credentials.
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
    /// The same with so many requests at a time, over all registries and hosts of the run; otherwise it is 16.
    #[must_use]
    pub fn with_jobs(self, jobs: NonZeroUsize) -> Self {
        Self { jobs: Limiter::new(jobs.get()), ..self }
    }

    /// Checks what can be checked before a registry is asked. `hosts` counts the registries of this run.
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
        // Read only when a registry asks who we are; that it is not there shows at once.
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
    /// The settings for a registry.
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
