//! What to do about each code.

/// What to do about a code. A test holds this table to the codes in the source.
pub(crate) fn hint(code: &str) -> &'static str {
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
        "read-failed" => "check the permissions and the fs, then run it again",
        "write-failed" => "check the permissions and the disk; what was there before is unchanged",
        "no-space" => "free that much space on the file system, or write to another one; nothing was changed",
        "too-large" => "nothing that real tools write is this large; look at where the content came from",
        "blob-elsewhere" => {
            "an incremental archive leaves out what earlier ones hold: give oc-mirror's cache by --cache-dir DIR, or the \
             earlier archives as further oc-mirror:DIR"
        }
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
        "signature-lapsed" => {
            "the owner's current copy of the key may last longer; else ask the publisher to sign anew: GnuPG and podman refuse this one too"
        }
        "signing-key-revoked" => {
            "ask the publisher for a signature with a key that is good, and take this key out of what trusts it"
        }
        "signature-weak" => "ask the publisher for a signature with SHA-256; nobody should take this one",
        "signed-for-other-image" => {
            "the signature was moved to an image that it was not made for; do not trust it"
        }
        "no-key" | "key-missing" => {
            "give a signer's key by --key FILE, any other by --key ROLE=FILE, or the trusted root by --trusted-root FILE"
        }
        "signature-does-not-match" => {
            "compare the key with its publisher; if the key is right, the signature is not"
        }
        "certificate-refused" | "ct-timestamp-refused" | "log-entry-refused" | "timestamp-refused" => {
            "check that the trusted root belongs to the infrastructure that made this signature"
        }
        "ct-timestamp-missing" => {
            "ask the signer how a certificate came about that no CT log saw; another signature may prove the CA"
        }
        "unsupported-by-verifier" => {
            "the verifier in keypack does not take this form, and cosign may: verify it with `cosign verify`"
        }
        "chain-refused" => "get the certificate chain again from its publisher",
        "no-evidence" => "the signature can't be used to prove a key; sign the image again",
        _ => about_keys(code),
    }
}

/// What to do about keys and where they come from.
fn about_keys(code: &str) -> &'static str {
    match code {
        "keys-not-found" => "name the directory that `keypack collect` or `keypack pull` wrote",
        "incomplete" => "the report lists each one with what to do; --format json gives it to programs",
        "key-file-not-found" => "check the path: a file with keys, or with a policy.json, is expected there",
        "key-file-is-address" => {
            "download it, compare its fingerprint with its publisher, and give the file; what lies in a KMS or a cluster is written \
             to a file by: cosign public-key --key ADDRESS"
        }
        "key-malformed" => {
            "get the key again from its publisher and look at the file: it must hold PEM or DER"
        }
        "key-unsupported" | "key-unusable" => {
            "keypack verifies with ECDSA P-256 and P-384, Ed25519, and RSA of 2048 to 8192 bits, and with no key with which \
             anybody can sign"
        }
        "key-role" => {
            "say what the key is for: --key FILE takes a signer's key, --key ROLE=FILE any other (rekor, rekor2, ctlog, \
             fulcio, tsa, pki, gpg)"
        }
        "key-claim" => {
            "compare the fingerprint with its publisher by another way; then give the key by --key ROLE=FILE"
        }
        "rekor-answer" => {
            "check the address: `/api/v1/log/publicKey` follows it; or give the log's key by --rekor FILE"
        }
        "key-id-mismatch" => {
            "the trusted root names a key by another key's id; get it again from its publisher"
        }
        "key-conflict" => "two sources differ about one key; find out which one was changed before you go on",
        "private-key" => {
            "give the public key (cosign public-key --key FILE), and keep the private one off this path"
        }
        _ => about_packs(code),
    }
}

