//! What is refused, each with its code, and with nothing changed.

use std::{
    cell::Cell,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use keypack::{
    fs::Outcome,
    limits,
    tree::{OutFile, SafeName},
    write::{self, WriteError},
};

use super::helper::{NEW, OLD, Scene, any, nothing, only};

/// The refusal of a write, checked to have at most two sentences.
#[track_caller]
fn refusal(result: Result<Outcome, WriteError>) -> WriteError {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(text.matches(". ").count() < 2 && !text.ends_with('.'), "{text}");
    assert!(!text.chars().any(char::is_control), "{text}");
    error
}

#[track_caller]
fn code(scene: &Scene) -> &'static str {
    refusal(scene.replace(NEW, &any)).code().as_str()
}

#[test]
fn a_link_at_the_target() {
    let scene = Scene::empty();
    let elsewhere = tempfile::tempdir().unwrap();
    for to in [elsewhere.path(), Path::new("dangling")] {
        symlink(to, scene.target()).unwrap();
        assert_eq!(code(&scene), "target-is-symlink");
        // A trailing slash would follow the link if it were passed on.
        let with_slash = format!("{}/", scene.target().display());
        let result = write::replace(with_slash.as_ref(), &NEW.files(), &any);
        assert_eq!(refusal(result).code().as_str(), "target-is-symlink");
        assert_eq!(write::read(&scene.target()).unwrap_err().code().as_str(), "target-is-symlink");
        assert_eq!(fs::read_link(scene.target()).unwrap(), to);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        assert_eq!(scene.beside(), ["keys"]);
        fs::remove_file(scene.target()).unwrap();
    }
}

#[test]
fn a_file_at_the_target() {
    let scene = Scene::empty();
    fs::write(scene.target(), "mine").unwrap();
    assert_eq!(code(&scene), "target-not-a-directory");
    assert_eq!(write::read(&scene.target()).unwrap_err().code().as_str(), "target-not-a-directory");
    assert_eq!(fs::read(scene.target()).unwrap(), b"mine");
    assert_eq!(scene.beside(), ["keys"]);
}

#[test]
fn a_parent_that_is_missing() {
    let scene = Scene::empty();
    let target = scene.parent().join("kyes/keys");
    let error = refusal(write::replace(&target, &NEW.files(), &any));
    assert_eq!(error.code().as_str(), "parent-missing");
    assert!(error.to_string().contains("/kyes, the parent of"), "{error}");
    assert_eq!(scene.beside(), [""; 0]);
}

#[test]
fn a_target_without_a_name() {
    for path in [".", "/", "..", "src/..", ""] {
        let result = write::replace(path.as_ref(), &NEW.files(), &any);
        assert_eq!(refusal(result).code().as_str(), "target-unusable", "{path}");
    }
}

#[test]
fn foreign_files() {
    let scene = Scene::with(OLD);
    for n in 0..7 {
        fs::write(scene.target().join(format!("mine-{n}\u{1b}[2J")), "mine").unwrap();
    }
    let error = refusal(scene.replace(NEW, &only(OLD)));
    assert_eq!(error.code().as_str(), "target-has-foreign-files");
    let text = error.to_string();
    assert!(text.ends_with("mine-4\\u{1b}[2J and 2 more"), "{text}");
    assert!(matches!(error, WriteError::ForeignFiles { count: 7, names, .. } if names.len() == 5));
    assert_eq!(fs::read_dir(scene.target()).unwrap().count(), OLD.names.len() + 7);
    assert_eq!(scene.beside(), ["keys"]);
}

#[test]
fn each_kind_of_foreign_entry() {
    let scene = Scene::with(OLD);
    let entry = scene.target().join("x.pub");
    // Anything that is not a plain file was not written by keypack, even under a name that the inventory lists.
    let known = |name: &str| only(OLD)(name) || name == "x.pub";
    let refused = || refusal(scene.replace(NEW, &known)).code().as_str();

    fs::create_dir(&entry).unwrap();
    assert_eq!(refused(), "target-has-foreign-files");
    fs::remove_dir(&entry).unwrap();

    symlink("a.pub", &entry).unwrap();
    assert_eq!(refused(), "target-has-foreign-files");
    fs::remove_file(&entry).unwrap();

    std::os::unix::net::UnixListener::bind(&entry).unwrap();
    assert_eq!(refused(), "target-has-foreign-files");
    fs::remove_file(&entry).unwrap();

    fs::write(scene.target().join(".hidden"), "").unwrap();
    let error = refusal(scene.replace(NEW, &any));
    assert_eq!(error.code().as_str(), "target-has-foreign-files");
    fs::remove_file(scene.target().join(".hidden")).unwrap();

    // A name about to be written is foreign too as long as the existing inventory does not list it.
    fs::write(scene.target().join("z.pem"), "mine").unwrap();
    assert_eq!(refused(), "target-has-foreign-files");
    fs::remove_file(scene.target().join("z.pem")).unwrap();
    scene.holds(OLD);
}

#[test]
fn a_directory_that_is_somebody_elses_altogether() {
    let scene = Scene::empty();
    fs::create_dir(scene.target()).unwrap();
    for n in 0..limits::PACK_FILES + 101 {
        fs::File::create(scene.target().join(format!("f{n}"))).unwrap();
    }
    assert_eq!(code(&scene), "too-large");
    assert_eq!(scene.beside(), ["keys"]);
}

