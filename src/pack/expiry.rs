//! Points in time and time spans as written in flags and in `keypack.yaml`.

use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit, civil::Date};

/// When a pack expires.
#[derive(Debug, Clone, Copy, Default)]
pub enum Expiry {
    /// The same as the replaced pack.
    #[default]
    Keep,
    /// Never.
    Never,
    /// At a fixed time.
    At(Timestamp),
    /// A given time after its creation.
    After(Span),
}

impl Expiry {
    /// The expiry of a pack made at `created`; `before` is that of the replaced pack.
    pub fn of(self, created: Timestamp, before: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Keep => before,
            Self::Never => None,
            Self::At(time) => Some(whole_seconds(time)),
            Self::After(span) => created.checked_add(span).ok(),
        }
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(time) = parse_time(text) {
            return Ok(Self::At(time));
        }
        parse_span(text).map(Self::After).map_err(|_| {
            r#"write a date (2027-05-01), a time (2027-05-01T12:00:00Z), a span of weeks, days or hours ("180 days"), or never"#
                .into()
        })
    }
}

/// Parses a time, or the first instant of a date, in UTC.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let date = text.parse::<Date>().ok().filter(|_| text.len() == 10);
    date.and_then(|date| date.in_tz("UTC").ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| "write a date (2027-05-01) or a time (2027-05-01T12:00:00Z)".to_owned())
}

/// Parses a time span without calendar units: weeks, days, hours.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|e: jiff::Error| e.to_string())?;
    // Days count as 24 hours, because a pack has no time zone.
    let seconds = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .map_err(|e| format!("{e}; use days or smaller units"))?;
    if seconds < 0.0 {
        return Err("it must not be negative".into());
    }
    #[allow(clippy::cast_possible_truncation, reason = "whole seconds are meant")]
    Ok(Span::new().seconds(seconds as i64))
}

/// Parses a time span such as `180 days`; a day has 24 hours.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    parse_span(text)?.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|e| e.to_string())
}

/// Times in an inventory have no fraction, because JSON readers differ in how many digits they keep.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
