//! Strict YAML, for files written for keypack. (YAML written for other programs, or found in payloads, is read
//! leniently where it is used.) `serde-saphyr` is the only maintained reader that knows line and column, refuses
//! duplicate keys, and has budgets.

mod error;
mod go;
mod quoted;

use std::{fmt::Display, str::FromStr};

pub(crate) use error::FileError;
pub(crate) use go::{GoBool, read_as_go};
pub(crate) use quoted::quoted;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_saphyr::{Error, options::DuplicateKeyPolicy};

/// A value with its position in the text.
pub(crate) type At<T> = serde_saphyr::Spanned<T>;

/// What is wrong, and where: line and column, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Option<(u64, u64)>,
    pub(crate) what: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    /// A fault at the position of `value`.
    pub(crate) fn at<T>(value: &At<T>, what: impl Into<String>) -> Self {
        Self { at: Some(place(value)), what: what.into(), hint: None }
    }

    pub(crate) fn hinting(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Line and column of a value.
pub(crate) fn place<T>(value: &At<T>) -> (u64, u64) {
    (value.referenced.line(), value.referenced.column())
}

/// Parses a value with its type's own parser, which its flag uses too.
pub(crate) fn value<T: FromStr<Err: Display>>(text: &At<String>) -> Result<T, Fault> {
    text.value.parse().map_err(|e: T::Err| Fault::at(text, e.to_string()))
}

/// A literal `true` or `false`.
pub(crate) fn truth(value: &At<Truth>) -> Result<bool, Fault> {
    match &value.value {
        Truth::Is(truth) => Ok(*truth),
        Truth::Text(text) => {
            Err(Fault::at(value, format!("{text:?} is a text"))
                .hinting("write true or false, without quotes"))
        }
    }
}

/// Reads a document. An empty text is an error too: a file that is given is expected to have content.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    // Depth 16 is twice as much as any of our documents has. They don't need anchors, and without anchors there are no
    // aliases to expand.
    let budget = serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: 16, max_merge_keys: 0 };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        // A text that other readers take for a number or a boolean must be quoted, and `no` is not false.
        no_schema: true,
        strict_booleans: true,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        with_snippet: false,
    };
    if text.lines().all(|line| matches!(line.trim_start().as_bytes(), [] | [b'#', ..])) {
        let hint = Some("give a value, or leave the file out".into());
        return Err(Fault { at: None, what: "it holds nothing".into(), hint });
    }
    serde_saphyr::from_str_with_options(text, options).map_err(|e| fault(&e))
}

/// Reads all documents of a text written for other programs. Unknown fields, and numbers in place of texts, are
/// accepted. Duplicate keys and anchors are errors here too.
pub(crate) fn documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Fault> {
    // `managedFields` of Kubernetes nest about 12 levels deep.
    let budget = serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: 64, max_merge_keys: 0 };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|e| fault(&e))
}

/// For fields that may be omitted but not left empty: `name:` without a value is an error.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// `true` or `false`, or a text that only looks like one: the reader by itself would accept `"false"` as `false`.
pub(crate) enum Truth {
    Is(bool),
    Text(String),
}

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl serde::de::Visitor<'_> for Reader {
            type Value = Truth;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Truth, E> {
                Ok(Truth::Is(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Truth, E> {
                Ok(Truth::Text(text.to_owned()))
            }
        }
        from.deserialize_any(Reader)
    }
}

fn fault(error: &Error) -> Fault {
    let error = error.without_snippet();
    let at = error.location().filter(|l| l.line() > 0).map(|l| (l.line(), l.column()));
    let (what, hint) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("there is no field {field:?} here"), Some(nearest(field, expected, "fields here are")))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("{variant:?} is not one of the values"), Some(nearest(variant, expected, "values are")))
        }
        Error::SerdeMissingField { field, .. } => (format!("the field {field:?} is missing"), None),
        Error::DuplicateMappingKey { key, .. } => (
            format!("the field {:?} is a duplicate", key.as_deref().unwrap_or("?")),
            Some("keep one of them".into()),
        ),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("it is {unexpected}, but {expected} is expected"), None)
        }
        Error::QuotingRequired { value, .. } => (
            format!("{value:?} is a string that other programs read as a number or a boolean"),
            Some("put it in quotes".into()),
        ),
        Error::Unexpected { expected, .. } => (format!("{} is expected here", plain(expected)), None),
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            ("one word is expected here".into(), None)
        }
        Error::NullIntoString { .. } => {
            ("it is empty".into(), Some("give a value, or remove the field".into()))
        }
        Error::Eof { .. } => ("it holds nothing".into(), Some("give a value, or leave the file out".into())),
        Error::Budget { .. } | Error::UnknownAnchor { .. } | Error::MergeKeyNotAllowed { .. } => (
            "it uses anchors, aliases or merge keys, or nests too deeply".into(),
            Some("write each value out".into()),
        ),
        Error::MultipleDocuments { .. } => {
            ("it holds several documents".into(), Some("keep one, without ---".into()))
        }
        other => (first_line(&other.to_string()), None),
    };
    Fault { at, what, hint }
}

/// What the reader expected, in plain words.
fn plain(expected: &'static str) -> &'static str {
    match expected {
        "string scalar" => "a text",
        "mapping start" => "a field (NAME: VALUE)",
        "sequence start" => "a list (- A, or [A, B])",
        other => other,
    }
}

/// A message without its position, which is shown separately.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    line.split(" at line ").next().unwrap_or(line).trim_end_matches(':').to_owned()
}

fn nearest(word: &str, known: &[&'static str], are: &str) -> String {
    let all = known.join(", ");
    // Case is the most common mistake. A word that differs in more than a third of its letters is not suggested.
    let distance = |k: &&str| strsim::osa_distance(&k.to_lowercase(), &word.to_lowercase());
    let close =
        known.iter().copied().min_by_key(distance).filter(|k| distance(k) * 3 <= k.len().max(word.len()));
    match close {
        Some(close) => format!("did you mean {close:?}? The {are}: {all}"),
        None => format!("the {are}: {all}"),
    }
}
