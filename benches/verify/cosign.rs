//! A loop of `cosign verify` over the images of a registry, beside `keypack verify` of the same.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use tempfile::TempDir;

use super::{
    docker_registry::{self, DockerRegistry},
    find::find,
    mirror::{self, Place},
    sign::{Form, Signers},
};

const IMAGES: usize = 200;

pub(crate) fn compare() {
    let (Some(cosign), Some(_)) = (find("cosign"), docker_registry::program()) else {
        println!("cosign or docker-registry is not here: `cosign verify` was not measured");
        return;
    };
    let (dir, work) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut signers = Signers::new();
    let signed = (0..IMAGES).map(|number| {
        let (image, reference) = (mirror::image(number), mirror::reference(number));
        let signed = signers.sign(number, Form::Key, image.as_bytes(), &reference);
        mirror::tagged(number, String::from_utf8(signed.payload).unwrap(), &signed.annotations)
    });
    mirror::storage(Place::folder(&dir.path().join("storage")), signed);
    fs::write(work.path().join("signer.pub"), signers.key()).unwrap();
    fs::write(work.path().join("root.json"), signers.trusted_root()).unwrap();
    let registry = DockerRegistry::start(dir, "", "", "");
    let host = registry.host();
    let start = Instant::now();
    for number in 0..IMAGES {
        let image = format!("{host}/mirror/app-{}:v{number}", number / 100);
        let line = format!(
            "verify --key signer.pub --trusted-root root.json --new-bundle-format=false --allow-http-registry {image}"
        );
        succeeds(&cosign, work.path(), &line);
    }
    let theirs = start.elapsed();
    let line = format!(
        "verify docker://{host}/mirror --plain-http --key signer.pub --trusted-root root.json --format json --quiet"
    );
    let start = Instant::now();
    succeeds(Path::new(env!("CARGO_BIN_EXE_keypack")), work.path(), &line);
    let ours = start.elapsed();
    println!(
        "{IMAGES} images of a registry: a loop of `cosign verify` {theirs:.1?}, `keypack verify` {ours:.1?}, {:.0} times as fast",
        theirs.as_secs_f64() / ours.as_secs_f64()
    );
}

fn succeeds(program: &Path, folder: &Path, line: &str) {
    let mut command = Command::new(program);
    command.args(line.split(' ')).current_dir(folder).env_clear().env("HOME", folder);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let name = program.display();
    assert!(output.status.success(), "{name} {line}: {}", String::from_utf8_lossy(&output.stderr));
}
