use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::{RegistryError, challenge::Challenge, credentials::Credentials, error, realm};
use crate::{
    http::{self, HeaderValue, Method, Origin, Request, Url, header},
    limits,
};

/// The scope of a token (docs.docker.com, "Token scope documentation").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// Reading a repository.
    Pull(String),
    /// Writing a repository.
    Push(String),
    /// The list of repositories.
    Catalog,
}

impl Scope {
    /// The repository whose credentials are used.
    pub(super) fn repository(&self) -> &str {
        match self {
            Self::Pull(name) | Self::Push(name) => name,
            Self::Catalog => "",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Pull(name) => format!("repository:{name}:pull"),
            Self::Push(name) => format!("repository:{name}:pull,push"),
            Self::Catalog => "registry:catalog:*".into(),
        }
    }
}

/// The value of an `Authorization` header, with its expiry.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) header: HeaderValue,
    until: Option<Instant>,
}

impl Authorization {
    pub(super) fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    fn new(text: &str, until: Option<Instant>) -> Option<Self> {
        let mut header = HeaderValue::from_str(text).ok()?;
        header.set_sensitive(true);
        Some(Self { header, until })
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenDto {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Value,
}

/// A request to a token service.
pub(super) struct TokenRequest<'a> {
    pub(super) client: &'a http::Client,
    /// The registry, for messages.
    pub(super) place: &'a str,
    pub(super) registry: &'a Url,
    pub(super) allowed: &'a [realm::AllowedRealm],
    pub(super) credentials: Option<&'a Credentials>,
    pub(super) scope: &'a Scope,
}

impl TokenRequest<'_> {
    /// Answers a challenge. The token specification: distribution, docs/spec/auth/token.md (GET) and oauth.md (POST).
    pub(super) fn answer(&self, challenge: &Challenge) -> Result<Authorization, RegistryError> {
        let (realm, service) = match challenge {
            Challenge::Basic => return self.basic(),
            Challenge::Bearer { realm, service } => (realm, service.as_deref()),
        };
        if let Some(Credentials::RegistryToken(token)) = self.credentials {
            return Authorization::new(&format!("Bearer {}", token.reveal()), None).ok_or_else(|| {
                self.unauthorized("the registry token of the auth file has characters that no token has")
            });
        }
        let realm = self.permit(realm)?;
        let asked = Instant::now();
        let answer = match self.credentials {
            Some(Credentials::IdentityToken(token)) => self.refresh(realm, service, token.reveal())?,
            _ => self.get(realm, service)?,
        };
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        // serde's message is not shown: it may repeat the token.
        let token: TokenDto = serde_json::from_slice(&answer.body)
            .map_err(|_| self.strange("its token service answers with something that is not a token"))?;
        // Some services set one of the two and leave the other empty.
        let text = [token.token, token.access_token].into_iter().flatten().find(|t| !t.is_empty());
        let text = text.unwrap_or_default();
        // token.md: 60 seconds by default. A tenth is reserved for latency.
        let stated = &token.expires_in;
        // Some services write the number as a text.
        let stated = stated.as_f64().or_else(|| stated.as_str().and_then(|text| text.parse().ok()));
        let seconds = stated.filter(|s| s.is_finite() && *s >= 1.0).unwrap_or(60.0).min(86_400.0);
        let until = asked + Duration::from_secs_f64(seconds * 0.9);
        if text.is_empty() {
            return Err(self.strange("its token service answers without a token"));
        }
        Authorization::new(&format!("Bearer {text}"), Some(until))
            .ok_or_else(|| self.strange("its token service answers with something that is not a token"))
    }

    fn basic(&self) -> Result<Authorization, RegistryError> {
        match self.credentials {
            None => Err(self.unauthorized("")),
            Some(credentials) => {
                credentials.basic().and_then(|text| Authorization::new(&text, None)).ok_or_else(|| {
                    self.unauthorized("it wants a user and a password, but only a token is known")
                })
            }
        }
    }

    fn permit(&self, realm: &str) -> Result<Url, RegistryError> {
        let refuse = |reason: String, allow| RegistryError::RealmRefused {
            place: self.place.to_owned(),
            realm: error::printable(realm.split(['?', '#']).next().unwrap_or("")),
            reason,
            allow,
        };
        match realm::judge(self.registry, realm, self.allowed) {
            realm::Trust::Full(url) => Ok(url),
            realm::Trust::Anonymous(url) if self.credentials.is_none() => Ok(url),
            realm::Trust::Anonymous(url) => {
                Err(refuse("it is another host".into(), url.host_str().map(ToOwned::to_owned)))
            }
            realm::Trust::Never(reason) => Err(refuse(reason, None)),
        }
    }

    fn get(&self, mut realm: Url, service: Option<&str>) -> Result<http::Response<Vec<u8>>, RegistryError> {
        {
            let mut query = realm.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            query.append_pair("scope", &self.scope.text());
            if let Some(Credentials::Password { user, .. }) = self.credentials {
                query.append_pair("account", user);
            }
        }
        let mut request = Request::new(Method::GET, realm);
        request.authorization =
            self.credentials.and_then(Credentials::basic).and_then(|text| HeaderValue::from_str(&text).ok());
        Ok(self.client.fetch(&request, limits::TOKEN)?)
    }

    fn refresh(
        &self,
        realm: Url,
        service: Option<&str>,
        token: &str,
    ) -> Result<http::Response<Vec<u8>>, RegistryError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "keypack")
            .append_pair("refresh_token", token)
            .append_pair("scope", &self.scope.text());
        if let Some(service) = service {
            form.append_pair("service", service);
        }
        let form = form.finish();
        let request = Request::new(Method::POST, realm)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.as_bytes());
        Ok(self.client.fetch(&request, limits::TOKEN)?)
    }

    fn refused(&self, answer: &http::Response<Vec<u8>>) -> RegistryError {
        let origin = Origin::of(&answer.url).map_or_else(String::new, |o| o.to_string());
        let place = format!("the token service {origin} of {}", self.place);
        let message = error::message(&answer.body);
        match answer.status.as_u16() {
            400 | 401 => RegistryError::Unauthorized { place, had: self.credentials.is_some(), message },
            403 => RegistryError::Denied { place, what: "have a token for this".into(), message },
            status => RegistryError::Answer { place, what: "give a token".into(), status, message },
        }
    }

    fn unauthorized(&self, message: &str) -> RegistryError {
        let had = self.credentials.is_some();
        RegistryError::Unauthorized { place: self.place.to_owned(), had, message: message.to_owned() }
    }

    fn strange(&self, reason: &str) -> RegistryError {
        RegistryError::NotRegistry { place: self.place.to_owned(), reason: reason.to_owned() }
    }
}
