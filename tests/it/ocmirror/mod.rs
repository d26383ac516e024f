//! oc-mirror's archive sets, caches and working-dirs, with the program and with the library. The sets are built in
//! exactly oc-mirror's form; `tests/oc-mirror.sh` does the same with oc-mirror itself, if it is installed.
mod attachments;
mod carry;
mod read;
mod set;
mod workspace;

use std::path::Path;

use assert_cmd::Command;

/// keypack, with no cache except where a test puts it.
pub(crate) fn keypack(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keypack"));
    command.env_clear().env("HOME", home).current_dir(home);
    command
}

/// The lab's keys.
pub(crate) fn trust() -> Vec<String> {
    let at = |name: &str| format!("{}/testdata/lab/trust/{name}", env!("CARGO_MANIFEST_DIR"));
    vec!["--trusted-root".into(), at("trusted_root.json"), "--key".into(), at("cosign.pub")]
}

/// Exit code, stdout, stderr.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}
