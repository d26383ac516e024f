//! A registry with one signed lab image, `team/app:v1`, whose answers a test may replace.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::{
    fault::{Asked, Reply, Server},
    program::LAB,
};

/// The image and its signature manifest.
pub struct Content {
    blobs: BTreeMap<String, Vec<u8>>,
    /// The digest of the image.
    pub image: String,
    /// The digest of the manifest on its `.sig` tag.
    pub signature: String,
}

impl Content {
    pub fn new() -> Self {
        let layout = Path::new(LAB).join("layouts/key-tag-rekor1-cosignsave");
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let digest = |n: usize| index["manifests"][n]["digest"].as_str().unwrap().to_owned();
        let read = |entry: fs::DirEntry| {
            let name = format!("sha256:{}", entry.file_name().to_str().unwrap());
            (name, fs::read(entry.path()).unwrap())
        };
        let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| read(entry.unwrap()));
        Self { blobs: blobs.collect(), image: digest(0), signature: digest(1) }
    }

    /// The conventional tag for a signature of the image.
    pub fn signature_tag(&self) -> String {
        format!("{}.sig", self.image.replace(':', "-"))
    }

    /// The length of a blob.
    pub fn size(&self, digest: &str) -> usize {
        self.blobs[digest].len()
    }

    /// What a plain registry answers.
    pub fn answer(&self, asked: &Asked) -> Reply {
        let path = asked.target.split('?').next().unwrap();
        let unknown = |code: &str| Reply::new(404).body(format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#));
        if path == "/v2/" {
            return Reply::ok("{}");
        }
        if path == "/v2/_catalog" {
            return Reply::ok(r#"{"repositories":["team/app"]}"#);
        }
        let Some((repository, what)) = path.strip_prefix("/v2/").and_then(|p| {
            let at = ["/tags/", "/manifests/", "/blobs/", "/referrers/"].iter().find_map(|k| p.find(k))?;
            Some(p.split_at(at))
        }) else {
            return Reply::new(404);
        };
        if what == "/tags/list" {
            return Reply::ok(format!(
                r#"{{"name":"{repository}","tags":["{}","v1"]}}"#,
                self.signature_tag()
            ));
        }
        if what.starts_with("/referrers/") {
            return Reply::new(404).body("404 page not found");
        }
        let name = what.rsplit('/').next().unwrap();
        let digest = match name {
            "v1" => &self.image,
            name if name == self.signature_tag() => &self.signature,
            name => name,
        };
        match (self.blobs.get(digest), what.starts_with("/manifests/")) {
            (Some(bytes), true) => Reply::ok(bytes.clone())
                .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                .header("Docker-Content-Digest", digest),
            (Some(bytes), false) => Reply::ok(bytes.clone()),
            (None, true) => unknown("MANIFEST_UNKNOWN"),
            (None, false) => unknown("BLOB_UNKNOWN"),
        }
    }
}

/// A registry that answers as `quirk` says, and otherwise like a plain one.
pub fn start(quirk: impl Fn(&Content, &Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let content = Content::new();
    Server::start(move |asked| quirk(&content, asked).unwrap_or_else(|| content.answer(asked)))
}
