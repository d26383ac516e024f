//! Records the result of each run of the program, so that a change of the code can be compared with before:
//! `KEYPACK_RECORD=DIR cargo test --test it`, then `diff -r` of two such folders. Values that differ from run to run
//! (folders, ports, times, digests of generated keys) are replaced.

use std::{
    cell::Cell,
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    thread,
};

use regex::Regex;

static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::var_os("KEYPACK_RECORD").map(PathBuf::from));

/// Values that differ between two runs of one test, and their replacements.
static VARIES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"/tmp/\.tmp\w+", "TMP"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?", "TIME"),
        (r"[0-9A-Fa-f]{8,}", "HEX"),
        (r"[A-Za-z0-9+/]{40,}=*", "BASE64"),
        (r"\b\d{7,}\b", "NUMBER"),
        (r"\b\d+(\.\d+)? ?(ms|s|kB|MB|B)\b", "AMOUNT"),
    ]
    .map(|(expression, name)| (Regex::new(expression).unwrap(), name))
    .into()
});

thread_local!(static RUNS: Cell<usize> = const { Cell::new(0) });

fn steady(text: &str) -> String {
    VARIES.iter().fold(text.to_owned(), |text, (varies, name)| varies.replace_all(&text, *name).into_owned())
}

/// Records one run and the content of its folder afterwards.
pub(crate) fn run(line: &str, code: i32, out: &str, err: &str, dir: &Path) {
    let Some(folder) = FOLDER.as_ref() else { return };
    let test = thread::current().name().unwrap_or("unnamed").replace("::", "/");
    let number = RUNS.replace(RUNS.get() + 1);
    let mut tree = BTreeMap::new();
    files(dir, "", &mut tree);
    let mut text = format!("keypack {line}\nexit {code}\n--- stdout\n{out}\n--- stderr\n{err}\n");
    for (name, bytes) in tree {
        let content = String::from_utf8(bytes).unwrap_or_else(|e| format!("{} bytes", e.as_bytes().len()));
        text.push_str(&format!("--- {name}\n{content}\n"));
    }
    let path = folder.join(test).join(format!("{number:03}"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, steady(&text)).unwrap();
}

/// The small files below a folder.
fn files(folder: &Path, below: &str, tree: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            files(&entry.path(), &format!("{name}/"), tree);
        } else if kind.is_file() && entry.metadata().is_ok_and(|m| m.len() < 32 * 1024) {
            tree.insert(name, fs::read(entry.path()).unwrap_or_default());
        } else {
            tree.insert(name, b"not recorded".to_vec());
        }
    }
}
