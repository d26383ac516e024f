//! Red Hat's own keys and one of its release signatures, as they are published.

use keypack::key::parse_key_file;

pub fn folder(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/gpg/redhat/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn x() {
    for name in ["verifier-public-key-redhat-release", "verifier-public-key-redhat-beta-2"] {
        let parsed = parse_key_file(&folder(name)).unwrap();
        for m in parsed.material {
            let k = m.openpgp().unwrap();
            println!("{k:?} {} {:?} weak {} {:?} {:?} {}", k.id(), k.user_ids(), k.is_weak(), k.created(), k.expires(), m.to_pem());
        }
        println!("{:?}", parsed.unusable);
    }
    let s = keypack::signature::UntrustedGpg::parse(&folder("release-signature-e3f12513"));
    println!("{s:?}");
}
