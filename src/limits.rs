//! Every upper bound, each with its reason.
//!
//! A bound protects memory and time against content that somebody else wrote. Real content stays far below
//! every one of these numbers; who meets a bound is told its name and value.

/// The longest file that `verify-blob` takes into memory, for a signature that its digest is not enough for.
pub const ARTIFACT: u64 = 1 << 30;

/// The longest file of which `verify-blob` takes the digest: a TiB is read in an hour.
pub const ARTIFACT_STREAM: u64 = 1 << 40;

/// A manifest or an index. Registries refuse larger ones (distribution, ECR, skopeo and oras all stop at 4 MiB).
pub const MANIFEST: u64 = 4 << 20;

/// The index.json of a layout, which is read as a stream: that of 250,000 signed images has about this size, at 520 bytes
/// an image.
pub const INDEX_JSON: u64 = 128 << 20;

/// A signature payload, a sigstore bundle or one annotation: a bundle with certificate, proof and timestamps has
/// about 10 KiB; an in-toto statement with a large build provenance may reach a few MiB.
pub const SIGNATURE: u64 = 8 << 20;

/// A signature that is larger than this is a large one. Usual ones have 1 to 10 KiB; attestations may be larger.
pub const LARGE_SIGNATURE: u64 = 64 << 10;

/// The large signatures that one run keeps in memory, together.
pub const LARGE_SIGNATURES: u64 = 128 << 20;

/// The content of signatures that is kept in case that another manifest names it too.
pub const SIGNATURE_CACHE: u64 = 10 << 20;

/// The others: eighty thousand of the usual 6 KiB.
pub const SMALL_SIGNATURES: u64 = 512 << 20;

/// A certificate or a timestamp in a signature: sigstore's have 1 to 6 KiB.
pub const EVIDENCE: usize = 64 << 10;

/// A name in a signature: a reference with host, repository, tag and digest has less than 800 bytes.
pub const SIGNED_NAME: usize = 4096;

/// Subjects of one in-toto statement. A release with a thousand files has as many.
pub const SUBJECTS: usize = 16_384;

/// What is kept of an error's text that may hold outside content.
pub const ERROR_TEXT: usize = 1000;

/// A signature of a pack's inventory that lies beside it: a bundle with certificate, proof and timestamps has 10 KiB.
pub const SIGNATURE_FILE: u64 = 64 << 10;

/// Signature files of one pack: one a signer, and two while a key is replaced.
pub const SIGNATURE_FILES: usize = 64;

/// An image config, read only for its labels.
pub const CONFIG: u64 = 4 << 20;

/// A key file, a certificate chain or a `trusted_root.json` that the user names (the public good's has 7 KiB).
pub const KEY_FILE: u64 = 4 << 20;

/// One file of a pack. The largest real one is a TUF chain, well under 1 MiB.
pub const PACK_FILE: u64 = 8 << 20;

/// The files of a TUF repository that a pack keeps: the public good's are 16 roots, three other metadata and a trusted
/// root, 100 KiB together.
pub const TUF_CHAIN: u64 = 4 << 20;

/// One root, as python-tuf bounds it; the public good's has 6 KiB.
pub const TUF_ROOT: u64 = 512_000;

/// How many files they may be.
pub const TUF_FILES: usize = 400;

/// Roots from the one that is given to the last: the public good made 16 in five years.
pub const TUF_ROOTS: usize = 256;

/// Targets that are single keys: the public good lists seven.
pub const TUF_KEYS: usize = 64;

/// All files of a pack together: what unpacking may hold in memory, some three times over, and write to disk. The
/// largest real pack has about 1 MiB.
pub const PACK_TOTAL: u64 = 16 << 20;

/// A pack as an oci-archive: its files, the manifest, and the headers of a tar.
pub const PACK_ARCHIVE: u64 = 20 << 20;

/// Packs that are looked at in one archive set and its working-dir: old segments that nobody removed hold old ones.
pub const CARRIED_PACKS: usize = 64;

/// Files in a pack. A pack with one key per file and a thousand keys is not a pack that a person can sign off.
pub const PACK_FILES: usize = 1000;

/// Layers of the artifact form: ECR accepts 127 layers an image (facts measured with twelve tools).
pub const ARTIFACT_LAYERS: usize = 100;

/// The window of a zstd frame, which is memory: `zstd` takes 8 MiB at most and 128 MiB if told to, Go's encoder up to
/// 32 MiB. RFC 8878 §3.1.1.1.2 asks for 8 MiB.
pub const ZSTD_WINDOW: u64 = 32 << 20;

/// zstd frames of a pack's layer: zstd:chunked makes one a file, and a few beside them.
pub const ZSTD_FRAMES: usize = 10 * PACK_FILES;

