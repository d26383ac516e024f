//! `--fix FILE`: the commands that copy the signatures which are missing here from where the images were mirrored from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    ask::{Answer, Wanted, ask, is_away},
    judge::{Judged, Run},
};
use crate::{
    diag::{Code, Diagnostic},
    export::{Repository, SignatureCopies, SignatureCopy, Uncopied, Way, is_fix},
    fs,
    oci::Digest,
    ops::{own_file, sources::Opened, verify::names::Namer},
    outcome::admission::{FixReport, NotAsked, PullFix, PullReport},
    policy::{consumer::Verdict, mapping},
    registry::Host,
};

/// Refuses a file that can't be written, before anything is read.
pub(super) fn refuse_other(file: &Path) -> Result<(), Diagnostic> {
    own_file::has_parent(file)?;
    own_file::refuse_other(file, Code::FixTaken, is_fix)
}

/// Finds what cures the pulls that would be refused, and writes the commands. Nothing is written if none would be.
pub(super) fn write(
    file: &Path,
    judged: &mut [Judged<'_>],
    opened: &[Opened],
    is_oc_mirror: bool,
    namer: &Namer,
    run: &Run<'_>,
) -> Result<FixReport, Diagnostic> {
    let named = file.display().to_string();
    let refused: Vec<_> =
        (0..judged.len()).filter(|at| judged[*at].report.verdict == Verdict::Refused).collect();
    if refused.is_empty() {
        return Ok(FixReport { file: named, written: false, copies: 0, way: None, not_asked: Vec::new() });
    }
    let mut sources = Sources { run, namer, reached: BTreeSet::new(), not_asked: BTreeSet::new() };
    let fixes = sources.fixes(judged, &refused, opened);
    let mut copies: Vec<SignatureCopy> = Vec::new();
    let mut others: BTreeMap<(String, String), Uncopied> = BTreeMap::new();
    for (at, fix) in refused.iter().zip(fixes) {
        let Judged { report, .. } = &mut judged[*at];
        let (fix, copy) = match fix {
            Ok(copy) => {
                let (from, to) = (format!("{}:{}", copy.source, copy.tag), copy.mirror.with(&copy.tag));
                (PullFix::Copy { from, to, asked: copy.asked }, Some(copy))
            }
            Err(fix) => (fix, None),
        };
        match copy {
            // By tag and by digest, it is the same signature.
            Some(copy) if copies.iter().any(|known| known.is_same(&copy)) => {}
            Some(copy) => copies.push(copy),
            None => {
                let code = report.code.map_or_else(String::new, |code| format!("{code}: "));
                let cause = format!("{code}{}", report.cause.as_deref().unwrap_or_default());
                let cure = fix.cure(report.hint.as_deref().unwrap_or_default());
                let other = others.entry((cause.clone(), cure.clone()));
                other
                    .or_insert_with(|| Uncopied { images: Vec::new(), cause, cure })
                    .images
                    .push(label(report));
            }
        }
        report.fix = Some(fix);
    }
    let all_in_registries = refused.iter().all(|at| judged[*at].pull.at.is_some());
    let way = if all_in_registries && !sources.reached.is_empty() { Way::Direct } else { Way::Carried };
    let options = |from: bool| {
        let (net, side) = (&run.ctx.net, if from { "from" } else { "to" });
        match (net.plain_http, net.tls_verify) {
            (true, _) => format!(" --{side}-plain-http"),
            (false, false) => format!(" --{side}-insecure"),
            (false, true) => String::new(),
        }
    };
    let places: Vec<_> = opened.iter().map(|opened| opened.source.place()).collect();
    let script = SignatureCopies {
        places: &places,
        policy: &run.loaded.report.file,
        file: &named,
        copies: &copies,
        others: &others.into_values().collect::<Vec<_>>(),
        way,
        is_oc_mirror,
        source_options: &options(true),
        mirror_options: &if all_in_registries { options(false) } else { String::new() },
    };
    fs::write(file, script.script().as_bytes())?;
    let way = (!copies.is_empty()).then_some(if way == Way::Direct { "direct" } else { "carried" });
    let not_asked = sources.not_asked.into_iter().collect();
    Ok(FixReport { file: named, written: true, copies: copies.len(), way, not_asked })
}

struct Sources<'a> {
    run: &'a Run<'a>,
    namer: &'a Namer,
    /// The registries that answered.
    reached: BTreeSet<Host>,
    not_asked: BTreeSet<NotAsked>,
}

