//! JSON objects as containers/image's `ParanoidUnmarshalJSONObject` reads them: an unknown field refuses the document, names are
//! compared with their case; `null` is what Go makes of it.

use serde_json::{Map, Value};

use super::PolicyFault;
use crate::trust::attachment::base64;

/// The fields of one object, taken out one by one.
pub(super) struct Fields<'a> {
    what: &'a str,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object, if it has no fields but these.
    pub(super) fn of(what: &'a str, value: &'a Value, known: &[&str]) -> Result<Self, PolicyFault> {
        let fields = value.as_object().ok_or_else(|| fault(what, "it must be an object"))?;
        match fields.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => {
                Err(fault(what, &format!("the consumer knows no field {key:?} here, and refuses the file")))
            }
            None => Ok(Self { what, fields }),
        }
    }

    /// Whether the field is there, `null` or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name)
    }

    /// A text. `null` is the empty one.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, PolicyFault> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some("")),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be a text")),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, PolicyFault> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A list of texts; `null` is none, and an empty list is a fault.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, PolicyFault> {
        self.list(name, |value| match value {
            Value::Null => Some(""),
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// Bytes in base64; `null` is as if the field were not there.
    pub(super) fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, PolicyFault> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => decoded(value).map(Some).ok_or_else(|| self.wrong(name, "is not base64")),
        }
    }

    pub(super) fn byte_lists(&self, name: &str) -> Result<Option<Vec<Vec<u8>>>, PolicyFault> {
        self.list(name, |value| if value.is_null() { Some(Vec::new()) } else { decoded(value) })
    }

    fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<Vec<T>>, PolicyFault> {
        let list = match self.fields.get(name) {
            None => return Ok(None),
            Some(Value::Array(list)) if !list.is_empty() => list,
            Some(Value::Null | Value::Array(_)) => return Err(self.wrong(name, "contains no entries")),
            Some(_) => return Err(self.wrong(name, "must be a list")),
        };
        let read: Option<Vec<T>> = list.iter().map(read).collect();
        read.map(Some).ok_or_else(|| self.wrong(name, "holds an entry that can't be read"))
    }

    fn wrong(&self, name: &str, what: &str) -> PolicyFault {
        fault(self.what, &format!("{name} {what}"))
    }
}

pub(super) fn fault(what: &str, reason: &str) -> PolicyFault {
    PolicyFault(format!("{what}: {reason}"))
}

fn decoded(value: &Value) -> Option<Vec<u8>> {
    base64(value.as_str()?)
}
