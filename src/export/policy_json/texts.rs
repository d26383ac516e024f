//! The texts of the other files.

use std::path::Path;

use super::PolicyFiles;

impl PolicyFiles {
    /// Whether it is about no image.
    pub(crate) fn has_no_scope(&self) -> bool {
        self.scopes == 0
    }

    /// The file for registries.d, with this line on top.
    pub(crate) fn registries_d(&self, first_line: &str) -> String {
        let mut text = format!("# {first_line}\n");
        text.push_str(
            "# Signatures are looked for where the images lie: at the sources, and at their mirrors.\n",
        );
        if self.sections.is_empty() {
            return text + "docker: {}\n";
        }
        text.push_str("docker:\n");
        for section in &self.sections {
            // A scope has no quotation marks and no backslashes.
            text.push_str(&format!("  \"{section}\":\n    use-sigstore-attachments: true\n"));
        }
        text
    }

    /// What the files are and where they go.
    pub(crate) fn readme(&self, first_line: &str, has_policy: bool, keys_at: Option<&Path>) -> String {
        let mut text = format!("{first_line}\n\n");
        if has_policy {
            text.push_str("policy.json                 to /etc/containers/policy.json: there is only one, and it replaces what is there\n");
        }
        text.push_str(
            "registries.d/keypack.yaml   to /etc/containers/registries.d/: where signatures are looked for\n",
        );
        if let Some(at) = keys_at.filter(|_| has_policy) {
            text.push_str(&format!(
                "keys/                       to {}: the policy names these files there\n",
                at.display()
            ));
        }
        text.push_str("keypack-export.json         stays here: by it keypack knows this folder again\n");
        for note in &self.notes {
            text.push_str(&format!("\nNote: {} [{}]\n", note.message, note.code));
        }
        if has_policy {
            text.push_str(
                "\nTry it before it is in force, and keep the old file to go back to:\n  \
                 skopeo copy --policy ./policy.json --registries.d ./registries.d docker://IMAGE dir:/tmp/try\n",
            );
        }
        text
    }
}
