use crate::{
    display::count,
    events::Events,
    pack::{Inventory, KEPT_LONG, kept_long},
};

/// Warns of keys that have not been needed for a long time.
pub(super) fn warn_of_long_kept(
    inventory: &Inventory,
    now: jiff::Timestamp,
    advice: &str,
    events: &dyn Events,
) {
    let long = kept_long(inventory, now);
    if !long.is_empty() {
        let days = KEPT_LONG.as_hours() / 24;
        let keys: Vec<_> = long.iter().map(|(key, since)| format!("{} (since {since})", key.file)).collect();
        events.warn(&format!(
            "no collection has needed {} for more than {}: {}; {advice}",
            count(keys.len(), "key"),
            count(days, "day"),
            keys.join(", ")
        ));
    }
}
