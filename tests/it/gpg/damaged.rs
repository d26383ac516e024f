//! Keys and messages that are damaged anywhere: the error explains the reason in keypack's words, not in a library's.

use keypack::key::{OpenPgpMessage, parse_key_file};
use pgp::composed::{ArmorOptions, Deserializable, SignedPublicKey};

use super::lab::{Say, block, bound, bytes, secret, signed};

/// Text that looks like debug output or a type name.
#[track_caller]
fn in_words(text: &str) {
    let odd =
        ["{", "}", "::", "Some(", "Err(", "Error", "source:", "Snafu", "backtrace", "left:", "Unexpected"];
    assert!(!odd.iter().any(|odd| text.contains(odd)), "{text}");
    assert!(text.len() < 200 && !text.chars().any(char::is_control), "{text}");
}

#[test]
fn a_damaged_key_is_described_in_words() {
    let owner = secret();
    let mut honest = block(&owner, &Say { flags: Some((true, true)), ..Say::default() });
    honest.public_subkeys.push(bound(&owner, &owner, &Say::default(), true));
    let whole = bytes(&honest);
    let armour = honest.to_armored_string(ArmorOptions::default()).unwrap().into_bytes();
    let mut seen = 0;
    let mut look = |bytes: &[u8]| {
        let texts = match parse_key_file(bytes) {
            Ok(parsed) => parsed.unusable.into_iter().map(|unusable| unusable.reason).collect(),
            Err(e) => vec![e.to_string()],
        };
        seen += texts.len();
        for text in &texts {
            in_words(text);
        }
    };
    for at in 0..whole.len() {
        look(&whole[..at]);
        for bits in [0x01, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= bits;
            look(&changed);
        }
    }
    for at in (0..armour.len()).step_by(7) {
        look(&armour[..at]);
        let mut changed = armour.clone();
        changed[at] ^= 0x15;
        look(&changed);
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn a_damaged_key_is_not_called_unsupported() {
    let owner = secret();
    let whole = bytes(&block(&owner, &Say::default()));
    // The last byte is in the self-signature.
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let armoured = |bytes: &[u8]| {
        let key = SignedPublicKey::from_bytes(bytes).unwrap();
        key.to_armored_string(ArmorOptions::default()).unwrap()
    };
    let cut = armoured(&whole).replace('=', "");
    let cut: String = cut
        .lines()
        .enumerate()
        .filter(|(number, _)| *number != 5)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    for bytes in [armoured(&changed).into_bytes(), changed, cut.into_bytes()] {
        let parsed = parse_key_file(&bytes).unwrap();
        let codes: Vec<_> = parsed.unusable.iter().map(|unusable| unusable.code.as_str()).collect();
        assert_eq!((parsed.material.len(), codes), (0, vec!["key-malformed"]), "{parsed:?}");
    }
}

#[test]
fn a_damaged_message_is_described_in_words() {
    let owner = secret();
    let whole = signed(&owner, &Say::default());
    let mut seen = 0;
    for at in 0..whole.len() {
        for bits in [0x00, 0x01, 0x40, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= bits;
            changed.truncate(if bits == 0 { at } else { changed.len() });
            if let Err(e) = OpenPgpMessage::parse(&changed) {
                seen += 1;
                in_words(&e.to_string());
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
