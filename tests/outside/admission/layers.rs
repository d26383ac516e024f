//! What may be at the tag of an image's signatures.

use rcgen::{KeyPair, SigningKey};
use serde_json::json;

use super::{
    Cell,
    content::{Content, Layer, annotations, payload},
    keys::requirement,
};

pub fn cells(content: &mut Content) -> Vec<Cell> {
    let key = KeyPair::generate().unwrap();
    let other = KeyPair::generate().unwrap();
    content.file("layers.pub", key.public_key_pem());
    let host = content.host().to_owned();
    let mut cells = Vec::new();
    let mut add = |content: &mut Content, name: &str, make: &dyn Fn(&mut Content, &str, &str)| {
        let repository = format!("layers/{name}");
        let image = content.image(&repository, Some("v1"), "amd64");
        make(content, &repository, &image);
        let signed = requirement(json!({"keyPath": "{dir}/layers.pub"}));
        let anything = json!({"default": [{"type": "insecureAcceptAnything"}]});
        for (how, policy) in [("signed", signed), ("anything", anything)] {
            cells.push(Cell::new(format!("layers {name} {how}"), &policy, format!("{repository}:v1")));
        }
    };
    let good =
        |repository: &str, image: &str| Layer::signed(&key, payload(&format!("{host}/{repository}"), image));
    let bad = |repository: &str, image: &str| {
        Layer::signed(&other, payload(&format!("{host}/{repository}"), image))
    };
    let of_text = |text: String| {
        let payload = text.into_bytes();
        Layer::signed(&key, payload)
    };
    let text = |repository: &str, image: &str| {
        String::from_utf8(payload(&format!("{host}/{repository}"), image)).unwrap()
    };
    add(content, "none", &|_, _, _| {});
    add(content, "good", &|c, r, i| c.attach(r, i, &[good(r, i)]));
    add(content, "bad", &|c, r, i| c.attach(r, i, &[bad(r, i)]));
    add(content, "bad-and-good", &|c, r, i| c.attach(r, i, &[bad(r, i), good(r, i)]));
    add(content, "no-layers", &|c, r, i| c.attach(r, i, &[]));
    add(content, "eight", &|c, r, i| {
        let eight: Vec<_> = (0..8).map(|_| good(r, i)).collect();
        c.attach(r, i, &eight);
    });
    add(content, "missing-blob", &|c, r, i| {
        c.attach(r, i, &[good(r, i), Layer { stored: false, ..of_text("gone".into()) }])
    });
    add(content, "other-type", &|c, r, i| {
        c.attach(r, i, &[Layer { media_type: "text/plain", ..good(r, i) }])
    });
    add(content, "no-signature", &|c, r, i| {
        c.attach(r, i, &[Layer { annotations: Default::default(), ..good(r, i) }])
    });
    add(content, "signature-no-base64", &|c, r, i| {
        let mut layer = good(r, i);
        layer.annotations.insert("dev.cosignproject.cosign/signature".into(), "!".into());
        c.attach(r, i, &[layer]);
    });
    add(content, "p1363", &|c, r, i| {
        let payload = payload(&format!("{host}/{r}"), i);
        let asn1 = key.sign(&payload).unwrap();
        c.attach(
            r,
            i,
            &[Layer { annotations: annotations(&two_numbers(&asn1)), ..good(r, i) }]
                .map(|l| Layer { payload: payload.clone(), ..l }),
        );
    });
    add(content, "broken-bundle", &|c, r, i| {
        c.attach(r, i, &[good(r, i).with("bundle", "{}").with("certificate", "x").with("chain", "y")])
    });
    add(content, "of-another-image", &|c, r, i| c.attach(r, i, &[good(r, &i.replace(['0', '1'], "2"))]));
    add(content, "wrong-sha512-digest", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replace(i, &format!("sha512:{}", "0".repeat(128))))])
    });
    add(content, "sha512-digest", &|c, r, i| {
        let own = format!("sha512:{}", c.sha512(i));
        c.attach(r, i, &[of_text(text(r, i).replace(i, &own))]);
    });
    add(content, "no-optional", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replace(",\"optional\":null", ""))])
    });
    add(content, "optional-object", &|c, r, i| {
        c.attach(
            r,
            i,
            &[of_text(
                text(r, i).replace(
                    "\"optional\":null",
                    "\"optional\":{\"a\":[1],\"creator\":\"x\",\"timestamp\":1}",
                ),
            )],
        )
    });
    add(content, "optional-creator-number", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replace("\"optional\":null", "\"optional\":{\"creator\":1}"))])
    });
    add(content, "optional-time-fraction", &|c, r, i| {
        c.attach(
            r,
            i,
            &[of_text(text(r, i).replace("\"optional\":null", "\"optional\":{\"timestamp\":1.5}"))],
        )
    });
    add(content, "optional-time-float", &|c, r, i| {
        c.attach(
            r,
            i,
            &[of_text(text(r, i).replace("\"optional\":null", "\"optional\":{\"timestamp\":1.0}"))],
        )
    });
    add(content, "optional-text", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replace("\"optional\":null", "\"optional\":\"\""))])
    });
    add(content, "unknown-field", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replacen('{', "{\"more\":1,", 1))])
    });
    add(content, "unknown-critical", &|c, r, i| {
        c.attach(r, i, &[of_text(text(r, i).replace("\"type\"", "\"more\":1,\"type\""))])
    });
    add(content, "twice", &|c, r, i| {
        c.attach(
            r,
            i,
            &[of_text(text(r, i).replace("\"optional\":null", "\"optional\":null,\"optional\":null"))],
        )
    });
    add(content, "gpg-type", &|c, r, i| {
        c.attach(
            r,
            i,
            &[of_text(text(r, i).replace("cosign container image signature", "atomic container signature"))],
        )
    });
    add(content, "docker-type", &|c, r, i| {
        let mut manifest = c.signature_manifest(r, &[good(r, i)]);
        manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json");
        manifest["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
        c.manifest(r, Some(&Content::signature_tag(i)), &manifest);
    });
    add(content, "index", &|c, r, i| {
        let image = c.image(r, None, "amd64");
        c.list(r, &Content::signature_tag(i), &[("amd64", &image)]);
    });
    cells
}

/// An ASN.1 signature of P-256 as two numbers.
fn two_numbers(asn1: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &asn1[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        out.extend(std::iter::repeat_n(0, 32 - number.len()));
        out.extend_from_slice(number);
        rest = &rest[2 + length..];
    }
    out
}
