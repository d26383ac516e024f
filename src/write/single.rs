//! One small file, whole or not at all: digest files.
#![allow(clippy::disallowed_types, reason = "the write room writes")]

use std::{io::Write, path::Path};

use tempfile::NamedTempFile;

use super::WriteError;

/// Writes `bytes` to `path`, replacing what is there at one instant.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::Write { what: path.display().to_string(), source };
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = NamedTempFile::new_in(parent).map_err(failed)?;
    temporary.write_all(bytes).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}
