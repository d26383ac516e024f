//! Every code with its name, the exit class and the hint. A situation that needs more says it in its [`Diagnostic`].
//!
//! [`Diagnostic`]: super::Diagnostic

use super::{Exit, code::codes};

codes! {
    // The command line and what people write for keypack.
    /// The command line is wrong.
    Usage "usage" Usage "run the command with --help";
    /// The settings file can't be read.
    ConfigNotReadable "config-not-readable" Usage "check the path and the permissions of that file";
    /// The settings or the rules are malformed.
    ConfigMalformed "config-malformed" Usage "`keypack schema config-v1` prints the allowed fields; docs/configuration.md explains it";
    /// Users other than root can change this host's settings file.
    SettingExposed "setting-exposed" Refused "as root: chown root:root, and chmod go-w, for the file and every directory above it; write the path without symbolic links";
    /// This host's settings forbid what the command line or another settings file asks for.
    SettingEnforced "setting-enforced" Usage "leave that out; only root can change what this host enforces, in /etc/keypack/keypack.yaml";
    /// The rules are still marked as a draft.
    RulesAreDraft "rules-are-draft" Refused "review every rule, remove the line `draft: true`, and give the file again";
    /// The file for drafted rules exists already.
    DraftExists "draft-exists" CouldNot "name a new file: someone may have reviewed that one";
    /// A registries.d directory has another program's file or section where keypack's would go.
    RegistriesDTaken "registries-d-taken" CouldNot "name another directory for --write-registries-d, such as a new one for this mirror; a scope may appear in only one file";
    /// The file for --fix was not written by keypack.
    FixTaken "fix-taken" CouldNot "name another file for --fix; keypack replaces only what it wrote";
    /// The file that `--report` names is somebody else's.
    ReportTaken "report-taken" CouldNot "name another file for --report; keypack replaces only its own reports";
    /// The file that `--since` names is no report.
    ReportUnreadable "report-unreadable" CouldNot "name a file that --report wrote; its digest is in `keypack state log`";
    /// No schema has this name.
    SchemaUnknown "schema-unknown" Usage "`keypack schema` lists the names";
    /// Needed keys are missing or not proved, or signatures could not be read.
    Incomplete "incomplete" Incomplete "the report lists each one with what to do; --format json gives it to programs";

    /// Images, or their signatures, are refused.
    ImagesRefused "images-refused" Incomplete "the report lists each one with what to do; do not run these images until you know why";
    /// No image has a signature that counts.
    NothingSigned "nothing-signed" Incomplete "name a place with signed images: a run without any signature never succeeds. -v lists each image with what was found";
    /// Not everything could be read.
    NotAllRead "not-all-read" Incomplete "the report lists what could not be read; fix that and run it again: what was not read may be what matters";
    /// Images have no signature that counts, and all must.
    NotAllSigned "not-all-signed" Incomplete "-v lists each image with what was found; leave out --require-signed if images may be unsigned";

    // Whether a consumer's policy admits images.
    /// A policy or a registries.d can't be loaded, so that its consumer would refuse every image.
    PolicyInvalid "policy-invalid" Refused "correct the file: its consumer refuses to load it, and then every pull fails; containers-policy.json(5) and containers-registries.d(5) describe the format";
    /// The policy would refuse images.
    PolicyWouldRefuse "policy-would-refuse" Incomplete "the report lists each image with the cause; mirror the missing signatures, or correct the policy, before it is rolled out";
    /// Not everything could be evaluated.
    PolicyNotEvaluated "policy-not-evaluated" Incomplete "the report lists what was not judged and why; try those images with the consumer itself";
    /// No scope of the policy is that of any image.
    NothingInScope "nothing-in-scope" Incomplete "compare the names of the images with the scopes of the policy; --map MIRROR=SOURCE says where mirrored images are from";
    /// The policy accepts the image without a signature.
    NotVerifiedByPolicy "not-verified-by-policy" Incomplete "nothing checks who made this image; name its repository in the policy with a requirement that does";
    /// The policy rejects whatever lies here.
    PolicyRejects "policy-rejects" Incomplete "give the repository a scope of its own in the policy if the image is to run";
    /// The keys of the policy can't be loaded by its consumer.
    PolicyKeyUnusable "policy-key-unusable" Incomplete "correct the key file, or the field in the policy: one PEM key each, readable at the path in the policy";
    /// registries.d does not tell the consumer to look for sigstore attachments.
    AttachmentsOff "attachments-off" Incomplete "write `use-sigstore-attachments: true` for the repository into a file of registries.d, and name the folder by --registries-d";
    /// The signature is for a name that the policy does not accept.
    IdentityNotAccepted "identity-not-accepted" Incomplete "choose the signedIdentity that fits: matchRepository or exactRepository for names without a tag, remapIdentity where the image is pulled by the mirror's name; or sign again";
    /// The certificate is for somebody whom the policy does not accept.
    SubjectNotAccepted "subject-not-accepted" Incomplete "compare the identity in the certificate with the policy; podman and OpenShift compare e-mail addresses alone, so images signed with a URI for identity can't be admitted by them";
    /// No certificate is beside the signature, and the policy asks for one.
    NoCertificate "no-certificate" Incomplete "it was made with a key: name that key in the policy, or sign with a certificate";
    /// The cluster's image.config blocks the registry.
    RegistryBlocked "registry-blocked" Incomplete "take it out of blockedRegistries (oc edit image.config.openshift.io cluster), or mirror the image to a registry that is not blocked";
    /// The cluster's image.config allows other registries.
    RegistryNotAllowed "registry-not-allowed" Incomplete "add the registry to allowedRegistries (oc edit image.config.openshift.io cluster), by the name that images are pulled by: that of the source, also where a mirror has them";
    /// OpenShift leaves an entry of blockedRegistries out.
    RegistryNotBlocked "registry-not-blocked" Incomplete "take the entry out, or give the release a mirror that is not blocked";
    /// A scope of the policy covers an image that is pulled by the mirror's name.
    MirrorNameInScope "mirror-name-in-scope" Incomplete "let the scopes name the sources and not the mirror, which OpenShift finds itself; or sign this image in the mirror: oc-mirror rebuilds catalogs, so nobody else did. Else no operator can be installed";
    /// A signature that can't be read ends every pull of its image, also beside good ones.
    SignatureEndsPull "signature-ends-pull" Incomplete "copy the image's signatures again from where they are whole, or remove what is broken there";
    /// A scope of the policy is that of no image.
    ScopeUnused "scope-unused" Incomplete "compare its spelling with the names of the images: a scope has no docker://, no / at its end, and the port where the name has one";
    /// The pack has no rules, and only rules make policy.
    NoRules "no-rules" Incomplete "say who must sign what: `keypack discover SOURCE… --draft-rules rules.yaml`, review it, then on the collecting side `keypack collect … --accept-rules rules.yaml`, push and pull";
    /// A consumer can't be asked for what a rule asks.
    RuleNotExpressible "rule-not-expressible" Incomplete "narrow the rule to what this consumer can check, name a newer version with --for, or export for a consumer that can check it; keypack never writes a policy that asks for less than its rule";
    /// A consumer does not check exactly what a rule says.
    ConsumerDiffers "consumer-differs" Incomplete "if that matters, verify the images with `keypack verify` as well";
    /// A consumer can't use a trusted root with these keys.
    TrustedRootUnusable "trusted-root-unusable" Incomplete "collect the keys that are missing, or export another form: --as";
    /// The consumer does not read signatures of this form.
    FormNotRead "form-not-read" Incomplete "have the image signed at its tag sha256-<hex>.sig: cosign 2, or cosign 3 with --new-bundle-format=false --use-signing-config=false; or copy the signature that is there along";
    /// The index is signed, and the images in it are not.
    OnlyIndexSigned "only-index-signed" Incomplete "have each image of the index signed too: cosign sign --recursive";
    /// A newer version of the consumer could check it.
    ConsumerTooOld "consumer-too-old" Incomplete "consumers/*.json of keypack lists which version can; ask the signer for signatures that this one reads, or use a newer version where there is one";
    /// A section of registries.d belongs to a file of the distribution.
    SectionOfDistribution "section-of-distribution" Incomplete "where images are pulled from there and not from a mirror, add `use-sigstore-attachments: true` to that section in the distribution's file";
    /// OpenShift leaves a scope out.
    ScopeLeftOut "scope-left-out" Incomplete "take the scope out of the ImagePolicy, or make that of the ClusterImagePolicy narrower";
    /// Nothing authenticates the release whose policy is asked for.
    PolicyUnauthenticated "policy-unauthenticated" Incomplete "whoever can change images can change the policy in a release: bring the release's GPG signature (oc-mirror's working-dir/signatures; --images oc-mirror:DIR for a registry) and the key that made it (--keys-dir); or judge by builtin:openshift@VERSION";
    /// No release of OpenShift is in the mirror.
    PolicyNotInMirror "policy-not-in-mirror" Incomplete "name the release instead, as in --policy builtin:openshift@4.22; or the place that holds it (openshift/release-images in oc-mirror's layout, or as --idms or --map say)";
    /// The policy of the release is not the one that is built in for it.
    PolicyDiffersFromBuiltin "policy-differs-from-builtin" Incomplete "the release is authenticated and its policy counts; if the difference is not explained by a newer release, ask Red Hat, and tell keypack's maintainers";
    /// The release requires no signatures by default.
    PolicyNotInForce "policy-not-in-force" Incomplete "before 4.21 clusters require no signatures by default; to judge a cluster that has a policy of its own, give it: --policy FILE";
    /// Images of a release are not in the mirror.
    ReleaseImagesMissing "release-images-missing" Incomplete "mirror the release again; for an incremental archive, also give the earlier archives or the cache (--cache-dir)";
    /// This is decided by what is not in a mirror.
    StageNotJudged "stage-not-judged" Incomplete "it is decided by what is not in the mirror; test it on one machine";
    /// The name by which the cluster pulls the image is not known.
    PulledNameUnknown "pulled-name-unknown" Incomplete "judge the images at the registry that the cluster pulls from (docker://…), or say what this location was copied from: --map LOCATION=SOURCE; where a registry's names differ from the sources', add --idms FILE or --map MIRROR=SOURCE";

    // Places and content.
    /// The place does not exist.
    NotFound "not-found" CouldNot "check the path; for an OCI layout, write oci:DIR, for a tar of one, oci-archive:FILE";
    /// The place is not of the kind that its name says.
    WrongPlace "wrong-place" CouldNot "check that the path leads to the folder or file itself, not above or below it";
    /// This can't be done with a place of this kind.
    Unsupported "unsupported" Usage "use one of oci:DIR, oci-archive:FILE, dir:DIR, or the path of a registry's data folder";
    /// The place has no such tag, digest or repository.
    NameUnknown "name-unknown" CouldNot "`keypack discover PLACE` lists the tags";
    /// The place names a blob that it does not hold.
    BlobMissing "blob-missing" CouldNot "copy the image again; for an incremental archive, also give the earlier archives or the cache as sources";
    /// The blob is in another archive of the set.
    BlobElsewhere "blob-elsewhere" CouldNot "an incremental archive leaves out what earlier ones hold: give oc-mirror's cache with --cache-dir DIR, or the earlier archives as further oc-mirror:DIR";
    /// Reading failed.
    ReadFailed "read-failed" CouldNot "check the permissions and the disk, then run it again";
    /// Writing failed.
    WriteFailed "write-failed" CouldNot "check the permissions and the disk; what was there before is unchanged";
    /// The file system is too full.
    NoSpace "no-space" CouldNot "free that much space on the file system, or write to another one; nothing was changed";
    /// The content is larger than keypack reads.
    TooLarge "too-large" CouldNot "no real tool writes anything this large; find out where the content came from";
    /// The content does not have the digest in its descriptor.
    DigestMismatch "digest-mismatch" CouldNot "the content was damaged or changed in transit; copy it again from its origin";
    /// The content does not have the size in its descriptor.
    SizeMismatch "size-mismatch" CouldNot "the content was damaged or changed in transit; copy it again from its origin";
    /// The digest is of an algorithm that keypack does not check.
    DigestUnsupported "digest-unsupported" CouldNot "copy the image with sha256 digests";
    /// A document of the place is damaged.
    Malformed "malformed" CouldNot "the place is damaged or was tampered with; copy the image again from its origin";
    /// The manifest is damaged.
    ManifestMalformed "manifest-malformed" CouldNot "the place is damaged or was tampered with; copy the image again from its origin";
    /// The manifest can be read in two ways.
    ManifestAmbiguous "manifest-ambiguous" CouldNot "the place is damaged or was tampered with; copy the image again from its origin";
    /// The manifest is of Docker's schema 1.
    ManifestSchema1 "manifest-schema1" CouldNot "convert the image: skopeo copy --format v2s2";
    /// The tar is cut short or damaged.
    ArchiveDamaged "archive-damaged" CouldNot "the archive is cut short or damaged; compare its size and checksum with the original; where mirror to disk failed (exit status 1), oc-mirror leaves part of one: run it again";
    /// The tar has an entry that no image tool writes.
    ArchiveUnsafe "archive-unsafe" CouldNot "no image tool writes such an entry; do not use this archive, and ask where it came from";
    /// The place holds no image that can be read.
    NothingReadable "nothing-readable" CouldNot "name the place that holds the images themselves; for a mirror-to-mirror workspace, name the registry";
    /// The list of images is malformed.
    ListMalformed "list-malformed" CouldNot "write one image a line, HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, or give an ImageSetConfiguration or mapping.txt of oc-mirror";
    /// A file that should name mirrors and sources is malformed.
    MappingMalformed "mapping-malformed" CouldNot "give what the cluster or oc-mirror has: oc get imagedigestmirrorset,imagetagmirrorset -o yaml, cluster-resources/, registries.conf, or mapping.txt";
    /// A file that should name mirrors and sources names none.
    MappingEmpty "mapping-empty" CouldNot "name the file or folder with the mirrors: oc-mirror's cluster-resources/, the cluster's mirror sets, registries.conf, or mapping.txt";
    /// No image here is at a mirror that the mapping names.
    MappingUnused "mapping-unused" CouldNot "compare the mirrors in it with the names of the images here; --map MIRROR=SOURCE maps one repository";

    // The network and registries.
    /// The host could not be reached.
    Unreachable "unreachable" CouldNot "check the name, the port and HTTPS_PROXY/NO_PROXY";
    /// The host did not answer in time.
    TimedOut "timed-out" CouldNot "try again later, or raise --retry-times";
    /// The TLS connection is refused.
    Tls "tls" CouldNot "put the CA of that host as ca.crt into a directory and name it with --cert-dir; a registry that speaks http is read with --plain-http";
    /// The host redirects to a place that is not safe.
    RedirectRefused "redirect-refused" CouldNot "the registry sends its clients to a place that is not safe; ask who runs it";
    /// The host limits the rate of requests.
    RateLimited "rate-limited" CouldNot "wait, log in, or lower --jobs";
    /// The host is temporarily unavailable.
    Unavailable "unavailable" CouldNot "try again later, or raise --retry-times";
    /// The answer is longer than keypack reads.
    AnswerTooLong "answer-too-long" CouldNot "what answers there does not behave like a registry; check the address and any proxy in between";
    /// A certificate or key file for TLS can't be used.
    CertificateFile "certificate-file" CouldNot "check the path; the directory holds ca.crt, and client.cert with client.key where needed";
    /// The settings of the network can't be used.
    NetworkSettings "network-settings" CouldNot "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY";
    /// The file with credentials can't be read.
    AuthFile "auth-file" CouldNot "check the credentials file; podman login writes a valid one";
    /// The credential helper failed.
    CredentialHelper "credential-helper" CouldNot "run the helper by hand, or log in with podman login, or give --creds";
    /// No registry can have an image of this name.
    ReferenceInvalid "reference-invalid" CouldNot "write docker://HOST/REPOSITORY:TAG, in lower case";
    /// The registry asks for credentials, or rejects the ones given.
    Unauthorized "unauthorized" CouldNot "log in with podman login or skopeo login, or give --creds or --authfile";
    /// The credentials are valid but do not allow this.
    Denied "denied" CouldNot "use credentials that may do this, or another repository";
    /// The registry wants its credentials sent elsewhere.
    RealmRefused "realm-refused" CouldNot "ask who runs the registry why it sends its clients there for a token";
    /// The registry wants an upload to go elsewhere.
    LocationRefused "location-refused" CouldNot "behind a proxy that ends TLS, set X-Forwarded-Proto and Host there so that the registry knows its own name; if that host is yours, --allow-realm HOST permits it";
    /// The registry continues a list elsewhere.
    LinkRefused "link-refused" CouldNot "behind a proxy that ends TLS, set X-Forwarded-Proto and Host there so that the registry knows its own name; if that host is yours, --allow-realm HOST permits it";
    /// The registry does not end a list.
    ListEndless "list-endless" CouldNot "what answers there does not behave like a registry; check the address and any proxy in between";
    /// The registry does not list its repositories.
    CatalogRefused "catalog-refused" CouldNot "give the images instead: --images FILE, one reference a line, or a source such as oc-mirror:DIR";
    /// The registry says that it wrote a manifest, and the tag does not name it.
    ManifestNotStored "manifest-not-stored" CouldNot "push again; if it happens again, what answers there does not behave like a registry, or another push writes the same tag";
    /// The registry reports a digest that the content does not have.
    DigestHeaderMismatch "digest-header-mismatch" CouldNot "what answers there does not behave like a registry; check the address and any proxy in between";
    /// Something other than a registry answers.
    NotARegistry "not-a-registry" CouldNot "check the address; a login page or a proxy may answer in the registry's place";
    /// The registry answers with an error.
    RegistryAnswer "registry-answer" CouldNot "what answers there does not behave like a registry; check the address and any proxy in between";

    // Signatures.
    /// The JSON of the signature has one key twice.
    DuplicateJsonKey "duplicate-json-key" Incomplete "no honest signer writes this; treat the image as unsigned";
    /// The signature is malformed.
    SignatureMalformed "signature-malformed" Incomplete "copy the signature again; if it is still malformed, treat the image as unsigned";
    /// The signature is of a form that keypack does not read.
    SignatureUnsupported "signature-unsupported" Incomplete "the signature was made in a form that keypack does not read";
    /// The signature or its key is expired, or the key is not meant for signing.
    SignatureLapsed "signature-lapsed" Incomplete "the owner's current copy of the key may expire later; otherwise ask the publisher to sign again: GnuPG and podman refuse this signature too";
    /// The owner of the key that signed revoked it.
    SigningKeyRevoked "signing-key-revoked" Incomplete "ask the publisher for a signature by a valid key, and remove this key wherever it is trusted";
    /// The signature relies on a hash that can be forged.
    SignatureWeak "signature-weak" Incomplete "ask the publisher for a signature with SHA-256 by a strong key; do not accept this one";
    /// The signature is for another image.
    SignedForOtherImage "signed-for-other-image" Incomplete "the signature was moved to an image that it was not made for; do not trust it";
    /// A key that the signature needs is missing.
    NoKey "no-key" Incomplete "give a signer's key with --key FILE, any other with --key ROLE=FILE, or the trusted root with --trusted-root FILE";
    /// A needed key is missing.
    KeyMissing "key-missing" Incomplete "give a signer's key with --key FILE, any other with --key ROLE=FILE, or the trusted root with --trusted-root FILE";
    /// The signature does not verify with the key.
    SignatureDoesNotMatch "signature-does-not-match" Incomplete "confirm the key with its publisher; if the key is right, the signature is wrong";
    /// The signing certificate is refused.
    CertificateRefused "certificate-refused" Incomplete "check that the trusted root belongs to the infrastructure that made this signature";
    /// The certificate's CT timestamp is refused.
    CtTimestampRefused "ct-timestamp-refused" Incomplete "check that the trusted root belongs to the infrastructure that made this signature";
    /// The certificate has no CT timestamp, although its CA has CT logs.
    CtTimestampMissing "ct-timestamp-missing" Incomplete "ask the signer why this certificate is in no CT log; another signature may prove the CA";
    /// The log entry is refused.
    LogEntryRefused "log-entry-refused" Incomplete "check that the trusted root belongs to the infrastructure that made this signature";
    /// The RFC 3161 timestamp is refused.
    TimestampRefused "timestamp-refused" Incomplete "check that the trusted root belongs to the infrastructure that made this signature";
    /// The verifier does not support this form of signature.
    UnsupportedByVerifier "unsupported-by-verifier" Incomplete "the verifier in keypack does not support this form, but cosign may: verify it with `cosign verify`";
    /// The certificate chain is refused.
    ChainRefused "chain-refused" Incomplete "get the certificate chain again from its publisher";
    /// More keys would have to be tried on the signatures of one image than keypack does.
    VerificationBudget "verification-budget" Incomplete "no publisher makes so many signatures of one image that name no key: give fewer keys with --key, or ask where the signatures come from";
    /// The signature holds nothing that could be checked.
    NoEvidence "no-evidence" Incomplete "the signature can't be used to prove a key; sign the image again";

    // Keys and where they come from.
    /// The directory holds no keys.
    KeysNotFound "keys-not-found" CouldNot "name the directory that `keypack collect` or `keypack pull` wrote";
    /// The key file is not there.
    KeyFileNotFound "key-file-not-found" CouldNot "check the path: a file with keys, or with a policy.json, is expected there";
    /// An address was given where a key file is expected.
    KeyFileIsAddress "key-file-is-address" CouldNot "download it, compare its fingerprint with its publisher, and give the file; for a key in a KMS or a cluster: cosign public-key --key ADDRESS > FILE";
    /// The key file is malformed.
    KeyMalformed "key-malformed" Refused "get the key again from its publisher and look at the file: it must hold PEM or DER";
    /// The key is of a kind that keypack does not verify with.
    KeyUnsupported "key-unsupported" Refused "keypack verifies with ECDSA P-256 and P-384, Ed25519, and RSA of 2048 to 8192 bits, but never with a key that lets anyone sign";
    /// The key can't be used.
    KeyUnusable "key-unusable" Refused "keypack verifies with ECDSA P-256 and P-384, Ed25519, and RSA of 2048 to 8192 bits, but never with a key that lets anyone sign";
    /// The key was given for another role than it can have or is needed in.
    KeyRole "key-role" Refused "say what the key is for: --key FILE takes a signer's key, --key ROLE=FILE any other (rekor, rekor2, ctlog, fulcio, tsa, pki, gpg)";
    /// The key was found in content and is a claim.
    KeyClaim "key-claim" Refused "confirm the fingerprint with its publisher out of band, then give the key with --key ROLE=FILE";
    /// The address gives no log key.
    RekorAnswer "rekor-answer" CouldNot "check the address: `/api/v1/log/publicKey` follows it; or give the log's key with --rekor FILE";
    /// The entry names its key by another key's id.
    KeyIdMismatch "key-id-mismatch" Refused "the trusted root names a key by another key's id; get it again from its publisher";
    /// Two sources have different content for one key.
    KeyConflict "key-conflict" Refused "two sources differ on one key; find out which one was changed before you continue";
    /// The file holds a private key.
    PrivateKey "private-key" Refused "give the public key (cosign public-key --key FILE), and keep the private key away from here";
    /// The trusted root is malformed.
    TrustedRootMalformed "trusted-root-malformed" Refused "give a sigstore trusted_root.json; give single keys with --key";
    /// The trusted root has PEM text where a key must be, as RHTAS up to 1.3.2 writes it.
    TrustedRootRhtas "trusted-root-rhtas" Refused "update RHTAS to 1.4 and migrate its trusted root; until then the single targets (rekor.pub, …) are used where the repository lists them";
    /// A log in a trusted root has no start of its validity.
    LogWindowMissing "log-window-missing" Refused "keypack uses it and writes the start of 1970 into its own trusted_root.json; sigstore-go, and therefore cosign, refuses the file that was given: ask its publisher to add the start";
    /// The policy.json is malformed.
    PolicyMalformed "policy-malformed" Refused "give a policy.json as containers-policy.json(5) describes it";
    /// The key differs from the one that the same place held before.
    KeyChanged "key-changed" Incomplete "ask the key's owner, out of band, whether it was changed; if so, give --accept-change with its fingerprint";

    // Packs.
    /// This is not a pack.
    NotAPack "not-a-pack" Refused "check the tag; `keypack push` writes packs";
    /// The pack is wrapped in a list.
    PackIsIndex "pack-is-index" Refused "push the pack again: a list was wrapped around it in transit";
    /// The pack's manifest names addresses to fetch content from.
    PackHasUrls "pack-has-urls" Refused "do not use this pack; keypack never writes such a manifest";
    /// The pack lost its layer.
    PackEmpty "pack-empty" Refused "push the pack again, as an image (the default), which survives every tool";
    /// The pack holds no key.
    PackWithoutKeys "pack-without-keys" Refused "do not use this pack; keypack never makes one without keys. Ask its maker what happened to them";
    /// The layer of the pack is malformed.
    PackLayerMalformed "pack-layer-malformed" Refused "do not use this pack; keypack never writes such a layer. Get the pack again from its maker";
    /// The layer of the pack has an entry that is not a regular file.
    PackEntryRefused "pack-entry-refused" Refused "do not use this pack; keypack never writes such a layer. Get the pack again from its maker";
    /// A file of the pack has a name that is not safe.
    NameUnsafe "name-unsafe" Refused "do not use this pack; keypack never writes such a layer. Get the pack again from its maker";
    /// The pack has two files of one name.
    FileDuplicate "file-duplicate" Refused "do not use this pack; keypack never writes such a layer. Get the pack again from its maker";
    /// The parts of the pack contradict each other.
    PackInconsistent "pack-inconsistent" Refused "the pack was changed after it was made; get it again from its maker";
    /// The tag names something that is not a pack.
    TagTaken "tag-taken" CouldNot "give the pack a tag of its own, such as keys-2026-11";
    /// There is no pack, or there are several and none is named.
    PackNotFound "pack-not-found" CouldNot "name the pack's tag (oci:DIR:TAG, oci-archive:FILE:TAG), or select one by its digest: pull --digest";
    /// The inventory is malformed.
    InventoryMalformed "inventory-malformed" Refused "the inventory was changed or is not one; get the pack again from its maker";
    /// The inventory is of a newer version.
    InventoryVersionUnknown "inventory-version-unknown" Refused "a newer keypack made this pack; update keypack here";
    /// The inventory is of a form from before the first release.
    InventorySuperseded "inventory-superseded" Refused "on the collecting side, move the directory away and collect again; in the enclave, pull a pack that a released keypack made into a new directory";
    /// The pack has a file that the inventory does not explain.
    FileUnaccounted "file-unaccounted" Refused "do not use this pack: its maker's keypack never writes such a file, and programs would trust what is in it. Get the pack again from its maker";
    /// The pack's trusted root holds other keys than the inventory.
    TrustedRootMismatch "trusted-root-mismatch" Refused "do not use this pack: its maker's keypack never writes such a file, and programs would trust what is in it. Get the pack again from its maker";
    /// A file of the inventory is missing.
    FileMissing "file-missing" Refused "the files were changed after keypack wrote them; restore them, or collect or pull into a new directory";
    /// A file is not in the inventory.
    FileNotInInventory "file-not-in-inventory" Refused "keypack did not write this file: find out who put it there and move it elsewhere, or collect or pull into a new directory";
    /// A file has other content than the inventory says.
    FileMismatch "file-mismatch" Refused "the files were changed after keypack wrote them; restore them, or collect or pull into a new directory";
    /// A file holds another key than the inventory says.
    KeyMismatch "key-mismatch" Refused "the files were changed after keypack wrote them; restore them, or collect or pull into a new directory";
    /// The pack belongs to another lineage.
    LineageMismatch "lineage-mismatch" Refused "give --name with the lineage you expect, or another directory";
    /// A rule names a key that is not in the pack.
    RuleUnmet "rule-unmet" Incomplete "collect that key too (--include all takes every key of the sources), or change the rule: --accept-rules FILE, rules: of the setting";

    // Verifying images.
    /// A signature is required, and the image has none that counts.
    SignatureMissing "signature-missing" Incomplete "copy the image with its signatures again (skopeo copy --all with use-sigstore-attachments, oc-mirror with --remove-signatures=false, cosign copy); if they were there before, find out who removed them";
    /// A GPG signature is required, and the lookaside has none for the image.
    GpgSignatureMissing "gpg-signature-missing" Incomplete "serve the source's signature files at the lookaside address of registries.d, as REPOSITORY@sha256=<hex>/signature-1 and so on; images are copied without them";
    /// The signature is valid, but not by an expected signer.
    SignerUnexpected "signer-unexpected" Incomplete "if this signer is right, name it in a rule (collect --accept-rules) or with --certificate-identity and --certificate-oidc-issuer; if not, do not run the image";
    /// The signature is valid, but nothing says who should have signed.
    SignerWithoutRule "signer-without-rule" Incomplete "say who should sign: a rule of the pack (collect --accept-rules), or --certificate-identity and --certificate-oidc-issuer";
    /// The signed name is not the image's name.
    NameDiffers "name-differs" Incomplete "compare both names: the same content may be in several registries; --idms FILE and --map MIRROR=SOURCE say where a mirrored repository comes from";
    /// A log entry is required, and the signature has none.
    NotLogged "not-logged" Incomplete "leave out --require-log, or change the rule, if signatures of this signer are not logged; otherwise ask the signer for the entry";
    /// The image is named here, but its content is elsewhere.
    ImageElsewhere "image-elsewhere" Incomplete "also give the place that holds it: oc-mirror's cache with --cache-dir DIR, or the earlier archives as further sources";
    /// These keys were collected on this host and have not been authenticated.
    KeysCollectedHere "keys-collected-here" Refused "give the pack digest as the anchor: --digest sha256:…";
    /// Nothing authenticates these keys.
    KeysNotAuthenticated "keys-not-authenticated" Refused "pull the pack with an anchor (keypack pull … --digest or --verify-key), or give the anchor here: --digest, --verify-key, --pin or --tuf-root";

    // What authenticates a pack, and when.
    /// Nothing was given to authenticate the pack with.
    NoAnchor "no-anchor" Refused "give --digest sha256:… with the pack digest that reached you out of band (paper, signed mail), or --verify-key FILE with your organisation's public key";
    /// The pack does not have the digest that was given.
    AnchorDigestMismatch "anchor-digest-mismatch" Refused "compare the digest with what the pack's maker wrote down (the pack digest; a manifest digest changes when a tool repackages); if it is right, this pack is not the one that was sent";
    /// The pack is not signed.
    PackUnsigned "pack-unsigned" Refused "sign keypack.json before the push: cosign sign-blob --key K --bundle keys/keypack.json.sigstore.json keys/keypack.json; or give --digest";
    /// The pack's signature does not verify with the key that was given.
    PackSignatureRefused "pack-signature-refused" Refused "ask the pack's maker, out of band, which key signed it; never take the key from the pack";
    /// Fewer of the given keys signed the pack than the threshold requires.
    ThresholdNotMet "threshold-not-met" Refused "have the holder of another given key sign the same keypack.json into a file of its own (keypack.json.NAME.sig or keypack.json.NAME.sigstore.json), and push it again";
    /// The signature is for another inventory.
    SignatureStale "signature-stale" Refused "the inventory changed after it was signed: sign it again, or remove the signature file";
    /// The signature file is not a bundle that keypack reads.
    SignatureFile "signature-file" Refused "sign with `cosign sign-blob --bundle` of cosign 3, or of cosign 2 with --new-bundle-format; or remove the file";
    /// The verifying key can't be used.
    VerifyKeyUnusable "verify-key-unusable" Refused "give one PEM public key, as `cosign public-key` prints it, in a file of its own";
    /// The verifying key came with the pack.
    VerifyKeyFromPack "verify-key-from-pack" Refused "a key, root or setting that came with the pack proves nothing: get it from a source you trust, and keep it in a place that does not travel, such as /etc/keypack";
    /// The pack has a key that is not pinned.
    KeyNotPinned "key-not-pinned" Refused "pins are the exact set: if the key is right, pin it too; if no one can say what it is, do not use the pack";
    /// The pin does not cover everything that must match.
    PinIncomplete "pin-incomplete" Refused "give the whole pin, as `keypack inspect` prints it on the connected side: copying it from this message proves nothing unless you compare it with that one";
    /// A pinned key is not in the pack.
    PinNotMet "pin-not-met" Refused "a key that you expect was left out of the pack; ask its maker why";
    /// The pack has a key that was revoked.
    KeyRevoked "key-revoked" Refused "a revocation is permanent: get a pack without this key";
    /// The key was revoked on this host.
    RevokedHere "revoked-here" Refused "`keypack state show` says when and why; have the images signed again with another key, or stop using them";
    /// The key is not revoked on this host, or no key here has this fingerprint.
    NotRevokedHere "not-revoked-here" CouldNot "`keypack state show` lists what is revoked here, `keypack inspect` the keys with their fingerprints";
    /// The revocation holds, and not all of it could be done.
    RevocationIncomplete "revocation-incomplete" Incomplete "do what is missing by hand, or run it again; the revocation itself holds";
    /// The pack is expired.
    PackExpired "pack-expired" Refused "check this host's clock first; if it is right, get a newer pack";
    /// The expiry date of the pack being replaced has passed.
    ExpiresPassed "expires-passed" CouldNot "say when the new pack expires: --expires with a date, with a span such as \"180 days\", or with `never`";
    /// The pack has no expiry date, or a later one than allowed.
    ExpiresTooLate "expires-too-late" Refused "ask the pack's maker for one that expires earlier: collect --expires SPAN, no longer than --max-expires (maxExpires) here";
    /// Something in the pack has expired, or expires soon.
    PackStale "pack-stale" Incomplete "`keypack inspect --ages` lists every expiry date; ask the pack's maker for a newer pack before the first";
    /// The pack is older than allowed.
    PackTooOld "pack-too-old" Refused "get a newer pack; if there is none, --allow-stale-unsafe --reason TEXT accepts this one";
    /// This host's clock is behind.
    ClockBehind "clock-behind" Refused "set this host's clock; with a slow clock, expired packs would be accepted too";
    /// The version or the date of the pack is ahead of this host's clock.
    VersionFromTheFuture "version-from-the-future" Refused "set this host's clock if it is wrong; if the pack's version is wrong, no later pack could replace it: ask its maker for a correct one. --accept-future-unsafe --reason TEXT accepts this one and is logged";
    /// The pack is older than one that this host has authenticated.
    Rollback "rollback" Refused "get the newest pack; if you do want the older one, --allow-rollback-unsafe --reason TEXT accepts it and is logged";
    /// This host has authenticated a different pack of the same version.
    Equivocation "equivocation" Refused "two different packs have the same version: ask the maker which is right before you use either; then --allow-rollback-unsafe --reason TEXT accepts this one";
    /// The pack is older than the required version.
    BelowMinVersion "below-min-version" Refused "get the pack whose version was written down, or check what was written down";
    /// This host has no record of this lineage, and one is required.
    NoState "no-state" Refused "name the state with --state DIR; on a new host, pull once with --min-version and without --require-state";

    // What this host remembers, and where keys are written.
    /// No directory for the state is known.
    NoStateDirectory "no-state-directory" CouldNot "name a directory with --state DIR, or set HOME";
    /// The state holds no such lineage.
    LineageUnknown "lineage-unknown" CouldNot "`keypack state show` lists the lineages; name another state with --state DIR";
    /// The state is malformed.
    StateMalformed "state-malformed" CouldNot "restore it from a backup; if you move it away, this host can no longer detect an older pack: then give --min-version with the version that is installed";
    /// The state was written by a newer keypack.
    StateSchemaUnknown "state-schema-unknown" CouldNot "use the newer keypack that wrote it";
    /// Others can change the state.
    StateExposed "state-exposed" CouldNot "it must belong to the user who runs keypack or to root, as a plain file that no one else can write; look at it, then chown and chmod go-w, or name another directory with --state";
    /// Another keypack uses the state.
    StateBusy "state-busy" CouldNot "wait until the other keypack is done, then run this again";
    /// The file system of the state has no locks.
    StateWithoutLocks "state-without-locks" CouldNot "name a directory on a local disk with --state: without locks, two runs at once could make this host forget a version, and an older pack could come back";
    /// The state can't be read.
    StateReadFailed "state-read-failed" CouldNot "check who may read it, or name another directory with --state";
    /// The state can't be written.
    StateWriteFailed "state-write-failed" CouldNot "check who may write there and that the disk is not full, or name another directory with --state";
    /// The target can't be a directory of keys.
    TargetUnusable "target-unusable" CouldNot "name a separate directory, such as keys/";
    /// The parent of the target is missing.
    ParentMissing "parent-missing" CouldNot "create the parent directory first, or correct the path; keypack creates only the last directory";
    /// The target is a symbolic link.
    TargetIsSymlink "target-is-symlink" CouldNot "name the directory that the link leads to, or remove the link";
    /// The target is not a directory.
    TargetNotADirectory "target-not-a-directory" CouldNot "name another directory, or move that file away";
    /// The target is a mount point.
    TargetIsMountPoint "target-is-mount-point" CouldNot "name a directory below it, such as MOUNT/keys";
    /// The target holds files that keypack did not write.
    TargetHasForeignFiles "target-has-foreign-files" CouldNot "name an empty directory or one that keypack wrote, or move those files out of it";
    /// The directory of keys holds files that are not of a pack.
    KeysWithForeignFiles "keys-with-foreign-files" CouldNot "name the directory that `keypack collect` or `keypack pull` wrote, and move other files out of it";
    /// The target belongs to another user.
    TargetOfAnotherUser "target-of-another-user" CouldNot "run keypack as that user, or name a directory of your own; a directory that you take over has to be removed first";
    /// The target can't be written.
    TargetNotWritable "target-not-writable" CouldNot "check who owns the directory and its parent, and whether the file system is mounted read-only";
    /// Another keypack writes there.
    TargetBusy "target-busy" CouldNot "wait until the other keypack is done, then run this again";
    /// The target was changed while keypack wrote.
    TargetChanged "target-changed" CouldNot "make sure that nothing else writes there, then run this again";
    /// An unfinished change could not be undone.
    NotUndone "not-undone" CouldNot "look at both directories, and keep the one you want";
    /// The file system can't exchange two directories atomically.
    ExchangeUnsupported "exchange-unsupported" CouldNot "write to a local Linux file system (ext4, XFS, btrfs) and copy the directory from there; network file systems allow creating the directory, but not replacing it";
    /// The file system does not keep permissions.
    ModesNotKept "modes-not-kept" CouldNot "use a Linux file system for the keys; to carry them on FAT or exFAT, push them into an oci-archive there";

    // TUF repositories, and the chains that are kept of them.
    /// The place is not a TUF repository.
    TufNotFound "tuf-not-found" CouldNot "give the address under which timestamp.json is served (RHTAS: oc get tuf -o jsonpath='{.items[0].status.url}'), or a directory with a copy of it";
    /// The server answers with neither a file nor "not found".
    TufAnswer "tuf-answer" CouldNot "check the address in a browser; try again later";
    /// No root is known for the repository.
    TufRootUnknown "tuf-root-unknown" Refused "give the root that you trust with --tuf-root FILE (RHTAS: its root.json, with its sha256 confirmed by its operator out of band), or for a copy of sigstore's public repository --tuf-root builtin";
    /// The file is not a TUF root.
    TufRootMalformed "tuf-root-malformed" Refused "give a root.json from the repository's operator, as `cosign initialize --root` takes it; `builtin` is sigstore's own";
    /// The metadata have too few good signatures.
    TufSignatures "tuf-signatures" Refused "confirm the root with the repository's operator out of band: either the root belongs to another repository, or roots in between are missing, or what was served is forged";
    /// A root does not have the version that must come next.
    TufRootVersion "tuf-root-version" Refused "confirm the root with the repository's operator out of band: either the root belongs to another repository, or roots in between are missing, or what was served is forged";
    /// A role trusts a key that lets anyone sign.
    TufKeyWeak "tuf-key-weak" Refused "don't use this repository: tell its operator that anyone could sign for this role";
    /// A role lists one key under two ids.
    TufKeyTwice "tuf-key-twice" Refused "ask the repository's operator to correct it: fewer people than the root says are enough to sign. Do not use it until then";
    /// The metadata are expired.
    TufExpired "tuf-expired" Refused "check this host's clock; if it is right, the repository is not maintained (RHTAS signs for 52 weeks), or someone withholds newer metadata: ask its operator";
    /// The files of the repository do not fit together.
    TufMismatch "tuf-mismatch" Refused "it may be in the middle of an update: try again; if it is a copy, copy the whole repository again";
    /// A file of the repository is missing.
    TufFileMissing "tuf-file-missing" Refused "it may be in the middle of an update: try again; if it is a copy, copy the whole repository again";
    /// The metadata are malformed.
    TufMalformed "tuf-malformed" Refused "check what is served there: a login page, or metadata older than sigstore's root 5";
    /// The repository is larger than real ones are.
    TufTooLarge "tuf-too-large" Refused "no operator publishes this; find out what is served there";
    /// The repository names a file by a path that is not safe.
    TufNameUnsafe "tuf-name-unsafe" Refused "no operator publishes this; find out what is served there";
    /// The repository names a file by a name that no plain tar holds.
    TufNameLong "tuf-name-long" Refused "targets that are listed by SHA-512 alone have such names: ask the operator to list SHA-256 too, or give the keys with --trusted-root";
    /// The repository holds no key.
    TufNoKeys "tuf-no-keys" Refused "check that it is a repository of sigstore: its targets are trusted_root.json, or rekor.pub and the like";
    /// The metadata are older than those that this host has seen.
    TufRollback "tuf-rollback" Refused "someone offers an older state of the repository: get a newer pack or reach the repository by another route; if its operator set it up again from scratch, pull takes --allow-rollback-unsafe --reason TEXT";
    /// The pack has no TUF chain.
    TufChainMissing "tuf-chain-missing" Refused "ask the pack's maker to collect with --tuf, or authenticate it another way (--digest)";
    /// The file with the TUF chain is not one that keypack writes.
    TufTarRefused "tuf-tar-refused" Refused "keypack writes no such file; do not use this pack";
    /// A key is not in the TUF repository.
    KeyNotInTuf "key-not-in-tuf" Refused "if the key is right, pin it in addition to --tuf-root (--pin, as `keypack inspect` prints it); collect --prune removes a key retained from an earlier collection";
    /// A key differs from what the TUF repository says.
    KeyDiffersFromTuf "key-differs-from-tuf" Refused "someone changed what the repository says about this key: do not use this pack; if you made it, collect again";
}
