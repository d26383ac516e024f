//! The ceremony of docs/trust.md, to the letter: the commands are read from the page and run, by an admin, an officer and
//! the enclave, each with a state of their own. An HSM is stood in for by openssl.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use libtest_mimic::Trial;
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with tests/it")]
#[path = "../it/ocmirror/set.rs"]
mod set;

const PAGE: &str = include_str!("../../docs/trust.md");
const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/lab");

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        ("the twelve lines of docs/trust.md, twice", twelve_lines as fn()),
        ("the paper alone is the anchor", paper),
    ];
    let possible =
        Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|ran| ran.status.success());
    let trials = trials.into_iter().map(|(name, run)| {
        let trial = Trial::test(format!("ceremony::{name}"), move || {
            run();
            Ok(())
        });
        if possible { trial } else { trial.with_kind("needs unshare -m, as root").with_ignored_flag(true) }
    });
    trials.collect()
}

/// The commands of the numbered lines, by number: what is between backquotes and starts with the name of a program.
fn commands() -> BTreeMap<u32, Vec<String>> {
    let section = PAGE.split_once("\n## The ceremony\n").unwrap().1.split_once("\n## ").unwrap().0;
    let mut found: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut number = 0;
    for line in section.lines() {
        let start = line.split_once(". ").and_then(|(number, _)| number.parse().ok());
        match start {
            Some(start) => number = start,
            None if !line.starts_with(' ') => number = 0,
            None => {}
        }
        let programs = ["keypack ", "openssl ", "install ", "cp ", "diff "];
        for code in line.split('`').skip(1).step_by(2).filter(|_| number > 0) {
            if programs.iter().any(|program| code.starts_with(program)) {
                found.entry(number).or_default().push(code.to_owned());
            }
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Admin,
    Officer,
    Enclave,
}

/// A folder for the three, each with a home; and the enclave's /etc.
struct Scene {
    dir: TempDir,
    etc: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap(), etc: tempfile::tempdir().unwrap() };
        fs::set_permissions(scene.etc.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for who in ["admin", "officer", "enclave", "in"] {
            fs::create_dir(scene.at(who)).unwrap();
        }
        let cache = set::cache(&scene.at("admin"));
        let written = set::mirror_to_disk(&cache, &scene.at("out"), 1 << 20, &mut BTreeSet::new());
        assert!(written > 0);
        // The admin's key sources are in their own configuration.
        let setting = format!(
            "sources: {{trustedRoots: [{LAB}/trust/trusted_root.json], keys: [{LAB}/trust/cosign.pub]}}\n"
        );
        fs::create_dir_all(scene.at("admin/.config/keypack")).unwrap();
        fs::write(scene.at("admin/.config/keypack/keypack.yaml"), setting).unwrap();
        scene
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// A command of the page, with this scene's folders in place of /out, /in and /var/lib, and its /etc/keypack.
    fn output(&self, who: Who, line: &str) -> Output {
        let at = |name: &str| self.at(name).display().to_string();
        let line = line
            .replace("oc-mirror:/out", &format!("oc-mirror:{}", at("out")))
            .replace("oc-mirror:/in", &format!("oc-mirror:{}", at("in")))
            .replace(" /out/", &format!(" {}/", at("out")))
            .replace(" /in/", &format!(" {}/", at("in")))
            .replace("/var/lib/keypack", &at("state"))
            .replace("-o USER", "-o 0")
            .replace("ADMIN", "Ada")
            .replace("NAME", "Bob");
        let program = Path::new(env!("CARGO_BIN_EXE_keypack")).parent().unwrap().display().to_string();
        let home = at(match who {
            Who::Admin => "admin",
            Who::Officer => "officer",
            Who::Enclave => "enclave",
        });
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", r#"mount --bind "$0" /etc && exec sh -c "$1""#]);
        command.arg(if who == Who::Enclave { self.etc.path() } else { Path::new("/etc") }).arg(line);
        command.current_dir(&home).env_clear().env("HOME", &home).env("NO_COLOR", "1");
        command.env("PATH", format!("{program}:/usr/sbin:/usr/bin:/sbin:/bin"));
        command.output().unwrap()
    }

    #[track_caller]
    fn run(&self, who: Who, line: &str) -> String {
        let output = self.output(who, line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{line}:\n{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Line 2: what root writes.
    fn enforce(&self, setting: &str) {
        let path = self.etc.path().join("keypack/keypack.yaml");
        fs::write(
            &path,
            setting.replace("maxExpires", &format!("state: {}, maxExpires", self.at("state").display())),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn copy(&self, from: &str, to: &str) {
        let _ = fs::remove_dir_all(self.at(to));
        let (from, to) = (self.at(from), self.at(to));
        assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    }
}

fn twelve_lines() {
    let page = commands();
    let all: usize = page.values().map(Vec::len).sum();
    assert_eq!((page.len(), all), (10, 17), "a command of the page is not run here: {page:#?}");
    let scene = Scene::new();
    let one = |number: u32, nth: usize| page[&number][nth].clone();

    // 1 and 2, once.
    let [make, export, paper] = [0, 1, 2].map(|nth| one(1, nth));
    scene.run(Who::Officer, &make);
    scene.run(Who::Officer, &export);
    let paper = scene.run(Who::Officer, &paper);
    scene.copy("officer/org.pub", "enclave/org.pub");
    scene.run(Who::Enclave, &one(2, 0));
    assert_eq!(scene.run(Who::Enclave, &one(2, 1)), paper);
    let setting = PAGE.lines().find_map(|line| line.trim().strip_prefix("`enforce: ")).unwrap();
    scene.enforce(&format!("enforce: {}\n", setting.split_once('`').unwrap().0));
    scene.run(Who::Enclave, &one(2, 2));

    for round in 1..=2 {
        // 3 to 5. In the first round there is no last sheet yet.
        let collect = if round == 1 { one(3, 0) } else { one(3, 0) + " --refresh-after 1s" };
        scene.run(Who::Admin, &collect);
        scene.run(Who::Admin, &one(4, 0));
        let sheet = |line: String| if round == 1 { line.replace(" --since previous", "") } else { line };
        scene.run(Who::Admin, &sheet(one(5, 0)));
        // 6: the officer's copy, and their own program and host.
        scene.copy("admin/sheet.txt", "officer/sheet.txt");
        let _ = fs::remove_dir_all(scene.at("officer/copy"));
        scene.run(Who::Officer, &one(6, 0));
        scene.run(Who::Officer, &sheet(one(6, 1)));
        let differs = scene.output(Who::Officer, &one(6, 2));
        let differs = String::from_utf8(differs.stdout).unwrap();
        assert_eq!(differs.lines().filter(|line| line.starts_with("< ")).count(), 1, "{differs}");
        assert!(
            differs.contains("< On this host COLLECTED HERE")
                && differs.contains("> On this host NOT AUTHENTICATED")
        );
        let filed = fs::read_to_string(scene.at("officer/own.txt")).unwrap();
        assert_eq!(filed.contains("SAME KEY SET"), round == 2, "{filed}");
        // 9 and 10.
        scene.run(Who::Officer, &one(9, 0));
        scene.copy("officer/keypack.json.org.sig", "admin/keypack.json.org.sig");
        scene.run(Who::Admin, &one(9, 1));
        scene.run(Who::Admin, &one(10, 0));
        for name in set::files(&scene.at("out"), "").into_iter().filter(|name| name.starts_with("mirror_")) {
            scene.copy(&format!("out/{name}"), &format!("in/{name}"));
        }
        // 11 and 12.
        let pulled = scene.run(Who::Enclave, &one(11, 0));
        assert_eq!(pulled.contains("the same key set as version"), round == 2, "{pulled}");
        let shown = scene.run(Who::Enclave, &one(12, 0));
        let key = paper.split(' ').next().unwrap();
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("AUTHENTICATED HERE") && words.contains(&format!("by the key sha256:{key}")),
            "{shown}"
        );
        let digests = |text: &str| {
            text[text.find("Pack digest").unwrap()..].lines().take(7).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(digests(&shown), digests(&filed));
        assert!(
            shown.lines().any(|line| line.trim() == format!("sha256:{key}")),
            "in one line, as on the paper: {shown}"
        );
        // What both keep for the next time.
        scene.copy("officer/copy", "officer/previous");
        scene.copy("officer/copy", "admin/previous");
    }
    // Without the officer nothing gets in.
    fs::remove_file(scene.at("out/keys/keypack.json.org.sig")).unwrap();
    scene.run(Who::Admin, &(one(3, 0) + " --prune --include all"));
    scene.run(Who::Admin, &one(10, 0));
    for name in set::files(&scene.at("out"), "").into_iter().filter(|name| name.starts_with("mirror_")) {
        scene.copy(&format!("out/{name}"), &format!("in/{name}"));
    }
    let refused = scene.output(Who::Enclave, &one(11, 0));
    assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
}

/// An organisation without a key: the digest on the sheet is what is typed in the enclave.
fn paper() {
    let page = commands();
    let scene = Scene::new();
    scene.run(Who::Admin, &page[&3][0]);
    let sheet = scene.run(Who::Admin, &page[&5][0].replace(" --since previous > sheet.txt", ""));
    scene.run(Who::Admin, &page[&10][0]);
    for name in set::files(&scene.at("out"), "").into_iter().filter(|name| name.starts_with("mirror_")) {
        scene.copy(&format!("out/{name}"), &format!("in/{name}"));
    }
    let digits = sheet.lines().skip_while(|line| !line.starts_with("Pack digest")).skip(1).take(2);
    let typed = digits.collect::<String>().replace(' ', "").to_uppercase();
    let line = format!("{} --name plant-7 --digest {typed}", page[&11][0]);
    let typed = scene.run(Who::Enclave, &line);
    assert!(typed.contains("authenticated by the pack digest"), "{typed}");
}
