use super::Context;
use crate::{outcome, pack::Draft};

/// Warns of everything that expires within 30 days. Every verb that uses a pack calls this.
pub(super) fn warn_of_ends(draft: &Draft, ctx: &Context) {
    for warning in outcome::ends(draft).iter().filter_map(|end| end.warning(ctx.now)) {
        ctx.events.warn(&warning);
    }
}
