//! Whether keypack's verdict about a consumer's policy is that of the consumer's own code: skopeo pulls from a real registry under
//! the same policy, and in every cell of the matrix its success or failure must be what `keypack verify --policy` said.
//!
//! KEYPACK_ADMISSION_SKOPEO names another skopeo. Debian's 1.9 has sigstore switched off: with it scopes and GPG alone are compared.
#![allow(
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    clippy::type_complexity,
    clippy::items_after_statements,
    clippy::manual_string_new,
    clippy::default_trait_access,
    clippy::cloned_ref_to_slice_refs,
    clippy::too_many_arguments,
    clippy::match_bool,
    reason = "tables of cells, one a line"
)]

pub mod certificates;
pub mod content;
mod documents;
mod fix;
mod folders;
pub mod gpg;
mod identities;
mod keys;
mod layers;
mod lists;
mod logs;
mod names;
mod openshift;
mod scopes;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use self::content::Content;
use crate::support::{
    find::{find, verifies_sigstore},
    program::Test,
};

/// One pull under one policy.
pub struct Cell {
    pub name: String,
    /// The text of policy.json.
    pub policy: String,
    /// The registries.d files.
    pub registries: BTreeMap<String, String>,
    /// `REPOSITORY:TAG` or `REPOSITORY@DIGEST` at the registry.
    pub image: String,
    /// The source that the repositories below `NAME` at the registry are mirrored from.
    pub source: Option<(&'static str, &'static str)>,
    pub arch: &'static str,
    /// What keypack gets instead of the policy and registries.d: the OpenShift objects that they are made from.
    pub manifest: Option<String>,
    /// OpenShift's lists of registries, beside the objects.
    pub image_config: Option<String>,
    /// What registries.conf blocks.
    pub blocked: Option<String>,
    /// Whether keypack may answer not-judged.
    pub may_be_open: bool,
}

impl Cell {
    /// A pull from the registry by its own name, with attachments.
    pub fn new(name: impl Into<String>, policy: &Value, image: impl Into<String>) -> Self {
        let registries =
            [("a.yaml".to_owned(), "default-docker:\n  use-sigstore-attachments: true\n".to_owned())];
        Self {
            name: name.into(),
            policy: policy.to_string(),
            registries: registries.into(),
            image: image.into(),
            source: None,
            arch: "amd64",
            manifest: None,
            image_config: None,
            blocked: None,
            may_be_open: false,
        }
    }
}

/// A policy with this requirement for all images.
pub fn everything(requirement: Value) -> Value {
    json!({"default": [{"type": "reject"}], "transports": {"docker": {"": [requirement]}}})
}

type Room = (&'static str, fn(&mut Content) -> Vec<Cell>);

const ROOMS: [Room; 11] = [
    ("identities", identities::cells),
    ("keys", keys::cells),
    ("logs", logs::cells),
    ("layers", layers::cells),
    ("scopes", scopes::cells),
    ("lists", lists::cells),
    ("certificates", certificates::cells),
    ("documents", documents::cells),
    ("registries_d", folders::cells),
    ("gpg", gpg::cells),
    ("openshift", openshift::cells),
];

pub(crate) fn trials() -> Vec<Trial> {
    let skopeo = std::env::var_os("KEYPACK_ADMISSION_SKOPEO").map(PathBuf::from).or_else(|| find("skopeo"));
    let others = ["docker-registry", "openssl", "gpg"];
    let ready = skopeo.is_some() && others.iter().all(|program| find(program).is_some());
    let is_old = skopeo.as_deref().is_some_and(|skopeo| !verifies_sigstore(skopeo));
    let run = |(name, cells): Room| {
        let skopeo = skopeo.clone();
        let trial = Trial::test(format!("admission::{name}"), move || {
            let skopeo = skopeo.expect("skopeo");
            compare(&skopeo, cells).map_err(Into::into)
        });
        if is_old && !matches!(name, "scopes" | "gpg") {
            trial.with_kind("needs a skopeo newer than 1.9").with_ignored_flag(true)
        } else if ready {
            trial
        } else {
            trial
                .with_kind("needs skopeo, docker-registry, openssl and gpg: apt-get install")
                .with_ignored_flag(true)
        }
    };
    ROOMS.into_iter().map(run).chain(fix::trials()).chain(names::trials()).collect()
}

/// The result of a program.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Did {
    Admit,
    Refuse,
    /// It refuses to load the policy or registries.d.
    Invalid,
    /// keypack can't tell.
    Open,
}

