//! Verifies one sigstore bundle over a file, or over an image named by its digest, without any network: whether the
//! certificate of the expected identity signed it, according to the logs and authorities of a trusted root.
//!
//! ```text
//! cargo run --example judge_bundle -- bundle.sigstore.json sha256:… trusted_root.json me@example.com https://accounts.example.com
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "an example is a program: it reads its arguments and the clock, and prints"
)]

use std::{env, process::ExitCode};

use keypack::ops::{
    Context, Env,
    verify::{ExpectedIdentity, TextPattern},
    verify_blob::{Artifact, ExpectedSigner, Request},
};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [bundle, digest, trusted_root, identity, issuer] = args.as_slice() else {
        eprintln!("usage: judge_bundle BUNDLE sha256:DIGEST TRUSTED_ROOT IDENTITY ISSUER");
        return ExitCode::from(2);
    };
    let Ok(digest) = digest.parse() else {
        eprintln!("{digest} is not sha256:<64 hex>");
        return ExitCode::from(2);
    };
    let request = Request {
        bundle: bundle.into(),
        artifact: Artifact::Digest(digest),
        signer: ExpectedSigner::Identity(ExpectedIdentity {
            name: TextPattern::Exact(identity.clone()),
            issuer: Some(TextPattern::Exact(issuer.clone())),
        }),
        trusted_root: Some(trusted_root.into()),
        enforced: None,
    };
    // The environment is not read: the time and the variables are arguments.
    match keypack::ops::verify_blob(&request, &Context::new(jiff::Timestamp::now(), Env::default())) {
        Ok(found) => {
            let time = found.time.map_or_else(String::new, |time| format!(" at {time}"));
            println!("{}: signed by {identity}{time}", found.digest);
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("{} [{}]\n{}", e.message, e.code, e.hint);
            ExitCode::from(e.exit as u8)
        }
    }
}
