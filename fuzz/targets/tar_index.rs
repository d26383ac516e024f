#![cfg_attr(fuzzing, no_main)]
//! A tar as a namespace: names stay inside, contents have the stated length, and the strict reader never returns what
//! the lenient one lacks.

mod input;

use std::io::Read;

use keypack::content::{Files, Segments, TarFiles};

/// Indexes a tar and reads every file in it.
pub fn run(data: &[u8]) {
    let path = input::file("archive.tar", data);
    let strict = TarFiles::open(std::slice::from_ref(&path), Segments::One);
    let lenient = TarFiles::open(std::slice::from_ref(&path), Segments::Set);
    if let Ok(lenient) = &lenient {
        walk(lenient, "", 0, data.len());
    }
    if let Ok(strict) = &strict {
        let lenient = lenient.as_ref().unwrap_or_else(|e| panic!("one reader takes it, the other says {e}"));
        for name in walk(strict, "", 0, data.len()) {
            assert_eq!(content(strict, &name), content(lenient, &name), "{name:?} has two contents");
        }
    }
}

fn walk(files: &TarFiles, folder: &str, depth: usize, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    for child in files.list(folder).expect("a folder of the index can be listed") {
        assert!(![".", "..", ""].contains(&child.name.as_str()), "a name that leads elsewhere");
        assert!(!child.name.contains(['/', '\0']), "a name of several parts: {:?}", child.name);
        let name = if folder.is_empty() { child.name } else { format!("{folder}/{}", child.name) };
        if child.is_dir {
            if depth < 40 {
                all.extend(walk(files, &name, depth + 1, most));
            }
        } else if let Some(bytes) = content(files, &name) {
            assert!(bytes.len() <= most, "more content than the archive has");
            all.push(name);
        }
    }
    all
}

fn content(files: &TarFiles, name: &str) -> Option<Vec<u8>> {
    let file = files.open(name).expect("an indexed file can be opened")?;
    assert_eq!(files.size(name).ok().flatten(), Some(file.size));
    let mut bytes = Vec::new();
    let size = file.size;
    file.reader.take(size + 1).read_to_end(&mut bytes).ok()?;
    assert_eq!(bytes.len() as u64, size, "{name:?} is not as long as told");
    Some(bytes)
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
