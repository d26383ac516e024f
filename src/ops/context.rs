use std::{ffi::OsString, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::Net;
use crate::{
    events::{Events, Interrupt, Progress, Silent},
    registry::credentials::Locations,
};

/// Everything that an operation needs in addition to its request.
#[derive(Clone)]
pub struct Context {
    /// The current time, because operations do not read the clock.
    pub now: Timestamp,
    /// The environment.
    pub env: Env,
    /// The user who runs it, for the log in the state directory.
    pub caller: Caller,
    /// Settings for registries and other hosts.
    pub net: Net,
    /// Receives progress messages and warnings.
    pub events: Arc<dyn Events>,
    /// Counts the bytes of transfers that may take long.
    pub progress: Progress,
    /// Handles interruptions.
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

/// The user who runs an operation, as far as known. It does not affect decisions.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The numeric user id.
    pub uid: Option<u32>,
    /// The user's name.
    pub user: Option<String>,
    /// The numeric id of the user who logged in, which `sudo` does not change.
    pub login_uid: Option<u32>,
    /// The host's name.
    pub host: Option<String>,
    /// The ticket under which he does it.
    pub ticket: Option<String>,
    /// The source of [`Context::now`], for example `system-clock`.
    pub time_source: Option<String>,
}

/// The environment variables that determine the location of files, as values.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `OC_MIRROR_CACHE`.
    pub oc_mirror_cache: Option<PathBuf>,
    /// The locations of credentials.
    pub(crate) credentials: Locations,
}

impl Env {
    /// Reads the variables from an environment: `Env::from_vars(|name| std::env::var_os(name), Some(uid))`. Empty
    /// variables count as unset.
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
