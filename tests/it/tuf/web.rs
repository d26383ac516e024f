//! Repositories over http, on this machine.

use std::sync::{Arc, Mutex};

use super::{
    fault::{Reply, Server},
    keeper::{Files, Keeper},
    scene, trusted_root,
};

/// What is requested, the forged answer, and the outcome.
type Lie = (&'static str, fn(Vec<u8>) -> Reply, i32, &'static str);

fn serve(files: &Files) -> Server {
    let files = files.clone();
    Server::start(move |asked| match asked.target.strip_prefix("/tuf/").and_then(|path| files.get(path)) {
        Some(bytes) => Reply::ok(bytes.clone()),
        None => Reply::new(404),
    })
}

#[test]
fn a_repository_over_http() {
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.rotate("timestamp");
    keeper.write(&test, "repo");
    let server = serve(&keeper.files);
    let url = server.url("/tuf");
    test.run(&format!("collect oci:m --tuf {url}/ --tuf-root repo.root.json -o keys")).exits(0);
    let inventory = test.json("keys/keypack.json");
    assert_eq!(inventory["tuf"][0]["repository"], url);
    let source = inventory["keys"][0]["provenance"][0]["source"].as_str().unwrap();
    assert_eq!(source, format!("{url}/targets/trusted_root.json"));
    assert!(inventory["tuf"][0]["name"].as_str().unwrap().starts_with("tuf-127-0-0-1-"));
    let asked = server.lines();
    assert!(asked.contains(&"GET /tuf/3.root.json".into()), "{asked:?}");
    test.push("keys", "oci:p:k");
    test.run("pull oci:p:k --tuf-root repo.root.json -o out").exits(0);
    test.run(&format!("discover oci:m --tuf {url} --tuf-root repo.root.json --no-network")).fails(2, "usage");
}

#[test]
fn a_store_that_says_forbidden_for_what_is_not_there() {
    for status in [403, 404, 410] {
        let test = scene();
        let keeper = Keeper::new(&trusted_root());
        keeper.write(&test, "repo");
        let files = keeper.files.clone();
        let server = Server::start(move |asked| match files.get(asked.target.trim_start_matches('/')) {
            Some(bytes) => Reply::ok(bytes.clone()),
            None => Reply::new(status),
        });
        let url = server.url("");
        test.run(&format!("collect oci:m --tuf {url} --tuf-root repo.root.json -o keys")).exits(0);
    }
}

#[test]
fn servers_that_fail() {
    let test = scene();
    let keeper = Keeper::new(&trusted_root());
    keeper.write(&test, "repo");
    let lies: [Lie; 6] = [
        ("/timestamp.json", |_| Reply::new(500), 1, "tuf-answer"),
        ("/2.root.json", |_| Reply::new(500), 1, "tuf-answer"),
        ("/1.snapshot.json", |_| Reply::ok(b"x".repeat(1000)).endless(), 1, "answer-too-long"),
        ("/1.targets.json", |bytes| Reply::ok(bytes).cut(100), 1, "unreachable"),
        (
            "/timestamp.json",
            |_| Reply::new(302).header("Location", "ftp://elsewhere/x"),
            1,
            "redirect-refused",
        ),
        ("/timestamp.json", |_| Reply::ok("<html>log in</html>"), 3, "tuf-malformed"),
    ];
    for (path, lie, exit, code) in lies {
        let files = keeper.files.clone();
        let server = Server::start(move |asked| match files.get(asked.target.trim_start_matches('/')) {
            Some(bytes) if asked.target == path => lie(bytes.clone()),
            None if asked.target == path => lie(vec![]),
            Some(bytes) => Reply::ok(bytes.clone()),
            None => Reply::new(404),
        });
        let collect =
            format!("collect oci:m --tuf {} --tuf-root repo.root.json -o no --retry-times 0", server.url(""));
        test.run(&collect).fails(exit, code);
        assert!(!test.has("no"));
    }
    let gone = Server::start(|_| Reply::new(404)).url("");
    test.run(&format!("collect oci:m --tuf {gone} --tuf-root repo.root.json -o no --retry-times 0"))
        .fails(1, "unreachable");
}

#[test]
fn a_repository_that_is_renewed_while_it_is_read() {
    // Without consistent snapshots a mix of two states is served: nothing is accepted, and the next try succeeds.
    let test = scene();
    let mut keeper = Keeper::new(&trusted_root());
    keeper.consistent = false;
    keeper.files.clear();
    keeper.sign_root(&[]);
    keeper.publish();
    let old = keeper.files.clone();
    keeper.renew();
    keeper.write(&test, "repo");
    let (new, seen) = (keeper.files.clone(), Arc::new(Mutex::new(false)));
    let server = Server::start(move |asked| {
        let mut seen = seen.lock().unwrap();
        let path = asked.target.trim_start_matches('/');
        let files = if *seen { &new } else { &old };
        *seen |= path == "2.root.json";
        files.get(path).map_or(Reply::new(404), |bytes| {
            // The timestamp of the old state arrives late once.
            Reply::ok(if path == "timestamp.json" && asked.header("x-late").is_some() {
                old[path].clone()
            } else {
                bytes.clone()
            })
        })
    });
    let collect = format!("collect oci:m --tuf {} --tuf-root repo.root.json -o keys", server.url(""));
    test.run(&collect).exits(0).tells("timestamp 2");
}

#[test]
fn what_is_no_repository_in_a_directory() {
    let test = scene();
    let keeper = Keeper::new(&trusted_root());
    keeper.write(&test, "repo");
    let collect =
        |place: &str| test.run(&format!("collect oci:m --tuf {place} --tuf-root repo.root.json -o no"));
    collect("repo.root.json").fails(1, "tuf-not-found");
    test.write("folders/timestamp.json/x", b"");
    collect("folders").fails(1, "key-file-not-found").tells("it is a directory");
    assert!(!test.has("no"));
}
