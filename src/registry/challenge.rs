use crate::http::{HeaderMap, header::WWW_AUTHENTICATE};

/// The authentication that a registry requires (RFC 9110 §11.6.1; the token specification of distribution).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from a token service.
    Bearer {
        /// The address of the token service, chosen by the registry and not yet trusted.
        realm: String,
        /// The service that the token is for.
        service: Option<String>,
    },
}

impl Challenge {
    /// The challenge to answer: a token if one is offered, otherwise Basic.
    pub(super) fn choose(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok());
        let mut basic = None;
        for (scheme, parameters) in texts.flat_map(parse) {
            let get = |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
            match scheme.as_str() {
                "bearer" => {
                    if let Some(realm) = get("realm") {
                        return Some(Self::Bearer { realm, service: get("service") });
                    }
                }
                "basic" => basic = Some(Self::Basic),
                _ => {}
            }
        }
        basic
    }
}

type Parameters = Vec<(String, String)>;

/// The challenges of one header: `Scheme key="value", key=value, Scheme …`.
fn parse(text: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        rest = after.trim_start_matches([' ', '\t']);
        if let Some(value) = rest.strip_prefix('=') {
            let (value, after) = value_of(value.trim_start_matches([' ', '\t']));
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word.to_ascii_lowercase(), value));
            }
            rest = after;
        } else {
            found.push((word.to_ascii_lowercase(), Vec::new()));
        }
    }
}

fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (i, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[i + 1..]),
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::choose(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into) }
    }

    #[test]
    fn challenges_in_all_their_spellings() {
        assert_eq!(
            choose(&[r#"Bearer realm="https://a/t",service="r.io",scope="repository:a/b:pull,push""#]),
            Some(bearer("https://a/t", Some("r.io")))
        );
        assert_eq!(
            choose(&[r#"bearer service="a, b \"c\"" , realm=https://a/t"#]),
            Some(bearer("https://a/t", Some("a, b \"c\"")))
        );
        assert_eq!(
            choose(&[r#"Basic realm="x", Bearer realm="https://a/t""#]),
            Some(bearer("https://a/t", None))
        );
        assert_eq!(choose(&["Negotiate", r#"BASIC realm="Registry""#]), Some(Challenge::Basic));
        assert_eq!(choose(&["Basic"]), Some(Challenge::Basic));
        for none in ["", "Negotiate", "Bearer", "=", "\"", "Bearer realm", ",,,"] {
            assert_eq!(choose(&[none]), None, "{none:?}");
        }
    }
}
