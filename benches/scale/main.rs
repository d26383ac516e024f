//! `discover` over mirrors of many signed images, in each on-disk form: `cargo bench --bench scale`.
//!
//! The limits are ratios, so that a slow machine does not break them: ten times the images may take at most a given
//! multiple of the time, and the memory must stay within 40 MiB, plus 0.4 kB per image and 200 B per tar entry.
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

use mirror::{Place, Signed, by_key, layout, storage};
use run::{Measured, measure};
use tempfile::TempDir;

/// What ten times the images may cost: times the time of the processor for one time the images.
const TIME: f64 = 12.0;

/// The memory that a walk may use, in bytes: a base, plus an amount per image and per tar entry.
const BASE: u64 = 40 << 20;
const IMAGE: u64 = 400;
const ENTRY: u64 = 200;

type Images = Box<dyn Iterator<Item = Signed>>;

/// One form of a mirror.
struct Form {
    name: &'static str,
    /// What the bench appends to the mirror's folder to get its location.
    location: &'static str,
    write: fn(&Path, Images),
    /// Tar entries per signed image.
    entries: u64,
}

const FORMS: [Form; 4] = [
    Form {
        name: "OCI layout",
        location: "oci:mirror",
        write: |folder, images| layout(Place::folder(&folder.join("mirror")), images),
        entries: 0,
    },
    Form {
        name: "OCI archive",
        location: "oci-archive:mirror.tar",
        write: |folder, images| layout(Place::tar(&folder.join("mirror.tar")), images),
        entries: 3,
    },
    Form {
        name: "registry storage",
        location: "mirror",
        write: |folder, images| storage(Place::folder(&folder.join("mirror")), images),
        entries: 0,
    },
    Form {
        name: "storage tar",
        location: "oc-mirror:mirror_000001.tar",
        write: |folder, images| storage(Place::tar(&folder.join("mirror_000001.tar")), images),
        entries: 10,
    },
];

fn main() -> ExitCode {
    let first = number("KEYPACK_BENCH_IMAGES", 1000);
    let steps = number("KEYPACK_BENCH_STEPS", 1);
    let only = env::var("KEYPACK_BENCH_FORM").unwrap_or_default();
    let program = env::var("KEYPACK_BENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_keypack").into());
    let mut within = true;
    for form in FORMS.iter().filter(|form| form.name.contains(&only)) {
        let mut before: Option<Measured> = None;
        for images in (0..=steps).map(|step| first * 10_usize.pow(step.try_into().unwrap())) {
            let dir = TempDir::new().unwrap();
            let (key, signed) = by_key(images);
            (form.write)(dir.path(), Box::new(signed));
            fs::write(dir.path().join("bench.pub"), key).unwrap();
            let line =
                format!("discover {} --key bench.pub --no-host --no-network --format json", form.location);
            let line: Vec<_> = line.split(' ').collect();
            let end = format!(r#""signatures":{images},"#);
            let measured = measure(Path::new(&program), dir.path(), &line, &end);
            let count = images as u64;
            let budget = BASE + count * (IMAGE + form.entries * ENTRY);
            let memory = measured.peak as f64 / budget as f64;
            println!("{:17} {images:7} images  {measured}, {memory:.2} of the budget", form.name);
            within &= memory <= 1.0;
            if let Some(less) = before.filter(|_| measured.complete) {
                let time = measured.cpu.as_secs_f64() / less.cpu.as_secs_f64();
                println!("{:17}   {time:.1} times the time of the processor (limit {TIME})", "");
                within &= time <= TIME;
            }
            within &= measured.complete;
            before = Some(measured);
        }
    }
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}
