//! The network cost against docker-registry on this machine: push and pull compared with oras, as a ratio, and
//! `discover` over many signed images, with the number of requests.
//!
//! `KEYPACK_BENCH_IMAGES` (default 1000; 0 skips `discover`) and `KEYPACK_BENCH_RUNS` (default 21) set the size,
//! `TMPDIR` the disk: a folder on tmpfs(5) measures only computing and sending, one on a disk also measures the
//! fsyncs.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a bench runs programs, writes files and prints"
)]

mod counter;
#[path = "../../tests/support/docker_registry.rs"]
mod docker_registry;
#[path = "../../tests/support/find.rs"]
mod find;
#[path = "../scale/mirror.rs"]
mod mirror;

use std::{
    env,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use counter::Counter;
use docker_registry::DockerRegistry;
use find::find;
use tempfile::TempDir;

const KEYPACK: &str = env!("CARGO_BIN_EXE_keypack");
const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/lab");

fn main() -> ExitCode {
    if docker_registry::program().is_none() {
        eprintln!("docker-registry is missing (apt-get install docker-registry): nothing was measured");
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        println!("this is a debug build: the ratios are an upper bound");
    }
    match number("KEYPACK_BENCH_IMAGES", 1000) {
        0 => {}
        images => discover(images),
    }
    let Some(oras) = find("oras") else {
        eprintln!(
            "oras is missing (go install oras.land/oras/cmd/oras@v1.3.0): push and pull were not compared"
        );
        return ExitCode::FAILURE;
    };
    beside(&oras, number("KEYPACK_BENCH_RUNS", 21).max(7));
    ExitCode::SUCCESS
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn command(program: &Path, folder: &Path, line: &str) -> Command {
    let mut command = Command::new(program);
    command.args(line.split(' ')).current_dir(folder).env_clear();
    command.env("HOME", folder).env("XDG_STATE_HOME", folder.join("state"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Runs a program to its end; it must succeed.
fn timed(program: &Path, folder: &Path, line: &str) -> Duration {
    let start = Instant::now();
    let output = command(program, folder, line).output().unwrap();
    let time = start.elapsed();
    let name = program.display();
    assert!(output.status.success(), "{name} {line}: {}", String::from_utf8_lossy(&output.stderr));
    time
}

/// The best and the median time.
fn best_and_median(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    [times[0], times[times.len() / 2]]
}

/// Pushes and pulls the same keys alternately, each time to a new repository.
fn beside(oras: &Path, runs: usize) {
    let (registry, keypack) = (DockerRegistry::plain(), Path::new(KEYPACK));
    let (dir, host) = (TempDir::new().unwrap(), registry.host());
    let folder = dir.path();
    let collected = command(
        keypack,
        folder,
        &format!(
            "collect {LAB}/layouts/key-bundle-rekor1-oras {LAB}/layouts/keyless-bundle-rekor2-oras -o keys \
             --trusted-root {LAB}/trust/trusted_root.json --key {LAB}/trust/cosign.pub"
        ),
    )
    .stdout(Stdio::piped())
    .output()
    .unwrap();
    let out = String::from_utf8(collected.stdout).unwrap();
    let pack = out.lines().find_map(|line| line.strip_prefix("Pack: ")).expect("collect gives a pack digest");
    let [mut push, mut pull, mut start] = [const { [vec![], vec![]] }; 3];
    for run in 0..=runs {
        let ours = format!("{host}/keypack/run{run}:t");
        let theirs = format!("{host}/oras/run{run}:t");
        let times = [
            timed(keypack, folder, &format!("push keys docker://{ours} --plain-http")),
            timed(oras, folder, &format!("push --plain-http --disable-path-validation {theirs} keys")),
            timed(
                keypack,
                folder,
                &format!("pull docker://{ours} --digest {pack} --plain-http -o ours{run}"),
            ),
            timed(oras, folder, &format!("pull --plain-http {theirs} -o theirs{run}")),
            timed(keypack, folder, "--version"),
            timed(oras, folder, "version"),
        ];
        // The first run warms the system's caches.
        if run > 0 {
            push[0].push(times[0]);
            push[1].push(times[1]);
            pull[0].push(times[2]);
            pull[1].push(times[3]);
            start[0].push(times[4]);
            start[1].push(times[5]);
        }
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("push and pull of the same keys/, docker-registry on loopback, {runs} runs by turns,");
    println!("best and median, in {}, load average {}:", folder.display(), load.trim());
    for (what, [ours, theirs]) in
        [("push", push), ("pull (keypack authenticates and exchanges the directory)", pull), ("start", start)]
    {
        let (ours, theirs) = (best_and_median(ours), best_and_median(theirs));
        let [best, median] = [0, 1].map(|i| ours[i].as_secs_f64() / theirs[i].as_secs_f64());
        println!("  {what}: keypack {ours:.1?}, oras {theirs:.1?}, ratio {best:.2}, {median:.2} (aim 0.5)");
    }
}

fn discover(images: usize) {
    let dir = TempDir::new().unwrap();
    let (key, signed) = mirror::by_key(images);
    mirror::storage(mirror::Place::folder(&dir.path().join("storage")), signed);
    let work = TempDir::new().unwrap();
    std::fs::write(work.path().join("bench.pub"), key).unwrap();
    let registry = DockerRegistry::start(dir, "", "", "");
    let counter = Counter::before(registry.host());
    let line = format!("discover docker://{} --plain-http --key bench.pub --format json", counter.host());
    let start = Instant::now();
    let mut child = command(Path::new(KEYPACK), work.path(), &line).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut stdout).unwrap());
    let mut peak = 0;
    let status = loop {
        let state = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = state.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let time = start.elapsed();
    let report: serde_json::Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert!(status.success(), "discover: {status}");
    assert_eq!(report["counts"]["signatures"], images, "every signature is found");
    let requests = counter.requests();
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let per_image = requests as f64 / images as f64;
    println!("discover over {images} images of a registry, each signed on its .sig tag:");
    println!("  {time:.1?}, {requests} requests, {per_image:.2} per image (aim 3), peak {} MiB", peak >> 10);
}