/// What to do about revoked keys, about times, and about what this host remembers.
fn about_age(code: &str) -> &'static str {
    match code {
        "key-revoked" => {
            "a pack said that this key must not be trusted any more, and that stays so; get a pack without the key"
        }
        "pack-expired" => "get a newer pack; compare the clock here first",
        "pack-too-old" => {
            "get a newer pack; if none can be had, --allow-stale-unsafe --reason TEXT takes this one"
        }
        "clock-behind" => "set the clock here; a clock that is behind would also believe in expired packs",
        "version-from-the-future" => {
            "set the clock here if it is wrong; if the pack is, no later one could replace it: ask its maker for one with the \
             right version. --accept-future-unsafe --reason TEXT takes this one and is logged"
        }
        "rollback" => {
            "get the newest pack; if the older one is meant, --allow-rollback-unsafe --reason TEXT takes it and is logged"
        }
        "equivocation" => {
            "two different packs have one version: ask the maker which is right before you take any; then \
             --allow-rollback-unsafe --reason TEXT takes this one"
        }
        "below-min-version" => "get the pack whose version was written down, or look again at what was",
        "no-state" => {
            "name the state with --state DIR; on a new host, pull once with --min-version and without --require-state"
        }
        "no-state-directory" => "name a directory with --state DIR, or set HOME",
        _ => about_tuf(code),
    }
}

/// What to do about trusted roots and packs, their anchors and their times, and about what people write for them: settings and rules.
fn about_packs(code: &str) -> &'static str {
    match code {
        "trusted-root-malformed" => "give a sigstore trusted_root.json; single keys go to --key",
        "policy-malformed" => "give a policy.json as containers-policy.json(5) describes it",
        // Packs.
        "not-a-pack" => "check the tag; `keypack push` writes packs",
        "pack-is-index" => "push the pack again: a list was wrapped around it on the way",
        "pack-has-urls" => "do not use this pack; keypack never writes such a manifest",
        "pack-empty" => "push the pack again, as an image (the default), which survives every tool",
        "pack-without-keys" => {
            "do not use this pack; keypack never makes one without keys. Ask its maker what became of them"
        }
        "pack-layer-malformed" | "pack-entry-refused" | "name-unsafe" | "file-duplicate" => {
            "do not use this pack; keypack never writes such a layer. Get the pack again from its maker"
        }
        "pack-inconsistent" => "the pack was changed after it was made; get it again from its maker",
        "tag-taken" => "give the pack a tag of its own, such as keys-2026-11",
        "pack-not-found" => {
            "name the pack's tag (oci:DIR:TAG, oci-archive:FILE:TAG), or tell which one is meant by its digest: pull --digest"
        }
        "inventory-malformed" => "the inventory was changed or is not one; get the pack again from its maker",
        "inventory-version-unknown" => "a newer keypack made this pack; update keypack here",
        "inventory-superseded" => {
            "on the collecting side, move the directory away and collect again; in the enclave, pull a pack that a released \
             keypack made into a new directory"
        }
        "file-unaccounted" | "trusted-root-mismatch" => {
            "do not use this pack: its maker's keypack never writes such a file, and programs would trust what is in it. Get \
             the pack again from its maker"
        }
        "file-missing" | "file-not-in-inventory" | "file-mismatch" | "key-mismatch" => {
            "the files were changed after keypack wrote them; restore them, or collect or pull into a new directory"
        }
        "no-anchor" => {
            "give --digest sha256:… with the pack digest that reached you by another way than the pack (paper, signed mail), \
             or --verify-key FILE with your organisation's public key"
        }
        "anchor-digest-mismatch" => {
            "compare the digest with what the pack's maker wrote down (the pack digest; a manifest digest changes when a \
             tool repackages); if it is right, this pack is not the one that was sent"
        }
        "pack-unsigned" => {
            "sign keypack.json before the push: cosign sign-blob --key K --bundle keys/keypack.json.sigstore.json \
             keys/keypack.json; or give --digest"
        }
        "pack-signature-refused" => {
            "ask the pack's maker which key signed it, by another way than the pack; never take the key from the pack"
        }
        "signature-stale" => {
            "the inventory was made anew after it was signed: sign it again, or remove the signature file"
        }
        "signature-file" => {
            "sign with `cosign sign-blob --bundle` of cosign 3, or of cosign 2 with --new-bundle-format; or remove the file"
        }
        "verify-key-unusable" => {
            "give one PEM public key, as `cosign public-key` prints it, in a file of its own"
        }
        "verify-key-from-pack" => {
            "a key, root or setting that came with the pack proves nothing: get it from where you trust it to be right, and keep it \
             in a place that does not travel, such as /etc/keypack"
        }
        "key-not-pinned" => {
            "pins are the exact set: if the key is right, pin it too; if nobody can say what it is, refuse the pack"
        }
        "pin-incomplete" => {
            "give the whole pin, as `keypack inspect` prints it on the connected side: a pin that is copied from this message \
             proves nothing unless it is compared with that one"
        }
        "pin-not-met" => "a key that you expect was left out of the pack; ask its maker why",
        "config-not-readable" => "check the path and the permissions of the file that --config names",
        "config-malformed" => {
            "`keypack schema config-v1` prints what may stand there; docs/configuration.md explains it"
        }
        "rules-are-draft" => {
            "go through every rule, take out the line `draft: true`, and give the file again"
        }
        "draft-exists" => "name a new file: somebody may have gone through that one",
        "key-changed" => {
            "ask the key's owner, by another way, whether it was changed; then --accept-change with its fingerprint"
        }
        "rule-unmet" => {
            "collect that key too (--include all takes every key of the sources), or change the rule: --accept-rules FILE, \
             rules: of the setting"
        }
        "lineage-mismatch" => "give --name with the lineage you expect, or another directory",
        "schema-unknown" => "`keypack schema` lists the names",
        _ => about_age(code),
    }
}