fn compare(skopeo: &Path, cells: fn(&mut Content) -> Vec<Cell>) -> Result<(), String> {
    let mut content = Content::new();
    let cells = cells(&mut content);
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    let is_old = !verifies_sigstore(skopeo);
    for cell in &cells {
        let test = Test::new();
        test.write("policy.json", &cell.policy);
        std::fs::create_dir_all(test.path("registries.d")).unwrap();
        for (file, text) in &cell.registries {
            test.write(&format!("registries.d/{file}"), text.replace("{host}", content.host()));
        }
        let policy =
            cell.policy.replace("{host}", content.host()).replace("{dir}", content.files().to_str().unwrap());
        test.write("policy.json", &policy);
        let (consumer, said) = pull(skopeo, &test, cell, &content);
        if is_old && said.contains("sigstore disabled") {
            continue;
        }
        let (own, report) = judge(&test, cell, &content);
        *seen.entry(format!("{consumer:?}")).or_insert(0) += 1;
        if own != consumer && !(cell.may_be_open && own == Did::Open) {
            wrong.push(format!(
                "{}: {}\n  skopeo {consumer:?}: {}\n  keypack {own:?}: {report}\n  policy {policy}",
                cell.name,
                cell.image,
                said.trim()
            ));
        }
    }
    println!("{} cells: {seen:?}", cells.len());
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{} of {} cells differ:\n{}", wrong.len(), cells.len(), wrong.join("\n")))
}

/// Pulls with skopeo into a folder.
fn pull(skopeo: &Path, test: &Test, cell: &Cell, content: &Content) -> (Did, String) {
    let mut command = Command::new(skopeo);
    command.env_clear().env("HOME", test.path("home")).current_dir(test.path(""));
    command.env("PATH", "/usr/bin:/bin").env("TMPDIR", test.path(""));
    let name = match cell.source {
        None => format!("{}/{}", content.host(), cell.image),
        Some((mirror, source)) => {
            let conf = format!(
                "[[registry]]\nlocation = \"{source}\"\n[[registry.mirror]]\nlocation = \"{}/{mirror}\"\ninsecure = true\n",
                content.host()
            );
            test.write("registries.conf", conf);
            cell.image.replacen(mirror, source, 1)
        }
    };
    if let Some(blocked) = &cell.blocked {
        let conf = std::fs::read_to_string(test.path("registries.conf")).unwrap();
        let entry =
            format!("{conf}[[registry]]\nlocation = \"{blocked}\"\nblocked = true\ninsecure = true\n");
        test.write("registries.conf", entry);
    }
    if cell.source.is_none() {
        test.write(
            "registries.conf",
            format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", content.host()),
        );
    }
    command.args([
        "--policy",
        "policy.json",
        "--registries.d",
        "registries.d",
        "--registries-conf",
        "registries.conf",
    ]);
    command
        .args(["--override-os", "linux", "--override-arch", cell.arch, "copy"])
        .arg(format!("docker://{name}"))
        .arg("dir:out");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let _ = std::fs::remove_dir_all(test.path("out"));
    let invalid = ["invalid policy", "parsing registries.d", "Error parsing signature storage", "yaml: "];
    let did = match output.status.success() {
        true => Did::Admit,
        false if invalid.iter().any(|text| said.contains(text)) => Did::Invalid,
        false => Did::Refuse,
    };
    (did, said)
}

/// Runs keypack.
fn judge(test: &Test, cell: &Cell, content: &Content) -> (Did, String) {
    let image = format!("docker://{}/{}", content.host(), cell.image);
    let platform = format!("linux/{}", cell.arch);
    let mut args = vec!["verify", &image, "--plain-http"];
    match &cell.manifest {
        Some(manifest) => {
            test.write("objects.yaml", manifest);
            args.extend(["--policy", "objects.yaml"]);
            if let Some(config) = &cell.image_config {
                test.write("image.yaml", config);
                args.extend(["--image-config", "image.yaml"]);
            }
        }
        None => args.extend(["--policy", "policy.json", "--registries-d", "registries.d"]),
    }
    args.extend(["--platform", &platform, "--format", "json"]);
    let map = cell.source.map(|(mirror, source)| format!("{}/{mirror}={source}", content.host()));
    args.extend(map.iter().flat_map(|map| ["--map", map]));
    let ran = test.run_args(&args);
    let report: Value = serde_json::from_str(&ran.out)
        .unwrap_or_else(|e| panic!("{}: {e}\n{}\n{}", cell.name, ran.out, ran.err));
    if report["error"]["code"] == "policy-invalid" {
        assert_eq!(ran.code, 3, "{report}");
        return (Did::Invalid, report["error"].to_string());
    }
    let did = match report["verdict"].as_str() {
        Some("admitted" | "admitted-unverified") => {
            assert_eq!(ran.code, 0, "{}: {report}", cell.name);
            Did::Admit
        }
        Some("outside") => Did::Admit,
        Some("refused") => {
            assert_eq!(ran.code, 4, "{}: {report}", cell.name);
            Did::Refuse
        }
        _ => Did::Open,
    };
    let first = &report["images"][0];
    (
        did,
        format!(
            "{} [{}] {} ({})",
            report["verdict"], first["code"], first["cause"], report["error"]["message"]
        ),
    )
}
