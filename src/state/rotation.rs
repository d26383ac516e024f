//! When an organisation's key may go, as far as this host knows.

use super::{Highest, Signer, State};

impl State {
    /// What this host no longer depends on, one line each. A key that a host still needs is one whose pack was pulled last.
    pub(super) fn rotation(&self) -> Vec<String> {
        let Some(last) = self.last_pull() else { return Vec::new() };
        let keys = self.highest().iter().filter(|(signer, _)| matches!(signer, Signer::Key(_)));
        let (current, before): (Vec<_>, Vec<_>) = keys.partition(|(_, highest)| highest.digest == last.pack);
        if current.is_empty() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if current.len() > 1 {
            lines.push(format!(
                "{} keys signed the last pull: this host can do without any one of them, unless a threshold needs it",
                current.len()
            ));
        }
        for (signer, Highest { version, at, .. }) in
            before.iter().filter(|(_, have)| have.version < last.version)
        {
            lines.push(format!(
                "{signer} did not sign the last pull, but version {version}, pulled {at:.0}: this host can do without it"
            ));
        }
        if !lines.is_empty() {
            lines.push(
                "a key may go once every host says so; then remove it from verifyKeys on all of them".into(),
            );
        }
        lines
    }
}
