use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Registry, RegistryError, error, manifest, pages};
use crate::{
    http::{HttpError, StatusCode},
    limits,
    oci::{Blob, Descriptor, Digest, Document, ManifestError},
};

/// What is known about a registry's referrers API. One host name may front several kinds of registries.
#[derive(Debug, Default)]
pub(super) struct ReferrersApi {
    /// Repositories without the API.
    missing: Mutex<HashSet<String>>,
    /// Repositories that answer with a login page.
    logins: Mutex<HashSet<String>>,
}

impl ReferrersApi {
    fn is_missing(&self, repository: &str) -> bool {
        contains(&self.missing, repository)
    }

    fn note_missing(&self, repository: &str) {
        insert(&self.missing, repository);
    }

    fn is_a_login(&self, repository: &str) -> bool {
        contains(&self.logins, repository)
    }

    fn note_login(&self, repository: &str) {
        insert(&self.logins, repository);
    }
}

fn contains(set: &Mutex<HashSet<String>>, repository: &str) -> bool {
    set.lock().unwrap_or_else(PoisonError::into_inner).contains(repository)
}

fn insert(set: &Mutex<HashSet<String>>, repository: &str) {
    set.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.to_owned());
}

/// What a successful response holds in place of a list of referrers.
enum NotAList {
    /// Nothing, or a text that only a server without the API sends.
    Empty,
    /// An error document.
    Error,
}

/// Whether a response is no list at all. Members that an index does not have say something else, such as "too many requests".
fn not_a_list(body: &[u8]) -> Option<NotAList> {
    const OF_AN_INDEX: [&str; 5] = ["schemaVersion", "mediaType", "artifactType", "annotations", "manifests"];
    if !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Some(NotAList::Empty);
    }
    if let Ok(list) = serde_json::from_slice::<Vec<IgnoredAny>>(body) {
        return Some(if list.is_empty() { NotAList::Empty } else { NotAList::Error });
    }
    // What begins like JSON and is not may be a list that was cut off.
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    let has = |name: &str| members.get(name).is_some_and(|value| value.get() != "null");
    if ["manifests", "layers", "config"].into_iter().any(has) {
        return None;
    }
    let is_absent = if has("errors") {
        error::has_code(body, &["UNSUPPORTED"]) || error::has_code(body, &manifest::UNKNOWN)
    } else {
        members.keys().all(|name| name == "errors" || OF_AN_INDEX.contains(&name.as_str()))
    };
    Some(if is_absent { NotAList::Empty } else { NotAList::Error })
}

impl Registry {
    /// Whether [`Registry::referrers`] got a login page instead of a list, so that the referrers are unknown.
    pub fn sends_to_a_login(&self, repository: &str) -> bool {
        self.transport.referrers.is_a_login(repository)
    }

    /// distribution-spec, "Listing referrers". Registries have many ways to say that they have no such API or no
    /// referrers: 404, 400, 405, 406, 410, 415, 422, 501, a web page, any other text that is not JSON, an empty response,
    /// `null`, an index with `"manifests": null` (Go's empty list), a login. The fallback tag is then found like any
    /// other tag. Any other response is an error. An unreadable entry is returned as an error beside the others.
    pub fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Result<Descriptor, ManifestError>>, RegistryError> {
        let mut found = Vec::new();
        if self.transport.referrers.is_missing(repository) {
            return Ok(found);
        }
        let scope = (self.scope)(repository.to_owned());
        let url = self.transport.url(repository, "referrers/", &subject.to_string())?;
        let asked = url.clone();
        let read = pages::read(&self.transport, &scope, url, "the list of referrers", |page| {
            match not_a_list(&page.body) {
                Some(NotAList::Empty) => return Ok(()),
                Some(NotAList::Error) => {
                    return Err(self.transport.refused(&scope, "list the referrers", page));
                }
                None => {}
            }
            let Document::Index(index) = Document::parse(&Blob::new(page.body.clone()))? else {
                return Err(self.transport.strange("its list of referrers is not an index"));
            };
            found.extend(index.entries());
            if found.len() > limits::REFERRERS {
                let (place, what) = (self.place(repository), "the list of referrers".to_owned());
                let reason = format!("it has more than {} entries", limits::REFERRERS);
                return Err(RegistryError::Endless { place, what, reason });
            }
            Ok(())
        });
        let refused = match read {
            // A redirect that is not followed leads to a login, not to a list.
            Err(RegistryError::Http(HttpError::Redirect { .. })) => {
                self.transport.referrers.note_login(repository);
                return Ok(Vec::new());
            }
            read => read?,
        };
        let Some(answer) = refused else { return Ok(found) };
        if answer.status == StatusCode::OK && answer.url != asked {
            self.transport.referrers.note_login(repository);
        }
        match answer.status.as_u16() {
            // A registry with this API may still not know the repository: only the others are not asked again.
            404 | 405 | 501 => {
                if !error::has_code(&answer.body, &manifest::UNKNOWN) {
                    self.transport.referrers.note_missing(repository);
                }
            }
            // A web page in the place of a list, nothing, or a request that it does not understand.
            200 | 204 | 400 | 406 | 410 | 415 | 422 => {}
            _ => return Err(self.transport.refused(&scope, "list the referrers", &answer)),
        }
        Ok(found)
    }
}
