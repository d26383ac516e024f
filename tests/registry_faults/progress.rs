//! What a terminal shows of a transfer, through a pseudo-terminal of script(1).
#![allow(clippy::disallowed_types, reason = "the test runs the program")]

use std::{path::Path, process::Command, time::Duration};

use crate::{
    fault::{Reply, Server},
    interrupt::collected,
};

/// A registry that takes its time over every upload.
fn slow() -> Server {
    Server::start(|asked| match asked.method.as_str() {
        "POST" => Reply::new(202).header("Location", "/up"),
        "PUT" if asked.line() == "PUT /up" => {
            std::thread::sleep(Duration::from_millis(700));
            Reply::new(201)
        }
        "PUT" => Reply::new(201),
        _ => Reply::new(404),
    })
}

/// All that a push prints; on a terminal, or into a pipe.
fn push(folder: &Path, flags: &str, terminal: bool) -> String {
    let server = slow();
    let program = env!("CARGO_BIN_EXE_keypack");
    let line = format!("{program} push keys docker://{}/a/b:t --plain-http{flags} 2>&1", server.host());
    let mut command = if terminal { Command::new("script") } else { Command::new("sh") };
    let arguments = if terminal { vec!["-qec", &line, "/dev/null"] } else { vec!["-c", &line] };
    let output =
        command.args(arguments).current_dir(folder).env("HOME", folder).env("TERM", "xterm").output();
    let output = output.expect("script(1) is not here: apt-get install bsdutils");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("Digest: sha256:"), "{text}");
    text
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "script(1) has other flags here")]
fn a_long_transfer_is_shown_on_a_terminal_and_nowhere_else() {
    let dir = collected();
    let shown = push(dir.path(), "", true);
    assert!(shown.contains("writing to docker://") && shown.contains("] "), "{shown:?}");
    assert!(shown.contains(" KiB of ") && shown.contains(" [="), "{shown:?}");
    for (flags, terminal) in [(" --no-progress", true), (" -q", true), ("", false)] {
        let text = push(dir.path(), flags, terminal);
        assert!(!text.contains("writing to") && !text.contains(" of "), "{flags}: {text:?}");
    }
}
