//! docs/attacks.md names tests that exist, and lists every test of the files that contain only attacks.

use std::{collections::BTreeSet, fs, path::Path};

/// Files whose every test is an attack.
const LIES: [&str; 9] = [
    "cli/malformed",
    "cli/forged",
    "cli/hostile",
    "sources/malformed_tar",
    "sources/malformed_content",
    "trust/paths",
    "tuf/malformed",
    "tuf/forged",
    "tuf/packs",
];

/// Tests in these files that are not attacks: honest input is accepted, and mistakes.
const NO_ATTACKS: [&str; 5] = [
    "accepted_",
    "what_is_forged_without_a_lie_is_accepted",
    "a_mistyped_path",
    "a_docker_archive_is_called_one",
    "an_unpacked_docker_archive_is_called_one",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The tests of a file, found by their attribute.
fn tests(text: &str) -> BTreeSet<String> {
    let after = text.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn "));
    after.map(|(_, rest)| rest.split('(').next().unwrap().trim().to_owned()).collect()
}

/// The tests that the page names: file and function.
fn named() -> BTreeSet<(String, String)> {
    let page = read("docs/attacks.md");
    let rows = page.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n");
    let quoted = rows.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once("::")).map(|(f, t)| (f.to_owned(), t.to_owned())).collect()
}

#[test]
fn every_test_that_the_page_names_exists() {
    let named = named();
    assert!(named.len() > 100, "the page was not read: {}", named.len());
    let missing: Vec<_> = named
        .iter()
        .filter(|(file, test)| {
            let path =
                if file.starts_with("src/") { format!("{file}.rs") } else { format!("tests/it/{file}.rs") };
            !tests(&read(&path)).contains(test)
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_lie_stands_on_the_page() {
    let named = named();
    for file in LIES {
        let all = tests(&read(&format!("tests/it/{file}.rs")));
        assert!(!all.is_empty(), "{file}");
        for test in all.iter().filter(|test| !NO_ATTACKS.iter().any(|no| test.starts_with(no))) {
            assert!(named.contains(&(file.to_owned(), test.clone())), "{file}::{test} is not on the page");
        }
    }
}
