//! Every error becomes one of these: two sentences, a stable code, an exit code.

use std::process::ExitCode;

use super::find::Ambiguous;
use crate::{
    content::{ContentError, LocationError},
    keysource::KeySourceError,
    pack::PackError,
    write::WriteError,
};

/// The exit codes of keypack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Could not: I/O, network, nothing readable.
    CouldNot = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A pack or a key is refused: not authenticated, malformed.
    Refused = 3,
    /// Something does not verify, or a needed key is missing.
    Incomplete = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What went wrong, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// What is true.
    pub error: String,
    /// What to do.
    pub hint: String,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// A failure with the hint that belongs to its code.
    pub fn new(code: &'static str, error: impl Into<String>, exit: Exit) -> Self {
        Self { code, error: error.into(), hint: hint(code).into(), exit }
    }

    /// A wrong command line.
    pub fn usage(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: "usage", error: error.into(), hint: hint.into(), exit: Exit::Usage }
    }

    /// Something is missing or could not be read; the report says what.
    pub fn incomplete() -> Self {
        let error = "some needed keys are missing or refused, or some signatures could not be read";
        Self::new("incomplete", error, Exit::Incomplete)
    }

    /// The same with another hint.
    #[must_use]
    pub fn hinting(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    /// The same, saying which side it concerns.
    #[must_use]
    pub fn on(mut self, side: &str) -> Self {
        self.error = format!("{side}: {}", self.error);
        self
    }
}

impl From<ContentError> for Failure {
    fn from(e: ContentError) -> Self {
        // What can't be done with a place is known from the command line; `--optional` must not hide that.
        let exit = if matches!(e, ContentError::Unsupported { .. }) { Exit::Usage } else { Exit::CouldNot };
        let hint = e.hint().unwrap_or_else(|| hint(e.code()).into());
        Self { code: e.code(), error: e.to_string(), hint, exit }
    }
}

impl From<LocationError> for Failure {
    fn from(e: LocationError) -> Self {
        let hint = e.hint().to_owned();
        Self::usage(e.to_string(), hint)
    }
}

impl From<KeySourceError> for Failure {
    fn from(e: KeySourceError) -> Self {
        let exit = match e {
            KeySourceError::Read { .. } | KeySourceError::NotAFile { .. } => Exit::CouldNot,
            _ => Exit::Refused,
        };
        Self::new(e.code(), e.to_string(), exit)
    }
}

impl From<PackError> for Failure {
    fn from(e: PackError) -> Self {
        Self::new(e.code(), e.to_string(), Exit::Refused)
    }
}

impl From<WriteError> for Failure {
    fn from(e: WriteError) -> Self {
        Self { code: e.code(), error: e.to_string(), hint: e.hint().into(), exit: Exit::CouldNot }
    }
}

impl From<Ambiguous> for Failure {
    fn from(e: Ambiguous) -> Self {
        Self::new("pack-not-found", e.to_string(), Exit::CouldNot)
    }
}

