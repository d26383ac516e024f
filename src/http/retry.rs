use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

/// Whether a status means "try again", so that the failure is not due to the request itself.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// Whether a status says that the request was not processed at all, so that even one that must not be repeated may be
/// sent again.
pub(super) fn is_untouched(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 503)
}

/// The pause before retry number `attempt` (from 0), doubling each time.
pub(super) fn backoff(first: Duration, longest: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(longest)
}

/// Lengthens a pause by up to a half, at random, so that threads refused together do not retry together.
pub(super) fn spread(pause: Duration) -> Duration {
    // The hash maps of the standard library use random keys.
    let random = RandomState::new().build_hasher().finish() >> 40;
    #[allow(clippy::cast_precision_loss, reason = "24 bits")]
    let share = random as f64 / f64::from(1 << 24);
    pause + pause.mul_f64(share / 2.0)
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. A date is compared with the `Date` of the same response, so
/// that the two clocks need not agree; without that header it is ignored.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let parser = DateTimeParser::new();
    let until = parser.parse_timestamp(text).ok()?;
    let now = parser.parse_timestamp(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (reqwest::header::HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let later = "Sun, 06 Nov 1994 08:50:07 GMT";
        let wait = |a, b| retry_after(&headers(&[("retry-after", a), ("date", b)]));
        assert_eq!(wait(later, date), Some(Duration::from_secs(30)));
        assert_eq!(wait(date, later), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers(&[("retry-after", later)])), None);
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")])), None);
    }

    #[test]
    fn pauses_are_spread_and_never_shorter() {
        let pause = Duration::from_secs(10);
        let spread: std::collections::BTreeSet<_> = (0..100).map(|_| spread(pause)).collect();
        assert!(spread.len() > 50);
        assert!(spread.iter().all(|p| (pause..=pause.mul_f64(1.5)).contains(p)), "{spread:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |n| backoff(Duration::from_secs(1), Duration::from_secs(120), n).as_secs();
        assert_eq!([pause(0), pause(1), pause(3), pause(9), pause(99)], [1, 2, 8, 120, 120]);
    }
}
