//! Whether a pack is current: detects that new packs are being withheld, or that the clock is wrong.

use jiff::{SignedDuration, Timestamp};

use super::{Dated, Inventory, KeyRecord, PackError};

const DAY: i64 = 24 * 60 * 60;

/// The limits on a pack's age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Above this age there is a warning.
    pub warn: SignedDuration,
    /// Above this age the pack is refused.
    pub refuse: SignedDuration,
    /// Accept older packs nevertheless. A pack with an expiry date is still refused after it.
    pub allow_stale: bool,
    /// Accept a pack whose version or date is in the future.
    pub allow_future: bool,
}

impl Default for Limits {
    /// 90 and 180 days: the public-good instance renews its own root every half year.
    fn default() -> Self {
        let days = |n| SignedDuration::from_secs(n * DAY);
        Self { warn: days(90), refuse: days(180), allow_stale: false, allow_future: false }
    }
}

impl Limits {
    /// Refuses above `max_age`, and warns above half of it.
    #[must_use]
    pub fn of(max_age: SignedDuration) -> Self {
        Self { warn: max_age / 2, refuse: max_age, ..Self::default() }
    }
}

/// The age of an acceptable pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Time since its creation; never negative.
    pub age: SignedDuration,
    /// Whether there should be a warning.
    pub old: bool,
    /// Whether it is older than allowed and was accepted because the user said so.
    pub stale: bool,
}

/// Refuses a pack whose version or date is more than a day in the future.
///
/// A version is its creation time, or its predecessor's plus one. A single version near the maximum would block all
/// later packs, including those with a revocation. A clock that is slightly behind is tolerated; one that is a day
/// behind would also accept expired packs.
/// is a day behind would also believe in expired packs.
pub fn not_from_the_future(inventory: &Inventory, now: Timestamp) -> Result<(), PackError> {
    let Inventory { version, created, .. } = *inventory;
    let limit = now.as_second().saturating_add(DAY);
    if created.as_second() > limit || version > u64::try_from(limit).unwrap_or_default() {
        return Err(PackError::FromTheFuture { version, created, now });
    }
    Ok(())
}

/// Decides whether an authenticated inventory is fresh at `now`.
pub fn freshness(inventory: &Inventory, now: Timestamp, limits: &Limits) -> Result<Age, PackError> {
    let created = inventory.created;
    let age = now.duration_since(created);
    if !limits.allow_future {
        not_from_the_future(inventory, now)?;
    }
    if let Some(expires) = inventory.expires.filter(|expires| *expires <= now) {
        return Err(PackError::Expired { expires, now });
    }
    let stale = age > limits.refuse;
    if stale && !limits.allow_stale {
        return Err(PackError::TooOld { created, days: days(age), limit: days(limits.refuse) });
    }
    Ok(Age { age: age.max(SignedDuration::ZERO), old: age > limits.warn, stale })
}

/// How long a key may be retained without being needed before it is reported: as long as the age limit for a pack.
pub const KEPT_LONG: SignedDuration = SignedDuration::from_secs(180 * DAY);

/// The keys that no run has needed for longer than [`KEPT_LONG`], with the time of the first run that did not need
/// them.
pub fn kept_long(inventory: &Inventory, now: Timestamp) -> Vec<(&KeyRecord, Timestamp)> {
    let kept = inventory.keys.iter().filter_map(|key| Some((key, key.kept?)));
    kept.filter(|(_, since)| now.duration_since(*since) > KEPT_LONG).collect()
}

/// Decides whether the evidence of a TUF chain is fresh at `now`. Its age is counted from the earliest time at which it
/// can have been signed or, if that is unknown, from its expiry, in which case the repository determines how long it
/// can be withheld.
pub fn evidence_age(file: &str, dated: &Dated, now: Timestamp, limits: &Limits) -> Result<Age, PackError> {
    let from = dated.after.unwrap_or(dated.until);
    let age = now.duration_since(from);
    if dated.after.is_some() && age < SignedDuration::from_secs(-DAY) {
        return Err(PackError::TufClockBehind { name: file.into(), after: from, now });
    }
    let stale = age > limits.refuse;
    if stale && !limits.allow_stale {
        return Err(PackError::TufTooOld {
            name: file.into(),
            from,
            days: days(age),
            limit: days(limits.refuse),
        });
    }
    Ok(Age { age: age.max(SignedDuration::ZERO), old: age > limits.warn, stale })
}

