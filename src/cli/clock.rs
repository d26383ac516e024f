//! Times as this program says them.

use jiff::Timestamp;

/// Times in messages and inventories have no fraction.
pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
