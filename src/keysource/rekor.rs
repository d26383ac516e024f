//! The keys of a Rekor log, from its API or a file. They are candidates like all others: a key counts only if
//! signatures name its id and their entries verify with it.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

use super::{Gathered, KeyFile, KeySourceError};
use crate::{
    address,
    http::{Client, HttpError, Method, Request, StatusCode, Url, shown},
    key::{Candidate, Grade, Key, Provenance, Role, parse_key_file},
    limits,
    oci::Digest,
};

/// The maximum number of shards to query for keys. The public log has two.
const SHARDS: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(default)]
    inactive_shards: Vec<Shard>,
}

#[derive(Deserialize)]
struct Shard {
    #[serde(rename = "treeID")]
    tree_id: String,
}

/// The value of `--rekor` and of the matching setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressOrPath {
    /// An address to query.
    Address(Url),
    /// A file or a directory.
    Path(PathBuf),
}

impl FromStr for AddressOrPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".into());
        }
        if !address::is_meant(text) {
            return Ok(Self::Path(text.into()));
        }
        address::parse(text).map(Self::Address).map_err(|e| e.to_string())
    }
}

impl Gathered {
    /// Adds the key of a log from a file (`--rekor FILE`).
    pub fn add_rekor_file(&mut self, path: &Path) -> Result<(), KeySourceError> {
        self.add_key_file(&KeyFile { role: Some(Role::Rekor), path: path.into() })
    }

    /// Asks a log for its key and those of its inactive shards (`--rekor URL`).
    pub fn add_rekor(&mut self, base: &Url, client: &Client) -> Result<(), KeySourceError> {
        let base_text = base.as_str().trim_end_matches('/').to_owned();
        let at = |path: &str| {
            format!("{base_text}{path}").parse::<Url>().map_err(|_| KeySourceError::Answer {
                url: base_text.clone(),
                reason: "it is not an address".into(),
            })
        };
        let own = at("/api/v1/log/publicKey")?;
        let mut addresses = vec![(own.to_string(), own)];
        // A log that does not list its shards is still asked for its key. A host that can't be reached is not, because
        // that would mean waiting for a second timeout.
        let log = match get(client, at("/api/v1/log")?) {
            Err(KeySourceError::Net(
                e @ (HttpError::Unreachable { .. } | HttpError::TimedOut { .. } | HttpError::Tls { .. }),
            )) => {
                return Err(KeySourceError::Net(e));
            }
            answer => answer.ok(),
        };
        if let Some(log) = log.and_then(|log| serde_json::from_slice::<Log>(&log).ok()) {
            for shard in log.inactive_shards.iter().take(SHARDS) {
                let mut address = at("/api/v1/log/publicKey")?;
                // The source is recorded, and recorded addresses have no query string.
                let id: String = shard.tree_id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
                let source = format!("{address} of the tree {id}");
                address.query_pairs_mut().append_pair("treeID", &shard.tree_id);
                addresses.push((source, address));
            }
        }
        for (number, (source, address)) in addresses.into_iter().enumerate() {
            match self.add_log_key(address, &source, &base_text, client) {
                Err(e) if number == 0 => return Err(e),
                // A failure to get an old shard's key must not cost us the log's current key.
                Err(e) => self.leave(&source, Some("inactive shard"), &e),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn add_log_key(
        &mut self,
        address: Url,
        source: &str,
        base: &str,
        client: &Client,
    ) -> Result<(), KeySourceError> {
        // Without TLS, or with TLS verification turned off, the answer is not authenticated and is graded like a file.
        let vouched = address.scheme() == "https" && client.options().tls.verify;
        let grade = if vouched { Grade::Tls } else { Grade::File };
        let bytes = get(client, address)?;
        let parsed = parse_key_file(&bytes).map_err(|e| KeySourceError::Answer {
            url: source.to_owned(),
            reason: format!("it answers with no key: {e}"),
        })?;
        let provenance =
            Provenance { grade, source: source.to_owned(), sha256: Digest::of(&bytes), date: None };
        let keys = parsed.material.into_iter();
        let keys = keys.filter_map(|material| Key::new(Role::Rekor, material).ok());
        let keys = keys.map(|key| key.at(Some(base.to_owned())));
        self.candidates.extend(keys.map(|key| Candidate { key, provenance: provenance.clone() }));
        Ok(())
    }
}

/// Fetches one address, without redirects to another host: the name in the address is all that identifies the key's
/// owner.
pub(super) fn get(client: &Client, url: Url) -> Result<Vec<u8>, KeySourceError> {
    let text = shown(&url);
    let answer =
        client.fetch(&Request::new(Method::GET, url), limits::KEY_FILE).map_err(KeySourceError::Net)?;
    if answer.status != StatusCode::OK {
        return Err(KeySourceError::Answer { url: text, reason: format!("it answers {}", answer.status) });
    }
    if answer.elsewhere {
        return Err(KeySourceError::Answer {
            url: text,
            reason: format!(
                "it redirects to {}, which was not given",
                answer.url.host_str().unwrap_or("another host")
            ),
        });
    }
    Ok(answer.body)
}
