//! Files and directories: opening files named by the user, writing a file or a directory so that it appears whole or
//! not at all, and locks. All other disk access is built on these, so that each question has one answer.
//!
//! # What a file system may lack
//!
//! Network and user-space file systems lack some features of local ones. keypack reacts in the same way wherever it
//! writes:
//!
//! - **fsync(2)** ([`sync`]): continue. A reader still sees the old or the new, never half of one, because of the
//!   rename. What survives a power failure is up to a file system that offers no way to wait for it.
//! - **flock(2)** ([`lock`]): anything written with an exchange or a rename continues, and the caller warns: of two
//!   concurrent writers, one wins entirely. The host's state is refused (see [`crate::state`]): losing a write there
//!   would also lose the protection against rollback to an older pack.
//! - **`RENAME_EXCHANGE`** ([`replace_directory`]): refused; a new directory can still be created.
//! - **`RENAME_NOREPLACE`**, **`O_TMPFILE`** ([`NewFile`]): replaced by a hard link and by a file with a temporary
//!   name.
//! - **permissions**: refused for a directory of keys, whose modes control who may change them; ignored elsewhere.
//!
//! When a lock is held by another process, every caller waits for at most [`lock::WAIT`].
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "files are opened and written here")]

mod directory;
mod error;
mod file;
pub mod lock;
mod new_file;
mod open;
mod owner;
mod space;
mod sync;

pub use directory::{
    Change, Entry, Existing, File, Kind, MODE_DIRECTORY, MODE_FILE, Outcome, look, replace_directory,
};
pub use error::FsError;
pub use file::write;
pub use lock::{Lock, lock};
pub use new_file::{NewFile, PREFIX, is_left_over};
pub use open::{is_directory, is_file, is_special, is_stream, may_be_there, open, open_below, read, special};
pub use owner::{Exposed, exposed};
pub use space::need;
pub use sync::{reopen, sync, sync_directory};

use rustix::io::Errno;

/// Whether rename(2) reports that this file system, or this kernel, does not support one of its flags.
const fn lacks_rename_flag(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}
