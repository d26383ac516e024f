use std::collections::HashSet;

use super::{RegistryError, error, token::Scope, transport::Transport};
use crate::{
    http::{self, Method, Origin, Request, Response, StatusCode, Url, header},
    limits,
};

/// Reads a list page by page (distribution-spec, "Listing tags": `Link` of RFC 8288 with `rel="next"`), and passes each
/// page to the callback. `Ok(Some(_))`: the first response is not a list; the caller decides what that means.
///
/// The address of the next page is relative to that of the previous one, which is on the registry or where it
/// redirected to, and no page is fetched twice. An unrecognised `Link` is an error: a truncated list must not pass as
/// complete.
pub(super) fn read(
    transport: &Transport,
    scope: &Scope,
    first: Url,
    what: &str,
    mut page: impl FnMut(&Response<Vec<u8>>) -> Result<(), RegistryError>,
) -> Result<Option<Response<Vec<u8>>>, RegistryError> {
    let place = transport.place(scope.repository());
    let endless =
        |reason: String| RegistryError::Endless { place: place.clone(), what: what.to_owned(), reason };
    let (mut url, mut seen) = (first, HashSet::new());
    for number in 0..limits::PAGES {
        if !seen.insert(url.clone()) {
            return Err(endless("a page names one that came before as the next".into()));
        }
        let answer = transport.fetch(scope, Request::new(Method::GET, url), limits::NAMES_PAGE)?;
        if !transport.count_names(answer.body.len() as u64) {
            return Err(endless(format!("its lists have more than {} bytes together", limits::NAMES)));
        }
        if answer.status != StatusCode::OK || is_web_page(&answer) {
            return if number == 0 { Ok(Some(answer)) } else { Err(transport.refused(scope, what, &answer)) };
        }
        page(&answer)?;
        let refused = |to: &str, reason: &str| RegistryError::LinkRefused {
            place: place.clone(),
            to: error::printable(to.split(['?', '#']).next().unwrap_or("")),
            reason: reason.to_owned(),
        };
        let found = match next(&answer) {
            Next::None => return Ok(None),
            Next::Page(found) => found,
            Next::Unknown(text) => {
                return Err(refused(&text, "keypack does not understand this Link header"));
            }
        };
        let to = http::resolve(&answer.url, &found).map_err(|why| refused(&found, &why.to_string()))?;
        if !transport.is_home(&to)? && Origin::of(&to) != Origin::of(&answer.url) {
            return Err(refused(&http::shown(&to), "it is another origin"));
        }
        url = to;
    }
    Err(endless(format!("it has more than {} pages", limits::PAGES)))
}

/// Whether a response is a web page, or empty: what a login, a proxy or a single-page application sends in place of a
/// missing API.
pub(super) fn is_web_page(answer: &Response<Vec<u8>>) -> bool {
    let html = answer.text(header::CONTENT_TYPE).is_some_and(|t| t.trim_start().starts_with("text/html"));
    html || matches!(answer.body.trim_ascii_start().first(), None | Some(b'<'))
}

/// The continuation of a list.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The list ends here.
    None,
    /// The next page.
    Page(String),
    /// The header is not a link.
    Unknown(String),
}

/// The target of the first link with `rel="next"`.
fn next(answer: &Response<Vec<u8>>) -> Next {
    for value in &answer.headers.get_all(header::LINK) {
        let Ok(text) = value.to_str() else {
            return Next::Unknown(String::from_utf8_lossy(value.as_bytes()).into());
        };
        let Some(links) = links(text) else { return Next::Unknown(text.to_owned()) };
        for (target, relations) in links {
            if relations.is_empty() {
                return Next::Unknown(text.to_owned());
            }
            if relations.iter().any(|r| r == "next") {
                return Next::Page(target.to_owned());
            }
        }
    }
    Next::None
}

/// `<target>; rel="a b"; x=y, <target> …`: targets and their relations. `None` if it has another form.
fn links(text: &str) -> Option<Vec<(&str, Vec<String>)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        let parameters = after[..end].split([';', ',']).filter_map(|p| p.split_once('='));
        let relations = parameters
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .flat_map(|(_, value)| value.trim().trim_matches('"').split(' ').map(str::to_ascii_lowercase))
            .filter(|relation| !relation.is_empty())
            .collect();
        found.push((target, relations));
        rest = &after[end..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;

    fn of(links: &[&'static str]) -> Next {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(header::LINK, link.parse().unwrap());
        }
        let url = "https://r.test/v2/_catalog".parse().unwrap();
        next(&Response { status: StatusCode::OK, headers, url, elsewhere: false, body: Vec::new() })
    }

    #[test]
    fn links_in_all_their_spellings() {
        let page = |to: &str| Next::Page(to.to_owned());
        assert_eq!(of(&[r#"</v2/a/tags/list?n=2&last=b>; rel="next""#]), page("/v2/a/tags/list?n=2&last=b"));
        assert_eq!(of(&["<x>;REL=Next"]), page("x"));
        assert_eq!(of(&[r#"<p>; rel="prev", <n?a=1,2;3>; title="a"; rel="start next""#]), page("n?a=1,2;3"));
        // Quay's tokens are opaque.
        assert_eq!(
            of(&[r#"</v2/_catalog?next_page=gAAAAAB-_x%3D%3D>; rel="next""#]),
            page("/v2/_catalog?next_page=gAAAAAB-_x%3D%3D")
        );
        for none in [&[][..], &[""], &[r#"<x>; rel="previous""#], &[r#"<x>; rel="first", <y>; rel="last""#]] {
            assert_eq!(of(none), Next::None, "{none:?}");
        }
    }

    #[test]
    fn a_link_that_is_not_understood_is_not_an_end() {
        for unknown in ["<x>", "<x; rel=next", "next", "/v2/_catalog?last=b", "<x>; title=\"rel\"", "\u{1}"] {
            let Ok(value) = unknown.parse::<http::HeaderValue>() else { continue };
            let mut headers = HeaderMap::new();
            headers.append(header::LINK, value);
            let url = "https://r.test/v2/_catalog".parse().unwrap();
            let answer =
                Response { status: StatusCode::OK, headers, url, elsewhere: false, body: Vec::new() };
            assert!(matches!(next(&answer), Next::Unknown(_)), "{unknown:?}");
        }
    }
}
