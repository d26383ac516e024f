//! All upper limits, each with its reason.
//!
//! A limit protects memory and time against content from outside. Real content is far below all of these numbers; an
//! error for a limit includes its name and value.

/// The longest file that `verify-blob` takes into memory, for a signature that its digest is not enough for.
pub const ARTIFACT: u64 = 1 << 30;

/// The longest file of which `verify-blob` takes the digest: a TiB is read in an hour.
pub const ARTIFACT_STREAM: u64 = 1 << 40;

/// A manifest or an index. Registries refuse larger ones (distribution, ECR, skopeo and oras all stop at 4 MiB).
pub const MANIFEST: u64 = 4 << 20;

/// The index.json of a layout, which is read as a stream: the limit corresponds to about 250,000 signed images at 520
/// bytes each.
pub const INDEX_JSON: u64 = 128 << 20;

/// A signature payload, a sigstore bundle or one annotation: a bundle with certificate, proof and timestamps has about
/// 10 KiB; an in-toto statement with a large build provenance may reach a few MiB.
pub const SIGNATURE: u64 = 8 << 20;

/// A policy.json: one with a hundred scopes and keys of their own has 200 KiB.
pub const POLICY: u64 = 4 << 20;

/// A signature that containers/image reads, its own bound (`internal/iolimits`, `MaxSignatureBodySize`).
pub const CONSUMER_SIGNATURE: u64 = 4 << 20;

/// Signatures of one image in a lookaside, containers/image's own bound (`maxLookasideSignatures`).
pub const LOOKASIDE_SIGNATURES: usize = 128;

/// A signature above this size counts as large. Usual ones have 1 to 10 KiB; attestations may be larger.
pub const LARGE_SIGNATURE: u64 = 64 << 10;

/// The total size of large signatures that one run keeps in memory.
pub const LARGE_SIGNATURES: u64 = 128 << 20;

/// The content of signatures that is cached in case another manifest refers to it too.
pub const SIGNATURE_CACHE: u64 = 10 << 20;

/// The total size of all other signatures: eighty thousand of the usual 6 KiB.
pub const SMALL_SIGNATURES: u64 = 512 << 20;

/// A certificate or a timestamp in a signature: sigstore's have 1 to 6 KiB.
pub const EVIDENCE: usize = 64 << 10;

/// A name in a signature: a reference with host, repository, tag and digest has fewer than 800 bytes.
pub const SIGNED_NAME: usize = 4096;

/// Subjects of one in-toto statement, enough for a release with thousands of files.
pub const SUBJECTS: usize = 16_384;

/// The length to which an error message that may contain outside content is truncated.
pub const ERROR_TEXT: usize = 1000;

/// A signature file of a pack's inventory: a bundle with certificate, proof and timestamps has 10 KiB.
pub const SIGNATURE_FILE: u64 = 64 << 10;

/// Signature files of one pack: one per signer, and two while a key is being replaced.
pub const SIGNATURE_FILES: usize = 64;

/// An image config, read only for its labels.
pub const CONFIG: u64 = 4 << 20;

/// A key file, a certificate chain or a `trusted_root.json` given by the user (the public-good one has 7 KiB).
pub const KEY_FILE: u64 = 4 << 20;

/// One file of a pack. The largest real one is a TUF chain, well under 1 MiB.
pub const PACK_FILE: u64 = 8 << 20;

/// The files of a TUF repository that are stored in a pack: the public-good ones are 16 roots, three other metadata
/// files and a trusted root, 100 KiB in total.
pub const TUF_CHAIN: u64 = 4 << 20;

/// One root: the limit of python-tuf. The public-good root has 6 KiB.
pub const TUF_ROOT: u64 = 512_000;

/// The number of these files.
pub const TUF_FILES: usize = 400;

/// Roots from the given one to the latest: the public-good instance published 16 in five years.
pub const TUF_ROOTS: usize = 256;

/// Targets that are single keys: the public-good repository lists seven.
pub const TUF_KEYS: usize = 64;

/// The total size of a pack's files, which unpacking may hold in memory, some of it three times, and write to disk. The
/// largest real pack has about 1 MiB.
pub const PACK_TOTAL: u64 = 16 << 20;

/// A pack as an oci-archive: its files, the manifest, and tar headers.
pub const PACK_ARCHIVE: u64 = 20 << 20;

/// Packs examined in one archive set and its working-dir: old segments that were not removed contain old ones.
pub const CARRIED_PACKS: usize = 64;

/// Files in a pack. With one key per file, no person could review a thousand keys.
pub const PACK_FILES: usize = 1000;

/// Layers of the artifact form: ECR accepts 127 layers an image (facts measured with twelve tools).
pub const ARTIFACT_LAYERS: usize = 100;

/// The window of a zstd frame, which is held in memory: `zstd` uses 8 MiB at most by default and 128 MiB on request,
/// Go's encoder up to 32 MiB. RFC 8878 §3.1.1.1.2 recommends 8 MiB.
pub const ZSTD_WINDOW: u64 = 32 << 20;

/// zstd frames of a pack's layer: zstd:chunked makes one per file, and a few more.
pub const ZSTD_FRAMES: usize = 10 * PACK_FILES;

/// The nesting depth of indexes. Two levels occur in practice.
pub const INDEX_DEPTH: usize = 8;

