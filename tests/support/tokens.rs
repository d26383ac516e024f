//! A token service for docker-registry's `auth: token`, as distribution's docs/spec/auth describes it: JSON Web Tokens
//! signed with ES256, whose certificate the registry trusts.

use std::path::Path;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{CertifiedKey, KeyPair, SigningKey};
use serde_json::{Value, json};

use super::fault::{Asked, Reply, Server};

/// The service. Requests with `authorization` may pull and push, all others may pull what is public.
pub fn start(bundle: &Path, authorization: &'static str) -> Server {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["tokens".to_owned()]).unwrap();
    std::fs::write(bundle, cert.pem()).unwrap();
    let chain = STANDARD.encode(cert.der());
    Server::start(move |asked| {
        let known = asked.header("authorization") == Some(authorization);
        if asked.header("authorization").is_some() && !known {
            return Reply::new(401).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#);
        }
        let access: Vec<_> = scopes(asked).iter().filter_map(|scope| grant(scope, known)).collect();
        let token = jwt(&signing_key, &chain, &access);
        Reply::ok(json!({ "token": token, "expires_in": 300 }).to_string())
    })
}

fn scopes(asked: &Asked) -> Vec<String> {
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.filter(|(key, _)| key == "scope").map(|(_, value)| value.into_owned()).collect()
}

fn grant(scope: &str, known: bool) -> Option<Value> {
    let mut parts = scope.splitn(3, ':');
    let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
    let allowed = |action: &&str| match (kind, *action) {
        ("repository", "pull") => known || name.starts_with("public/"),
        ("repository", "push") => known,
        _ => false,
    };
    let actions: Vec<_> = actions.split(',').filter(allowed).collect();
    (!actions.is_empty()).then(|| json!({ "type": kind, "name": name, "actions": actions }))
}

fn jwt(key: &KeyPair, chain: &str, access: &[Value]) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [chain] });
    let claims = json!({
        "iss": "keypack-tests", "aud": "keypack-registry", "sub": "", "jti": "1",
        "iat": now, "nbf": now - 60, "exp": now + 300, "access": access,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(fixed(&signature)))
}

/// The two numbers of an ECDSA signature, from DER to the 64 bytes of RFC 7518 §3.4.
fn fixed(der: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (&der[2..], vec![]);
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number: Vec<u8> = rest[2..2 + length].iter().copied().skip_while(|b| *b == 0).collect();
        out.extend(vec![0; 32 - number.len()]);
        out.extend(number);
        rest = &rest[2 + length..];
    }
    out
}
