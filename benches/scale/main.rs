//! `discover` over mirrors of many signed images, in each form that lies on a disk: `cargo bench --bench scale`.
//!
//! The limits are ratios within one run, so that a slow machine does not break them: ten times the images may take at
//! most so many times the time, and the memory that an image more costs is bounded in bytes.
//! `KEYPACK_BENCH_IMAGES` is the smaller number of images (default 1000), `KEYPACK_BENCH_STEPS` how often it is
//! multiplied by ten (default 1), `KEYPACK_BENCH_PROGRAM` another keypack to measure.
#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a measurement runs programs, writes files and prints"
)]

mod mirror;
mod run;

use std::{env, fs, path::Path, process::ExitCode};

use mirror::{Place, layout, storage};
use run::{Measured, measure};
use tempfile::TempDir;

/// What ten times the images may cost: times the time of one time the images.
const TIME: f64 = 20.0;

/// What memory an image more may cost, in bytes: its row in the report.
const IMAGE: u64 = 400;

/// What memory a tar entry more may cost, in bytes.
const ENTRY: u64 = 200;

/// Entries in a storage tar for one signed image.
const ENTRIES: u64 = 10;

/// One form of a mirror.
struct Form {
    name: &'static str,
    /// What the bench adds to the mirror's folder to name it.
    location: &'static str,
    write: fn(&Path, usize) -> String,
    /// What memory an image more may cost, in bytes.
    memory: u64,
}

const FORMS: [Form; 4] = [
    Form {
        name: "OCI layout",
        location: "oci:mirror",
        write: |folder, images| layout(Place::folder(&folder.join("mirror")), images),
        memory: IMAGE,
    },
    Form {
        name: "OCI archive",
        location: "oci-archive:mirror.tar",
        write: |folder, images| layout(Place::tar(&folder.join("mirror.tar")), images),
        memory: IMAGE + 3 * ENTRY,
    },
    Form {
        name: "registry storage",
        location: "mirror",
        write: |folder, images| storage(Place::folder(&folder.join("mirror")), images),
        memory: IMAGE,
    },
    Form {
        name: "storage tar",
        location: "oc-mirror:mirror_000001.tar",
        write: |folder, images| storage(Place::tar(&folder.join("mirror_000001.tar")), images),
        memory: IMAGE + ENTRIES * ENTRY,
    },
];

fn main() -> ExitCode {
    let first = number("KEYPACK_BENCH_IMAGES", 1000);
    let steps = number("KEYPACK_BENCH_STEPS", 1);
    let only = env::var("KEYPACK_BENCH_FORM").unwrap_or_default();
    let program = env::var("KEYPACK_BENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_keypack").into());
    let mut within = true;
    for form in FORMS.iter().filter(|form| form.name.contains(&only)) {
        let mut before: Option<(u64, Measured)> = None;
        for images in (0..=steps).map(|step| first * 10_usize.pow(step.try_into().unwrap())) {
            let dir = TempDir::new().unwrap();
            let key = (form.write)(dir.path(), images);
            fs::write(dir.path().join("bench.pub"), key).unwrap();
            let measured = measure(Path::new(&program), dir.path(), form.location, images);
            println!("{:17} {images:7} images  {measured}", form.name);
            let images = images as u64;
            if let Some((fewer, less)) = before.filter(|_| measured.complete) {
                let time = measured.time.as_secs_f64() / less.time.as_secs_f64();
                let memory = measured.peak.saturating_sub(less.peak) / (images - fewer);
                println!(
                    "{:17}   {time:.1} times the time (limit {TIME}), {memory} B an image (limit {})",
                    "", form.memory
                );
                within &= time <= TIME && memory <= form.memory;
            }
            within &= measured.complete;
            before = Some((images, measured));
        }
    }
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}
