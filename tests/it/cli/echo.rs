//! Messages repeat what someone typed or a script passed: none of it may control the terminal, be invisible, or start
//! a line of its own.

use keypack::display::hidden;

use super::program::Test;

#[test]
fn arguments_are_repeated_without_effect() {
    let test = Test::new();
    for text in
        ["\u{1b}[2J", "\u{9b}31m", "\r", "\u{202e}", "\u{61c}", "\u{ad}", "\u{115f}", "\u{e0041}", "\u{200b}"]
    {
        let odd = format!("a{text}b\nkeypack: error: nothing is wrong");
        let option = format!("--x{odd}");
        for line in [
            &["pull", "oci:m:t", &option][..],
            &["pull", "oci:m:t", "--", "x", &odd],
            &[&odd],
            &["pull", "oci:m:t", "--format", &odd],
            &["pull", "oci:m:t", "--pin", &odd],
            &["pull", "oci:m:t", "--digest", &odd],
            &["pull", "oci:m:t", "--max-age", &odd],
            &["pull", "oci:m:t", "--min-version", &odd],
            &["pull", "oci:m:t", "--name", &odd],
            &["pull", "oci:m:t", "--tuf-root", &odd],
            &["pull", "oci:m:t", "--verify-key", &odd],
            &["pull", "oci:m:t", "--config", &odd],
            &["pull", &odd],
            &["inspect", &odd],
            &["push", &odd, &odd],
            &["discover", &odd],
            &["discover", "--images", &odd],
            &["collect", "oci:m", "--rekor", &odd],
            &["collect", "oci:m", "--tuf", &odd],
            &["collect", "oci:m", "--key", &odd],
            &["collect", "oci:m", "--created", &odd],
            &["collect", "oci:m", "--expires", &odd],
            &["collect", "oci:m", "--revoke", &odd],
            &["schema", &odd],
        ] {
            let output = test.command().args(line).output().unwrap();
            let (out, err) =
                (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            let seen = format!("{out}{err}");
            assert!(output.status.code().is_some_and(|code| code != 0), "{line:?}: {seen}");
            assert_eq!(seen.chars().find(|c| *c != '\n' && hidden(*c)), None, "{line:?}: {seen:?}");
            assert!(!seen.contains("\nkeypack: error: nothing"), "{line:?}: {seen}");
            assert_eq!(err.matches("keypack: hint: ").count(), 1, "{line:?}: {seen}");
        }
    }
}
