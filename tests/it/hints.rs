//! Every stable code in the sources has a hint of its own.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The body of the function whose signature holds `start`: up to the brace that closes it.
fn bodies<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.match_indices(start)
        .map(|(at, _)| {
            let body = &text[at..];
            let mut depth = 0;
            for (index, c) in body.char_indices() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                if c == '}' && depth == 0 {
                    return &body[..=index];
                }
            }
            body
        })
        .collect()
}

/// The quoted words of a text that look like codes.
fn codes(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('"').skip(1).step_by(2);
    quoted
        .filter(|w| {
            !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
        .collect()
}

#[test]
fn every_code_has_a_hint_of_its_own() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let hints = fs::read_to_string(src.join("diag/hint.rs")).unwrap();
    let tables = bodies(&hints, "(code: &str)");
    assert_eq!(tables.len(), 5, "one table for most, one each for keys, packs, ages and TUF");
    // What stands left of `=>`; the hints themselves are not codes.
    let mut known = BTreeSet::new();
    for arm in tables.iter().flat_map(|table| table.split("=>")) {
        let left = arm.rsplit(['{', '}', '\n']).next().unwrap();
        known.extend(codes(left));
    }
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    let mut used = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        // These bring hints of their own.
        let own = text.contains("fn hint(&self)");
        for body in bodies(&text, "fn code(&self)").into_iter().filter(|_| !own) {
            used.extend(codes(body).into_iter().map(|code| (code.to_owned(), path.clone())));
        }
        for (at, _) in text.match_indices("Diagnostic::new(") {
            let rest = text[at + 13..].trim_start();
            if let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                used.push((code.to_owned(), path.clone()));
            }
        }
        for (at, _) in text.match_indices("code: \"") {
            let code = text[at + 7..].split('"').next().unwrap().to_owned();
            if code != "usage" {
                used.push((code, path.clone()));
            }
        }
    }
    assert!(used.len() > 40 && known.len() > 40, "{} used, {} known", used.len(), known.len());
    let missing: Vec<_> = used.iter().filter(|(code, _)| !known.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "codes without a hint in diag/hint.rs: {missing:#?}");
}
