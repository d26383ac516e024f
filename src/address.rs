//! Addresses that are recorded or shown. An address may end up in keypack.json, in trusted_root.json, in reports and
//! logs, and with the pack on many hosts, so it must not contain a user name, a password, a query (a token, a
//! signature) or a fragment. There is one rule for each source:
//!
//! - an address given by the user (`--rekor`, `--tuf`, the configuration file) is refused if it has any ([`parse`]),
//!   because without them it would be another address;
//! - an address that a trusted root states for its keys is stored without them ([`plain`]);
//! - a pack with any in its records is refused ([`is_plain`]): keypack never writes them;
//! - messages are shown without them ([`quiet`]), whatever their cause and whatever text they quote.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use thiserror::Error;
use url::Url;

/// Why an address is refused. The message does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum AddressError {
    /// It can't be parsed, or is neither http nor https.
    #[error("it is not an http(s) address")]
    Form,
    /// It contains a user name or a password.
    #[error("the address carries a user name or a password, which would be written into the pack")]
    UserInfo,
    /// It contains a query or a fragment.
    #[error("the address has a query or a fragment, which would be written into the pack")]
    Query,
}

/// Whether a text is meant as an address and not as a path, even if it is malformed.
pub(crate) fn is_meant(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    text.contains("://") || ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Parses an address given by the user.
pub(crate) fn parse(text: &str) -> Result<Url, AddressError> {
    let url: Url = text.parse().map_err(|_| AddressError::Form)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(AddressError::Form);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::UserInfo);
    }
    // An empty one is refused too, because anything appended to the address would become part of it.
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Query);
    }
    Ok(url)
}

/// An address from a document, without user name, password, query and fragment. A text that can't be parsed as an
/// address is kept, unless it may contain one of them.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    match parse(text) {
        Ok(_) => text.into(),
        Err(AddressError::Form) if !text.contains(['@', '?', '#']) => text.into(),
        Err(AddressError::Form) => "".into(),
        Err(AddressError::UserInfo | AddressError::Query) => {
            let Ok(mut url) = text.parse::<Url>() else { return "".into() };
            url.set_query(None);
            url.set_fragment(None);
            // Both succeed for every address with a host.
            let bare = url.set_username("").and_then(|()| url.set_password(None));
            if bare.is_ok() { String::from(url).into() } else { "".into() }
        }
    }
}

/// Whether no word of a text is an address with one of these parts.
pub(crate) fn is_plain(text: &str) -> bool {
    text.split_whitespace().filter(|word| is_meant(word)).all(|word| plain(word) == word)
}

static SECRETS: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
    let user = Regex::new(r#"(?i)\b([a-z][a-z0-9+.-]*:[/\\]{2,})[^\s/\\?#"'<>]*@"#).ok()?;
    let query = Regex::new(r#"(?i)\b((?:https?|docker):[/\\]{2,}[^\s?#"'<>]*)[?#][^\s"'<>]*"#).ok()?;
    Some([user, query])
});

/// A message without the user names, passwords, queries and fragments of the addresses in it.
pub(crate) fn quiet(text: &str) -> Cow<'_, str> {
    if !text.contains(":/") && !text.contains(":\\") {
        return text.into();
    }
    let Some([user, query]) = &*SECRETS else { return "…".into() };
    let without = user.replace_all(text, "${1}");
    query.replace_all(&without, "${1}").into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [&str; 9] = [
        "https://user:SECRET@h.test/p",
        "https://SECRET@h.test",
        "https://:SECRET@h.test:8443/p/",
        "HTTPS://user:SECRET@h.test/p",
        "https:\\\\user:SECRET@h.test/p",
        "http://h.test/p?token=SECRET",
        "http://h.test/?SECRET",
        "http://h.test/p#SECRET",
        "http://user@h.test/p?a=SECRET#SECRET",
    ];

    #[test]
    fn what_the_user_names_has_no_secret_part() {
        for text in SECRET {
            assert!(is_meant(text), "{text}");
            let e = parse(text).unwrap_err();
            assert!(e != AddressError::Form && !e.to_string().contains("SECRET"), "{text}: {e}");
        }
        for text in [
            "https://",
            "https://u:SECRET/x@h",
            "ftp://h/SECRET",
            "https:SECRET@",
            "x://SECRET",
            "http://[SECRET",
        ] {
            assert!(!parse(text).unwrap_err().to_string().contains("SECRET"), "{text}");
            assert!(is_meant(text), "{text}");
        }
        for text in ["https://h.test", "http://127.0.0.1:3000/api/", "https://[::1]:1/x@y"] {
            assert_eq!(parse(text).unwrap(), text.parse().unwrap());
        }
        for text in ["file.pub", "./a:b", "/a/b?c", "C:\\x", "https", "dir#1"] {
            assert!(!is_meant(text), "{text}");
        }
    }

    #[test]
    fn what_a_document_says_is_kept_without_its_secret_parts() {
        for text in SECRET {
            assert!(!is_plain(text) && !is_plain(&format!("trusted root of {text}")), "{text}");
            let kept = plain(text);
            assert!(kept.contains("h.test") && !kept.contains("SECRET") && is_plain(&kept), "{kept}");
        }
        for text in ["https://u:SECRET/x@h", "//u:SECRET@h", "u:SECRET@h", "ftp://u:SECRET@h", "rekor?SECRET"]
        {
            assert_eq!(plain(text), "", "{text}");
        }
        for text in ["", "https://rekor.test", "http://h:1/a/", "rekor.test", "ctfe.sigstore.dev/2022"] {
            assert_eq!(plain(text), text);
            assert!(is_plain(text));
        }
        for text in ["trusted_root.json", "host:/etc/pki/sigstore/a?b.pub", "mail someone@h.test", "a # b"] {
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn messages_are_shown_without_the_secret_parts_of_addresses() {
        for text in SECRET {
            for message in
                [format!("could not read {text}: no"), format!("{text:?} is odd"), format!("({text})")]
            {
                let shown = quiet(&message);
                assert!(!shown.contains("SECRET") && shown.contains("h.test"), "{shown}");
            }
        }
        for text in [
            "https://ci.test/build.yml@main signs docker://r.test/a@sha256:00",
            "what is a#b? see https://h.test/p, then https://h.test",
            "someone@h.test",
        ] {
            assert_eq!(quiet(text), text);
        }
    }
}
