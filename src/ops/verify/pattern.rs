//! Patterns for a name in a certificate.

use regex::Regex;
use regex_syntax::hir::Look;

use crate::{diag::Diagnostic, pack};

/// An exact text or a regular expression.
#[derive(Debug, Clone)]
pub enum TextPattern {
    /// Exactly this text.
    Exact(String),
    /// A regular expression.
    Regexp(Regex),
}

impl TextPattern {
    /// At most one of the two, as given on a command line. A regular expression is interpreted as in cosign: by the
    /// rules of RE2, matching anywhere in the text unless anchored by `^` and `$`.
    pub(crate) fn at_most_one(
        exact: Option<&str>,
        regexp: Option<&str>,
        flag: &str,
    ) -> Result<Option<Self>, Diagnostic> {
        match (exact, regexp) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => {
                Err(Diagnostic::usage(format!("both {flag} and {flag}-regexp are given"), "give one of them"))
            }
            (Some(""), _) | (_, Some("")) => Err(Diagnostic::usage(
                format!("{flag} is empty, and would match every certificate"),
                "write the name that the certificate must have",
            )),
            (Some(text), None) => Ok(Some(Self::Exact(text.to_owned()))),
            (None, Some(text)) => Regex::new(text).map(|regex| Some(Self::Regexp(regex))).map_err(|e| {
                let reason = e.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                Diagnostic::usage(
                    format!("{flag}-regexp {text:?} is not a regular expression: {reason}"),
                    "correct it",
                )
            }),
        }
    }

    /// A pattern of a rule, whose regular expressions match the whole text.
    pub(super) fn of_rule(pattern: &pack::Pattern) -> Option<Self> {
        match pattern {
            pack::Pattern::Exact(text) => Some(Self::Exact(text.clone())),
            pack::Pattern::Regexp(text) => Regex::new(&format!("^(?:{text})$")).ok().map(Self::Regexp),
        }
    }

    /// Whether a text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Regexp(regex) => regex.is_match(text),
        }
    }

    /// Whether it may match in the middle of a text, which is rarely intended. `^` and `$` do not bind all of `^a|b$`.
    pub(super) fn is_unanchored(&self) -> bool {
        let Self::Regexp(regex) = self else { return false };
        regex_syntax::parse(regex.as_str()).is_ok_and(|parsed| {
            let (starts, ends) =
                (parsed.properties().look_set_prefix(), parsed.properties().look_set_suffix());
            !starts.contains(Look::Start) || !ends.contains(Look::End)
        })
    }
}

impl std::fmt::Display for TextPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Regexp(regex) => write!(f, "/{regex}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_may_match_in_the_middle_is_told() {
        let is_unanchored =
            |text: &str| TextPattern::at_most_one(None, Some(text), "x").unwrap().unwrap().is_unanchored();
        for bound in ["^a$", r"\Aa\z", "^(a|b)$", "^a$|^b$", "(?:^a.*$)", "^.*$"] {
            assert!(!is_unanchored(bound), "{bound}");
        }
        for open in ["a", "^a", "a$", "^a|b$", "^a$|b", "(?m)^a$", r"^a\$", "(^)?a$"] {
            assert!(is_unanchored(open), "{open}");
        }
    }
}
