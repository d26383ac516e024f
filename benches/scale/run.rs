//! One run of the program: its time, its peak memory, and whether it found every signature.

use std::{
    fmt,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// Peak resident memory, in bytes.
    pub(crate) peak: u64,
    /// Whether all signatures were found and verified.
    pub(crate) complete: bool,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, peak) = (self.time.as_secs_f64(), self.peak as f64 / f64::from(1 << 20));
        write!(f, "{time:7.2} s {peak:7.1} MiB{}", if self.complete { "" } else { "  FAILED" })
    }
}

/// Runs `discover --format json` in `folder`. Its output is read to the end and discarded.
pub(crate) fn measure(program: &Path, folder: &Path, location: &str, images: usize) -> Measured {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(["discover", location, "--key", "bench.pub", "--no-host", "--no-network", "--format", "json"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let end = thread::spawn(move || last(&mut stdout));
    let mut peak = 0;
    let status = loop {
        let state = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = state.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let time = start.elapsed();
    // The counts are at the end of the report.
    let text: String = end.join().unwrap().split_whitespace().collect();
    let found = text.contains(&format!(r#""signatures":{images},"#));
    Measured { time, peak: peak << 10, complete: status.success() && found }
}

/// The last bytes of a stream.
fn last(stream: &mut impl Read) -> String {
    const KEPT: usize = 4096;
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..read]);
        kept.drain(..kept.len().saturating_sub(KEPT));
    }
    String::from_utf8_lossy(&kept).into_owned()
}
