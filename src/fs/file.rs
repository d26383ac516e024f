use std::{io::Write as _, path::Path};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::{FsError, NewFile, sync};

/// Writes a file named by the user, atomically replacing an existing file of that name.
///
/// Links are followed. Anything that is not a regular file, such as a pipe or /dev/stdout, is written to and not
/// replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let failed = |error: std::io::Error| FsError::writing(error, path);
    let target = match path.canonicalize() {
        Ok(target) if target.metadata().is_ok_and(|data| data.is_file()) => target,
        Ok(special) => {
            let opened = std::fs::OpenOptions::new().write(true).open(special);
            return opened.and_then(|mut file| file.write_all(bytes)).map_err(failed);
        }
        // The file does not exist, or it is a dangling link, which is replaced.
        Err(_) => path.to_owned(),
    };
    let name = target.file_name().ok_or_else(|| failed(std::io::ErrorKind::IsADirectory.into()))?;
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = openat(CWD, parent, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
    let write = || {
        let mut new = NewFile::create(&directory, Mode::from_raw_mode(0o644))?;
        new.file().write_all(bytes)?;
        new.commit(name)?;
        sync(&directory)
    };
    write().map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn a_named_file_is_replaced_and_its_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("file"), b"one").unwrap();
        symlink("file", at("link")).unwrap();
        write(&at("link"), b"two").unwrap();
        assert_eq!(fs::read(at("file")).unwrap(), b"two");
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("file"));
        symlink("nothing", at("dangling")).unwrap();
        write(&at("dangling"), b"three").unwrap();
        assert_eq!(fs::read(at("dangling")).unwrap(), b"three");
        // Same mode as with a shell's `>` under the usual umask.
        assert_eq!(fs::metadata(at("file")).unwrap().permissions().mode() & 0o400, 0o400);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left over");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        symlink("/dev/null", folder.path().join("null")).unwrap();
        write(&folder.path().join("null"), b"gone").unwrap();
        assert_eq!(fs::read_link(folder.path().join("null")).unwrap(), Path::new("/dev/null"));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        for path in [folder.path(), Path::new("/"), Path::new(".."), &folder.path().join("no/file")] {
            assert_eq!(write(path, b"x").unwrap_err().code().as_str(), "write-failed", "{}", path.display());
        }
    }
}
