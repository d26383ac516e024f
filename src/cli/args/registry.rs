//! How registries are spoken to.

use std::path::PathBuf;

use clap::Args;

use crate::{cli::heading, http::Limiter, ops::Net};

/// How registries are spoken to.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Registry {
    /// Credentials file [default: as containers-auth.json(5) says].
    #[arg(help_heading = heading::REGISTRY, long, value_name = "FILE", env = "REGISTRY_AUTH_FILE")]
    authfile: Option<PathBuf>,
    /// Credentials for the one registry that is named.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "USER[:PASSWORD]", conflicts_with = "authfile")]
    creds: Option<String>,
    /// A directory with ca.crt, client.cert and client.key for the registry.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// Check the registry's certificate: true or false; `false` also allows http on this machine.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true,
          default_missing_value = "true", action = clap::ArgAction::Set)]
    tls_verify: bool,
    /// Use http.
    #[arg(help_heading = heading::REGISTRY, long)]
    plain_http: bool,
    /// How often a request is retried.
    #[arg(help_heading = heading::REGISTRY, long, value_name = "N", default_value_t = 3)]
    retry_times: u32,
    /// Requests at a time; fewer while a registry answers 429 (too many requests).
    #[arg(help_heading = heading::REGISTRY, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// A further host that may see the registry's credentials [repeatable].
    #[arg(help_heading = heading::REGISTRY, long, value_name = "HOST[:PORT]")]
    allow_realm: Vec<String>,
}

impl Registry {
    /// Adds hosts that the setting allows.
    pub(in crate::cli) fn allow_realms(&mut self, setting: Vec<String>) {
        self.allow_realm.extend(setting);
    }
}

impl From<&Registry> for Net {
    fn from(args: &Registry) -> Self {
        let Registry { authfile, creds, cert_dir, tls_verify, plain_http, retry_times, jobs, allow_realm } =
            args.clone();
        Self {
            authfile,
            creds,
            cert_dir,
            tls_verify,
            plain_http,
            retries: retry_times,
            jobs: Limiter::new(usize::from(jobs)),
            allow_realms: allow_realm,
        }
    }
}
