use super::{
    args::{self, Format},
    failure::{Exit, Failure},
    find::find,
    output::Output,
};
use crate::report::{Report, render};

pub(super) fn run(args: &args::Discover, output: &Output) -> Result<Exit, Failure> {
    let found = find(&args.read, &|key| args.read.revoked.iter().any(|r| r.fingerprint == key), output)?;
    let report = Report::new("discover", &found.discovery, &found.resolution, &found.gathered.unusable);
    match output.format {
        Format::Json => output.json(&report)?,
        Format::Text => output.data(&render(&report, output.paint(), true))?,
    }
    Ok(if report.is_complete() { Exit::Done } else { Exit::Incomplete })
}