impl Sources<'_> {
    /// What cures each pull: a copy, or something else.
    fn fixes(
        &mut self,
        judged: &[Judged<'_>],
        refused: &[usize],
        opened: &[Opened],
    ) -> Vec<Result<SignatureCopy, PullFix>> {
        let mut fixes: Vec<_> = refused.iter().map(|_| Err(PullFix::Other)).collect();
        let mut hosts: BTreeMap<Host, Vec<(usize, Wanted<'_>)>> = BTreeMap::new();
        for (number, at) in refused.iter().enumerate() {
            let copy = &judged[*at];
            let place = opened.iter().find(|opened| opened.source.place() == copy.pull.place);
            let (Some(place), Some(image), Some(name)) = (place, copy.image, &copy.pull.name) else {
                continue;
            };
            let place = place.source.as_ref();
            if !lacks_signature(copy, image, place) {
                continue;
            }
            let host = name.name().split('/').next().and_then(|host| Host::parse(host).ok());
            let is_itself = copy.pull.at.as_ref().is_some_and(|at| at.name() == name.name());
            match host.filter(|_| !is_itself) {
                None => fixes[number] = Err(PullFix::SourceUnknown),
                Some(host) => {
                    hosts.entry(host).or_default().push((number, Wanted { name, image, copy, place }));
                }
            }
        }
        for (host, wanted) in hosts {
            let (numbers, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
            let answers = self.answers(&host, &wanted);
            for ((number, wanted), answer) in numbers.into_iter().zip(&wanted).zip(answers) {
                if !matches!(&answer, Answer::NotAsked(why) if is_away(why) || self.has_own_credentials()) {
                    self.reached.insert(host.clone());
                }
                let from = wanted.name.name().to_owned();
                let copy = |asked| SignatureCopy {
                    image: label(&wanted.copy.report),
                    source: from.clone(),
                    mirror: self.mirror(wanted),
                    tag: tag(wanted.image),
                    asked,
                };
                fixes[number] = match answer {
                    Answer::Signed => Ok(copy(true)),
                    Answer::Unsigned(instead) => Err(PullFix::SourceUnsigned { from, instead }),
                    Answer::Refused(why) => {
                        Err(PullFix::SourceRefused { from, code: why.code, cause: why.message })
                    }
                    Answer::NotAsked(why) => {
                        let copy = copy(false);
                        self.not_asked.insert(NotAsked { host: host.to_string(), cause: why.message });
                        Ok(copy)
                    }
                };
            }
        }
        fixes
    }

    /// Credentials on the command line are only for the registry given there.
    fn has_own_credentials(&self) -> bool {
        self.run.ctx.net.creds.is_some()
    }

    fn answers(&self, host: &Host, wanted: &[Wanted<'_>]) -> Vec<Answer> {
        if !self.has_own_credentials() {
            self.run.ctx.events.step(&format!("asking {host} for the missing signatures"));
            return ask(host, wanted, self.run);
        }
        let why = || {
            Diagnostic::new(
                Code::Unauthorized,
                "--creds are only for the mirror; --authfile has those of several registries",
            )
        };
        wanted.iter().map(|_| Answer::NotAsked(why())).collect()
    }

    /// The repository that lacks the signature: in a registry, or where it will be mirrored to.
    fn mirror(&self, wanted: &Wanted<'_>) -> Repository {
        if let Some(at) = &wanted.copy.pull.at {
            return Repository::Named(at.name().to_owned());
        }
        let source = wanted.name.name();
        let maps = [&self.namer.given, &self.namer.found];
        let mut mirrors = maps.into_iter().filter_map(|map| map.places(source, mapping::Pull::Digest));
        if let Some(mirror) = mirrors.find_map(|places| places.mirrors.into_iter().next()) {
            return Repository::Named(mirror);
        }
        let path = match wanted.copy.pull.repository.as_str() {
            "" => wanted.name.path(),
            path => path,
        };
        Repository::Below(path.to_owned())
    }
}

/// Whether a signature at the image's tag is what is missing: there is none, or not all of it is there. One that is there and is not
/// accepted may be somebody's, and a copy would replace it.
fn lacks_signature(copy: &Judged<'_>, image: Digest, place: &dyn crate::content::Source) -> bool {
    match copy.report.code {
        Some(Code::SignatureMissing) => {
            place.resolve(&copy.pull.repository, &tag(image)).is_ok_and(|found| found.is_none())
        }
        Some(Code::SignatureEndsPull | Code::BlobMissing) => true,
        _ => false,
    }
}

fn tag(image: Digest) -> String {
    format!("sha256-{}.sig", image.hex())
}

/// The image for people, with the platform of an instance.
fn label(report: &PullReport) -> String {
    let name = report.name.as_ref().unwrap_or(&report.reference);
    report.platform.as_ref().map_or_else(|| name.clone(), |platform| format!("{name}  {platform}"))
}

impl SignatureCopy {
    fn is_same(&self, other: &Self) -> bool {
        (&self.source, &self.tag, &self.mirror) == (&other.source, &other.tag, &other.mirror)
    }
}
