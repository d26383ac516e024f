//! `write::replace` and `write::read` on a real file system: what they write, what they refuse, and what is left if
//! they are killed or a system call fails; and the verbs on a file system that lacks a feature.
mod crash;
mod fault;
mod helper;
mod lacking;
mod mount;
mod refuse;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use helper::{NEW, OLD, Scene, any, is, nothing, only};
use keypack::{
    fs::Change,
    write::{self, ForeignKind},
};

#[test]
fn a_directory_is_created_replaced_and_left_alone() {
    let scene = Scene::empty();
    let outcome = scene.replace(OLD, &nothing).unwrap();
    assert_eq!((outcome.change, outcome.left), (Change::Created, vec![]));
    scene.holds(OLD);

    let outcome = scene.replace(NEW, &only(OLD)).unwrap();
    assert_eq!(outcome.change, Change::Replaced);
    scene.holds(NEW);

    let before = fs::metadata(scene.target()).unwrap();
    let parent = fs::metadata(scene.parent()).unwrap();
    let outcome = scene.replace(NEW, &only(NEW)).unwrap();
    assert_eq!(outcome.change, Change::Unchanged);
    let after = fs::metadata(scene.target()).unwrap();
    assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
    let times = |m: &fs::Metadata| (m.mtime(), m.mtime_nsec());
    assert_eq!(times(&parent), times(&fs::metadata(scene.parent()).unwrap()), "the parent was touched");
}

#[test]
fn an_empty_directory_in_place_is_filled() {
    let scene = Scene::empty();
    fs::create_dir(scene.target()).unwrap();
    assert_eq!(scene.replace(NEW, &nothing).unwrap().change, Change::Replaced);
    scene.holds(NEW);
}

#[test]
fn another_mode_or_an_extra_file_is_a_change() {
    for damage in [
        |scene: &Scene| scene.chmod("a.pub", 0o666),
        |scene: &Scene| scene.chmod("", 0o777),
        |scene: &Scene| fs::write(scene.target().join("z.pub"), "z").unwrap(),
        |scene: &Scene| fs::remove_file(scene.target().join("a.pub")).unwrap(),
        |scene: &Scene| fs::write(scene.target().join("a.pub"), vec![b'x'; OLD.size]).unwrap(),
    ] {
        let scene = Scene::with(OLD);
        damage(&scene);
        assert!(scene.which().is_none());
        assert_eq!(scene.replace(OLD, &any).unwrap().change, Change::Replaced);
        scene.holds(OLD);
    }
}

#[test]
fn modes_are_exact_whatever_the_umask() {
    // The last one removes even the permissions that the owner needs to write into a new directory.
    for umask in ["0000", "0002", "0022", "0077", "0377"] {
        let scene = Scene::with(OLD);
        let said = scene.helper("replace").umask(umask).run();
        assert_eq!(said, "Replaced", "umask {umask}");
        scene.holds(NEW);
    }
    if rustix::process::geteuid().is_root() {
        // Root ignores modes; an ordinary user must manage with them.
        let (scene, program) = (Scene::with(OLD), tempfile::tempdir().unwrap());
        fs::set_permissions(program.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for path in [scene.parent(), &scene.target()] {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
        let nobody = scene.helper("replace").umask("0377").for_nobody(program.path().join("tests"));
        assert_eq!(nobody.run(), "Replaced");
        scene.holds(NEW);
    }
}

#[test]
fn every_spelling_of_the_path_is_one_target() {
    for tail in ["keys", "keys/", "./keys", "keys/.", "sub/../keys//"] {
        let scene = Scene::with(OLD);
        fs::create_dir(scene.parent().join("sub")).unwrap();
        let path = format!("{}/{tail}", scene.parent().display());
        let outcome = write::replace(path.as_ref(), &NEW.files(), &any).unwrap();
        assert_eq!(outcome.change, Change::Replaced, "{tail}");
        fs::remove_dir(scene.parent().join("sub")).unwrap();
        scene.holds(NEW);
    }
}

#[test]
fn a_link_in_the_path_of_the_parent_is_followed() {
    let scene = Scene::with(OLD);
    let link = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(scene.parent(), link.path().join("in")).unwrap();
    write::replace(&link.path().join("in/keys"), &NEW.files(), &any).unwrap();
    scene.holds(NEW);
}

#[test]
fn names_are_told_from_their_siblings() {
    // A second target whose name begins with the first one's has its own lock and its own temporary directories.
    let scene = Scene::with(OLD);
    let other = scene.parent().join(".keys");
    write::replace(&other, &OLD.files(), &nothing).unwrap();
    scene.replace(NEW, &any).unwrap();
    assert!(is(&other, OLD));
    fs::remove_dir_all(other).unwrap();
    scene.holds(NEW);
}

#[test]
fn reading_tells_files_from_what_is_foreign() {
    let scene = Scene::with(OLD);
    let at = |name: &str| scene.target().join(name);
    fs::create_dir(at("sub")).unwrap();
    fs::write(at(".hidden"), "").unwrap();
    fs::write(at("a\u{1b}[2Jb"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", at("link.pub")).unwrap();
    std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::File::create(at("huge")).unwrap().set_len(keypack::limits::PACK_FILE + 1).unwrap();

    let contents = write::read(&scene.target()).unwrap().unwrap();
    assert_eq!(contents.files, OLD.files());
    let mut foreign: Vec<_> = contents.foreign.iter().map(|f| (f.name.as_str(), f.kind)).collect();
    foreign.sort_unstable();
    assert_eq!(
        foreign,
        [
            (".hidden", ForeignKind::Name),
            ("a\\u{1b}[2Jb", ForeignKind::Name),
            ("huge", ForeignKind::TooLarge),
            ("link.pub", ForeignKind::Symlink),
            ("socket", ForeignKind::Special),
            ("sub", ForeignKind::Directory),
        ]
    );
    assert_eq!(write::read(&scene.parent().join("none")).unwrap(), None);
}

#[test]
fn reading_is_bounded() {
    let scene = Scene::with(OLD);
    for n in 0..5 {
        let file = fs::File::create(scene.target().join(format!("large-{n}"))).unwrap();
        file.set_len(keypack::limits::PACK_FILE).unwrap();
    }
    assert_eq!(write::read(&scene.target()).unwrap_err().code().as_str(), "too-large");

    let scene = Scene::empty();
    fs::create_dir(scene.target()).unwrap();
    for n in 0..=keypack::limits::PACK_FILES {
        fs::File::create(scene.target().join(format!("f{n}"))).unwrap();
    }
    assert_eq!(write::read(&scene.target()).unwrap_err().code().as_str(), "too-large");
}
