//! `keypack.yaml` under the flags. What the command line says wins, except over what the host enforces. Two kinds of
//! lists differ: key sources, revocations and realms add up, because more of them makes nothing less safe; pins,
//! verifying keys, roots and rules are sets that mean something as a whole, so those on the command line replace them.

use std::path::{Path, PathBuf};

use super::{
    args::{Cli, Collect, Command, Pull, Read as ReadArgs},
    enforce,
    output::Output,
};
use crate::{
    config::{Config, HOST_SETTING},
    diag::{Code, Diagnostic},
    fs, limits,
    ops::Rules,
};

/// Reads the settings and puts them under what the command line says, then holds the result to what this host enforces.
/// Their precedence is: the command line, `--config`, the user's file, the host's.
pub(super) fn apply(cli: &mut Cli, output: &Output) -> Result<(), Diagnostic> {
    if let Command::Collect(args) = &mut cli.command
        && let Some(path) = &args.accept_rules
    {
        args.rules = Some(Rules::accept(&text(path)?, path)?);
    }
    if matches!(cli.command, Command::Schema(_)) {
        return Ok(());
    }
    let (mut config, mut files) = (Config::default(), Vec::new());
    let users = user_setting().filter(|path| fs::may_be_there(path));
    for path in cli.global.config.iter().cloned().chain(users) {
        let layer = Config::parse(&text(&path)?, &path)?;
        if layer.enforce.is_some() {
            let error = format!("{}: `enforce` has a meaning in {HOST_SETTING} only", path.display());
            return Err(Diagnostic::new(Code::ConfigMalformed, error));
        }
        config = config.over(layer);
        files.push(path);
    }
    let host = host_setting()?;
    let enforce = host.as_ref().and_then(|host| host.enforce.clone());
    put_under(&mut cli.command, config.over(host.unwrap_or_default()), files);
    match enforce {
        Some(enforce) => enforce::hold(&mut cli.command, enforce, output),
        None => Ok(()),
    }
}

/// The setting of the user, where the XDG Base Directory specification puts it.
fn user_setting() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("keypack/keypack.yaml"))
}

/// The setting of this host, if there is one. Its path is fixed, and it counts only if root alone can change it.
fn host_setting() -> Result<Option<Config>, Diagnostic> {
    let path = Path::new(HOST_SETTING);
    if !fs::may_be_there(path) {
        return Ok(None);
    }
    enforce::only_root_changes(path)?;
    let config = Config::parse(&text(path)?, path)?;
    if let Some(enforce) = &config.enforce {
        enforce.files().try_for_each(enforce::only_root_changes)?;
    }
    Ok(Some(config))
}

fn put_under(command: &mut Command, mut config: Config, files: Vec<PathBuf>) {
    match command {
        Command::Discover(args) => {
            args.state.under(config.state.clone());
            read(&mut args.read, config);
        }
        Command::Collect(args) => collect(args, config),
        Command::Push(args) => {
            args.forgive.under(config.on_failure);
            args.state.under(config.state);
            args.registry.allow_realms(config.allow_realms);
        }
        Command::Pull(args) => {
            pull(args, config, files);
        }
        Command::Inspect(args) => {
            args.state.under(config.state);
            args.registry.allow_realms(config.allow_realms);
        }
        Command::Diff(args) => {
            args.state.under(config.state);
            args.registry.allow_realms(config.allow_realms);
        }
        Command::Verify(args) => {
            args.name = args.name.take().or(config.name.take());
            args.signature_repository =
                args.signature_repository.take().or(config.signature_repository.take());
            args.state.under(config.state.take());
            args.registry.allow_realms(std::mem::take(&mut config.allow_realms));
            args.anchors.under(config, files);
        }
        Command::Export(args) => {
            args.name = args.name.take().or(config.name.take());
            args.state.under(config.state.take());
            args.registry.allow_realms(std::mem::take(&mut config.allow_realms));
            args.anchors.under(config, files);
        }
        Command::Revoke(args) => {
            args.state.under(config.state);
            args.registry.allow_realms(config.allow_realms);
        }
        Command::HostState(args) => args.command.state().under(config.state),
        Command::VerifyBlob(_) | Command::Schema(_) => {}
    }
}

fn read(args: &mut ReadArgs, config: Config) {
    args.keys.under(config.sources, config.network);
    args.images = args.images.take().or(config.images);
    args.signature_repository = args.signature_repository.take().or(config.signature_repository);
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
    args.state.under(config.state.take());
    read(&mut args.read, config);
}

fn pull(args: &mut Pull, mut config: Config, files: Vec<PathBuf>) {
    args.name = args.name.take().or(config.name.take());
    args.state.under(config.state.take());
    args.require_state |= config.require_state == Some(true);
    args.max_age = args.max_age.or(config.max_age);
    args.max_expires = args.max_expires.or(config.max_expires);
    args.revoked = std::mem::take(&mut config.revoked);
    args.registry.allow_realms(std::mem::take(&mut config.allow_realms));
    args.anchors.under(config, files);
}

/// The text of a file that the user wrote. A missing file is a usage error: `--optional` must not turn
/// a setting that is never read into success.
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