/// Manifests that one walk may visit from one tag: an index of all platforms has about a dozen.
pub const INDEX_CHILDREN: usize = 4096;

/// Signatures read for one image. CVE-2023-46737 made cosign process an endless list.
pub const SIGNATURES_PER_IMAGE: usize = 512;

/// Unreadable entries of one list that are reported; one is enough to show that the list is incomplete.
pub const UNREADABLE_ENTRIES: usize = 16;

/// Trials for one image, each of one key on one signature: half a second on one core. There is usually one per
/// signature; there are more if signatures do not name their key and many keys are available.
pub const TRIALS: usize = 4096;

/// A `docker/registry/v2` link file is exactly 71 bytes; a little more tolerates a newline.
pub const LINK: u64 = 256;

/// A PAX or GNU long-name record in a tar: paths are at most a few KiB.
pub const TAR_EXTENSION: u64 = 64 << 10;

/// Entries of one set of tar segments: each takes about 150 bytes of memory. A mirror of a whole OpenShift catalog has
/// a few hundred thousand.
pub const TAR_ENTRIES: usize = 4_000_000;

/// A name in a tar: longer ones can't exist on Linux.
pub const TAR_NAME: usize = 4096;

/// The nesting depth of repositories and of the folders of a `skopeo sync` tree: the name of a repository has at most
/// 255 bytes, so at most 127 parts; real ones have fewer than ten.
pub const TREE_DEPTH: usize = 128;

/// A file name in keys/: most file systems allow 255 bytes.
pub const NAME: usize = 200;

/// A host's state for one lineage: two hundred packs and acceptances, and thousands of revoked keys.
pub const STATE: u64 = 4 << 20;

/// A line of the state's log: those written by keypack are shorter, even with all characters escaped.
pub const STATE_LOG_LINE: u64 = 256 << 10;

/// An auth file: one with a thousand registries has some 100 KiB.
pub const AUTH_FILE: u64 = 4 << 20;

/// The output of a credential program; tokens of cloud providers reach a few KiB.
pub const CREDENTIAL: u64 = 256 << 10;

/// The response of a token service.
pub const TOKEN: u64 = 1 << 20;

/// The part of a registry's error response that is read; one line of it is shown.
pub const ERROR_ANSWER: u64 = 64 << 10;

/// A file with mirror configuration: the mapping.txt of a hundred thousand images has 20 MB.
pub const MAPPING: u64 = 32 << 20;

/// Such files in one directory: oc-mirror writes two, a cluster has a few dozen.
pub const MAPPING_FILES: usize = 1000;

/// One page of names. distribution 2.8 returns all tags of a repository at once: about 400,000 of them fit.
pub const NAMES_PAGE: u64 = 32 << 20;

/// The total size of one registry's lists: a mirror with a million tags of 70 bytes uses a quarter of it.
pub const NAMES: u64 = 256 << 20;

/// Names on one page, which are kept in memory: see [`NAMES_PAGE`].
pub const NAMES_A_PAGE: usize = 400_000;

/// Pages of one list. With 1000 names per page, as requested, two million names; with 50, the maximum of some
/// registries, a hundred thousand.
pub const PAGES: usize = 2000;

/// The total size of manifests cached from listing a repository until they are opened: 20,000 of the usual 6 KiB. Any
/// more are requested again.
pub const MANIFEST_CACHE: usize = 128 << 20;

/// The referrers of one image in a repository: as many as the entries of an index.
pub const REFERRERS: usize = INDEX_CHILDREN;

/// A report of `verify`, which the next one is compared with: that of a hundred thousand images has 60 MB.
pub const REPORT: u64 = 256 << 20;

/// The program itself, whose digest is printed on the key sheet.
pub const PROGRAM: u64 = 1 << 30;

/// `keypack.yaml` or a file of rules: a configuration with a thousand rules has some 200 KiB.
pub const SETTING: u64 = 1 << 20;

/// The decompressed text in an OpenPGP signature: a simple-signing payload has some 300 bytes.
pub const OPENPGP_MESSAGE: u64 = 1 << 20;

/// Packets of an OpenPGP signature: a valid one has three.
pub const OPENPGP_MESSAGE_PACKETS: usize = 16;

/// Packets of a file of OpenPGP keys. A key with many third-party certifications may have some ten thousand.
pub const OPENPGP_PACKETS: usize = 50_000;

/// Self-signatures of one OpenPGP key that are verified: a twenty-year-old key with several names has a few dozen.
pub const OPENPGP_CHECKS: usize = 512;

/// Files in /etc/pki/sigstore that are read: RHEL 10 ships two.
pub const HOST_FILES: usize = 100;

/// What the layers of an image may unpack to where single files are read out of them: a release of OpenShift has
/// 600 MiB, of which the uppermost layer, with its manifests, has some 30.
pub const IMAGE_UNPACKED: u64 = 2 << 30;

/// Such a file: the list of a release's images has some 150 KiB.
pub const IMAGE_FILE: u64 = 4 << 20;

/// Files in a folder that an export wrote: each key of a pack may be one.
pub const EXPORT_FILES: usize = PACK_FILES + 100;

/// The bytes of one of them.
pub const EXPORT_FILE: u64 = 4 << 20;
