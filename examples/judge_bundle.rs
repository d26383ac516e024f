//! Judges one sigstore bundle by the keys of a trusted root, at the present time, without any network.
//!
//! ```text
//! cargo run --example judge_bundle -- bundle.sigstore.json sha256:IMAGE trusted_root.json
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example is a program: it reads its arguments and files, and prints"
)]

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use keypack::{
    keysource::Gathered,
    oci::Digest,
    resolve::{Answer, Question, resolve},
    signature::{UntrustedBundle, UntrustedSignature},
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [bundle, image, trusted_root] = args.as_slice() else {
        eprintln!("usage: judge_bundle BUNDLE sha256:IMAGE TRUSTED_ROOT");
        return Ok(ExitCode::from(2));
    };
    let image: Digest = image.parse()?;
    // Parsed, and not believed: what it says is untrusted until a key verifies it.
    let signature = UntrustedSignature::Bundle(Box::new(UntrustedBundle::parse(&fs::read(bundle)?)?));
    let mut keys = Gathered::default();
    keys.add_trusted_root(Path::new(trusted_root))?;

    let question = Question { image, signature: &signature };
    let resolution = resolve(&[question], &keys.candidates, jiff::Timestamp::now());
    for answers in &resolution.answers {
        for (need, answer) in &answers.needs {
            match answer {
                Answer::Have(key) => println!("{}: proved, {}", need.role(), key.id),
                Answer::Missing { .. } => println!("{}: no key of the trusted root fits", need.role()),
                Answer::Refused { refusal, .. } => println!("{}: refused: {refusal}", need.role()),
            }
        }
        if let Some(refusal) = &answers.refusal {
            println!("refused: {refusal}");
        }
    }
    Ok(if resolution.all_verify() { ExitCode::SUCCESS } else { ExitCode::from(4) })
}
