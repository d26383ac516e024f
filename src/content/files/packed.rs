//! Names with the digests in them as 32 bytes: of a mirror's names they are most.

use std::cmp::Ordering;

/// What stands in front of a digest's 32 bytes. No name holds it.
const MARK: u8 = 0;

/// A digest in hexadecimal digits, and its bytes.
const DIGITS: usize = 64;
const BYTES: usize = DIGITS / 2;

/// Writes a name behind what is there, with the bytes of each run of 64 lower-case hexadecimal digits. A name with a NUL is
/// no name: nothing is written.
pub(in crate::content) fn pack(name: &[u8], into: &mut Vec<u8>) -> bool {
    if name.contains(&MARK) {
        return false;
    }
    let (mut kept, mut run) = (0, 0);
    for (at, byte) in name.iter().enumerate() {
        run = if matches!(byte, b'0'..=b'9' | b'a'..=b'f') { run + 1 } else { 0 };
        let mut digest = [0; BYTES];
        if run == DIGITS && hex::decode_to_slice(&name[at + 1 - DIGITS..=at], &mut digest).is_ok() {
            into.extend_from_slice(&name[kept..at + 1 - DIGITS]);
            into.push(MARK);
            into.extend_from_slice(&digest);
            (kept, run) = (at + 1, 0);
        }
    }
    into.extend_from_slice(&name[kept..]);
    true
}

/// The name that was packed.
pub(in crate::content) fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(packed.len() + BYTES);
    let mut rest = packed;
    while let Some((first, after)) = rest.split_first() {
        rest = match after.split_at_checked(BYTES) {
            Some((digest, after)) if *first == MARK => {
                name.extend_from_slice(hex::encode(digest).as_bytes());
                after
            }
            _ => {
                name.push(*first);
                after
            }
        };
    }
    name
}

/// The order of the names themselves.
pub(in crate::content) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    // The names in one directory start alike.
    let (a_steps, b_steps) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let same = a_steps.iter().zip(b_steps).take_while(|(a, b)| a == b).count() * 16;
    match a[same..].iter().zip(&b[same..]).find(|(a, b)| a != b) {
        // Hexadecimal digits are in the order of what they stand for, but here one of the two may be no digest.
        Some((&MARK, _) | (_, &MARK)) => unpack(a).cmp(&unpack(b)),
        Some((a, b)) => a.cmp(b),
        None => a.len().cmp(&b.len()),
    }
}

/// Splits a packed name before its first slash; the slash stays with the rest.
pub(super) fn first_part(packed: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(byte) = packed.get(at) {
        match *byte {
            b'/' => break,
            MARK => at += 1 + BYTES,
            _ => at += 1,
        }
    }
    packed.split_at(at.min(packed.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff2f";

    fn packed(name: &str) -> Vec<u8> {
        let mut packed = Vec::new();
        assert!(pack(name.as_bytes(), &mut packed), "{name}");
        packed
    }

    fn names() -> Vec<String> {
        let upper = HEX.to_uppercase();
        let zeros = "0".repeat(64);
        let mut names: Vec<_> =
            ["", "a", "a/b", "sha256-", "sha256-a", "sha256-x", "sha256-/", "/"].map(String::from).into();
        for hex in [HEX, &upper, &zeros, &HEX[1..], &"f".repeat(64), &"2f".repeat(32)] {
            for form in ["{}", "x{}", "{}x", "{}/data", "a/{}/b/{}", "sha256-{}.sig", "{}0", "0{}", "{}{}"] {
                names.push(form.replace("{}", hex));
            }
        }
        names
    }

    #[test]
    fn names_come_back_and_keep_their_order() {
        for name in names() {
            assert_eq!(unpack(&packed(&name)), name.as_bytes());
            for other in names() {
                assert_eq!(compare(&packed(&name), &packed(&other)), name.cmp(&other), "{name} and {other}");
            }
        }
        assert_eq!(packed(&format!("blobs/sha256/{HEX}")).len(), "blobs/sha256/".len() + 33);
        assert!(!pack(b"a\0b", &mut Vec::new()));
    }

    #[test]
    fn a_digest_is_no_end_of_a_part() {
        for name in names() {
            let packed = packed(&name);
            let (first, rest) = first_part(&packed);
            let at = name.find('/').unwrap_or(name.len());
            assert_eq!((unpack(first), unpack(rest)), (name[..at].into(), name[at..].into()), "{name}");
        }
    }
}
