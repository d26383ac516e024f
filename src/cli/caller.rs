//! Who runs the program, for the log of the state. No decision depends on it.

use std::path::Path;

use crate::{fs, ops::Caller};

/// The part of a file that is read: /etc/passwd of a host with ten thousand users.
const LONGEST: u64 = 1 << 20;

pub(super) fn caller() -> Caller {
    let uid = rustix::process::getuid().as_raw();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Caller {
        uid: Some(uid),
        user: text("/etc/passwd").and_then(|users| name(&users, uid)),
        // -1 where nobody logged in (proc_pid_loginuid(5)).
        login_uid: text("/proc/self/loginuid")
            .and_then(|text| text.trim().parse().ok())
            .filter(|id| *id != u32::MAX),
        host: Some(host).filter(|host| !host.is_empty()),
        ticket: None,
        time_source: Some("system-clock".into()),
    }
}

fn text(path: &str) -> Option<String> {
    let bytes = fs::read(fs::open(Path::new(path)).ok()?, LONGEST).ok()??;
    String::from_utf8(bytes).ok()
}

/// The name of a user in passwd(5).
fn name(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\n#\nbroken:x\nops:x:1000:0::/:/bin/sh\n";
        assert_eq!(name(users, 1000).as_deref(), Some("ops"));
        assert_eq!(name(users, 0).as_deref(), Some("root"));
        assert_eq!(name(users, 10), None);
    }
}
