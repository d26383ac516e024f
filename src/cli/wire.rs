//! The flags that concern registries, as settings.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{heading, output::Output};
use crate::{
    diag::{Code, Diagnostic},
    http::{self, Tls},
    registry::{
        AllowedRealm, Options,
        credentials::{CredentialStore, Credentials, Locations},
    },
};

/// How registries are spoken to.
#[derive(Debug, Clone, Args)]
pub(super) struct Wire {
    /// Credentials file [default: as containers-auth.json(5) says].
    #[arg(help_heading = heading::REGISTRY, long, value_name = "FILE", env = "REGISTRY_AUTH_FILE")]
    authfile: Option<PathBuf>,
    /// Credentials for the one registry that is named.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "USER[:PASSWORD]", conflicts_with = "authfile")]
    creds: Option<String>,
    /// A directory with ca.crt, client.cert and client.key for the registry.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// Check the registry's certificate; `false` also allows http on this machine.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true,
          default_missing_value = "true", action = clap::ArgAction::Set)]
    tls_verify: bool,
    /// Speak http.
    #[arg(help_heading = heading::REGISTRY, long)]
    plain_http: bool,
    /// How often a request is tried again.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "N", default_value_t = 3)]
    retry_times: u32,
    /// Requests at a time.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// A further host that may see the registry's credentials [repeatable].
    #[arg(help_heading = heading::REGISTRY, long, value_name = "HOST[:PORT]")]
    allow_realm: Vec<String>,
}

impl Wire {
    /// Adds hosts that the setting allows.
    pub(super) fn allow_realms(&mut self, setting: Vec<String>) {
        self.allow_realm.extend(setting);
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
        for realm in &self.allow_realm {
            AllowedRealm::parse(realm).map_err(|e| {
                Diagnostic::usage(format!("--allow-realm: {e}"), "give a host, with a port where needed")
            })?;
        }
        // Read only when a registry asks who we are; that it is not there shows at once.
        if let Some(file) = self.authfile.as_deref().filter(|file| hosts > 0 && !file.is_file()) {
            return Err(Diagnostic::new(
                Code::AuthFile,
                format!("{}: the credentials file that was named is not there", file.display()),
            ));
        }
        if let Some(dir) = self.cert_dir.as_deref().filter(|d| !d.is_dir()) {
            return Err(Diagnostic::new(
                Code::CertificateFile,
                format!("{} is not a directory", dir.display()),
            ));
        }
        Ok(())
    }

    /// The settings.
    pub(super) fn options(&self, output: &Output) -> Options {
        let variable = |name: &str| std::env::var_os(name);
        let mut locations = Locations::from_vars(variable, Some(rustix::process::getuid().as_raw()));
        if let Some(file) = &self.authfile {
            locations.authfile = Some(file.clone());
        }
        let credentials = match self.creds.as_deref().and_then(Credentials::parse) {
            Some(given) => CredentialStore::given(given),
            None => CredentialStore::new(locations),
        };
        let mut tls =
            variable("HOME").map_or_else(Tls::default, |home| Tls::default().with_home(Path::new(&home)));
        tls.verify = self.tls_verify;
        tls.cert_dir.clone_from(&self.cert_dir);
        Options {
            http: http::Options {
                retries: self.retry_times,
                jobs: usize::from(self.jobs),
                tls,
                notice: Some(output.notice()),
                meter: output.progress.clone(),
                ..http::Options::default()
            },
            plain_http: self.plain_http,
            credentials,
            allowed: self.allow_realm.iter().filter_map(|realm| AllowedRealm::parse(realm).ok()).collect(),
        }
    }
}
