//! `verify` beside the signatures that it has to compute: `cargo bench --bench verify`.
//!
//! 1. What aws-lc-rs, which does the arithmetic, takes for one signature on this machine, in this run.
//! 2. What the judge takes for a signature that was read, on one core.
//! 3. What `keypack verify --format json` takes for mirrors of many signed images: an OCI layout and a storage tar.
//! 4. What a loop of `cosign verify` takes for 200 of them, where cosign and docker-registry are here.
//!
//! Everything is told as a part of the time that the signatures alone take, in time of the processor, so that neither a slow
//! machine nor a busy one changes it much. `KEYPACK_BENCH_IMAGES` is the smaller number of images (default 1000),
//! `KEYPACK_BENCH_STEPS` how often it is multiplied by ten (default 1), `KEYPACK_BENCH_FORM` one form of signatures,
//! `KEYPACK_BENCH_PROGRAM` another keypack to measure.
#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a measurement runs programs, writes files and prints"
)]

mod cosign;
#[path = "../../tests/support/docker_registry.rs"]
mod docker_registry;
#[path = "../../tests/support/find.rs"]
mod find;
mod judge;
#[path = "../scale/mirror.rs"]
mod mirror;
mod raw;
#[path = "../scale/run.rs"]
mod run;
mod sign;

use std::{env, fs, path::Path, process::ExitCode, thread};

use mirror::Place;
use raw::Raw;
use run::{Measured, measure};
use sign::{Form, IDENTITY, ISSUER, Signers};
use tempfile::TempDir;

/// The least part of a run that computing signatures must take.
const JUDGE: f64 = 0.85;
const RUN: f64 = 0.55;
/// The least rate of keyless signatures, as a part of the rate of single signatures in P-256.
const KEYLESS: f64 = 0.10;
/// What ten times the images may cost: times the time.
const TIME: f64 = 11.0;

/// The memory that a run may take: a base, and so much for an image and for an entry of a tar, in bytes.
const BASE: u64 = 40 << 20;
const IMAGE: u64 = 400;
const ENTRY: u64 = 200;

/// A mirror that lies on a disk.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    location: &'static str,
    /// Entries of a tar for one image.
    entries: u64,
}

const KINDS: [Kind; 2] = [
    Kind { name: "OCI layout", location: "oci:mirror", entries: 0 },
    Kind { name: "storage tar", location: "oc-mirror:mirror_000001.tar", entries: 10 },
];

fn main() -> ExitCode {
    let first = number("KEYPACK_BENCH_IMAGES", 1000);
    let steps = number("KEYPACK_BENCH_STEPS", 1);
    let only = env::var("KEYPACK_BENCH_FORM").unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} cores, load average {}", load.trim());
    if cfg!(debug_assertions) {
        println!("this is a debug build: it shows nothing of what is promised");
    }
    let raw = Raw::measure();
    println!("{raw}");
    let mut within = true;
    let forms = || Form::ALL.into_iter().filter(|form| form.name().contains(&only));
    for form in forms() {
        within &= judged(form, &raw);
    }
    for (form, kind) in forms().flat_map(|form| KINDS.map(|kind| (form, kind))) {
        let mut before: Option<Measured> = None;
        for images in (0..=steps).map(|step| first * 10_usize.pow(step.try_into().unwrap())) {
            let measured = whole(form, kind, images);
            let raw = Raw::measure().sum(form) * images as f64;
            let (cpu, wall) = (measured.cpu.as_secs_f64(), measured.time.as_secs_f64());
            let budget = BASE + images as u64 * (IMAGE + kind.entries * ENTRY);
            let memory = measured.peak as f64 / budget as f64;
            println!(
                "{:9} in {:11} {images:7} images {measured}: {:.0} % is signatures, {:.1} cores busy, {memory:.2} of the memory",
                form.name(),
                kind.name,
                100.0 * raw / cpu,
                cpu / wall,
            );
            within &= measured.complete && memory <= 1.0;
            within &= form == Form::Keyless || raw / cpu >= RUN;
            if let Some(less) = before {
                let time = cpu / less.cpu.as_secs_f64();
                println!("{:34} {time:.1} times the time for ten times the images (limit {TIME})", "");
                within &= time <= TIME;
            }
            before = Some(measured);
        }
    }
    cosign::compare();
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures the judge alone on one core.
fn judged(form: Form, raw: &Raw) -> bool {
    const SIGNATURES: usize = 2000;
    let seconds = judge::one(form, SIGNATURES);
    let (part, rate) = (raw.sum(form) / seconds, raw.p256 / seconds);
    println!(
        "judge, {:9}: {:.1} µs a signature, {:.0} % is signatures; {:.0} % of the rate of P-256",
        form.name(),
        seconds * 1e6,
        100.0 * part,
        100.0 * rate
    );
    if form == Form::Keyless { rate >= KEYLESS } else { part >= JUDGE }
}

/// Writes a mirror and verifies it, twice: once to have it in the memory of the system.
fn whole(form: Form, kind: Kind, images: usize) -> Measured {
    let dir = TempDir::new().unwrap();
    let signers = write(dir.path(), form, kind, images);
    fs::write(dir.path().join("signer.pub"), signers.key()).unwrap();
    fs::write(dir.path().join("root.json"), signers.trusted_root()).unwrap();
    let mut line =
        vec!["verify", kind.location, "--trusted-root", "root.json", "--format", "json", "--quiet"];
    if form == Form::Keyless {
        line.extend(["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER]);
    } else {
        line.extend(["--key", "signer.pub"]);
    }
    let program = env::var("KEYPACK_BENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_keypack").into());
    let run = || measure(Path::new(&program), dir.path(), &line, &format!(r#""good":{images},"#));
    run();
    let (one, other) = (run(), run());
    if one.cpu < other.cpu { one } else { other }
}

/// Writes a mirror; returns whose keys verify it.
fn write(folder: &Path, form: Form, kind: Kind, images: usize) -> Signers {
    let mut signers = Signers::new();
    let signed = (0..images).map(|number| {
        let (image, reference) = (mirror::image(number), mirror::reference(number));
        let signed = signers.sign(number, form, image.as_bytes(), &reference);
        if form == Form::Bundle {
            mirror::referred(number, signed.bundle())
        } else {
            mirror::tagged(number, String::from_utf8(signed.payload).unwrap(), &signed.annotations)
        }
    });
    if kind.entries == 0 {
        mirror::layout(Place::folder(&folder.join("mirror")), signed);
    } else {
        mirror::storage(Place::tar(&folder.join("mirror_000001.tar")), signed);
    }
    signers
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}
