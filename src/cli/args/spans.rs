//! Spans of time as people write them.

pub(super) fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    crate::pack::parse_span(text)?.to_duration(days).map_err(|e| e.to_string())
}
