use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// What a host knows of a keys/ directory or a pack: what it may be trusted for depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "standing")]
pub(crate) enum Standing {
    /// It was collected on this host: whoever ran the collection chose the sources.
    Collected {
        /// When.
        at: Timestamp,
    },
    /// It was pulled on this host and authenticated by anchors.
    Authenticated {
        /// When.
        at: Timestamp,
        /// By which anchors, where the state tells.
        by: Vec<String>,
    },
    /// This host knows nothing of it.
    NotAuthenticated,
}

impl Standing {
    /// Whether this host collected or authenticated it.
    pub(crate) const fn is_known(&self) -> bool {
        !matches!(self, Self::NotAuthenticated)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collected { at } => write!(f, "COLLECTED HERE at {at:.0}; no anchor was asked"),
            Self::Authenticated { at, by } if by.is_empty() => {
                write!(f, "AUTHENTICATED HERE at {at:.0}, by the anchors of that pull")
            }
            Self::Authenticated { at, by } => {
                write!(f, "AUTHENTICATED HERE at {at:.0}, by {}", by.join(" and "))
            }
            Self::NotAuthenticated => {
                f.write_str("NOT AUTHENTICATED: this is what the pack says of itself, and nothing more")
            }
        }
    }
}
