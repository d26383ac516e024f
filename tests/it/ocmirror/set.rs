//! Archive sets as oc-mirror's mirror-to-disk writes them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The registry storage of the lab, as oc-mirror's cache: `<base>/.oc-mirror/.cache`.
pub(crate) fn cache(base: &Path) -> PathBuf {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lab/registry-storage.tar.gz");
    let unpacked = base.join("unpacked");
    tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(packed).unwrap()))
        .unpack(&unpacked)
        .unwrap();
    let cache = base.join(".oc-mirror/.cache");
    fs::create_dir_all(cache.parent().unwrap()).unwrap();
    let storage = [unpacked.join("storage"), unpacked.clone()];
    let storage = storage.into_iter().find(|s| s.join("docker/registry/v2/repositories").is_dir()).unwrap();
    fs::rename(storage, &cache).unwrap();
    // What a registry leaves behind, and files that belong to nothing.
    for name in ["repositories/lab/_uploads/0a/data", "repositories/lab/_uploads/0a/startedat", "README"] {
        write(&cache.join("docker/registry/v2").join(name), b"left over");
    }
    cache
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Files below a folder, sorted, with names relative to it.
pub(crate) fn files(root: &Path, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![root.join(below)];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// How a set is written.
pub(crate) struct Writer<'a> {
    pub(crate) out: &'a Path,
    /// The maximum total size of the files in a segment; a larger file gets a segment of its own.
    pub(crate) size: u64,
    /// An owner above 2097151, as on OpenShift: every header becomes PAX.
    pub(crate) big_uid: bool,
    segment: usize,
    current: Option<(usize, tar::Builder<fs::File>, u64)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a Path, size: u64, big_uid: bool) -> Self {
        fs::create_dir_all(out).unwrap();
        Self { out, size, big_uid, segment: 0, current: None }
    }

    fn next(&mut self) -> tar::Builder<fs::File> {
        self.segment += 1;
        let path = self.out.join(format!("mirror_{:06}.tar", self.segment));
        tar::Builder::new(fs::File::create(path).unwrap())
    }

    fn put(&self, tar: &mut tar::Builder<fs::File>, path: &Path, name: &str) {
        let bytes = fs::read(path).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if self.big_uid || header.set_path(name).is_err() {
            tar.append_pax_extensions([("path", name.as_bytes()), ("uid", b"1000680000")]).unwrap();
            header.set_path("short").unwrap();
        }
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }

    pub(crate) fn add(&mut self, path: &Path, name: &str) {
        let size = fs::metadata(path).unwrap().len();
        if self.current.is_none() {
            self.current = Some((0, self.next(), 0));
        }
        if size > self.size {
            let mut exception = self.next();
            self.put(&mut exception, path, name);
            exception.finish().unwrap();
            return;
        }
        if self.current.as_ref().is_some_and(|(_, _, used)| used + size > self.size) {
            let (_, mut full, _) = self.current.take().unwrap();
            full.finish().unwrap();
            self.current = Some((0, self.next(), 0));
        }
        let (_, mut tar, used) = self.current.take().unwrap();
        self.put(&mut tar, path, name);
        self.current = Some((0, tar, used + size));
    }

    pub(crate) fn finish(mut self) -> usize {
        let (_, mut tar, _) = self.current.take().unwrap();
        tar.finish().unwrap();
        self.segment
    }
}

/// mirror-to-disk: the links of the whole cache, the working-dir, the configuration, then the blobs that `history`
/// lacks. Older versions write the blobs second; the order does not matter.
pub(crate) fn mirror_to_disk(cache: &Path, out: &Path, size: u64, history: &mut BTreeSet<String>) -> usize {
    for name in fs::read_dir(out).into_iter().flatten().map(|e| e.unwrap().path()) {
        if name.extension().is_some_and(|e| e == "tar") {
            fs::remove_file(name).unwrap();
        }
    }
    let mut writer = Writer::new(out, size, history.is_empty());
    for name in files(cache, "docker/registry/v2/repositories") {
        writer.add(&cache.join(&name), &name);
    }
    for name in files(out, "working-dir") {
        writer.add(&out.join(&name), &name);
    }
    let configuration = out.join("isc.yaml");
    write(&configuration, b"kind: ImageSetConfiguration\n");
    writer.add(&configuration, "isc_2026-11-22T10:00:00Z");
    for name in files(cache, "docker/registry/v2/blobs") {
        let new = history.insert(name.clone());
        if new {
            writer.add(&cache.join(&name), &name);
        }
    }
    writer.finish()
}

/// disk-to-mirror's first step: regular files with any name that its unanchored pattern matches, in name order, into
/// the working-dir and the cache. `truncate`: whether an existing file is truncated, as in some versions.
pub(crate) fn disk_to_mirror(from: &Path, cache: &Path, truncate: bool) {
    let mut names: Vec<_> =
        fs::read_dir(from).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in names.iter().filter(|name| {
        name.match_indices("mirror_").any(|(at, _)| {
            let rest = &name[at + 7..];
            rest.len() >= 10 && rest[..6].bytes().all(|b| b.is_ascii_digit()) && rest[6..].starts_with(".tar")
        })
    }) {
        let mut tar = tar::Archive::new(fs::File::open(from.join(name)).unwrap());
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let text = path.to_str().unwrap();
            let root = match () {
                () if text.contains("working-dir") => from,
                () if text.contains("docker/registry/v2") => cache,
                () => continue,
            };
            let to = root.join(&path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let mut file =
                fs::OpenOptions::new().create(true).write(true).truncate(truncate).open(to).unwrap();
            std::io::copy(&mut entry, &mut file).unwrap();
        }
    }
}
