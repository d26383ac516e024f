//! The only place where files named by the user are opened: without blocking on a pipe, and with a limit.
#![allow(clippy::disallowed_types, reason = "everything that reads a named file comes here")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// Opens a regular file, or a device such as /dev/null. A pipe is opened only if the path is one that means a pipe:
/// /dev/stdin, or what a shell substitutes for `<(…)`. Any other pipe could wait for a writer forever.
pub fn open(path: &Path) -> io::Result<File> {
    if is_stream(path) {
        let file = File::open(path)?;
        return if file.metadata()?.is_dir() { Err(special("a directory")) } else { Ok(file) };
    }
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    checked(OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(socket)?)
}

/// Like [`open`], below a directory that is the root of another system: its links can't lead out of it.
pub fn open_below(root: &Path, path: &Path) -> io::Result<File> {
    let root = OpenOptions::new().read(true).custom_flags(OFlags::PATH.bits().cast_signed()).open(root)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT);
    checked(opened.map_err(|e| socket(e.into()))?.into())
}

/// Reads a file opened here; `None` if it is longer than `limit`.
pub fn read(file: File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Whether something, a link included, is or may be at a path: a file in a directory that this user may not enter can't
/// be called missing. Opening it gives the reason why it can't be read.
pub fn may_be_there(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|e| is_denied(&e), |_| true)
}

/// Whether a path leads to a directory. An error if this user has no access.
pub fn is_directory(path: &Path) -> io::Result<bool> {
    looked(path.metadata().map(|data| data.is_dir()))
}

/// Whether a path leads to a regular file. An error if this user has no access.
pub fn is_file(path: &Path) -> io::Result<bool> {
    looked(path.metadata().map(|data| data.is_file()))
}

fn looked(answer: io::Result<bool>) -> io::Result<bool> {
    answer.or_else(|e| if is_denied(&e) { Err(e) } else { Ok(false) })
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Whether a path refers to something opened by the caller's shell. Such a name carries no information: the number
/// changes from run to run.
pub fn is_stream(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    text == "/dev/stdin"
        || text.strip_prefix("/dev/fd/").is_some_and(number)
        || text.strip_prefix("/proc/self/fd/").is_some_and(number)
}

/// Whether an error means that the path exists but is not a file.
pub fn is_special(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput)
}

fn checked(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    match () {
        () if kind.is_dir() => Err(special("a directory")),
        () if kind.is_fifo() => Err(special("a pipe")),
        () if kind.is_block_device() => Err(special("a disk")),
        () => Ok(file),
    }
}

/// The error of opening a socket.
fn socket(error: io::Error) -> io::Error {
    let is = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
    if is { special("a socket") } else { error }
}

/// The error for something that is not a file.
pub fn special(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and a file is expected"))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the tests make the files that they read")]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn fifo(path: &Path) {
        use rustix::fs::{CWD, FileType, mknodat};
        mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }

    #[test]
    fn what_is_no_file_is_told_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fifo(&at("fifo"));
        symlink("fifo", at("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, is) in
            [("fifo", "a pipe"), ("link", "a pipe"), ("socket", "a socket"), ("", "a directory")]
        {
            let e = open(&at(name)).unwrap_err();
            assert!(is_special(&e) && e.to_string().contains(is), "{name}: {e}");
            let e = open_below(folder.path(), Path::new(&format!("/{name}"))).unwrap_err();
            assert!(is_special(&e) && e.to_string().contains(is), "{name}: {e}");
        }
        assert!(!is_special(&open(&at("nothing")).unwrap_err()));
        assert_eq!(read(open(Path::new("/dev/null")).unwrap(), 1).unwrap(), Some(Vec::new()));
        assert_eq!(read(open(Path::new("/dev/zero")).unwrap(), 100).unwrap(), None);
        fs::write(at("file"), "four").unwrap();
        assert_eq!(read(open(&at("file")).unwrap(), 4).unwrap().unwrap(), b"four");
        assert_eq!(read(open(&at("file")).unwrap(), 3).unwrap(), None);
    }

    #[test]
    fn links_of_another_system_stay_in_it() {
        let outside = tempfile::tempdir().unwrap();
        let (root, secret) = (outside.path().join("root"), outside.path().join("secret"));
        fs::create_dir(&root).unwrap();
        fs::write(&secret, "of this host").unwrap();
        fs::write(root.join("own"), "its own").unwrap();
        symlink("/own", root.join("absolute")).unwrap();
        symlink(&secret, root.join("out")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        let text = |name: &str| read(open_below(&root, Path::new(name))?, 100).map(Option::unwrap);
        assert_eq!(text("/absolute").unwrap(), b"its own");
        assert!(text("/out").is_err() && text("/up").is_err() && text("/../secret").is_err());
    }

    #[test]
    fn streams_of_the_shell_are_known_by_their_names() {
        for name in ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"] {
            assert!(is_stream(Path::new(name)), "{name}");
        }
        for name in ["/dev/fd/", "/dev/fd/6x", "dev/fd/6", "/dev/stdinx", "/dev/fd/../fd/6"] {
            assert!(!is_stream(Path::new(name)), "{name}");
        }
    }
}
