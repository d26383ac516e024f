//! Files and directories: opening what somebody named, writing a file or a directory so that it appears whole or not at
//! all, and locks. Everything else that touches the disk stands on these, so that each question has one answer.
//!
//! # What a file system may lack
//!
//! Network and user-space file systems lack some of what a local one has. The answer is the same wherever keypack writes:
//!
//! - **fsync(2)** ([`sync`]): goes on. Whoever looks still sees the old or the new, never half of one: that comes from the
//!   rename. What a power failure leaves is up to a file system that offers no way to wait for it.
//! - **flock(2)** ([`lock`]): what is written with an exchange or a rename goes on, and the caller warns: two writers at
//!   once leave the whole work of one of them. The state of a host is refused (see [`crate::state`]): there the loser's
//!   work would be forgotten, and with it that an older pack must not come back.
//! - **`RENAME_EXCHANGE`** ([`replace_directory`]): refused; a new directory can still be made.
//! - **`RENAME_NOREPLACE`**, **`O_TMPFILE`** ([`NewFile`]): a hard link, and a file with a temporary name, do the same.
//! - **permissions**: refused for a directory of keys, whose modes say who may change them; left alone elsewhere.
//!
//! Another holder of a lock is waited for, [`lock::WAIT`] at most and everywhere alike.
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

/// Whether rename(2) says that this file system, or this kernel, does not know one of its flags.
const fn lacks_rename_flag(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}
