//! Rules as the user writes them: in `rules:` of the configuration file, and in a separate file, which starts as a
//! draft.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Deserializer, de};

use super::{KeySelector, Log, LogWord, Pattern, Rule, SignedIdentity, Signer};
use crate::yaml::{self, At, Fault, FileError, Truth, given, truth, value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "given")]
    draft: Option<At<Truth>>,
    rules: Vec<At<RuleText>>,
}

/// A rule in its YAML form. The meaning of the fields is decided in [`rules`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RuleText {
    scope: At<String>,
    signers: At<Vec<At<SignerText>>>,
    log: At<Words>,
    #[serde(default, deserialize_with = "given")]
    signed_identity: Option<At<IdentityText>>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignerText {
    #[serde(default, deserialize_with = "given")]
    key: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    authorities: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    identity: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    identity_regexp: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    identity_kind: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    oidc_issuer: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    oidc_issuer_regexp: Option<At<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IdentityText {
    r#type: At<String>,
    #[serde(default, deserialize_with = "given")]
    docker_reference: Option<String>,
    #[serde(default, deserialize_with = "given")]
    docker_repository: Option<String>,
    #[serde(default, deserialize_with = "given")]
    prefix: Option<String>,
    #[serde(default, deserialize_with = "given")]
    signed_prefix: Option<String>,
}

/// A word, or a list of names.
enum Words {
    One(String),
    Many(Vec<At<String>>),
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Words;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a word or a list")
            }

            fn visit_str<E>(self, word: &str) -> Result<Words, E> {
                Ok(Words::One(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(Words::Many(all))
            }
        }
        from.deserialize_any(Reader)
    }
}

/// Parses a file of reviewed rules. If it is still marked as a draft it is refused before the rest is parsed.
pub fn parse_rules(text: &str, path: &Path) -> Result<Vec<Rule<KeySelector>>, FileError> {
    let malformed = |fault| FileError::new(path, fault);
    let file: File = yaml::read(text).map_err(malformed)?;
    if let Some(draft) = &file.draft
        && truth(draft).map_err(malformed)?
    {
        let fault = Fault::at(draft, "draft only: review it before use");
        return Err(FileError::draft(path, fault));
    }
    rules(file.rules).map_err(malformed)
}

/// Parses the rules in a document.
pub(crate) fn rules(texts: Vec<At<RuleText>>) -> Result<Vec<Rule<KeySelector>>, Fault> {
    let mut scopes = BTreeSet::new();
    let mut rules = Vec::new();
    for text in texts {
        let rule = rule(&text.value)?;
        if !scopes.insert(rule.scope.clone()) {
            return Err(Fault::at(&text.value.scope, format!("{} has a rule already", rule.scope))
                .hinting("put all signers into one rule: one of them is enough"));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(text: &RuleText) -> Result<Rule<KeySelector>, Fault> {
    if text.signers.value.is_empty() {
        return Err(
            Fault::at(&text.signers, "no signer is allowed").hinting("name a signer, or remove the rule")
        );
    }
    Ok(Rule {
        scope: value(&text.scope)?,
        signers: text.signers.value.iter().map(signer).collect::<Result<_, _>>()?,
        log: log(&text.log)?,
        signed_identity: text.signed_identity.as_ref().map(identity).transpose()?,
    })
}

fn signer(text: &At<SignerText>) -> Result<Signer<KeySelector>, Fault> {
    let SignerText {
        key,
        authorities,
        identity,
        identity_regexp,
        identity_kind,
        oidc_issuer,
        oidc_issuer_regexp,
    } = text.value.clone();
    let keyless = [&identity, &identity_regexp, &identity_kind, &oidc_issuer, &oidc_issuer_regexp];
    match (key, authorities) {
        (Some(key), None) if keyless.iter().all(|field| field.is_none()) => Ok(Signer::Key(value(&key)?)),
        (None, Some(authorities)) if !authorities.is_empty() => {
            let at = |e| Fault::at(text, e);
            let text = |field: Option<At<String>>| field.map(|f| f.value);
            Ok(Signer::Identity {
                authorities: authorities.iter().map(value).collect::<Result<_, _>>()?,
                subject: Pattern::one_of(text(identity), text(identity_regexp), "identity").map_err(at)?,
                kind: identity_kind.as_ref().map(value).transpose()?,
                issuer: Pattern::at_most_one(text(oidc_issuer), text(oidc_issuer_regexp), "oidcIssuer")
                    .map_err(at)?,
            })
        }
        _ => Err(Fault::at(text, "a signer is either a key, or an identity with its authorities")
            .hinting("write `key: NAME`, or `authorities: [NAME]`, `identity:` and `oidcIssuer:`")),
    }
}

fn log(text: &At<Words>) -> Result<Log<KeySelector>, Fault> {
    match &text.value {
        Words::One(word) if word == "required" => Ok(Log::Word(LogWord::Required)),
        Words::One(word) if word == "none" => Ok(Log::Word(LogWord::None)),
        Words::Many(keys) if !keys.is_empty() => {
            keys.iter().map(value).collect::<Result<_, _>>().map(Log::Keys)
        }
        _ => Err(Fault::at(text, "it is neither required nor none nor a list of logs")),
    }
}

fn identity(text: &At<IdentityText>) -> Result<SignedIdentity, Fault> {
    let IdentityText { r#type, docker_reference, docker_repository, prefix, signed_prefix } = &text.value;
    let fields = (docker_reference.clone(), docker_repository.clone(), prefix.clone(), signed_prefix.clone());
    let identity = match (r#type.value.as_str(), fields) {
        ("matchExact", (None, None, None, None)) => SignedIdentity::MatchExact {},
        ("matchRepoDigestOrExact", (None, None, None, None)) => SignedIdentity::MatchRepoDigestOrExact {},
        ("matchRepository", (None, None, None, None)) => SignedIdentity::MatchRepository {},
        ("exactReference", (Some(docker_reference), None, None, None)) => {
            SignedIdentity::ExactReference { docker_reference }
        }
        ("exactRepository", (None, Some(docker_repository), None, None)) => {
            SignedIdentity::ExactRepository { docker_repository }
        }
        ("remapIdentity", (None, None, Some(prefix), Some(signed_prefix))) => {
            SignedIdentity::RemapIdentity { prefix, signed_prefix }
        }
        (kind, _) => {
            return Err(Fault::at(text, format!("{kind:?} is not one of the types, or has the wrong fields"))
                .hinting(
                    "the types are matchExact, matchRepoDigestOrExact, matchRepository, exactReference with \
                     dockerReference, exactRepository with dockerRepository, remapIdentity with prefix and signedPrefix",
                ));
        }
    };
    identity.check().map_err(|e| Fault::at(text, e))?;
    Ok(identity)
}
