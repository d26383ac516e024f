//! One run of the program: its time, its peak memory, and whether it found every signature.

use std::{
    fmt, fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// The time that its threads have run, together: what else the machine does is not counted.
    pub(crate) cpu: Duration,
    /// Resident memory at its most, in bytes.
    pub(crate) peak: u64,
    /// Whether it ended well, and said at its end what it should.
    pub(crate) complete: bool,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, cpu) = (self.time.as_secs_f64(), self.cpu.as_secs_f64());
        let peak = self.peak as f64 / f64::from(1 << 20);
        write!(
            f,
            "{time:7.2} s {cpu:7.2} s cpu {peak:7.1} MiB{}",
            if self.complete { "" } else { "  FAILED" }
        )
    }
}

/// Runs the program in `folder`. What it writes is read to its end and not kept; its end, without blanks, holds `end`.
pub(crate) fn measure(program: &Path, folder: &Path, arguments: &[&str], end: &str) -> Measured {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let last = thread::spawn(move || last(&mut stdout));
    let process = format!("/proc/{}", child.id());
    let (mut peak, mut cpu) = (0, Duration::ZERO);
    // A process that has ended is there until it is waited for (proc(5)).
    while let Some((has_ended, ran)) = state(&process) {
        cpu = ran;
        if has_ended {
            break;
        }
        let status = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(peak);
        thread::sleep(Duration::from_millis(2));
    }
    let time = start.elapsed();
    let status = child.wait().unwrap();
    let text: String = last.join().unwrap().split_whitespace().collect();
    Measured { time, cpu, peak: peak << 10, complete: status.success() && text.contains(end) }
}

/// Whether a process has ended, and how long its threads have run.
fn state(process: &str) -> Option<(bool, Duration)> {
    let stat = fs::read_to_string(format!("{process}/stat")).ok()?;
    // The name may hold anything; 12 and 13 words behind it are `utime` and `stime`, in hundredths of a second.
    let words: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = words.get(11)?.parse::<u64>().ok()? + words.get(12)?.parse::<u64>().ok()?;
    Some((*words.first()? == "Z", Duration::from_millis(10 * ticks)))
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