#[test]
fn more_than_can_be_read_back() {
    let scene = Scene::with(OLD);
    let file = |name: &str, size: u64| {
        OutFile::new(SafeName::new(name).unwrap(), vec![0; usize::try_from(size).unwrap()])
    };
    let full = ["a", "b", "c", "d", "e"].map(|name| file(name, limits::PACK_FILE));
    let many: Vec<_> = (0..=limits::PACK_FILES).map(|n| file(&format!("f{n}"), 0)).collect();
    for files in [&[file("a", limits::PACK_FILE + 1)][..], &full, &many] {
        let result = write::replace(&scene.target(), files, &any);
        assert_eq!(refusal(result).code().as_str(), "too-large");
    }
    scene.holds(OLD);
}

#[test]
fn the_same_name_twice() {
    let scene = Scene::with(OLD);
    let twice = [NEW.files(), NEW.files()].concat();
    let result = write::replace(&scene.target(), &twice, &any);
    assert_eq!(refusal(result).code().as_str(), "write-failed");
    scene.holds(OLD);
}

#[test]
fn an_unwritable_parent() {
    let scene = Scene::with(OLD);
    let mut helper = scene.helper("replace");
    let elsewhere = tempfile::tempdir().unwrap();
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere; an ordinary user may not write what root owns.
        for dir in [scene.parent(), elsewhere.path()] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        helper = helper.for_nobody(elsewhere.path().join("tests"));
    } else {
        fs::set_permissions(scene.parent(), fs::Permissions::from_mode(0o555)).unwrap();
    }
    let said = helper.run();
    assert!(said.starts_with("target-not-writable | "), "{said}");
    fs::set_permissions(scene.parent(), fs::Permissions::from_mode(0o755)).unwrap();
    scene.holds(OLD);
}

#[test]
fn a_second_writer() {
    let scene = Scene::with(OLD);
    let lock = fs::File::create(scene.parent().join(".keys.keypack-lock")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(code(&scene), "target-busy");
    // A dead writer's lock file blocks nobody, and is removed.
    lock.unlock().unwrap();
    scene.replace(NEW, &any).unwrap();
    scene.holds(NEW);
}

#[test]
fn a_second_writer_waits() {
    let scene = Scene::with(OLD);
    let lock = fs::File::create(scene.parent().join(".keys.keypack-lock")).unwrap();
    lock.try_lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| scene.replace(NEW, &any).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!waiting.is_finished() && scene.which().is_some_and(|set| set.names == OLD.names));
        lock.unlock().unwrap();
        assert_eq!(waiting.join().unwrap().change, keypack::fs::Change::Replaced);
    });
    scene.holds(NEW);
}

#[test]
fn a_file_of_the_locks_name_is_not_removed() {
    let scene = Scene::with(OLD);
    fs::write(scene.parent().join(".keys.keypack-lock"), "mine").unwrap();
    scene.replace(NEW, &any).unwrap();
    assert_eq!(fs::read(scene.parent().join(".keys.keypack-lock")).unwrap(), b"mine");
    fs::remove_file(scene.parent().join(".keys.keypack-lock")).unwrap();
    symlink("/etc/passwd", scene.parent().join(".keys.keypack-lock")).unwrap();
    assert_eq!(refusal(scene.replace(OLD, &any)).code().as_str(), "write-failed");
}

/// A change between the last check and the exchange. `known` is called in the middle of that check, so it is the
/// place to act as another program: the first check has called it for each file, the second one runs under the lock.
fn meddle(scene: &Scene, act: impl Fn()) -> WriteError {
    let asked = Cell::new(0);
    let known = |name: &str| {
        asked.set(asked.get() + 1);
        if asked.get() == OLD.names.len() * 2 {
            act();
        }
        only(OLD)(name)
    };
    refusal(scene.replace(NEW, &known))
}

#[test]
fn a_foreign_file_that_appears_in_the_last_moment() {
    let scene = Scene::with(OLD);
    let mine = scene.target().join("mine.txt");
    let error = meddle(&scene, || fs::write(&mine, "mine").unwrap());
    assert_eq!(error.code().as_str(), "target-has-foreign-files");
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    fs::remove_file(&mine).unwrap();
    scene.holds(OLD);
}

#[test]
fn a_link_that_takes_the_targets_place_in_the_last_moment() {
    let scene = Scene::with(OLD);
    let victim = tempfile::tempdir().unwrap();
    let away = scene.parent().join("away");
    let error = meddle(&scene, || {
        fs::rename(scene.target(), &away).unwrap();
        symlink(victim.path(), scene.target()).unwrap();
    });
    assert_eq!(error.code().as_str(), "target-changed");
    assert_eq!(fs::read_link(scene.target()).unwrap(), victim.path());
    assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 0);
    assert_eq!(scene.beside(), ["away", "keys"]);
}

#[test]
fn a_target_that_vanishes_in_the_last_moment() {
    let scene = Scene::with(OLD);
    let away = scene.parent().join("away");
    let error = meddle(&scene, || fs::rename(scene.target(), &away).unwrap());
    assert_eq!(error.code().as_str(), "target-changed");
    assert_eq!(scene.beside(), ["away"]);
    let result = scene.replace(NEW, &nothing);
    assert!(result.is_ok());
}
