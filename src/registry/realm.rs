//! Decides where credentials may be sent. All comparable tools that were tested (oras, crane, skopeo, podman) send them
//! to whatever realm a registry names (CVE-2026-48978); keypack requires permission.

use crate::http::{Origin, Url, resolve};

/// Token services on another host than their registry, according to the registry's documentation or responses.
const KNOWN: &[(&str, &str)] = &[
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    ("registry.redhat.io", "sso.redhat.com"),
    ("registry.connect.redhat.com", "sso.redhat.com"),
];

/// A host, with or without a port, that the user allows to receive a registry's credentials (`--allow-realm`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedRealm {
    host: String,
    port: Option<u16>,
}

impl AllowedRealm {
    /// Parses `HOST` or `HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, super::ReferenceError> {
        let host = super::Host::parse(text)?;
        let text = host.as_str();
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !text.ends_with(']') => (name, port.parse().ok()),
            _ => (text, None),
        };
        Ok(Self { host: name.to_owned(), port })
    }

    fn covers(&self, origin: &Origin) -> bool {
        self.host == origin.host() && self.port.is_none_or(|port| port == origin.port())
    }
}

/// How a realm may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// With credentials.
    Full(Url),
    /// Without credentials, for public content only.
    Anonymous(Url),
    /// Not at all, with the reason.
    Never(String),
}

/// Judges the realm named by the registry at `registry`.
pub(super) fn judge(registry: &Url, realm: &str, allowed: &[AllowedRealm]) -> Trust {
    let url = match resolve(registry, realm) {
        Ok(url) => url,
        Err(why) => return Trust::Never(why.to_string()),
    };
    let (Some(home), Some(there)) = (Origin::of(registry), Origin::of(&url)) else {
        return Trust::Never("it is not an address".into());
    };
    let same = home.host() == there.host();
    let known = KNOWN.contains(&(home.host(), there.host())) && there.is_https() && there.has_default_port();
    if same || known || allowed.iter().any(|a| a.covers(&there)) {
        return Trust::Full(url);
    }
    // No token service uses the bare IP address of another machine, but metadata services do.
    if there.host().starts_with('[') || there.host().parse::<std::net::IpAddr>().is_ok() {
        return Trust::Never("it is an address of another machine instead of a name".into());
    }
    Trust::Anonymous(url)
}

/// Whether an address in the registry's response may be sent the registry's credentials: it has the same origin, or is
/// allowed by the user.
pub(super) fn is_home(registry: &Url, url: &Url, allowed: &[AllowedRealm]) -> bool {
    let (home, there) = (Origin::of(registry), Origin::of(url));
    home.is_some() && home == there || there.is_some_and(|o| allowed.iter().any(|a| a.covers(&o)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(registry: &str, realm: &str, allowed: &[&str]) -> Option<bool> {
        let allowed: Vec<_> = allowed.iter().map(|a| AllowedRealm::parse(a).unwrap()).collect();
        match judge(&registry.parse().unwrap(), realm, &allowed) {
            Trust::Full(_) => Some(true),
            Trust::Anonymous(_) => Some(false),
            Trust::Never(_) => None,
        }
    }

    #[test]
    fn credentials_go_to_the_same_host_the_table_and_the_allowed() {
        for (registry, realm, allowed, expected) in [
            ("https://r.io/", "https://r.io/token", &[][..], Some(true)),
            ("https://r.io/", "https://r.io:8443/token", &[], Some(true)),
            ("https://r.io/", "/token", &[], Some(true)),
            ("https://r.io/", "http://r.io/token", &[], None),
            ("https://r.io/", "http://auth.r.io/token", &["auth.r.io"], None),
            ("https://r.io/", "https://auth.r.io/token", &[], Some(false)),
            ("https://r.io/", "https://auth.r.io/token", &["auth.r.io"], Some(true)),
            ("https://r.io/", "https://auth.r.io:1/token", &["auth.r.io:2"], Some(false)),
            ("https://r.io/", "https://r.io.evil.example/token", &[], Some(false)),
            ("https://r.io/", "https://r.io@evil.example/token", &[], None),
            ("http://r.io/", "http://169.254.169.254/latest", &[], None),
            ("http://r.io/", "http://[fe80::1]/latest", &[], None),
            ("http://10.0.0.1:5000/", "http://10.0.0.1:5001/token", &[], Some(true)),
            ("http://127.0.0.1:5000/", "http://localhost:5000/token", &[], Some(false)),
            ("https://registry-1.docker.io/", "https://auth.docker.io/token", &[], Some(true)),
            ("https://registry-1.docker.io/", "https://auth.docker.io:8443/token", &[], Some(false)),
            ("https://evil.example/", "https://auth.docker.io/token", &[], Some(false)),
            ("https://r.io/", "ftp://r.io/token", &[], None),
        ] {
            assert_eq!(full(registry, realm, allowed), expected, "{registry} {realm} {allowed:?}");
        }
    }

    #[test]
    fn another_port_is_not_home() {
        let home = |url: &str| is_home(&"http://r.io:5000/".parse().unwrap(), &url.parse().unwrap(), &[]);
        assert!(home("http://r.io:5000/x"));
        assert!(!home("http://r.io:5001/x") && !home("https://r.io:5000/x") && !home("http://r.io/"));
    }
}
