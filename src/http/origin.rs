use std::{fmt, net::IpAddr};

use thiserror::Error;
use url::Url;

/// Scheme, host and port: the party that is contacted (RFC 6454 §4). The same host on another port is a different
/// origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

/// Why an address is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It can't be parsed.
    #[error("it is not an address")]
    Form,
    /// Neither http nor https.
    #[error("it is neither http nor https")]
    Scheme,
    /// From https to http.
    #[error("it leads from https to http")]
    Downgrade,
    /// It contains a user name or a password.
    #[error("it carries a user name")]
    UserInfo,
}

impl Origin {
    /// The origin of an http or https address.
    pub fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self { https, host: url.host_str()?.to_owned(), port: url.port_or_known_default()? })
    }

    /// Whether connections to it use TLS.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host, in lower case; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the port is the scheme's default.
    pub const fn has_default_port(&self) -> bool {
        self.port == if self.https { 443 } else { 80 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.has_default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Whether a host, given without a port, is the local machine.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Turns an address found in a response from `base` into one that may be requested. Whether credentials may be sent to
/// it is a separate question, which [`Origin`] answers.
pub fn resolve(base: &Url, found: &str) -> Result<Url, Unfit> {
    let url = base.join(found).map_err(|_| Unfit::Form)?;
    let origin = match url.scheme() {
        "http" | "https" => Origin::of(&url).ok_or(Unfit::Form)?,
        _ => return Err(Unfit::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::UserInfo);
    }
    if base.scheme() == "https" && !origin.is_https() {
        return Err(Unfit::Downgrade);
    }
    Ok(url)
}

/// An address as shown in messages: without the query, which may contain a signature or a session, and without the
/// user.
pub fn shown(url: &Url) -> String {
    Origin::of(url).map_or_else(|| url.scheme().to_owned(), |o| format!("{o}{}", url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn scheme_host_and_port_make_an_origin() {
        assert_eq!(origin("https://a/x"), origin("https://A:443/y?z"));
        for other in ["http://a/", "https://a:444/", "https://b/", "https://a.b/"] {
            assert_ne!(origin("https://a/"), origin(other), "{other}");
        }
        assert_eq!(origin("http://a:80/").to_string(), "http://a");
        assert_eq!(origin("http://[::1]:5000/").to_string(), "http://[::1]:5000");
    }

    #[test]
    fn addresses_in_answers_are_resolved_or_refused() {
        let base: Url = "https://r:5000/v2/a/blobs/uploads/".parse().unwrap();
        let ok = |found| resolve(&base, found).unwrap().to_string();
        assert_eq!(ok("/v2/x?s=1"), "https://r:5000/v2/x?s=1");
        assert_eq!(ok("1234"), "https://r:5000/v2/a/blobs/uploads/1234");
        assert_eq!(ok("//cdn/x"), "https://cdn/x");
        assert_eq!(resolve(&base, "http://r:5000/v2/x"), Err(Unfit::Downgrade));
        assert_eq!(resolve(&base, "https://u:p@r:5000/"), Err(Unfit::UserInfo));
        assert_eq!(resolve(&base, "file:///etc/passwd"), Err(Unfit::Scheme));
        assert_eq!(resolve(&base, "http://"), Err(Unfit::Form));
    }

    #[test]
    fn this_machine_has_few_names() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "0.0.0.0", "10.0.0.1", "127.0.0.1.nip.io"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn messages_show_neither_query_nor_user() {
        let url: Url = "https://u:secret@h:8443/p/q?sig=secret#f".parse().unwrap();
        assert_eq!(shown(&url), "https://h:8443/p/q");
    }
}
