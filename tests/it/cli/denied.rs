//! What this user may not read or write is reported as such, not as missing or something else. Root may read
//! everything, so as root the tests run the program as nobody.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use super::program::Test;

/// A folder with keys, a layout and an archive; nothing in `closed` can even be listed.
struct Scene {
    test: Test,
    program: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let test = Test::new();
        test.layout("key-tag-notlog-oras", "image");
        test.write("cosign.pub", fs::read(test.path("lab/trust/cosign.pub")).unwrap());
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/anchors/keys");
        for entry in fs::read_dir(fixtures).unwrap() {
            let entry = entry.unwrap();
            test.write(
                &format!("keys/{}", entry.file_name().to_str().unwrap()),
                fs::read(entry.path()).unwrap(),
            );
        }
        test.push("keys", "oci:m:k");
        fs::create_dir(test.path("closed")).unwrap();
        // Not copied by this process: a child that another thread starts meanwhile would hold it open for writing,
        // and it could not be executed (ETXTBSY).
        let program = test.path("keypack");
        let built = test.command().get_program().to_owned();
        assert!(Command::new("cp").arg(built).arg(&program).status().unwrap().success());
        Self { test, program }
    }

    /// Nobody may enter `closed`, nor read the contents of `image`.
    fn close(&self) {
        let root = rustix::process::geteuid().is_root();
        let give = |path: &Path| {
            if root && !path.is_symlink() {
                chown(path, Some(65534), Some(65534)).unwrap();
            }
        };
        let mut folders = vec![self.test.path("")];
        while let Some(folder) = folders.pop() {
            give(&folder);
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    give(&path);
                }
            }
        }
        for path in ["closed", "image/index.json"] {
            fs::set_permissions(self.test.path(path), fs::Permissions::from_mode(0o000)).unwrap();
        }
    }

    fn run(&self, line: &str) -> String {
        let own = self.test.command();
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(own.get_current_dir().unwrap());
        command
            .env("NO_COLOR", "1")
            .env("HOME", self.test.path(""))
            .env("XDG_STATE_HOME", self.test.path("state"));
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let output = command.args(line.split(' ')).output().unwrap();
        format!("{:?}\n{}", output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Restored so that the folder can be removed.
        let _ = fs::set_permissions(self.test.path("closed"), fs::Permissions::from_mode(0o755));
    }
}

#[test]
fn permission_denied_is_reported_as_such_in_every_verb() {
    let scene = Scene::new();
    scene.close();
    let mut wrong = Vec::new();
    let digest = "sha256:6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
    for (line, path) in [
        ("discover closed/x", "closed/x"),
        ("discover image", "image/index.json"),
        ("discover oci-archive:closed/x.tar", "closed/x.tar"),
        ("discover --images closed/list docker://localhost:1", "closed/list"),
        ("discover image --key closed/key.pub", "closed/key.pub"),
        ("discover image --host-root closed/root", "closed/root"),
        ("discover image --tuf closed/tuf", "closed/tuf"),
        ("discover docker://localhost:1/a --authfile closed/auth.json", "closed/auth.json"),
        ("discover docker://localhost:1/a --cert-dir closed/certs", "closed/certs"),
        ("collect closed/x -o new", "closed/x"),
        ("collect image --key cosign.pub -o closed/keys", "closed"),
        ("push closed/keys oci:n:k", "closed"),
        ("push keys oci:closed/n:k", "closed/n"),
        ("push keys oci-archive:closed/n.tar:k", "closed/n.tar"),
        ("push keys oc-mirror:closed/out", "closed/out"),
        ("push keys oci:m:k --digestfile closed/d", "closed/d"),
        (&format!("pull closed/x -o new --digest {digest}"), "closed/x"),
        (&format!("pull oci:m:k -o closed/keys --digest {digest}"), "closed"),
        (&format!("pull oci:m:k -o new --max-age 40000days --state closed/s --digest {digest}"), "closed/s"),
        ("pull oci:m:k -o new --verify-key closed/key.pub", "closed/key.pub"),
        ("inspect closed/keys", "closed/keys"),
        ("diff closed/keys keys", "closed/keys"),
        ("diff keys closed/keys", "closed/keys"),
    ] {
        let line = if line.starts_with("discover") && !line.contains("--host-root") {
            format!("{line} --no-host")
        } else {
            line.to_owned()
        };
        let err = scene.run(&line);
        let errors: Vec<_> = err.lines().filter(|line| line.starts_with("keypack: error: ")).collect();
        let right = errors.len() == 1 && errors[0].contains(path) && errors[0].contains("Permission denied");
        if !right || !err.starts_with("Some(1)\n") || !err.contains("\nkeypack: hint: ") {
            wrong.push(format!("{line}\n{err}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