/// What to do about each code. A test holds this table to the codes in the source.
#[allow(clippy::too_many_lines, reason = "one table")]
pub(super) fn hint(code: &str) -> &'static str {
    match code {
        // Places and content.
        "not-found" => "check the path; an OCI layout is named oci:DIR, a tar of one oci-archive:FILE",
        "wrong-place" => "check that the path leads to the folder or file itself, not above or below it",
        "unsupported" => {
            "use one of oci:DIR, oci-archive:FILE, dir:DIR, or the path of a registry's data folder"
        }
        "name-unknown" => "`keypack discover PLACE` lists the tags that are there",
        "blob-missing" => {
            "copy the image again; of an incremental archive, give the earlier archives or the cache as further sources"
        }
        "read-failed" => "check the permissions and the disk, then run it again",
        "write-failed" => "check the permissions and the disk; what was there before is unchanged",
        "no-space" => "free that much space on the file system, or write to another one; nothing was changed",
        "too-large" => "nothing that real tools write is this large; look at where the content came from",
        "digest-mismatch" | "size-mismatch" => {
            "the content was damaged or changed on the way; copy it again from its origin"
        }
        "digest-unsupported" => "copy the image with sha256 digests",
        "manifest-malformed" | "manifest-ambiguous" | "malformed" => {
            "the place is damaged or was tampered with; copy the image again from its origin"
        }
        "manifest-schema1" => "convert the image: skopeo copy --format v2s2",
        "archive-damaged" => {
            "the archive is cut short or damaged; compare its size and checksum with the original"
        }
        "archive-unsafe" => {
            "no image tool writes such an entry; do not use this archive, and ask where it came from"
        }
        "nothing-readable" => {
            "name the place that holds the images themselves; of a mirror-to-mirror workspace, name the registry"
        }
        "list-malformed" => "write one image a line: HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…",
        "certificate-file" => {
            "check the path; the directory holds ca.crt, and client.cert with client.key where needed"
        }
        // Registries.
        "auth-file" => "look at the credentials file; podman login writes a good one",
        "credential-helper" => "run the helper by hand, or log in with podman login, or give --creds",
        "rate-limited" | "unavailable" | "timed-out" | "unreachable" => {
            "try again later, with fewer --jobs; a network that needs a proxy sets HTTPS_PROXY"
        }
        "redirect-refused" => "the registry sends its clients to a place that is not safe; ask who runs it",
        "network-settings" => "look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
        "answer-too-long"
        | "list-endless"
        | "registry-answer"
        | "digest-header-mismatch"
        | "not-a-registry" => {
            "something other than an honest registry answers there; check the address and what stands in between"
        }
        "reference-invalid" => "write docker://HOST/REPOSITORY:TAG, in lower case",
        // Signatures.
        "duplicate-json-key" => "no honest signer writes this; treat the image as unsigned",
        "signature-malformed" => "copy the signature again; if it stays so, treat the image as unsigned",
        "signature-unsupported" => "the signature was made in a form that keypack does not read",
        "openpgp-unsupported" => "OpenPGP signatures are listed and not read by this version",
        "signed-for-other-image" => {
            "the signature was moved to an image that it was not made for; do not trust it"
        }
        "no-key" | "key-missing" => "give the key by --key FILE, or the trusted root by --trusted-root FILE",
        "signature-does-not-match" => {
            "compare the key with its publisher; if the key is right, the signature is not"
        }
        "certificate-refused" | "ct-timestamp-refused" | "log-entry-refused" | "timestamp-refused" => {
            "check that the trusted root belongs to the infrastructure that made this signature"
        }
        "chain-refused" => "get the certificate chain again from its publisher",
        "no-evidence" => "the signature can't be used to prove a key; sign the image again",
        // Keys.
        "keys-not-found" => "name the directory that `keypack collect` or `keypack pull` wrote",
        "incomplete" => "the report lists each one with what to do; --format json gives it to programs",
        "key-file-not-found" => "check the path of the key file",
        "key-malformed" => {
            "get the key again from its publisher and look at the file: it must hold PEM or DER"
        }
        "key-unsupported" | "key-unusable" => {
            "keypack verifies with ECDSA P-256 and P-384, Ed25519, and RSA of 2048 to 8192 bits"
        }
        "key-id-mismatch" => {
            "the trusted root names a key by another key's id; get it again from its publisher"
        }
        "key-conflict" => "two sources differ about one key; find out which one was changed before you go on",
        "private-key" => {
            "give the public key (cosign public-key --key FILE), and keep the private one off this path"
        }
        "trusted-root-malformed" => "give a sigstore trusted_root.json; single keys go to --key",
        // Packs.
        "not-a-pack" => "check the tag; `keypack push` writes packs",
        "pack-is-index" => "push the pack again: a list was wrapped around it on the way",
        "pack-has-urls" => "do not use this pack; keypack never writes such a manifest",
        "pack-empty" => "push the pack again, as an image (the default), which survives every tool",
        "pack-layer-malformed" | "pack-entry-refused" | "name-unsafe" | "file-duplicate" => {
            "do not use this pack; keypack never writes such a layer. Get the pack again from its maker"
        }
        "pack-inconsistent" => "the pack was changed after it was made; get it again from its maker",
        "tag-taken" => "give the pack a tag of its own, such as keys-2026-11",
        "pack-not-found" => "name the pack's tag: oci:DIR:TAG, oci-archive:FILE:TAG",
        "inventory-malformed" => "the inventory was changed or is not one; get the pack again from its maker",
        "inventory-version-unknown" => "a newer keypack made this pack; update keypack here",
        "file-missing" | "file-not-in-inventory" | "file-mismatch" | "key-mismatch" => {
            "the files were changed after keypack wrote them; restore them, or collect or pull into a new directory"
        }
        "no-anchor" => {
            "give --digest sha256:… with the pack digest that reached you by another way than the pack (paper, signed mail)"
        }
        "anchor-digest-mismatch" => {
            "compare the digest with what the pack's maker wrote down (the pack digest; a manifest digest changes when a \
             tool repackages); if it is right, this pack is not the one that was sent"
        }
        "lineage-mismatch" => "give --name with the lineage you expect, or another directory",
        "schema-unknown" => "`keypack schema` lists the names",
        _ => "run the command with --help",
    }
}
