use std::{ffi::OsString, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::Net;
use crate::{
    events::{Events, Interrupt, Progress, Silent},
    registry::credentials::Locations,
};

/// What an operation needs beside its request.
#[derive(Clone)]
pub struct Context {
    /// Now: an operation reads no clock.
    pub now: Timestamp,
    /// The environment.
    pub env: Env,
    /// Who runs it, for the log of the state.
    pub caller: Caller,
    /// How registries and other hosts are spoken to.
    pub net: Net,
    /// Who hears what is reported on the way.
    pub events: Arc<dyn Events>,
    /// Counts the bytes of transfers that may take long.
    pub progress: Progress,
    /// What an interruption leaves behind.
    pub interrupt: Interrupt,
}

impl Context {
    /// A context without a listener.
    pub fn new(now: Timestamp, env: Env) -> Self {
        Self {
            now,
            env,
            caller: Caller::default(),
            net: Net::default(),
            events: Arc::new(Silent),
            progress: Progress::default(),
            interrupt: Interrupt::default(),
        }
    }
}

/// Who runs an operation, as far as the caller knows. It decides nothing.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The number of the user of the operating system.
    pub uid: Option<u32>,
    /// The user's name.
    pub user: Option<String>,
    /// The number of the user who logged in, which `sudo` does not change.
    pub login_uid: Option<u32>,
    /// The host's name.
    pub host: Option<String>,
    /// Where [`Context::now`] is from, as `system-clock`.
    pub time_source: Option<String>,
}

/// The variables of the environment that decide where files lie, as values.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `OC_MIRROR_CACHE`.
    pub oc_mirror_cache: Option<PathBuf>,
    /// Where credentials are looked for.
    pub(crate) credentials: Locations,
}

impl Env {
    /// Takes what it needs out of an environment: `Env::from_vars(|name| std::env::var_os(name), Some(uid))`. Empty
    /// variables count as absent.
    pub fn from_vars(var: impl Fn(&str) -> Option<OsString>, uid: Option<u32>) -> Self {
        let path = |name| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            home: path("HOME"),
            state_home: path("XDG_STATE_HOME"),
            oc_mirror_cache: path("OC_MIRROR_CACHE"),
            credentials: Locations::from_vars(&var, uid),
        }
    }
}

/// Times in messages and inventories have no fraction.
pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
