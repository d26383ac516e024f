//! The direction of dependencies is a test: a module only uses modules with a smaller number. The table is the one in
//! the documentation of `src/lib.rs`.

use std::{fs, path::Path};

/// The modules and their level.
const MODULES: [(&str, u32); 29] = [
    ("address", 0),
    ("diag", 0),
    ("fs", 0),
    ("limits", 0),
    ("events", 0),
    ("display", 0),
    ("text", 0),
    ("yaml", 0),
    ("tree", 0),
    ("oci", 0),
    ("http", 0),
    ("workers", 0),
    ("key", 0),
    ("signature", 1),
    ("registry", 1),
    ("content", 1),
    ("trust", 2),
    ("discover", 3),
    ("resolve", 3),
    ("keysource", 3),
    ("policy", 3),
    ("pack", 4),
    ("export", 5),
    ("outcome", 5),
    ("write", 5),
    ("state", 5),
    ("config", 5),
    ("ops", 6),
    ("cli", 7),
];

/// What a module must not use, although their levels would allow it.
const NEVER: [(&str, &str); 7] = [
    ("signature", "content"),
    ("trust", "content"),
    ("export", "content"),
    // The command line passes specs and receives outcomes.
    ("cli", "trust"),
    ("cli", "pack"),
    ("cli", "state"),
    ("cli", "resolve"),
];

/// Modules of one level that may use each other, in this direction.
const WITHIN: [(&str, &str); 20] = [
    ("content", "registry"),
    // Signatures are judged where they are found.
    ("resolve", "discover"),
    ("http", "diag"),
    ("fs", "diag"),
    ("fs", "display"),
    ("fs", "limits"),
    ("http", "fs"),
    ("http", "limits"),
    ("http", "events"),
    ("key", "address"),
    ("key", "diag"),
    ("key", "oci"),
    ("key", "limits"),
    ("key", "text"),
    ("oci", "diag"),
    ("oci", "limits"),
    ("tree", "limits"),
    ("yaml", "diag"),
    // A draft of rules is made from what was discovered.
    ("policy", "discover"),
    ("policy", "resolve"),
];

/// Crates that only one place may use, given as a path prefix.
const FOREIGN: [(&str, &[&str]); 10] = [
    ("serde_saphyr", &["yaml/", "content/image_set.rs", "export/registries_d.rs", "keysource/payload.rs"]),
    ("pgp", &["key/openpgp/"]),
    ("sigstore_verify", &["trust/crypto.rs", "trust/proposed.rs", "trust/unsupported.rs"]),
    ("webpki", &["trust/path.rs"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("reqwest", &["http/"]),
    ("tar", &["content/", "pack/layer.rs", "pack/chain.rs"]),
    ("sigstore_tuf", &["trust/tuf/"]),
    ("cap_std", &["content/"]),
];

fn sources(folder: &Path, out: &mut Vec<(String, String)>, root: &Path) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, out, root);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            out.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    sources(&root, &mut out, &root);
    assert!(out.len() > 40, "the sources were not found");
    out
}

fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

fn level(module: &str) -> Option<u32> {
    MODULES.iter().find(|(name, _)| *name == module).map(|(_, level)| *level)
}