impl Age {
    /// Whole days.
    pub const fn days(&self) -> i64 {
        days(self.age)
    }
}

const fn days(duration: SignedDuration) -> i64 {
    duration.as_secs() / DAY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{SCHEMA_VERSION, media};

    fn made(created: &str, expires: Option<&str>) -> Inventory {
        Inventory {
            schema_version: SCHEMA_VERSION,
            media_type: media::INVENTORY.into(),
            name: "default".into(),
            version: 1,
            created: created.parse().unwrap(),
            expires: expires.map(|t| t.parse().unwrap()),
            collected_by: None,
            keys: Vec::new(),
            files: Vec::new(),
            tuf: Vec::new(),
            rules: Vec::new(),
            revoked: Vec::new(),
            extensions: serde_json::Map::new(),
        }
    }

    fn code(inventory: &Inventory, now: &str, limits: &Limits) -> &'static str {
        freshness(inventory, now.parse().unwrap(), limits).map_or_else(|e| e.code().as_str(), |_| "fresh")
    }

    #[test]
    fn a_clock_a_day_behind_is_refused_and_a_little_less_is_not() {
        let pack = made("2026-06-02T00:00:00Z", None);
        let limits = Limits::default();
        assert_eq!(code(&pack, "2026-06-01T00:00:00Z", &limits), "fresh");
        assert_eq!(code(&pack, "2026-05-31T23:59:59Z", &limits), "version-from-the-future");
        // A date at the end of time, from a wrong clock or an attacker, must not cause a panic.
        let late = made("9999-12-30T00:00:00Z", None);
        assert_eq!(code(&late, "2026-01-01T00:00:00Z", &limits), "version-from-the-future");
        assert_eq!(
            code(&made("-009998-01-02T01:59:59Z", None), "9999-12-30T00:00:00Z", &limits),
            "pack-too-old"
        );
    }

    #[test]
    fn a_version_near_the_end_of_the_numbers_is_from_the_future() {
        let mut pack = made("2026-06-02T00:00:00Z", None);
        let now = "2026-06-02T00:00:00Z".parse::<Timestamp>().unwrap();
        let day_ahead = u64::try_from(now.as_second() + DAY).unwrap();
        for (version, fine) in [(0, true), (day_ahead, true), (day_ahead + 1, false), (u64::MAX, false)] {
            pack.version = version;
            assert_eq!(not_from_the_future(&pack, now).is_ok(), fine, "{version}");
            let allow = Limits { allow_future: true, ..Limits::default() };
            assert!(freshness(&pack, now, &allow).is_ok());
        }
    }

    #[test]
    fn an_expired_pack_is_refused_whatever_is_allowed() {
        let pack = made("2026-06-01T00:00:00Z", Some("2026-06-10T00:00:00Z"));
        let allow = Limits { allow_stale: true, ..Limits::default() };
        assert_eq!(code(&pack, "2026-06-09T23:59:59Z", &allow), "fresh");
        assert_eq!(code(&pack, "2026-06-10T00:00:00Z", &allow), "pack-expired");
    }

    #[test]
    fn an_old_pack_is_told_then_refused() {
        let pack = made("2026-01-01T00:00:00Z", None);
        let age = |now: &str, limits| freshness(&pack, now.parse().unwrap(), &limits);
        assert!(!age("2026-03-01T00:00:00Z", Limits::default()).unwrap().old);
        let old = age("2026-04-30T00:00:00Z", Limits::default()).unwrap();
        assert_eq!((old.old, old.stale, old.days()), (true, false, 119));
        assert_eq!(code(&pack, "2026-07-05T00:00:00Z", &Limits::default()), "pack-too-old");
        let stale = age("2026-07-05T00:00:00Z", Limits { allow_stale: true, ..Limits::default() }).unwrap();
        assert!(stale.stale);
        let week = Limits::of(SignedDuration::from_secs(7 * DAY));
        assert_eq!(code(&pack, "2026-01-09T00:00:00Z", &week), "pack-too-old");
    }
}
