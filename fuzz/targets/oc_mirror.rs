#![cfg_attr(fuzzing, no_main)]
//! A folder as oc-mirror leaves it: names and contents are the input. Names of signatures, release manifests,
//! segments and caches are read from it.
#![allow(clippy::disallowed_methods, reason = "the place under test is a folder")]

mod input;
mod places;

use std::{
    fs,
    path::{Component, Path},
};

use keypack::{
    content::{OcMirror, ReleaseManifests},
    discover::{Target, discover_all},
    display::{Paint, hidden},
    keysource::Gathered,
    outcome::{Detail, Report, render},
    resolve::{Judge, Resolver},
};

/// Makes a folder of `name`, content, `name`, content… and reads it.
pub fn run(data: &[u8]) {
    let root = input::folder().join("oc-mirror");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    for pair in input::parts(data).chunks_exact(2).take(12) {
        let Ok(name) = std::str::from_utf8(pair[0]) else { continue };
        let path = Path::new(name);
        // The input only controls the inside of the folder.
        let inside = path.components().all(|c| matches!(c, Component::Normal(_)));
        if inside && !name.is_empty() && name.len() < 500 && fs::create_dir_all(parent(&root, path)).is_ok() {
            let _ = fs::write(root.join(path), pair[1]);
        }
    }
    let Ok(place) = OcMirror::open(&root) else { return };
    let _ = (place.notes(), place.carried().is_ok());
    let mut gathered = Gathered::default();
    let _ = place.release_manifests(&mut |manifest| {
        gathered.add_release_manifest(&manifest.name, &manifest.bytes);
    });
    let judge = Judge::new(Resolver::new(&gathered.candidates, jiff::Timestamp::UNIX_EPOCH));
    let Ok(found) = discover_all(&[Target { source: &place, only: None }], &judge, &mut |_| {}) else { return };
    let report = Report::new("discover", &found.into(), &judge.finish().into(), &gathered);
    let shown = render(&report, Paint(false), Detail::Whole);
    assert_eq!(shown.chars().find(|c| *c != '\n' && hidden(*c)), None, "{shown:?}");
}

fn parent(root: &Path, path: &Path) -> std::path::PathBuf {
    root.join(path.parent().unwrap_or(Path::new("")))
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
