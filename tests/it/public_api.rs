//! What a program that uses the library can name. The inner modules are public only with the feature `internals`,
//! which only the tests and benchmarks of this repository should use, so this list is read from the sources.

use std::{collections::BTreeSet, fs, path::Path};

/// Everything public, except modules. What is added here is kept for a whole major version.
const PUBLIC: &str = include_str!("public_api.txt");

/// A source file without comments, and without what only `internals` or nobody should see.
fn read(path: &Path) -> String {
    let mut kept = String::new();
    let mut hidden = false;
    for line in fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).lines() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if hidden || line == "#[cfg(feature = \"internals\")]" || line == "#[doc(hidden)]" {
            // The hidden item ends at the first `;` or at its own closing `}`.
            hidden = line.starts_with("#[") || !(line.ends_with(';') || line.starts_with('}'));
            continue;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// The names in a `use` tree, each with its whole path.
fn leaves(prefix: &str, tree: &str, out: &mut Vec<String>) {
    let tree = tree.trim();
    if let Some(list) = tree.strip_prefix('{').and_then(|list| list.strip_suffix('}')) {
        let (mut depth, mut start) = (0, 0);
        for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !list[start..at].trim().is_empty() {
                        leaves(prefix, &list[start..at], out);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
    } else if let Some((first, rest)) = tree.split_once("::") {
        leaves(&format!("{prefix}{}::", first.trim()), rest, out);
    } else {
        out.push(format!("{prefix}{tree}").trim_end_matches("::self").to_owned());
    }
}

/// The public items of a module and of its public modules. `folder` contains its submodules.
fn public(module: &str, file: &Path, folder: &Path, out: &mut BTreeSet<String>) {
    let text = read(file);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(name));
            let file = if flat.exists() { flat } else { nested.join("mod.rs") };
            public(&format!("{module}{name}::"), &file, &nested, out);
            continue;
        }
        let Some(item) = line.strip_prefix("pub ") else { continue };
        let mut words =
            item.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        if words
            .any(|word| ["fn", "struct", "enum", "trait", "const", "type", "static", "union"].contains(&word))
            && !item.starts_with("use ")
            && let Some(name) = words.find(|word| *word != "fn")
        {
            out.insert(format!("{module}{name}"));
        }
    }
    for uses in text.split("\npub use ").skip(1) {
        let mut names = Vec::new();
        leaves("", uses.split(';').next().unwrap(), &mut names);
        out.extend(names.iter().map(|path| format!("{module}{}", path.rsplit("::").next().unwrap())));
    }
}

fn all() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    public("", &src.join("lib.rs"), &src, &mut found);
    // A verb's function is also exported by the module of its request.
    found.retain(|item| {
        item.rsplit_once("::").is_none_or(|(module, name)| module.rsplit("::").next() != Some(name))
    });
    found
}

#[test]
fn the_public_items_are_these() {
    let listed: BTreeSet<_> = PUBLIC.lines().map(str::to_owned).collect();
    let found = all();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not in tests/it/public_api.txt: {new:#?}\nonly there: {gone:#?}"
    );
}

#[test]
fn the_examples_use_nothing_else() {
    let found = all();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let mut names = Vec::new();
        let mut rest = String::new();
        for part in code.split("use keypack::").enumerate() {
            match part {
                (0, text) => rest.push_str(text),
                (_, text) => {
                    let (tree, after) = text.split_once(';').unwrap();
                    leaves("", tree, &mut names);
                    rest.push_str(after);
                }
            }
        }
        // A name used inline begins with the name of the crate.
        names.extend(rest.split("keypack::").skip(1).map(|path| {
            path.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect::<String>()
        }));
        assert!(!names.is_empty(), "{}", path.display());
        for name in names {
            // A function and the module with its request share a name.
            let is_public =
                found.contains(&name) || found.iter().any(|item| item.starts_with(&format!("{name}::")));
            assert!(is_public, "{} uses {name}, which is not public", path.display());
        }
        examples += 1;
    }
    assert_eq!(examples, 3);
}

#[test]
fn the_test_itself_reads_uses() {
    let mut names = Vec::new();
    leaves("", "{a::{B, c::{self, D}}, e}", &mut names);
    assert_eq!(names, ["a::B", "a::c", "a::c::D", "e"]);
}
