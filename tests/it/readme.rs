//! The README's transcript is what the program prints, and its commands exist.

use std::{fs, path::Path, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The text of the first fenced block after a marker.
fn block(text: &str, mark: &str) -> String {
    let rest = text.split_once(mark).unwrap_or_else(|| panic!("the README has no {mark}")).1;
    let rest = rest.split_once("```").unwrap().1;
    let rest = rest.split_once('\n').unwrap().1;
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// The text without what depends on the time of the run: the two digests and the version of the pack.
fn timeless(text: &str) -> String {
    let mut text = text.trim_end().to_owned();
    let after = |text: &str, mark: &str| {
        let rest = text.split_once(mark).unwrap_or_else(|| panic!("{mark:?} is not in {text}")).1;
        rest.split([' ', ',', '\n']).next().unwrap().to_owned()
    };
    for (mark, name) in [("Pack: ", "PACK"), ("Digest: ", "MANIFEST"), (", version ", "VERSION")] {
        let value = after(&text, mark);
        text = text.replace(&value, name);
    }
    text
}

#[test]
fn the_transcript_is_what_the_program_prints() {
    let output = Command::new("sh")
        .arg(root().join("tests/story.sh"))
        .env("KEYPACK", env!("CARGO_BIN_EXE_keypack"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let shown = block(&readme(), "<!-- what tests/story.sh prints -->");
    assert_eq!(
        timeless(&shown),
        timeless(&printed),
        "run tests/story.sh and put what it prints into the README"
    );
}

#[test]
fn the_transcript_fits_60_lines() {
    let lines = block(&readme(), "<!-- what tests/story.sh prints -->").lines().count();
    assert!(lines <= 60, "{lines}");
}

#[test]
fn the_two_commands_are_scripts_of_the_repository() {
    let commands = block(&readme(), "<!-- the two commands -->");
    let lines: Vec<_> = commands.lines().filter(|l| !l.trim_start().starts_with('#')).collect();
    assert_eq!(lines, ["sh tests/story.sh", "sh tests/run.sh"]);
    for line in lines {
        assert!(root().join(line.trim_start_matches("sh ")).is_file(), "{line}");
    }
}

#[test]
fn links_lead_somewhere() {
    let text = readme();
    for (at, _) in text.match_indices("](") {
        let target = text[at + 2..].split(')').next().unwrap().split('#').next().unwrap();
        if !target.is_empty() && !target.contains("://") {
            assert!(root().join(target).exists(), "the README links to {target}, which does not exist");
        }
    }
}
