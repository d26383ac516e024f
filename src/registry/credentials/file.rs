use std::{collections::HashMap, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer};

use super::{Credentials, CredentialsError, Secret, locations::Place};
use crate::{fs, limits, text};

/// One auth file, limited to the members that keypack reads (containers-auth.json(5), docker's config.json).
#[derive(Debug)]
pub(super) struct AuthFile {
    path: PathBuf,
    legacy: bool,
    content: Content,
}

/// Many programs write `null` for an empty value (Go's encoder, jq, Terraform, Ansible).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    #[serde(deserialize_with = "or_empty")]
    auths: HashMap<String, Option<Entry>>,
    #[serde(deserialize_with = "or_empty")]
    cred_helpers: HashMap<String, Option<String>>,
    #[serde(deserialize_with = "or_empty")]
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "or_empty")]
    auth: String,
    #[serde(deserialize_with = "or_empty")]
    username: String,
    #[serde(deserialize_with = "or_empty")]
    password: String,
    #[serde(deserialize_with = "or_empty")]
    identitytoken: String,
    #[serde(deserialize_with = "or_empty")]
    registrytoken: String,
}

fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl AuthFile {
    pub(super) fn read(place: &Place) -> Result<Option<Self>, CredentialsError> {
        let bad = |reason: String| CredentialsError::File { path: place.path.clone(), reason };
        let file = match fs::open(&place.path) {
            Ok(file) => file,
            Err(e) if !place.required && is_absent(&e) => return Ok(None),
            Err(e) => return Err(bad(format!("it can't be read: {e}"))),
        };
        let bytes = fs::read(file, limits::AUTH_FILE)
            .map_err(|e| bad(format!("it can't be read: {e}")))?
            .ok_or_else(|| bad(format!("it has more than {} bytes", limits::AUTH_FILE)))?;
        Self::parse(place, &bytes).map_err(bad).map(Some)
    }

    fn parse(place: &Place, bytes: &[u8]) -> Result<Self, String> {
        // serde's own message may repeat a value, and values here are secrets.
        let malformed = |e: serde_json::Error| {
            format!("line {}, column {}: not the JSON of an auth file", e.line(), e.column())
        };
        let bytes = &*text::utf8(bytes);
        let content = if bytes.trim_ascii().is_empty() {
            Content::default()
        } else if place.legacy {
            Content { auths: serde_json::from_slice(bytes).map_err(malformed)?, ..Content::default() }
        } else {
            serde_json::from_slice(bytes).map_err(malformed)?
        };
        Ok(Self { path: place.path.clone(), legacy: place.legacy, content })
    }

    /// The program in `credHelpers` for a host. Paths are not supported there.
    pub(super) fn helper(&self, host: &str) -> Option<&str> {
        self.content
            .cred_helpers
            .get(host)
            .or_else(|| {
                let mut others = self.content.cred_helpers.iter();
                others.find(|(key, _)| normal(key) == host).map(|(_, name)| name)
            })
            .and_then(Option::as_deref)
            .filter(|name| !name.is_empty())
    }

    /// The program in `credsStore`.
    pub(super) fn store(&self) -> Option<&str> {
        Some(self.content.creds_store.as_str()).filter(|name| !name.is_empty())
    }

    /// The matching entry of `auths`: for the repository, its parents, or the host; then for older spellings of the
    /// host.
    pub(super) fn entry(
        &self,
        host: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, CredentialsError> {
        let auths = &self.content.auths;
        let full = format!("{host}/{repository}");
        let mut key = if self.legacy { host } else { full.as_str() };
        loop {
            if let Some(Some(entry)) = auths.get(key)
                && let Some(found) = self.credentials(key, entry)?
            {
                return Ok(Some(found));
            }
            match key.rsplit_once('/') {
                Some((parent, _)) if key.len() > host.len() => key = parent,
                _ => break,
            }
        }
        let mut spelled: Vec<_> = auths.iter().filter(|(key, _)| normal(key) == host).collect();
        spelled.sort_by_key(|(key, _)| *key);
        for (key, entry) in spelled {
            if let Some(entry) = entry
                && let Some(found) = self.credentials(key, entry)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn credentials(&self, key: &str, entry: &Entry) -> Result<Option<Credentials>, CredentialsError> {
        let bad = || CredentialsError::File {
            path: self.path.clone(),
            reason: format!("the entry {key:?} is not the base64 of USER:PASSWORD"),
        };
        if !entry.identitytoken.is_empty() {
            return Ok(Some(Credentials::IdentityToken(Secret::new(&entry.identitytoken))));
        }
        if !entry.registrytoken.is_empty() {
            return Ok(Some(Credentials::RegistryToken(Secret::new(&entry.registrytoken))));
        }
        if !entry.auth.is_empty() {
            // `base64` from coreutils wraps lines.
            let text: String = entry.auth.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(text).map_err(|_| bad())?;
            let text = String::from_utf8(bytes).map_err(|_| bad())?;
            let (user, password) = text.split_once(':').ok_or_else(bad)?;
            return Ok(Some(Credentials::password(user, password.trim_matches('\0'))));
        }
        let named = !entry.username.is_empty();
        Ok(named.then(|| Credentials::password(&entry.username, &entry.password)))
    }
}

fn is_absent(e: &std::io::Error) -> bool {
    matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// A host in its usual form, without the scheme and path that old versions of docker wrote
/// (`https://index.docker.io/v1/`). A key with a path but no scheme is a namespace, not another spelling of the host.
fn normal(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = bare.map_or(key, |bare| bare.split('/').next().unwrap_or(bare));
    match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, legacy: bool) -> Result<AuthFile, String> {
        AuthFile::parse(&Place { path: "auth.json".into(), required: true, legacy }, text.as_bytes())
    }

    fn user(file: &AuthFile, host: &str, repository: &str) -> Option<String> {
        file.entry(host, repository).unwrap().map(|c| match c {
            Credentials::Password { user, .. } => user,
            other => format!("{other:?}"),
        })
    }

    fn auth(user: &str) -> String {
        format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("{user}:secret")))
    }

    #[test]
    fn the_most_specific_path_wins() {
        let text = format!(
            r#"{{"auths":{{"q":{},"q/a":{},"q/a/b":{},"q:5000":{},"https://index.docker.io/v1/":{},"empty":{{}}}}}}"#,
            auth("host"),
            auth("a"),
            auth("ab"),
            auth("port"),
            auth("hub")
        );
        let file = file(&text, false).unwrap();
        for (host, repository, expected) in [
            ("q", "a/b", Some("ab")),
            ("q", "a/b/c", Some("ab")),
            ("q", "a/bc", Some("a")),
            ("q", "a", Some("a")),
            ("q", "x", Some("host")),
            ("q:5000", "a/b", Some("port")),
            ("q:5001", "a", None),
            ("docker.io", "library/x", Some("hub")),
            ("empty", "x", None),
            ("a", "b", None),
        ] {
            assert_eq!(user(&file, host, repository).as_deref(), expected, "{host}/{repository}");
        }
    }

    #[test]
    fn null_is_empty_and_base64_may_be_broken_into_lines() {
        let text = format!(
            r#"{{"auths":{{"other":null,"q":{{"auth":"{}","email":null,"username":null,"password":null,"identitytoken":null,"registrytoken":null}}}},"credHelpers":null,"credsStore":null}}"#,
            STANDARD.encode("alice:secret")
        );
        let read = file(&text, false).unwrap();
        assert_eq!(user(&read, "q", "a").as_deref(), Some("alice"));
        assert_eq!((user(&read, "other", "a"), read.helper("q"), read.store()), (None, None, None));
        assert_eq!(user(&file(r#"{"auths":null}"#, false).unwrap(), "q", "a"), None);
        assert_eq!(file(r#"{"credHelpers":{"q":null}}"#, false).unwrap().helper("q"), None);
        let mut broken = STANDARD.encode("alice:a password that is long enough to be broken");
        broken.insert_str(20, "\\r\\n");
        broken.insert_str(40, "\\n");
        let text = format!(r#"{{"auths":{{"q":{{"auth":"{broken}\n"}}}}}}"#);
        assert_eq!(user(&file(&text, false).unwrap(), "q", "a").as_deref(), Some("alice"));
        let tokens = file(r#"{"auths":{"q":{"identitytoken":"","registrytoken":"t"}}}"#, false).unwrap();
        assert_eq!(tokens.entry("q", "a").unwrap(), Some(Credentials::RegistryToken(Secret::new("t"))));
    }

    #[test]
    fn old_files_and_programs_are_known() {
        let old = file(&format!(r#"{{"https://q/v1/":{}}}"#, auth("old")), true).unwrap();
        assert_eq!(user(&old, "q", "a").as_deref(), Some("old"));
        let new = file(r#"{"credHelpers":{"q":"one"},"credsStore":"all"}"#, false).unwrap();
        assert_eq!((new.helper("q"), new.helper("r"), new.store()), (Some("one"), None, Some("all")));
        assert_eq!(file("", false).unwrap().store(), None);
    }

    #[test]
    fn messages_do_not_repeat_what_the_file_holds() {
        for text in
            [r#"{"auths":{"q":{"auth":hunter2}}}"#, r#"{"auths":"hunter2"}"#, r#"{"auths":{"q":"hunter2"}}"#]
        {
            assert!(!file(text, false).unwrap_err().contains("hunter2"));
        }
        let plain = file(r#"{"auths":{"q":{"auth":"hunter2!"}}}"#, false).unwrap();
        assert!(!plain.entry("q", "a").unwrap_err().to_string().contains("hunter2"));
    }
}
