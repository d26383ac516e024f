//! Another client on the same registry, in both directions: `oci-client` reads what keypack pushed, and keypack reads
//! what `oci-client` pushed.

use keypack::{
    content::{Sink, Source, fetch, fetch_manifest},
    oci::{Document, media},
};
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    secrets::RegistryAuth,
};

use super::{docker_registry::DockerRegistry, open, support::artifact};

fn client() -> Client {
    Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

pub(crate) fn reads_what_keypack_pushed() {
    let server = DockerRegistry::plain();
    let pushed = artifact(b"a layer");
    open(&server).sink("a/b").unwrap().put(&pushed, "v1").unwrap();
    let image: Reference = format!("{}/a/b:v1", server.host()).parse().unwrap();
    let pulled = run(client().pull(&image, &RegistryAuth::Anonymous, vec![media::LAYER_GZIP])).unwrap();
    assert_eq!(pulled.digest, Some(pushed.manifest.digest().to_string()));
    assert_eq!(&pulled.config.data[..], pushed.blobs[0].bytes());
    assert_eq!(pulled.layers.len(), 1);
    assert_eq!(&pulled.layers[0].data[..], pushed.blobs[1].bytes());
}

pub(crate) fn pushes_what_keypack_reads() {
    let server = DockerRegistry::plain();
    let image: Reference = format!("{}/c/d:v1", server.host()).parse().unwrap();
    let layer = ImageLayer::new(b"a layer".to_vec(), media::LAYER_GZIP.to_owned(), None);
    let config = Config::oci_v1(b"{}".to_vec(), None);
    run(client().push(&image, &[layer], config, &RegistryAuth::Anonymous, None)).unwrap();
    let source = open(&server);
    let descriptor = source.resolve("c/d", "v1").unwrap().unwrap();
    let (_, document) = fetch_manifest(&source, "c/d", &descriptor).unwrap().unwrap();
    let Document::Manifest(manifest) = document else { panic!("an index") };
    let read = |descriptor| fetch(&source, "c/d", descriptor, 100).unwrap().unwrap().into_bytes();
    assert_eq!(read(&manifest.config), b"{}");
    assert_eq!(read(&manifest.layers[0]), b"a layer");
}