/// What to do about TUF repositories and the chains that are kept of them.
fn about_tuf(code: &str) -> &'static str {
    match code {
        // Reading a repository.
        "tuf-not-found" => {
            "give the address below which timestamp.json lies (RHTAS: oc get tuf -o jsonpath='{.items[0].status.url}'), or a \
             directory with a copy of it"
        }
        "tuf-answer" => "check the address in a browser; try again later",
        "tuf-root-unknown" => {
            "give the root that you trust by --tuf-root FILE (RHTAS: its root.json, compared by sha256 with what its keeper \
             tells you another way), or for a copy of sigstore's public repository --tuf-root builtin"
        }
        "tuf-root-malformed" => {
            "give a root.json of the repository's keeper, as `cosign initialize --root` takes it; `builtin` is sigstore's own"
        }
        // What it says.
        "tuf-signatures" | "tuf-root-version" => {
            "compare the root with what the repository's keeper tells you another way: either the root belongs to another \
             repository, or roots in between are missing, or what was served is forged"
        }
        "tuf-key-weak" => "don't use this repository: tell its keeper that anybody could sign for this role",
        "tuf-key-twice" => {
            "ask the repository's keeper: fewer people than the root says can sign; do not use it until then"
        }
        "tuf-expired" => {
            "check the clock here; if it is right, the repository is not kept up (RHTAS signs for 52 weeks) or somebody holds \
             newer metadata back: ask its keeper"
        }
        "tuf-mismatch" | "tuf-file-missing" => {
            "it may be renewed at this moment: try again; of a copy, copy the whole repository again"
        }
        "tuf-malformed" => {
            "look at what is served at that place: a login page, or metadata older than sigstore's root 5"
        }
        "tuf-too-large" | "tuf-name-unsafe" => "no keeper writes this; find out what is served there",
        "tuf-name-long" => {
            "targets that are listed by SHA-512 alone have such names: ask the keepers to list SHA-256 too, or give the keys by --trusted-root"
        }
        "tuf-no-keys" => {
            "check that it is a repository of sigstore: its targets are trusted_root.json, or rekor.pub and the like"
        }
        "trusted-root-rhtas" => {
            "update RHTAS to 1.4 and migrate its trusted root; until then the single targets (rekor.pub, …) are used where \
             the repository lists them"
        }
        "tuf-rollback" => {
            "somebody offers an older state of the repository: get a newer pack or reach the repository another way; if its \
             keeper set it up anew, pull takes --allow-rollback-unsafe --reason TEXT"
        }
        // Chains in packs.
        "tuf-chain-missing" => {
            "ask the pack's maker to collect with --tuf, or authenticate it another way (--digest)"
        }
        "tuf-tar-refused" => "keypack writes no such file; do not use this pack",
        "key-not-in-tuf" => {
            "if the key is right, pin it beside --tuf-root (--pin, as `keypack inspect` prints it); a key that was kept from an \
             earlier collection goes with collect --prune"
        }
        "key-differs-from-tuf" => {
            "somebody changed what the repository says of this key: do not use this pack; if you made it, collect again"
        }
        _ => "run the command with --help",
    }
}
