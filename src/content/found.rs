#![allow(clippy::disallowed_types, reason = "content reads files: this lists a folder for a message")]

use std::path::Path;

use super::{
    ContentError,
    files::{DirFiles, Files},
};
use crate::display;

/// The maximum number of names in a message.
const SHOWN: usize = 6;

/// The content of a location, for a message: "index.json, blobs/ and 3 more".
pub(super) fn holding(files: &impl Files) -> String {
    let Ok(children) = files.list("") else { return "what can't be listed".to_owned() };
    if children.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<_> = children
        .iter()
        .take(SHOWN)
        .map(|child| format!("{}{}", display::shown(&child.name), if child.is_dir { "/" } else { "" }))
        .collect();
    match children.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The error for a path that does not exist. It includes the nearest existing folder and its content, because the path
/// is usually mistyped.
pub(super) fn no_such_place(path: &Path) -> ContentError {
    let above = path.ancestors().skip(1).map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    let nearest = above.into_iter().find_map(|p| Some((p, DirFiles::open_quietly(p)?)));
    let found = match nearest {
        Some((folder, files)) => format!("{} holds {}", folder.display(), holding(&files)),
        None => "neither does any folder above it".to_owned(),
    };
    ContentError::NoSuchPlace { path: path.to_owned(), found }
}
