//! A real registry: Debian's docker-registry (distribution 2.8) on a port of 127.0.0.1 that the system chooses.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by several test programs")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]
#![allow(clippy::disallowed_types, reason = "the test starts a server")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// The program, if it is installed.
pub fn program() -> Option<PathBuf> {
    super::find::find("docker-registry")
}

/// A running registry. Dropping it ends it and removes its storage.
pub struct DockerRegistry {
    process: Child,
    host: String,
    dir: TempDir,
}

impl DockerRegistry {
    /// Starts a registry with further sections of its configuration: `http` under `http:`, `other` at the top,
    /// `storage` under `storage:`. The files they name are in `dir`, which also contains the storage in `storage/`.
    pub fn start(dir: TempDir, http: &str, other: &str, storage: &str) -> Self {
        let root = dir.path().join("storage");
        std::fs::create_dir_all(&root).unwrap();
        let config = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n{storage}\
             http:\n  addr: 127.0.0.1:0\n  secret: test\n{http}\n{other}\n",
            root.display()
        );
        let file = dir.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let program = program().expect("docker-registry is not here: apt-get install docker-registry");
        let mut process = Command::new(program)
            .arg("serve")
            .arg(&file)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let (mut line, mut all) = (String::new(), String::new());
        let host = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "docker-registry ended:\n{all}");
            all.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ',']).next().unwrap().to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, host, dir }
    }

    /// An empty registry that uses http and lets everyone write.
    pub fn plain() -> Self {
        Self::start(TempDir::new().unwrap(), "", "", "")
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path of its storage.
    pub fn storage(&self) -> std::path::PathBuf {
        self.dir.path().join("storage")
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The mirror of the lab: images signed in every way, as a registry stores them.
pub fn lab() -> DockerRegistry {
    let dir = TempDir::new().unwrap();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lab/registry-storage.tar.gz");
    let gzip = flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap());
    tar::Archive::new(gzip).unpack(dir.path()).unwrap();
    DockerRegistry::start(dir, "", "", "  maintenance:\n    readonly:\n      enabled: true\n")
}
