//! The words of known registries for "no such API", "not there" and "denied", one row for each.

use super::fault::{Asked, Reply, Server};
use crate::support::{
    mirror::{self, Content},
    program::{Ran, TRUST, Test},
};

struct Vendor {
    name: &'static str,
    /// In place of a list of referrers.
    referrers: Reply,
    /// In place of a manifest that is not there.
    absent: Reply,
    /// In place of a manifest that is there.
    denied: Reply,
    /// In place of the catalog.
    catalog: Reply,
}

fn json(status: u16, body: &str) -> Reply {
    Reply::new(status).header("Content-Type", "application/json").body(body)
}

fn text(status: u16, body: &str) -> Reply {
    Reply::new(status).header("Content-Type", "text/plain; charset=utf-8").body(body)
}

fn html(status: u16) -> Reply {
    Reply::new(status).header("Content-Type", "text/html").body("<!doctype html><title>registry</title>")
}

fn index() -> Reply {
    Reply::ok(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#)
        .header("Content-Type", "application/vnd.oci.image.index.v1+json")
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn vendors() -> Vec<Vendor> {
    let unknown =
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#;
    vec![
        Vendor {
            name: "distribution 2",
            referrers: text(404, "404 page not found\n"),
            absent: json(404, unknown),
            denied: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}"#,
            ),
            catalog: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"registry","Class":"","Name":"catalog","Action":"*"}]}]}"#,
            ),
        },
        Vendor {
            name: "distribution 3",
            referrers: text(404, "404 page not found\n"),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=x"}]}"#,
            ),
            denied: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
            ),
            catalog: json(
                404,
                r#"{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}"#,
            ),
        },
        Vendor {
            name: "Docker Hub",
            referrers: text(404, "404 page not found\n"),
            absent: json(404, unknown),
            denied: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"team/app","Action":"pull"}]}]}"#,
            ),
            catalog: json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#),
        },
        Vendor {
            name: "Quay",
            referrers: html(404),
            absent: json(
                400,
                r#"{"errors":[{"code":"MANIFEST_INVALID","detail":{"message":"manifest not found"},"message":"manifest invalid"}]}"#,
            ),
            denied: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","detail":{},"message":"access to the requested resource is not authorized"}]}"#,
            ),
            catalog: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","detail":{},"message":"access to the requested resource is not authorized"}]}"#,
            ),
        },
        Vendor {
            name: "Quay, its web application",
            referrers: html(200),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","detail":{},"message":"manifest unknown"}]}"#,
            ),
            denied: json(403, r#"{"errors":[{"code":"DENIED","detail":null,"message":null}]}"#),
            catalog: html(200),
        },
        Vendor {
            name: "Harbor",
            referrers: index(),
            absent: json(
                404,
                r#"{"errors":[{"code":"NOT_FOUND","message":"artifact team/app:x not found"}]}"#,
            ),
            denied: json(
                412,
                r#"{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image without vulnerability scanning cannot be pulled"}]}"#,
            ),
            catalog: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized to list catalog"}]}"#,
            ),
        },
        Vendor {
            name: "Artifactory",
            referrers: json(404, r#"{"errors":[{"status":404,"message":"Not Found"}]}"#),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"The named manifest is not known to the registry.","detail":{"manifest":"team/app/x/manifest.json"}}]}"#,
            ),
            denied: json(403, r#"{"errors":[{"status":403,"message":"Forbidden"}]}"#),
            catalog: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
            ),
        },
        Vendor {
            name: "Artifactory, older",
            referrers: json(405, r#"{"errors":[{"status":405,"message":"Method Not Allowed"}]}"#),
            absent: json(
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
            ),
            denied: json(401, r#"{"errors":[{"status":401,"message":"Bad credentials"}]}"#),
            catalog: json(
                400,
                r#"{"errors":[{"status":400,"message":"Unsupported docker v1 repository request"}]}"#,
            ),
        },
        Vendor {
            name: "ECR",
            referrers: json(
                405,
                r#"{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'referrers'"}]}"#,
            ),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}"#,
            ),
            denied: text(401, "Not Authorized\n"),
            catalog: text(404, "Not Found\n"),
        },
        Vendor {
            name: "GHCR",
            referrers: text(404, "404 page not found\n"),
            absent: json(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
            denied: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
            ),
            catalog: json(
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
            ),
        },
        Vendor {
            name: "GCR and Artifact Registry",
            referrers: html(404),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Failed to fetch \"x\""}]}"#,
            ),
            denied: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"Permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource"}]}"#,
            ),
            catalog: html(404),
        },
        Vendor {
            name: "ACR",
            referrers: index(),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest tagged by \"x\" is not found","detail":{"Name":"team/app"}}]}"#,
            ),
            denied: json(
                401,
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization for more information."}]}"#,
            ),
            catalog: json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#),
        },
        Vendor {
            name: "Nexus",
            referrers: html(400),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"reference":"x"}}]}"#,
            ),
            denied: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"access to the requested resource is not authorized"}]}"#,
            ),
            catalog: html(404),
        },
        Vendor {
            name: "zot",
            referrers: index(),
            absent: json(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","description":"x","detail":{"reference":"x"}}]}"#,
            ),
            denied: json(
                403,
                r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied","detail":{}}]}"#,
            ),
            catalog: json(403, r#"{"errors":[{"code":"DENIED"}]}"#),
        },
        Vendor {
            name: "GitLab",
            referrers: text(404, "404 page not found"),
            absent: json(404, unknown),
            denied: json(403, r#"{"message":"403 Forbidden","error":"insufficient_scope"}"#),
            catalog: json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#),
        },
    ]
}

