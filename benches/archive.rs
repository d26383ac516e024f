//! Measures how long it takes to find the keys and all signatures in an oc-mirror archive of 30 GB and 120,000
//! entries, compared with `tar -tf` on the same file: `cargo bench --bench archive`. The archive is sparse: it needs
//! little disk space, but a file system that supports holes. `KEYPACK_BENCH_ENTRIES` makes a smaller one.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement makes its file and prints"
)]

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use keypack::{
    content::{Artifact, OcMirror, OcMirrorSink, Sink},
    discover::{Target, discover},
    oci::{Blob, media},
};

/// The size of one blob: 120,000 of these are 30 GB.
const BLOB: u64 = 250_000;

fn main() {
    let entries = std::env::var("KEYPACK_BENCH_ENTRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(120_000);
    let folder = tempfile::tempdir().unwrap();
    write_archive(&folder.path().join("mirror_000001.tar"), entries);
    OcMirrorSink::new("bench", folder.path()).put(&artifact(), "latest").unwrap();
    fs::remove_dir_all(folder.path().join("working-dir")).unwrap();
    let size: u64 = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    println!("{entries} entries, {size} bytes");

    let tar = best(|| {
        let file = folder.path().join("mirror_000001.tar");
        let listed = Command::new("tar").arg("-tf").arg(file).stdout(Stdio::null()).status();
        assert!(listed.unwrap().success());
    });
    println!("tar -tf        {:6.3} s", tar.as_secs_f64());
    let before = bytes_read();
    let first = Instant::now();
    let find = || {
        let source = OcMirror::open(folder.path()).unwrap();
        assert!(source.carried().unwrap().next().unwrap().is_ok());
    };
    find();
    let (once, read) = (first.elapsed(), bytes_read() - before);
    tell("find the keys", best(find).min(once), tar);
    println!("  bytes read   {read}, one of {} of the archive", size / read.max(1));
    let walk = best(|| {
        let source = OcMirror::open(folder.path()).unwrap();
        let found = discover(&[Target { source: &source, only: None }], &mut |_| {}).unwrap();
        assert_eq!(found.places.len(), 1);
    });
    tell("discover", walk, tar);
    println!("peak memory    {} KiB", field("/proc/self/status", "VmHWM:"));
}

fn tell(what: &str, time: Duration, tar: Duration) {
    println!(
        "{what:14} {:6.3} s, {:.2} of tar -tf",
        time.as_secs_f64(),
        time.as_secs_f64() / tar.as_secs_f64()
    );
}

fn best(run: impl Fn()) -> Duration {
    let once = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

fn bytes_read() -> u64 {
    field("/proc/self/io", "rchar:")
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Half of the entries are links, as in a cache of many images; the blobs are holes.
fn write_archive(path: &Path, entries: usize) {
    let mut file = File::create(path).unwrap();
    let mut put = |name: &str, size: u64, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        file.write_all(header.as_bytes()).unwrap();
        file.write_all(content).unwrap();
        let rest = size.next_multiple_of(512) - content.len() as u64;
        file.seek(SeekFrom::Current(rest.cast_signed())).unwrap();
    };
    let mut blobs = 0;
    for number in 0..entries {
        let digest = keypack::oci::Digest::of(number.to_string().as_bytes());
        let hex = digest.hex();
        // One tag for each twenty layers.
        if number % 20 == 0 {
            let folder = format!("docker/registry/v2/repositories/ns/app{}/_manifests", number / 200);
            put(&format!("{folder}/tags/v{number}/current/link"), 71, digest.to_string().as_bytes());
        } else {
            put(&format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]), BLOB, b"");
            blobs += 1;
        }
    }
    assert!(blobs > 0);
    file.write_all(&[0; 1024]).unwrap();
}

fn artifact() -> Artifact {
    let blob = Blob::new(b"{}".to_vec());
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
        media::MANIFEST,
        media::CONFIG,
        blob.digest()
    );
    Artifact {
        manifest: Blob::new(manifest.into_bytes()),
        media_type: media::MANIFEST.into(),
        blobs: vec![blob],
    }
}
