use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// A host's knowledge of a keys/ directory or a pack, on which the trust in it depends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "standing")]
pub(crate) enum Standing {
    /// It was collected on this host, by a user who chose the sources.
    Collected {
        /// The time.
        at: Timestamp,
    },
    /// It was pulled on this host and authenticated by anchors.
    Authenticated {
        /// The time.
        at: Timestamp,
        /// The anchors, if they are in the state.
        by: Vec<String>,
    },
    /// It is not in this host's state.
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
