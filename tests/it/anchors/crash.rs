//! The whole program, killed at any moment: the result is the old content or the new, and nothing in between. The
//! writer alone is tested in tests/write/crash.rs; this tests each verb as a whole.

use std::{
    fs,
    time::{Duration, Instant},
};

use keypack::{
    pack::Draft,
    write::{self, Contents},
};

use super::{
    NEWER, OLD, copy,
    program::{TRUST, Test},
    scene,
};

/// How often each verb is killed before it is done, and the points that its run is divided into.
const KILLS: u32 = 200;
const POINTS: u32 = 220;

/// The same for oc-mirror's output. More kills would not show more in every run of the suite; `KEYPACK_KILLS=220
/// cargo test --test it anchors::crash` kills it more often.
fn few() -> u32 {
    std::env::var("KEYPACK_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(40)
}

/// What the kills hit.
#[derive(Debug, Default)]
struct Tally {
    killed: u32,
    before: u32,
    after: u32,
}

/// Runs `lines` in turn, each killed after a different part of its running time, and asks `look` which of the two is
/// there now: 0 or 1, the index of the line whose result it is. `look` must reject anything else.
fn kill(test: &Test, lines: &[String; 2], look: &dyn Fn() -> usize) -> Tally {
    kill_often(KILLS, test, lines, look)
}

fn kill_often(kills: u32, test: &Test, lines: &[String; 2], look: &dyn Fn() -> usize) -> Tally {
    let run = |line: &str| test.run(line);
    let log = || fs::File::create(test.path("log")).unwrap();
    let mut whole = Duration::MAX;
    for line in [&lines[0], &lines[1], &lines[0]] {
        let start = Instant::now();
        run(line).exits(0);
        whole = whole.min(start.elapsed());
    }
    let mut tally = Tally::default();
    let mut now = look();
    assert_eq!(now, 0, "the last line that ran");
    // A run that finished before the kill does not count; on a busy machine that is one in a few.
    for point in 0..kills * 5 {
        if tally.killed == kills {
            break;
        }
        let line = &lines[1 - now];
        let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let mut child = test.command().args(words).stdout(log()).stderr(log()).spawn().unwrap();
        // The points are spread evenly over the run, half of them beyond its end, in a jumping order. If no run has
        // finished by then, the machine is busier than it was.
        let busier = if tally.after == 0 && tally.killed > kills / 3 { 1 + tally.killed / 4 } else { 1 };
        std::thread::sleep(whole * busier * (point * 89 % POINTS) / (POINTS * 2 / 3));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if let Some(code) = status.code() {
            assert_eq!(code, 0, "{line}: {}", String::from_utf8_lossy(&test.read("log")));
        } else {
            tally.killed += 1;
        }
        let found = look();
        if found == now {
            assert!(status.code().is_none(), "{line} said that it was done");
            tally.before += 1;
        } else {
            tally.after += 1;
        }
        now = found;
    }
    // The next run works, and cleans up.
    run(&lines[1 - now]).exits(0);
    assert_eq!(look(), 1 - now);
    println!("{tally:?} over {whole:?}: {}", lines[0]);
    assert!(tally.killed == kills && tally.before > 0 && tally.after > 0, "{tally:?}");
    tally
}

/// The pack in a directory, complete: every file is the one that its inventory lists.
fn pack(test: &Test, name: &str) -> Draft {
    let Contents { files, foreign } = write::read(&test.path(name)).unwrap().expect("a directory is there");
    assert!(foreign.is_empty(), "{foreign:?}");
    Draft::from_files(files).unwrap()
}

fn which(digest: &str) -> usize {
    [OLD, NEWER].iter().position(|d| *d == digest).unwrap_or_else(|| panic!("{digest} is neither"))
}

#[test]
fn a_killed_pull_leaves_the_old_keys_or_the_new_ones_and_a_state_that_reads() {
    let test = scene();
    let line = |tag: &str, digest: &str| {
        format!(
            "pull oci:m:{tag} --digest {digest} -o out --state s --max-age 40000d --allow-rollback-unsafe --reason test"
        )
    };
    kill(&test, &[line("old", OLD), line("newer", NEWER)], &|| {
        let draft = pack(&test, "out");
        // The state is also old or new, and never ahead of what was authenticated.
        let state = test.json("s/default.json");
        assert!([OLD, NEWER].iter().any(|d| state["highest"]["digest"]["digest"] == **d), "{state}");
        which(&draft.digest().to_string())
    });
    let beside: Vec<_> = test.names("").into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(beside, [""; 0], "the last run cleaned up");
}

#[test]
fn a_killed_collect_leaves_the_old_keys_or_the_new_ones() {
    let test = scene();
    let line = |layout: &str| format!("collect lab/layouts/{layout} {TRUST} --prune -o keys --state s");
    let lines = [line("key-bundle-notlog-oras"), line("key-bundle-rekor1-oras")];
    kill(&test, &lines, &|| pack(&test, "keys").inventory().keys.len() - 1);
}

/// The tag `keys` of a place names the old pack or the new one, and everything else is still there.
fn pushed(test: &Test, place: &str) -> usize {
    let image = test.run(&format!("inspect {place}:image")).exits(0);
    assert_eq!(image.after("Pack: "), OLD);
    which(&test.run(&format!("inspect {place}:keys")).exits(0).after("Pack: "))
}

#[test]
fn a_killed_push_into_a_layout_leaves_the_old_tag_or_the_new_one() {
    let test = scene();
    test.push("fx/keys", "oci:l:image");
    let lines = ["fx/keys", "fx/newer"].map(|keys| format!("push {keys} oci:l:keys"));
    kill(&test, &lines, &|| pushed(&test, "oci:l"));
}

#[test]
fn a_killed_push_into_an_archive_leaves_the_old_archive_or_the_new_one() {
    let test = scene();
    copy(&test, "fx/keys", "keys");
    test.push("keys", "oci-archive:a.tar:image");
    let lines = ["fx/keys", "fx/newer"].map(|keys| format!("push {keys} oci-archive:a.tar:keys"));
    kill(&test, &lines, &|| pushed(&test, "oci-archive:a.tar"));
    assert!(fs::metadata(test.path("a.tar")).unwrap().len() < 1 << 20, "nothing piles up in it");
}

/// Both files that oc-mirror reads contain a whole pack, and the archive's own segment is unchanged. The segment
/// decides, as it does for disk-to-mirror.
fn in_oc_mirror(test: &Test, images: &[u8]) -> usize {
    assert_eq!(test.read("out/mirror_000001.tar"), images);
    let pack = |place: &str| which(&test.run(&format!("inspect {place}")).exits(0).after("Pack: "));
    pack("oci-archive:out/working-dir/keypack/keypack.oci.tar");
    for name in test.names("out").into_iter().filter(|name| !name.starts_with(".keypack-")) {
        assert!(["working-dir", "mirror_000001.tar", "mirror_000002.tar"].contains(&name.as_str()), "{name}");
    }
    pack("oc-mirror:out")
}

#[test]
fn a_killed_push_into_oc_mirrors_output_leaves_the_old_files_or_the_new_ones() {
    let test = scene();
    fs::create_dir(test.path("out")).unwrap();
    let mut tar = tar::Builder::new(fs::File::create(test.path("out/mirror_000001.tar")).unwrap());
    tar.append_path_with_name(test.path("lab/registry-storage.tar.gz"), "docker/registry/v2/blobs/x")
        .unwrap();
    tar.finish().unwrap();
    let images = test.read("out/mirror_000001.tar");
    let lines = ["fx/keys", "fx/newer"].map(|keys| format!("push {keys} oc-mirror:out"));
    kill_often(few(), &test, &lines, &|| in_oc_mirror(&test, &images));
    let carried: Vec<_> = test.names("out/working-dir/keypack");
    assert_eq!(carried, ["keypack.oci.tar"], "mirror-to-disk would archive what a killed push leaves");
}