fn discover(server: &Server, what: &str) -> Ran {
    Test::new().run(&format!(
        "discover docker://{}{what} --plain-http --retry-times 0 --no-host {TRUST}",
        server.host()
    ))
}

fn is_signature(content: &Content, asked: &Asked) -> bool {
    asked.target.ends_with(&content.signature_tag())
}

/// A registry of this vendor. `has` says whether a manifest is there, and `gives` whether it may be read.
fn start(
    vendor: &Vendor,
    has: impl Fn(&Content, &Asked) -> bool + Send + Sync + 'static,
    gives: impl Fn(&Content, &Asked) -> bool + Send + Sync + 'static,
) -> Server {
    let Vendor { referrers, absent, denied, catalog, .. } = vendor;
    let (referrers, absent, denied, catalog) =
        (referrers.clone(), absent.clone(), denied.clone(), catalog.clone());
    mirror::start(move |content, asked| {
        let line = asked.line();
        if line.ends_with("/_catalog") {
            return Some(catalog.clone());
        }
        if line.contains("/referrers/") {
            return Some(referrers.clone());
        }
        if line.ends_with("/tags/list") {
            return Some(Reply::ok(r#"{"tags":["v1"]}"#));
        }
        let name = line.split_once("/manifests/")?.1;
        let known = name == "v1" || name == content.image || name == content.signature;
        if !(known || is_signature(content, asked)) || !has(content, asked) {
            return Some(absent.clone());
        }
        (!gives(content, asked)).then(|| denied.clone())
    })
}

#[test]
fn each_vendor_is_read_in_its_own_words() {
    for vendor in vendors() {
        let name = vendor.name;
        let server = start(&vendor, |_, _| true, |_, _| true);
        let ran = discover(&server, "/team/app:v1");
        assert!(ran.code == 0 && ran.out.contains("1 image: 1 signed"), "{name}: {} {}", ran.out, ran.err);
        let server = start(&vendor, |content, asked| !is_signature(content, asked), |_, _| true);
        let ran = discover(&server, "/team/app:v1");
        let unsigned = ran.out.contains("1 image: 0 signed, 1 unsigned");
        assert!(ran.code == 0 && unsigned, "{name}, unsigned: {} {}", ran.out, ran.err);
        let server = start(&vendor, |_, _| true, |content, asked| !is_signature(content, asked));
        let ran = discover(&server, "/team/app:v1");
        let unreadable = ran.out.contains("1 image: 0 signed, 0 unsigned, 1 unreadable");
        assert!(ran.code == 4 && unreadable, "{name}, denied: {} {}", ran.out, ran.err);
        let ran = discover(&server, "");
        let refused = ran.err.contains("[catalog-refused]") && ran.err.contains("--images");
        assert!(ran.code == 1 && refused, "{name}, its catalog: {} {}", ran.out, ran.err);
    }
}