/// How deep an index may name an index. Two levels occur in practice.
pub const INDEX_DEPTH: usize = 8;

/// Manifests that one walk may visit from one tag: an index of all platforms has about a dozen.
pub const INDEX_CHILDREN: usize = 4096;

/// Signatures looked at for one image. CVE-2023-46737 made cosign walk an endless list.
pub const SIGNATURES_PER_IMAGE: usize = 512;

/// Entries of one list that are reported because they can't be read; one is enough to know that the list is not whole.
pub const UNREADABLE_ENTRIES: usize = 16;

/// Keys that are tried on the signatures of one image, one key on one signature each time: half a second on one core. Usual
/// is one for each signature; more come from signatures that do not name their key, where many keys are at hand.
pub const TRIALS: usize = 4096;

/// A `docker/registry/v2` link file is exactly 71 bytes; a little more tolerates a newline.
pub const LINK: u64 = 256;

/// A PAX or GNU long-name record in a tar: paths are at most a few KiB.
pub const TAR_EXTENSION: u64 = 64 << 10;

/// Entries of one set of tar segments: each takes about 150 bytes of memory. A mirror of a whole OpenShift catalog
/// has a few hundred thousand.
pub const TAR_ENTRIES: usize = 4_000_000;

/// A name in a tar: longer ones can't exist on Linux.
pub const TAR_NAME: usize = 4096;

/// How deep repositories or the folders of a `skopeo sync` tree may nest: the name of a repository has at most 255
/// bytes, so at most 127 parts; real ones have fewer than ten.
pub const TREE_DEPTH: usize = 128;

/// A file name in keys/: most file systems stop at 255 bytes.
pub const NAME: usize = 200;

/// What a host remembers of one lineage: two hundred packs and acceptances, and thousands of revoked keys.
pub const STATE: u64 = 4 << 20;

/// A line of the state's log: what keypack writes is shorter, however its texts are escaped.
pub const STATE_LOG_LINE: u64 = 256 << 10;

/// An auth file: one with a thousand registries has some 100 KiB.
pub const AUTH_FILE: u64 = 4 << 20;

/// The answer of a credential program; tokens of cloud providers reach a few KiB.
pub const CREDENTIAL: u64 = 256 << 10;

/// The answer of a token service.
pub const TOKEN: u64 = 1 << 20;

/// What is read of a registry's error answer, of which a line is shown.
pub const ERROR_ANSWER: u64 = 64 << 10;

/// A file that says where mirrors are: the mapping.txt of a hundred thousand images has 20 MB.
pub const MAPPING: u64 = 32 << 20;

/// Such files in one folder: oc-mirror writes two, a cluster has some dozens.
pub const MAPPING_FILES: usize = 1000;

/// One page of names. distribution 2.8 returns all tags of a repository at once: this is about 400,000 of them.
pub const NAMES_PAGE: u64 = 32 << 20;

/// The lists of one registry together: a mirror of a million tags of 70 bytes has a quarter of it.
pub const NAMES: u64 = 256 << 20;

/// Names of one page, which are kept in memory: see [`NAMES_PAGE`].
pub const NAMES_A_PAGE: usize = 400_000;

/// Pages of one list. With the 1000 names a page that we ask for, two million names; with the 50 that some
/// registries give at most, a hundred thousand.
pub const PAGES: usize = 2000;

/// All manifests kept from listing a repository until they are opened: 20,000 of the usual 6 KiB. Beyond that, they are
/// asked for again.
pub const MANIFEST_CACHE: usize = 128 << 20;

/// A repository's referrers to one image: as many as an index may have children.
pub const REFERRERS: usize = INDEX_CHILDREN;

/// The program itself, whose digest the key sheet prints.
pub const PROGRAM: u64 = 1 << 30;

/// `keypack.yaml` or a file of rules: a setting that names a thousand rules has some 200 KiB.
pub const SETTING: u64 = 1 << 20;

/// The text in an OpenPGP signature, unpacked: a simple-signing payload has some 300 bytes.
pub const OPENPGP_MESSAGE: u64 = 1 << 20;

/// Packets of an OpenPGP signature: a good one has three.
pub const OPENPGP_MESSAGE_PACKETS: usize = 16;

/// Packets of a file of OpenPGP keys. A key that strangers certified may carry some ten thousand.
pub const OPENPGP_PACKETS: usize = 50_000;

/// Self-signatures of one OpenPGP key that are verified: a key of twenty years with several names has some dozens.
pub const OPENPGP_CHECKS: usize = 512;

/// Files in /etc/pki/sigstore that are read: RHEL 10 ships two.
pub const HOST_FILES: usize = 100;
