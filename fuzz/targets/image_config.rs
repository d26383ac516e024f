#![cfg_attr(fuzzing, no_main)]
//! OpenShift's image.config: which registries nodes may use, merged into the policy that a release brings.

use keypack::policy::consumer::{
    Files, ImageName, Pulled, Verdict,
    openshift::{ImageConfig, builtin},
};

/// Reads it, and judges a release image without signatures.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(config) = ImageConfig::parse(text) else { return };
    let image = keypack::oci::Digest::of(b"image");
    let name = ImageName::of("quay.io/openshift-release-dev/ocp-release", &image.to_string()).expect("a name");
    for has_mirror in [true, false] {
        let Ok(rules) = config.rules(|_| has_mirror) else { continue };
        let (_, mut rendered) = builtin("4.22").expect("built in");
        if rendered.restrict(&rules).is_err() {
            continue;
        }
        let pulled = Pulled { name: &name, image, attachments: true, signatures: Ok(&[]) };
        let admission = rendered.policy.with(&Files::new()).admit(&pulled, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(rules.explain(admission).verdict, Verdict::Refused, "a list of registries replaced a policy");
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
