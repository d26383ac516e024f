//! Quirks of real registries and caches, one per test: the built program still finds the signed image. If a quirk
//! comes from a bug tracker, the source is named.

use super::fault::{Asked, Reply, Server};
use keypack::oci::Digest;

use crate::support::{
    mirror::{self, Content},
    program::{Ran, TRUST, Test},
};

fn discover(server: &Server, what: &str, flags: &str) -> Ran {
    let line = format!(
        "discover docker://{}{what} --plain-http --retry-times 0 --no-host {TRUST} {flags}",
        server.host()
    );
    Test::new().run(&line)
}

/// The one image is found, and signed.
#[track_caller]
fn signed(ran: &Ran, why: &str) {
    assert!(ran.out.contains("1 image: 1 signed"), "{why}: {} {}", ran.out, ran.err);
    assert_eq!(ran.code, 0, "{why}: {} {}", ran.out, ran.err);
}

fn error(status: u16, code: &str) -> Reply {
    Reply::new(status).body(format!(r#"{{"errors":[{{"code":"{code}","message":"{code}"}}]}}"#))
}

/// google/go-containerregistry#1962, sigstore/sigstore-js#1187, quay/quay#3071
#[test]
fn no_referrers_api_in_all_its_spellings() {
    let web =
        || Reply::ok("<!doctype html><html>app</html>").header("Content-Type", "text/html; charset=utf-8");
    let index =
        |text: &str| Reply::ok(text).header("Content-Type", "application/vnd.oci.image.index.v1+json");
    let spellings: [(&str, Reply); 22] = [
        ("404", Reply::new(404)),
        ("400", error(400, "UNSUPPORTED")),
        ("405", error(405, "UNSUPPORTED")),
        ("406", Reply::new(406)),
        ("501", Reply::new(501)),
        ("a web page", web()),
        ("a web page without a type", Reply::ok("\n <html>")),
        ("an empty answer", Reply::ok("")),
        ("204", Reply::new(204)),
        ("410", Reply::new(410)),
        ("415", Reply::new(415)),
        ("422", error(422, "UNSUPPORTED")),
        ("a text", Reply::ok("404 page not found\n").header("Content-Type", "text/plain")),
        ("an error document in a 200", Reply::ok(r#"{"errors":[{"code":"unsupported","message":null}]}"#)),
        ("null", index("null")),
        ("an empty object", index("{}")),
        ("an empty array", index("[]")),
        ("no manifests", index(r#"{"schemaVersion":2}"#)),
        ("Go's empty list", index(r#"{"schemaVersion":2,"manifests":null}"#)),
        ("an empty list", index(r#"{"schemaVersion":2,"manifests":[]}"#)),
        ("a login", Reply::new(302).header("Location", "/login")),
        ("a login that is not followed", Reply::new(302).header("Location", "ftp://login.test/")),
    ];
    for (name, reply) in spellings {
        let server = mirror::start(move |_, asked| match asked.target.as_str() {
            "/login" => Some(Reply::ok("<html>sign in</html>").header("Content-Type", "text/html")),
            target => target.contains("/referrers/").then(|| reply.clone()),
        });
        signed(&discover(&server, "/team/app", ""), name);
    }
}

/// A response that is not a list, and does not say either that there is none.
#[test]
fn referrers_that_are_refused_or_cut_off_are_not_absent() {
    for reply in [
        error(401, "UNAUTHORIZED"),
        error(403, "DENIED"),
        error(412, "PROJECTPOLICYVIOLATION"),
        error(429, "TOOMANYREQUESTS"),
        Reply::new(500),
        Reply::new(502),
        Reply::ok(r#"{"errors":[{"code":"DENIED"}]}"#),
        Reply::ok(r#"{"message":"too many requests"}"#),
        Reply::ok(r#"{"error":"denied"}"#),
        Reply::ok("[1]"),
        Reply::ok(r#"{"schemaVersion":2,"manifests":[{"mediaType""#),
        Reply::ok(r#"{"schemaVersion":2,"config":{},"layers":[]}"#),
        Reply::hangup(),
    ] {
        let name = format!("{reply:?}");
        let server =
            mirror::start(move |_, asked| asked.target.contains("/referrers/").then(|| reply.clone()));
        let ran = discover(&server, "/team/app:v1", "");
        assert!(ran.out.contains("1 image: 1 signed"), "{name}: {}", ran.out);
        assert_eq!(ran.code, 4, "{name}: {} {}", ran.out, ran.err);
    }
}

/// Names that can't be requested are listed all the same: they are reported, and the rest is read.
#[test]
fn a_name_that_no_image_can_have_is_a_problem_of_that_name() {
    let server = mirror::start(|content, asked| match asked.line().as_str() {
        "GET /v2/_catalog" => {
            Some(Reply::ok(r#"{"repositories":["Team/App","../v2","a\u001b[2Jb","","team/app"]}"#))
        }
        line if line.ends_with("/tags/list") => {
            let tags = format!(r#"{{"tags":["v1","not a tag","{}",""]}}"#, content.signature_tag());
            Some(Reply::ok(tags))
        }
        _ => None,
    });
    let ran = discover(&server, "", "").fails(4, "incomplete");
    let ran = ran.says("1 signed").says("Team/App").says("../v2").says("a?[2Jb").says("not a tag");
    assert!(!server.lines().iter().any(|line| line.contains("..") || line.contains("Team")), "{}", ran.out);
    optional(&server, "odd names");
}

/// Whatever type the registry gives it: old images are in every large registry.
#[test]
fn a_docker_schema_1_image_is_called_that() {
    const OLD: &str = r#"{"schemaVersion":1,"name":"team/app","tag":"old","architecture":"amd64","fsLayers":[],"history":[],"signatures":[]}"#;
    for media_type in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
        "",
    ] {
        let server = mirror::start(move |content, asked| {
            if asked.line().ends_with("/tags/list") {
                return Some(Reply::ok(format!(r#"{{"tags":["old","v1","{}"]}}"#, content.signature_tag())));
            }
            let digest = Digest::of(OLD.as_bytes()).to_string();
            let is_old = [digest.as_str(), "old"]
                .iter()
                .any(|reference| asked.line().ends_with(&format!("/manifests/{reference}")));
            is_old.then(|| Reply::ok(OLD).header("Content-Type", media_type))
        });
        let ran = discover(&server, "/team/app", "").exits(0);
        ran.says("2 images: 1 signed, 0 unsigned, 1 signed otherwise (1 Docker schema 1");
        let ran = discover(&server, "/team/app:old", "").exits(0);
        ran.says("1 image: 0 signed, 0 unsigned, 1 signed otherwise");
    }
}

/// Some registries send the header, and nothing in it.
#[test]
fn an_empty_digest_header_is_no_digest() {
    let server = mirror::start(|content, asked| {
        let is_image = asked.target.ends_with("/manifests/v1");
        is_image.then(|| {
            content.answer(asked).without("Docker-Content-Digest").header("Docker-Content-Digest", "")
        })
    });
    signed(&discover(&server, "/team/app", ""), "an empty header");
}

/// goharbor/harbor#23185, goharbor/harbor#18335, project-zot/zot#4060
#[test]
fn a_cache_that_lists_less_than_it_holds() {
    let short = |_: &Content, asked: &Asked| {
        asked.line().ends_with("/tags/list").then(|| Reply::ok(r#"{"name":"team/app","tags":["v1"]}"#))
    };
    let server = mirror::start(short);
    signed(&discover(&server, "/team/app:v1", ""), "by tag");
    let digest = Content::new().image;
    signed(&discover(&server, &format!("/team/app@{digest}"), ""), "by digest");
    let test = Test::new();
    test.write("list.txt", format!("{}/team/app:v1\n", server.host()));
    let line = format!("discover --images list.txt --plain-http --retry-times 0 --no-host {TRUST}");
    signed(&test.run(&line), "in a list");
    // The list alone does not show it, and the output says so.
    let ran = discover(&server, "/team/app", "").says("1 image: 0 signed, 1 unsigned");
    ran.tells("no signature is listed for 1 image").tells("--images");
}

/// containers/skopeo#738, containers/skopeo#726, ivanilves/lstags#222
#[test]
fn an_account_that_may_pull_and_not_list() {
    for reply in
        [error(401, "UNAUTHORIZED"), error(403, "DENIED"), Reply::new(404), Reply::new(405), Reply::new(500)]
    {
        let name = format!("{reply:?}");
        let server =
            mirror::start(move |_, asked| asked.line().ends_with("/tags/list").then(|| reply.clone()));
        signed(&discover(&server, "/team/app:v1", ""), &name);
    }
}

/// quay/quay: 400 instead of 404.
#[test]
fn absent_in_other_words() {
    let server = mirror::start(|content, asked| {
        let known = ["v1", content.image.as_str(), content.signature.as_str()];
        let name = asked.target.split_once("/manifests/")?.1.to_owned();
        (!known.contains(&name.as_str()) && name != content.signature_tag())
            .then(|| error(400, "MANIFEST_INVALID"))
    });
    signed(&discover(&server, "/team/app:v1", ""), "400");
}

/// A referrers list with an entry that can't be checked next to a good one, on the fallback tag and from the API.
#[test]
fn one_odd_entry_of_a_list_of_referrers_is_a_problem_of_that_entry() {
    for api in [false, true] {
        for (odd, code) in [
            (format!("sha512:{}", "a".repeat(128)), "digest-unsupported"),
            ("md5:00".to_owned(), "digest-unsupported"),
            ("sha256:00".to_owned(), "manifest-malformed"),
        ] {
            let server = mirror::start(move |content, asked| {
                let entry = |digest: &str, size: usize| {
                    let media_type = "application/vnd.oci.image.manifest.v1+json";
                    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
                };
                let good = entry(&content.signature, content.size(&content.signature));
                let list = format!(r#"{{"schemaVersion":2,"manifests":[{},{good}]}}"#, entry(&odd, 1));
                let index = "application/vnd.oci.image.index.v1+json";
                if asked.target.ends_with(&content.signature_tag()) {
                    return Some(error(404, "MANIFEST_UNKNOWN"));
                }
                let fallback = format!("/manifests/{}", content.image.replace(':', "-"));
                let is_it = asked.target.contains(if api { "/referrers/" } else { fallback.as_str() });
                is_it.then(|| Reply::ok(list).header("Content-Type", index))
            });
            let ran = discover(&server, "/team/app:v1", "");
            assert!(ran.out.contains("1 image: 1 signed"), "{api} {code}: {}", ran.out);
            ran.fails(4, "incomplete").says(code);
        }
    }
}

/// goharbor/harbor#23638, goharbor/harbor#15885, openshift/oc-mirror#902, containers/skopeo#1745
#[test]
fn one_blocked_tag_is_a_problem_of_that_tag() {
    let replies = [
        error(401, "UNAUTHORIZED"),
        error(403, "DENIED"),
        error(412, "PROJECTPOLICYVIOLATION"),
        error(429, "TOOMANYREQUESTS"),
        error(500, "UNKNOWN"),
        Reply::new(503),
        Reply::ok("cut short").header("Content-Type", "application/vnd.oci.image.manifest.v1+json").cut(3),
        Reply::ok("<html>").header("Content-Type", "text/html"),
        Reply::ok(r#"{"schemaVersion":2,"mediaType":"x/y"}"#).header("Content-Type", "x/y"),
        Reply::ok(
            r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha512:00","size":1}]}"#,
        )
        .header("Content-Type", "application/vnd.oci.image.index.v1+json"),
    ];
    for reply in replies {
        let name = format!("{reply:?}");
        let server = mirror::start(move |content, asked| {
            if asked.line().ends_with("/tags/list") {
                let tags = format!(r#"{{"tags":["bad","{}","v1"]}}"#, content.signature_tag());
                return Some(Reply::ok(tags));
            }
            asked.line().ends_with("/manifests/bad").then(|| reply.clone())
        });
        let ran = discover(&server, "", "");
        assert!(ran.out.contains("1 signed"), "{name}: {} {}", ran.out, ran.err);
        assert_eq!(ran.code, 4, "{name}: {}", ran.out);
        optional(&server, &name);
    }
}

/// `--optional` writes what is proved.
#[track_caller]
fn optional(server: &Server, name: &str) {
    let test = Test::new();
    let line = format!(
        "collect docker://{} --plain-http --retry-times 0 --no-host --optional {TRUST} -o keys",
        server.host()
    );
    let ran = test.run(&line);
    assert_eq!(ran.code, 0, "{name}: {} {}", ran.out, ran.err);
    assert!(test.path("keys/keypack.json").is_file(), "{name}: {} {}", ran.out, ran.err);
}

/// goharbor/harbor#19408
#[test]
fn one_denied_repository_is_a_problem_of_that_repository() {
    for reply in [error(401, "UNAUTHORIZED"), error(403, "DENIED"), Reply::new(500), Reply::new(429)] {
        let name = format!("{reply:?}");
        let server = mirror::start(move |_, asked| match asked.line().as_str() {
            "GET /v2/_catalog" => Some(Reply::ok(r#"{"repositories":["secret/x","team/app"]}"#)),
            line => line.contains("/secret/x/").then(|| reply.clone()),
        });
        let ran = discover(&server, "", "");
        assert!(
            ran.out.contains("1 signed") && ran.out.contains("secret/x"),
            "{name}: {} {}",
            ran.out,
            ran.err
        );
        assert_eq!(ran.code, 4, "{name}: {}", ran.out);
        optional(&server, &name);
    }
}

#[test]
fn one_unreachable_registry_of_a_list_is_a_problem_of_that_registry() {
    let server = mirror::start(|_, _| None);
    let gone = Server::start(|_| Reply::new(200)).host();
    let test = Test::new();
    test.write("list.txt", format!("{gone}/team/app:v1\n{}/team/app:v1\n", server.host()));
    let line = format!("discover --images list.txt --plain-http --retry-times 0 --no-host {TRUST}");
    let ran = test.run(&line);
    assert!(ran.out.contains("1 signed") && ran.out.contains(&gone), "{} {}", ran.out, ran.err);
    assert_eq!(ran.code, 4, "{} {}", ran.out, ran.err);
}

#[test]
fn one_blocked_image_of_a_list_is_a_problem_of_that_image() {
    let server = mirror::start(|_, asked| {
        asked.line().ends_with("/manifests/bad").then(|| error(412, "PROJECTPOLICYVIOLATION"))
    });
    let test = Test::new();
    test.write("list.txt", format!("{0}/team/app:bad\n{0}/team/app:v1\n", server.host()));
    let line = format!("discover --images list.txt --plain-http --retry-times 0 --no-host {TRUST}");
    let ran = test.run(&line);
    assert!(ran.out.contains("1 signed"), "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("PROJECTPOLICYVIOLATION"), "{} {}", ran.out, ran.err);
    assert_eq!(ran.code, 4, "{} {}", ran.out, ran.err);
}

#[test]
fn a_catalog_that_is_not_offered_names_the_way_out() {
    let replies = [
        Reply::new(400),
        Reply::new(401),
        Reply::new(403),
        Reply::new(404),
        Reply::new(405),
        Reply::new(406),
        Reply::new(500),
        Reply::new(501),
        Reply::new(302).header("Location", "/login"),
        Reply::new(302).header("Location", "ftp://login.test/"),
        Reply::ok("<html>").header("Content-Type", "text/html"),
    ];
    for reply in replies {
        let name = format!("{reply:?}");
        let server = mirror::start(move |_, asked| match asked.line().as_str() {
            "GET /v2/_catalog" => Some(reply.clone()),
            "GET /login" => Some(Reply::ok("<html>sign in</html>").header("Content-Type", "text/html")),
            _ => None,
        });
        let ran = discover(&server, "", "");
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        assert!(ran.err.contains("[catalog-refused]") && ran.err.contains("--images"), "{name}: {}", ran.err);
    }
}

/// containerd/containerd#1205, containerd/containerd#3291, project-zot/zot#3869
#[test]
fn credentials_are_shown_where_only_the_front_door_challenges() {
    const GOOD: &str = "Basic cm9ib3Q6czNjcmV0";
    for status in [404, 403] {
        let server = mirror::start(move |_, asked| {
            if asked.header("authorization") == Some(GOOD) {
                return None;
            }
            Some(match asked.line().as_str() {
                "GET /v2/" => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
                "GET /v2/_catalog" => Reply::ok(r#"{"repositories":[]}"#),
                _ => error(status, "DENIED"),
            })
        });
        let ran = discover(&server, "/team/app:v1", "--creds robot:s3cret");
        signed(&ran, &format!("{status}, one image"));
        signed(&discover(&server, "", "--creds robot:s3cret"), &format!("{status}, all"));
        // The entry of the repository is the one that counts.
        let test = Test::new();
        let auths = format!(
            r#"{{"auths":{{"{0}":{{"auth":"d3Jvbmc6d3Jvbmc="}},"{0}/team":{{"auth":"cm9ib3Q6czNjcmV0"}}}}}}"#,
            server.host()
        );
        test.write("auth.json", auths);
        let line = format!(
            "discover docker://{}/team/app:v1 --plain-http --retry-times 0 --no-host --authfile auth.json {TRUST}",
            server.host()
        );
        signed(&test.run(&line), "an auth file");
        // As Windows writes it.
        let auths = String::from_utf8(test.read("auth.json")).unwrap();
        test.write("auth.json", format!("\u{feff}{auths}"));
        signed(&test.run(&line), "an auth file with a byte order mark");
        let utf16: Vec<u8> = format!("\u{feff}{auths}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        test.write("auth.json", utf16);
        signed(&test.run(&line), "an auth file in UTF-16");
    }
}

#[test]
fn refused_credentials_are_an_error_and_never_an_anonymous_read() {
    let server = mirror::start(|_, asked| match asked.header("authorization") {
        None if asked.line() == "GET /v2/" => {
            Some(Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""))
        }
        None => None,
        Some(_) => Some(Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\"")),
    });
    let ran = discover(&server, "/team/app:v1", "--creds robot:wrong");
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("[unauthorized]") && ran.err.contains("refuses the credentials"), "{}", ran.err);
    signed(&discover(&server, "/team/app:v1", ""), "without credentials it is public");
}

#[test]
fn a_list_behind_a_redirect_goes_on_where_it_led() {
    let content = Content::new();
    let tag = content.signature_tag();
    let lists = Server::start(move |asked| match asked.target.as_str() {
        "/lists/1" => Reply::ok(r#"{"tags":["v1"]}"#).header("Link", "</lists/2>; rel=\"next\""),
        _ => Reply::ok(format!(r#"{{"tags":["{tag}"]}}"#)),
    });
    let to = lists.url("/lists/1");
    let server = mirror::start(move |_, asked| {
        asked.line().ends_with("/tags/list").then(|| Reply::new(307).header("Location", to.clone()))
    });
    signed(&discover(&server, "/team/app", "--creds robot:s3cret"), "two pages elsewhere");
    assert_eq!(lists.lines(), ["GET /lists/1", "GET /lists/2"]);
    lists.assert_no_credentials();
}

#[test]
fn a_link_that_is_not_understood_is_not_an_end() {
    for link in ["</v2/team/app/tags/list?last=v1>", "/v2/team/app/tags/list?last=v1", "<x; rel=next"] {
        let server = mirror::start(move |_, asked| {
            asked.line().ends_with("/tags/list").then(|| Reply::ok(r#"{"tags":["v1"]}"#).header("Link", link))
        });
        let ran = discover(&server, "/team/app", "");
        assert_eq!(ran.code, 1, "{link}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains("[link-refused]"), "{link}: {}", ran.err);
    }
}

/// Quay pages by an opaque token.
#[test]
fn a_catalog_is_paged_by_an_opaque_token() {
    let server = mirror::start(|_, asked| match asked.target.as_str() {
        "/v2/_catalog?n=1000" => Some(
            Reply::ok(r#"{"repositories":["other"]}"#)
                .header("Link", "</v2/_catalog?next_page=gAAAAABp_-x%3D%3D&n=1000>; rel=\"next\""),
        ),
        "/v2/_catalog?next_page=gAAAAABp_-x%3D%3D&n=1000" => {
            Some(Reply::ok(r#"{"repositories":["team/app"]}"#))
        }
        target => target.contains("/other/").then(|| Reply::ok(r#"{"tags":[]}"#)),
    });
    signed(&discover(&server, "", ""), "two pages");
}

/// Endless pages are limited by their total size, and names by their number: both cost memory and time.
#[test]
fn lists_have_a_bound_together() {
    let count = super::Count::default();
    let server = Server::start(move |_| {
        let name = "x".repeat(8 << 20);
        Reply::ok(format!(r#"{{"tags":["{name}"]}}"#))
            .header("Link", format!("<?n=1&last={}>; rel=\"next\"", count.next()))
    });
    let ran = discover(&server, "/team/app", "");
    assert!(ran.code == 1 && ran.err.contains("[list-endless]"), "{} {}", ran.code, ran.err);
    assert!(server.log().len() < 40, "{}", server.log().len());
    let server = Server::start(|_| Reply::ok(format!(r#"{{"tags":[{}"a"]}}"#, "\"a\",".repeat(2 << 20))));
    let ran = discover(&server, "/team/app", "");
    assert!(ran.code == 1 && ran.err.contains("[list-endless]"), "{} {}", ran.code, ran.err);
}
