//! Limits on the age of a pack and of the evidence in it.

use super::Request;
use crate::{
    diag::{Code, Diagnostic},
    display::count,
    ops::Context,
    pack::{self, Evidence, Pack},
};

/// Time limits that are overridden by flags.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Overruled {
    /// It is older than allowed.
    pub(super) stale: bool,
    /// It is dated in the future.
    pub(super) future: bool,
}

/// Checks the times.
pub(super) fn check(request: &Request, pack: &Pack, ctx: &Context) -> Result<Overruled, Diagnostic> {
    let stale = evidence(request, pack, ctx)?;
    lifetime(request, pack)?;
    if !pack.is_whole() {
        if pack.evidence().contains(&Evidence::Pins) {
            ctx.events.warn(
                "pins authenticate only keys: the age and the version of the pack are not authenticated",
            );
        }
        return Ok(Overruled { stale, future: false });
    }
    let mut limits = request.max_age.map_or_else(pack::Limits::default, pack::Limits::of);
    limits.allow_stale = request.exceptions.allow_stale_unsafe;
    limits.allow_future = request.exceptions.accept_future_unsafe;
    let inventory = pack.draft().inventory();
    let age = pack::freshness(inventory, ctx.now, &limits)?;
    let future = pack::not_from_the_future(inventory, ctx.now).err();
    if let Some(ahead) = &future {
        ctx.events.warn(&format!(
            "accepting a pack that is ahead of the clock because of --accept-future-unsafe: {ahead}"
        ));
    }
    if age.old {
        ctx.events.warn(&format!("the pack was made {} ago; ask for a newer one", count(age.days(), "day")));
    }
    Ok(Overruled { stale: age.stale || stale, future: future.is_some() })
}

/// Refuses a pack without an expiry date, or with one too far ahead, if the caller requires that.
fn lifetime(request: &Request, pack: &Pack) -> Result<(), Diagnostic> {
    let Some(limit) = request.max_expires else { return Ok(()) };
    let days = count(limit.as_hours() / 24, "day");
    let inventory = pack.draft().inventory();
    let error = match inventory.expires.filter(|_| pack.is_whole()) {
        None => format!(
            "this pack has no authenticated expiry, and it must expire within {days} of {}",
            inventory.created
        ),
        Some(end) if end.duration_since(inventory.created) > limit => {
            format!("the pack of {} ends at {end}, and at most {days} are allowed", inventory.created)
        }
        Some(_) => return Ok(()),
    };
    Err(Diagnostic::new(Code::ExpiresTooLate, error))
}

/// Checks the age of the evidence; returns whether evidence that is too old is accepted because of a flag.
fn evidence(request: &Request, pack: &Pack, ctx: &Context) -> Result<bool, Diagnostic> {
    let mut limits = request.max_age.map_or_else(pack::Limits::default, pack::Limits::of);
    limits.allow_stale = request.exceptions.allow_stale_unsafe;
    let created = pack.is_whole().then(|| pack.draft().inventory().created);
    let mut stale = false;
    for chain in pack.verified_chains() {
        let dated = chain.dated(created);
        let age = pack::evidence_age(&chain.file, &dated, ctx.now, &limits)?;
        stale |= age.stale;
        let (file, until) = (&chain.file, chain.verified.evidence.good_until());
        ctx.events.note(&format!("{file}: {}, good until {until}", chain.verified.evidence.summary()));
        if age.old {
            ctx.events.warn(&format!(
                "the evidence in {file} is {} old; ask for a newer pack",
                count(age.days(), "day")
            ));
        } else if dated.after.is_none() {
            ctx.events.warn(&format!(
                "it is not known when the evidence in {file} was signed: its repository does not say how long a \
                 timestamp is good for; it was no later than {until}"
            ));
        }
        let left = chain.left_out(pack.draft());
        if left > 0 && !pack.is_whole() {
            ctx.events.note(&format!(
                "its repository lists {} that the pack leaves out",
                count(left, "further key")
            ));
        }
    }
    Ok(stale)
}
