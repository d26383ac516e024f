use std::collections::HashSet;

use super::{RegistryError, error, token::Scope, transport::Transport};
use crate::{
    http::{self, Method, Request, Response, StatusCode, Url, header},
    limits,
};

/// Reads a list page by page (distribution-spec, "Listing tags": `Link` of RFC 8288 with `rel="next"`), and hands each
/// page over. The next page is asked for at the registry only, and never twice. `Ok(Some(_))`: the first page was
/// not there or not allowed; the caller knows what that means.
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
        if answer.status != StatusCode::OK {
            let meaningful = matches!(answer.status.as_u16(), 401 | 403 | 404 | 405);
            return if number == 0 && meaningful {
                Ok(Some(answer))
            } else {
                Err(transport.refused(scope, what, &answer))
            };
        }
        page(&answer)?;
        let Some(found) = next(&answer) else { return Ok(None) };
        let refused = |to: &str, reason: &str| RegistryError::LinkRefused {
            place: place.clone(),
            to: error::printable(to.split(['?', '#']).next().unwrap_or("")),
            reason: reason.to_owned(),
        };
        let to = http::resolve(&answer.url, &found).map_err(|why| refused(&found, &why.to_string()))?;
        if !transport.is_home(&to)? {
            return Err(refused(&http::shown(&to), "it is another origin"));
        }
        url = to;
    }
    Err(endless(format!("it has more than {} pages", limits::PAGES)))
}

/// The target of the first link with `rel="next"`.
fn next(answer: &Response<Vec<u8>>) -> Option<String> {
    let texts = answer.headers.get_all(header::LINK).iter().filter_map(|v| v.to_str().ok());
    texts
        .flat_map(links)
        .find(|(_, relations)| relations.iter().any(|r| r == "next"))
        .map(|(to, _)| to.to_owned())
}

/// `<target>; rel="a b"; x=y, <target> …`
fn links(text: &str) -> Vec<(&str, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        let end = after.find('<').unwrap_or(after.len());
        let parameters = after[..end].split([';', ',']).filter_map(|p| p.split_once('='));
        let relations = parameters
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .flat_map(|(_, value)| value.trim().trim_matches('"').split(' ').map(str::to_ascii_lowercase))
            .collect();
        found.push((target, relations));
        rest = &after[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_all_their_spellings() {
        let one = |text: &'static str| {
            links(text).into_iter().find(|(_, r)| r.contains(&"next".into())).map(|(t, _)| t)
        };
        assert_eq!(one(r#"</v2/a/tags/list?n=2&last=b>; rel="next""#), Some("/v2/a/tags/list?n=2&last=b"));
        assert_eq!(one("<x>;REL=Next"), Some("x"));
        assert_eq!(one(r#"<p>; rel="prev", <n?a=1,2;3>; title="a"; rel="start next""#), Some("n?a=1,2;3"));
        for none in ["", "<x>", "<x; rel=next", r#"<x>; rel="previous""#, "next"] {
            assert_eq!(one(none), None, "{none:?}");
        }
    }
}
