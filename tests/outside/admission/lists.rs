//! Lists of images: the signatures of the one instance that is pulled decide, and names are compared with those of the list.

use rcgen::KeyPair;
use serde_json::json;

use super::{
    Cell,
    content::{Content, Layer, payload},
    everything,
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    content.file("lists.pub", key.public_key_pem());
    let host = content.host().to_owned();
    let mut cells = Vec::new();
    for signed in ["nothing", "list", "amd64", "arm64", "instances", "all"] {
        for name in ["tag", "bare", "own-digest", "list-digest"] {
            let repository = format!("lists/{signed}-{name}");
            let amd64 = content.image(&repository, None, "amd64");
            let arm64 = content.image(&repository, None, "arm64");
            let list = content.list(&repository, "v1", &[("amd64", &amd64), ("arm64", &arm64)]);
            let targets = match signed {
                "nothing" => vec![],
                "list" => vec![&list],
                "amd64" => vec![&amd64],
                "arm64" => vec![&arm64],
                "instances" => vec![&amd64, &arm64],
                _ => vec![&list, &amd64, &arm64],
            };
            for target in targets {
                let own = match name {
                    "tag" => format!("{host}/{repository}:v1"),
                    "bare" => format!("{host}/{repository}"),
                    "own-digest" => format!("{host}/{repository}@{target}"),
                    _ => format!("{host}/{repository}@{list}"),
                };
                content.attach(&repository, target, &[Layer::signed(&key, payload(&own, target))]);
            }
            for identity in ["matchRepoDigestOrExact", "matchExact", "matchRepository"] {
                let policy = everything(json!({
                    "type": "sigstoreSigned", "keyPath": "{dir}/lists.pub", "signedIdentity": {"type": identity}
                }));
                let pulls = [
                    (format!("{repository}:v1"), "amd64"),
                    (format!("{repository}:v1"), "arm64"),
                    (format!("{repository}@{list}"), "amd64"),
                    (format!("{repository}@{amd64}"), "amd64"),
                ];
                for (pulled, arch) in pulls {
                    let cell = Cell::new(format!("{signed} {name} {identity} {arch}"), &policy, pulled);
                    cells.push(Cell { arch, ..cell });
                }
            }
        }
    }
    cells
}