/// The code without comments and string contents, so that prose does not count.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that a file uses: `crate::module`, `crate::{module…, module::…}`, and `super::` if that leads to the
/// root.
fn named(file: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    let depth = file.matches('/').count() + usize::from(!file.ends_with("mod.rs"));
    let up = "super::".repeat(depth);
    for start in ["crate::", up.as_str()] {
        for (at, _) in code.match_indices(start).filter(|_| !start.is_empty()) {
            // `super::super::x` also ends with `super::x`: only the whole chain counts.
            if start.starts_with("super") && code[..at].ends_with("super::") {
                continue;
            }
            let rest = &code[at + start.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let mut nested = 0;
                let mut word = String::new();
                for c in group.chars() {
                    match c {
                        '{' => nested += 1,
                        '}' if nested == 0 => break,
                        '}' => nested -= 1,
                        ',' if nested == 0 => {
                            found.push(std::mem::take(&mut word));
                            continue;
                        }
                        _ => {}
                    }
                    if nested == 0 || c != '}' {
                        word.push(c);
                    }
                }
                found.push(word);
            } else {
                found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    found
        .into_iter()
        .map(|w| w.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|w| level(w).is_some())
        .collect()
}

#[test]
fn modules_use_only_what_is_below() {
    let mut wrong = Vec::new();
    for (file, text) in all() {
        if ["lib.rs", "main.rs"].contains(&file.as_str()) {
            continue;
        }
        let own = module_of(&file);
        let Some(own_level) = level(own) else {
            wrong.push(format!("{file}: the module {own} is not in the plan"));
            continue;
        };
        for other in named(&file, &text) {
            let allowed = other == own
                || (level(&other).unwrap() < own_level && !NEVER.contains(&(own, &other)))
                || WITHIN.contains(&(own, &other));
            if !allowed {
                wrong.push(format!(
                    "{file}: {own} (level {own_level}) may not use {other} (level {})",
                    level(&other).unwrap()
                ));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn foreign_crates_stay_in_their_place() {
    let mut wrong = Vec::new();
    for (file, text) in all() {
        for (name, places) in FOREIGN {
            let code = code(&text);
            let uses = code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"));
            if uses && !places.iter().any(|place| file.starts_with(place)) {
                wrong.push(format!("{file}: only {} may use the crate {name}", places.join(" and ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn operations_hand_on_nothing_that_the_command_line_must_not_use() {
    let hidden: Vec<_> =
        NEVER.iter().filter(|(module, _)| *module == "cli").map(|(_, other)| *other).collect();
    let mut wrong = Vec::new();
    for (file, text) in all().into_iter().filter(|(file, _)| module_of(file) == "ops") {
        // A `pub use` of a whole list ends at its semicolon.
        for exported in code(&text).split("pub use ").skip(1).filter_map(|rest| rest.split(';').next()) {
            let names = named(&file, exported);
            wrong.extend(hidden.iter().filter(|module| names.iter().any(|name| name == **module)).map(
                |module| format!("{file}: ops re-exports {module}; give an outcome or a spec of its own"),
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn only_the_command_line_reads_the_clock_and_once() {
    let reads = |text: &str| {
        // Tests at the end of a file may use it.
        let code = code(text.split("#[cfg(test)]").next().unwrap());
        code.matches("Timestamp::now(").count() + code.matches("SystemTime::now(").count()
    };
    let all: Vec<_> =
        all().into_iter().map(|(file, text)| (file, reads(&text))).filter(|(_, n)| *n > 0).collect();
    assert_eq!(all, [("cli/clock.rs".to_owned(), 1)]);
}

#[test]
fn files_are_small() {
    let long: Vec<_> = all()
        .into_iter()
        .filter_map(|(file, text)| {
            // Tests at the end of a file do not count.
            let lines = text.split("#[cfg(test)]").next().unwrap().lines().count();
            // The table of codes is one match: each code takes two lines of it.
            (lines > 300 && file != "diag/table.rs")
                .then(|| format!("{file} has {lines} lines: split it by what it owns"))
        })
        .collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

#[test]
fn the_test_itself_sees_uses() {
    let seen = |file, text| named(file, text);
    assert_eq!(seen("trust/x.rs", "use crate::content::fetch;"), ["content"]);
    assert_eq!(seen("trust/x.rs", "use crate::{key::{A, B}, content::C, oci};"), ["key", "content", "oci"]);
    assert_eq!(seen("trust/x.rs", "use super::super::content::fetch;"), ["content"]);
    assert_eq!(seen("trust/mod.rs", "use super::content::fetch;"), ["content"]);
    assert_eq!(seen("trust/x.rs", "let a = crate::pack::check(b);"), ["pack"]);
    assert_eq!(seen("trust/x.rs", "// use crate::content::fetch;"), Vec::<String>::new());
}

/// Constructors of trusted values, and the files that may use them.
const MAKERS: [(&str, &[&str]); 3] =
    [("Pack {", &["pack/authenticate.rs"]), ("KnownHere::in_state", &["state/"]), ("State(", &["state/"])];

/// Whether the code contains this word, not just as the end of a longer one.
fn says(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        !before.is_alphanumeric() && before != '_' && !code[..at].ends_with("impl ")
    })
}

#[test]
fn only_an_anchor_or_the_state_makes_a_pack() {
    let mut wrong = Vec::new();
    for (file, text) in all() {
        let code = code(&text);
        // A type after `->` or in a pattern of another crate's name is not a constructor.
        let code = code.replace("-> Pack {", "");
        for (word, places) in MAKERS {
            if says(&code, word) && !places.iter().any(|place| file.starts_with(place)) {
                wrong.push(format!("{file}: only {} may say `{word}`", places.join(" and ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(says("Ok(Pack { draft })", "Pack {") && !says("impl Pack {", "Pack {"));
    assert!(!says("KnownPack { digest }", "Pack {"));
}
