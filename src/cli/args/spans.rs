//! Spans of time as people write them.

use jiff::Timestamp;

pub(super) fn span(text: &str) -> Result<jiff::Span, String> {
    let span: jiff::Span = text.parse().map_err(|e: jiff::Error| e.to_string())?;
    // Days are taken as 24 hours: a pack has no time zone.
    let seconds = span
        .total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()))
        .map_err(|e| format!("{e}; use days or smaller units"))?;
    if seconds < 0.0 {
        return Err("it must not be negative".into());
    }
    #[allow(clippy::cast_possible_truncation, reason = "whole seconds are meant")]
    Ok(jiff::Span::new().seconds(seconds as i64))
}

pub(super) fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    span(text)?.to_duration(days).map_err(|e| e.to_string())
}

pub(super) fn expiry(text: &str) -> Result<crate::pack::Expiry, String> {
    use crate::pack::Expiry;
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Expiry::At(time));
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return date.in_tz("UTC").map(|z| Expiry::At(z.timestamp())).map_err(|e| e.to_string());
    }
    let span = span(text).map(Expiry::After);
    span.map_err(|_| {
        r#"write a date (2027-05-01), a time (2027-05-01T12:00:00Z) or a span of weeks, days or hours ("180 days")"#
            .into()
    })
}
