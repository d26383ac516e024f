use crate::{
    display::shown,
    key::{Grade, Provenance},
    pack::KeyRecord,
};

/// The source that vouches for a key. That signatures verify with it is a separate matter: an attacker's key fits the
/// attacker's signatures too.
pub(super) fn vouched_for_by(key: &KeyRecord, provenance: &Provenance) -> String {
    let source = shown(&provenance.source);
    match provenance.grade {
        Grade::Tuf => format!("the TUF repository {source}"),
        Grade::Pinned => "a pin only".into(),
        Grade::Release => format!("a known fingerprint; found in {source}"),
        Grade::Tls => format!("the host of {source}, over https"),
        Grade::Builtin => match provenance.date {
            Some(date) => format!("this program, which has {source} of {date:.0} built in"),
            None => format!("this program, which has {source} built in"),
        },
        Grade::File => match &key.given_by {
            Some(who) => format!("the file {source}, given by {}", shown(who)),
            None => format!("the file {source}; its giver is not recorded"),
        },
    }
}

/// All sources.
pub(super) fn key_source(key: &KeyRecord) -> String {
    let all: Vec<_> = key.provenance.iter().map(|provenance| vouched_for_by(key, provenance)).collect();
    if all.is_empty() { "no one".into() } else { all.join("; ") }
}
