//! What `revoke` did, and what follows from it.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::{RevokedKey, verify::ImageVerdict};
use crate::{
    diag::Diagnostic,
    display::{count, shown},
    key::Fingerprint,
    oci::Digest,
};

/// A revocation, by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// The fingerprint.
    pub fingerprint: Fingerprint,
    /// Why.
    pub reason: String,
    /// Since when its signatures don't count; without it, none counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was revoked first.
    pub at: Timestamp,
    /// `new`, `again`, `stricter` (an earlier time than before, or none), or `undone`.
    pub recorded: &'static str,
    /// The directory of keys.
    pub directory: String,
    /// The keys of it that the fingerprint takes out.
    pub keys: Vec<RevokedKey>,
    /// How many keys are left there, if the directory could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<usize>,
    /// The pack's rules that name one of these keys.
    pub rules: Vec<RuleLeft>,
    /// Whether packs were authenticated by this key.
    pub is_organisations: bool,
    /// Other directories that this host pulled into and that still hold the key.
    pub also_in: Vec<String>,
    /// Where this host's own policy uses it.
    pub used_by_host: Vec<String>,
    /// The folders to which this host exported policies with it.
    pub exported: Vec<String>,
    /// The images that no other key verifies, if a place was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<LostImages>,
    /// What could not be done.
    pub problems: Vec<Diagnostic>,
}

/// A rule that names a revoked key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleLeft {
    /// Its scope.
    pub scope: String,
    /// How many of its signers are left.
    pub signers_left: usize,
}

/// Images that only a revoked key verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostImages {
    /// The place.
    pub place: String,
    /// How many images were read there.
    pub read: usize,
    /// How many things could not be read: what is among them is not known.
    pub unread: usize,
    /// The images.
    pub images: Vec<LostImage>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostImage {
    /// The repository; empty where the place has none.
    pub repository: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The digest.
    pub digest: Digest,
}

impl LostImage {
    /// The image of a verdict.
    pub fn of(image: &ImageVerdict) -> Self {
        Self { repository: image.repository.clone(), tags: image.tags.clone(), digest: image.digest }
    }
}

impl Default for Revocation {
    fn default() -> Self {
        Self {
            fingerprint: Digest::of(b"").into(),
            reason: String::new(),
            since: None,
            at: Timestamp::UNIX_EPOCH,
            recorded: "new",
            directory: String::new(),
            keys: Vec::new(),
            left: None,
            rules: Vec::new(),
            is_organisations: false,
            also_in: Vec::new(),
            used_by_host: Vec::new(),
            exported: Vec::new(),
            images: None,
            problems: Vec::new(),
        }
    }
}

impl Revocation {
    /// For a person.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let Self { fingerprint, at, .. } = self;
        let directory = shown(&self.directory);
        if self.recorded == "undone" {
            let _ = writeln!(out, "{fingerprint} is no longer revoked on this host; it was since {at:.0}.");
            for key in &self.keys {
                let _ = writeln!(out, "{} is in {directory} again.", key.file);
            }
            if self.keys.is_empty() {
                out.push_str("A pack that holds it is installed with it from now on.\n");
            }
            return out;
        }
        let again = match self.recorded {
            "again" => "already ",
            "stricter" => "already, and now for more signatures, ",
            _ => "",
        };
        let _ = writeln!(out, "{fingerprint}");
        let _ = writeln!(
            out,
            "  is {again}revoked on this host, for every lineage, at {at:.0}: {}",
            shown(&self.reason)
        );
        match self.since {
            Some(since) => {
                let _ = writeln!(
                    out,
                    "  Only signatures that a log or a timestamp authority dates before {since} still count."
                );
            }
            None => out.push_str("  None of its signatures counts any more, whatever its date.\n"),
        }
        self.keys_in_words(&mut out);
        for other in &self.also_in {
            let other = shown(other);
            let _ = writeln!(
                out,
                "Its file is also in {other}: remove it with keypack revoke {fingerprint} --keys-dir {other} --reason …"
            );
        }
        if let Some(images) = &self.images {
            images.in_words(&mut out);
        }
        self.policies_in_words(&mut out);
        out
    }

    fn keys_in_words(&self, out: &mut String) {
        let directory = shown(&self.directory);
        for key in &self.keys {
            let _ = writeln!(out, "{} ({}) is no longer in {directory}", key.file, key.role.title());
        }
        match self.left {
            Some(0) => {
                let _ = writeln!(
                    out,
                    "No key is left in {directory}: verify refuses everything until a pack with other keys is pulled."
                );
            }
            Some(left) if !self.keys.is_empty() => {
                let _ = writeln!(out, "{} left in it, authenticated as before", count(left, "key"));
            }
            _ => {}
        }
        for rule in &self.rules {
            let what = match rule.signers_left {
                0 if self.since.is_some() => {
                    "none of its signers is left; only images with a signature dated before that still count"
                        .to_owned()
                }
                0 => "none of its signers is left, and its images are refused from now on".to_owned(),
                left => format!("{} left", count(left, "signer")),
            };
            let _ = writeln!(out, "The rule for {}: {what}", shown(&rule.scope));
        }
        if self.is_organisations {
            out.push_str(
                "Packs were authenticated here by this key: no pack that it signed is accepted any more, even with another valid \
                 signature. Remove it from --verify-key and from the settings.\n",
            );
        }
    }

    fn policies_in_words(&self, out: &mut String) {
        out.push_str("\nPolicies and copies that must change by hand:\n");
        for used in &self.used_by_host {
            let _ = writeln!(out, "  this host's own: {}", shown(used));
        }
        if self.used_by_host.is_empty() {
            out.push_str("  this host's policy.json and /etc/pki/sigstore do not use it\n");
        }
        for exported in &self.exported {
            let _ = writeln!(out, "  exported here: {}; export it again, and apply it", shown(exported));
        }
        let files: Vec<_> = self.keys.iter().map(|key| key.file.as_str()).collect();
        let named = if files.is_empty() { String::new() } else { format!(" of {}", files.join(", ")) };
        let _ = writeln!(
            out,
            "  elsewhere: keypack does not know where copies{named} went. Check the policy.json and /etc/pki/keypack of every other \
             host, and the policies of every cluster (ClusterImagePolicy, ImagePolicy, Kyverno, policy-controller), and \
             remove the key there."
        );
    }
}

impl LostImages {
    fn in_words(&self, out: &mut String) {
        let Self { place, read, unread, images } = self;
        let _ = writeln!(
            out,
            "\nImages of {} that no other key verifies: {} of {read}",
            shown(place),
            images.len()
        );
        for LostImage { repository, tags, digest } in images {
            let tags: Vec<_> = tags.iter().map(|tag| shown(tag)).collect();
            let _ = writeln!(out, "  {}{}{digest}", spaced(&shown(repository)), spaced(&tags.join(",")));
        }
        if *unread > 0 {
            let _ = writeln!(out, "  {} could not be read and may be among them", count(*unread, "thing"));
        }
    }
}

fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text} ") }
}
