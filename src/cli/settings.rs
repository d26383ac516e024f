//! `keypack.yaml` under the flags. What the command line says wins. Two kinds of lists differ: key sources, revocations
//! and realms add up, for more of them makes nothing less safe; pins, verifying keys, roots and rules are sets that mean
//! something as a whole, so those on the command line stand alone.

use std::path::Path;

use super::args::{Cli, Collect, Command, Pull, Read as ReadArgs};
use crate::{
    config::Config,
    diag::{Code, Diagnostic},
    fs, limits,
    ops::{Rules, TufRoot},
};

/// Reads the setting, where one is named, and puts it under what the command line says.
pub(super) fn apply(cli: &mut Cli) -> Result<(), Diagnostic> {
    if let Command::Collect(args) = &mut cli.command
        && let Some(path) = &args.accept_rules
    {
        args.rules = Some(Rules::accept(&text(path)?, path)?);
    }
    let Some(path) = &cli.global.config else { return Ok(()) };
    let config = Config::parse(&text(path)?, path)?;
    match &mut cli.command {
        Command::Discover(args) => read(&mut args.read, config),
        Command::Collect(args) => collect(args, config),
        Command::Push(args) => {
            args.forgive.under(config.on_failure);
            args.registry.allow_realms(config.allow_realms);
        }
        Command::Pull(args) => {
            args.anchors.setting = Some(path.clone());
            pull(args, config);
        }
        Command::Inspect(args) => args.registry.allow_realms(config.allow_realms),
        Command::Diff(args) => args.registry.allow_realms(config.allow_realms),
        Command::Schema(_) => {}
    }
    Ok(())
}

fn read(args: &mut ReadArgs, config: Config) {
    args.keys.under(config.sources, config.network);
    args.images = args.images.take().or(config.images);
    args.forgive.under(config.on_failure);
    args.revoked = config.revoked;
    args.registry.allow_realms(config.allow_realms);
}

fn collect(args: &mut Collect, mut config: Config) {
    args.when = args.when.or(config.when);
    args.include = args.include.or(config.include);
    args.name = args.name.take().or(config.name.take());
    args.expires = args.expires.or(config.expires.map(Into::into));
    args.rules = args.rules.take().or(config.rules.take().map(Into::into));
    read(&mut args.read, config);
}

fn pull(args: &mut Pull, config: Config) {
    args.name = args.name.take().or(config.name);
    if args.anchors.pin.is_empty() {
        args.anchors.pin = config.pins.unwrap_or_default();
    }
    if args.anchors.verify_key.is_empty() {
        args.anchors.verify_key = config.verify_keys.unwrap_or_default();
    }
    if args.anchors.tuf_root.is_empty() {
        args.anchors.tuf_root = config.tuf_roots.into_iter().flatten().map(TufRoot::from).collect();
    }
    args.revoked = config.revoked;
    args.registry.allow_realms(config.allow_realms);
}

/// The text of a file that a person wrote. A file that is not there is a wrong command line: `--optional` must not turn
/// a setting that nobody reads into success.
fn text(path: &Path) -> Result<String, Diagnostic> {
    let read = fs::open(path).and_then(|file| fs::read(file, limits::SETTING)).map_err(|e| {
        Diagnostic::new(Code::ConfigNotReadable, format!("could not read {}: {e}", path.display()))
    })?;
    let bytes = read.ok_or_else(|| {
        Diagnostic::new(
            Code::ConfigMalformed,
            format!("{} is longer than {} bytes", path.display(), limits::SETTING),
        )
    })?;
    String::from_utf8(bytes)
        .map_err(|_| Diagnostic::new(Code::ConfigMalformed, format!("{} is not UTF-8 text", path.display())))
}
