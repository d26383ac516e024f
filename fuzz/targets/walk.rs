#![cfg_attr(fuzzing, no_main)]
//! A whole source, walked as in `discover`: each part is a blob, the last one index.json. `@1` in a part stands for
//! the digest of the first, so that documents can name each other.

mod input;
mod places;

use keypack::{
    content::{Layout, Source, Storage},
    discover::{Target, discover_all},
    display::{Paint, hidden},
    keysource::Gathered,
    outcome::{Detail, Report, render},
    resolve::{Judge, Resolver},
};

/// Walks the layout and the registry storage made of these parts.
pub fn run(data: &[u8]) {
    let blobs = places::linked(&input::parts(data));
    if let Ok(layout) = Layout::open("oci:fuzz", places::layout(&blobs)) {
        walk(&layout);
    }
    if let Ok(storage) = Storage::open("storage", places::storage(&blobs)) {
        walk(&storage);
    }
}

fn walk(source: &dyn Source) {
    let judge = Judge::new(Resolver::new(&[], jiff::Timestamp::UNIX_EPOCH));
    let Ok(found) = discover_all(&[Target { source, only: None }], &judge, &mut |_| {}) else { return };
    let resolution = judge.finish();
    assert!(resolution.keys.is_empty(), "keys out of nothing");
    let report = Report::new("discover", &found.into(), &resolution.into(), &Gathered::default());
    let shown = render(&report, Paint(false), Detail::Whole);
    assert_eq!(shown.chars().find(|c| *c != '\n' && hidden(*c)), None, "{shown:?}");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
