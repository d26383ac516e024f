//! `pull --digest -`: the digest is typed on a terminal, before anything of the pack is read.

use std::{
    fs::File,
    io::Write as _,
    process::{Output, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{NEWER, OLD, program::Test, scene};

/// Runs `pull … --digest -` on a terminal on which these keys are pressed.
fn typing(test: &Test, keys: &str, line: &str) -> Output {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(&name).unwrap();
    let mut ours = File::from(ours);
    // Ctrl-d, if nothing more is typed.
    ours.write_all(format!("{keys}\u{4}").as_bytes()).unwrap();
    let mut command = test.command();
    command.args(line.split(' ')).args(["--digest", "-", "--max-age", "40000 days"]);
    command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap().wait_with_output().unwrap()
}

fn groups(digest: &str) -> String {
    let digits = digest.strip_prefix("sha256:").unwrap().to_uppercase();
    let groups: Vec<_> = digits.as_bytes().chunks(4).map(|four| str::from_utf8(four).unwrap()).collect();
    groups.join(" ")
}

#[test]
fn a_digest_from_paper_is_typed_in_groups() {
    let test = scene();
    let output = typing(&test, &format!("{}\n", groups(OLD)), "pull oci:m:old -o a");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    assert!(err.contains("type the pack digest from your paper"), "{err}");
    assert!(err.contains("authenticated by the pack digest that was given"), "{err}");
    assert_eq!(test.tree("a"), test.tree("fx/keys"));
}

#[test]
fn a_mistyped_digest_is_asked_for_again_and_the_found_one_is_not_shown() {
    let test = scene();
    let whole = groups(OLD);
    let keys = format!("{}\n{}\n{whole}\n", &whole[1..], whole.replacen(' ', "x", 1));
    let output = typing(&test, &keys, "pull oci:m:old -o a");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    assert!(err.contains("63 digits were typed") && err.contains("'x' is not a hex digit"), "{err}");
    // Whatever is mistyped, nothing of the pack is read.
    for keys in ["", "\n\n\n", "12\n34\n56\n"] {
        let output = typing(&test, keys, "pull oci:m:old -o b");
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{err}");
        assert!(!err.contains(&OLD[7..]) && !err.contains("fetching"), "{err}");
    }
    let output = typing(&test, &format!("{NEWER}\n"), "pull oci:m:old -o b");
    assert_eq!(output.status.code(), Some(3));
    assert!(!test.has("b"));
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let test = scene();
    let ran = test.run("pull oci:m:old -o a --digest -").exits(2);
    let _ = ran.tells("stdin is not one");
}
