#![cfg_attr(fuzzing, no_main)]
//! A consumer's policy.json and a file of registries.d, one behind the other with a zero byte between: read as containers/image
//! does, and looked up for a name. Or the objects of OpenShift that such a policy is rendered from.

mod input;

use keypack::policy::consumer::{ConsumerPolicy, Files, Form, ImageName, Pulled, RegistriesD, Verdict, openshift};

/// Reads both, and judges an image without signatures.
pub fn run(data: &[u8]) {
    if let Some(text) = std::str::from_utf8(data).ok().filter(|text| openshift::is_manifest(text)) {
        if let Ok(rendered) = openshift::render(text) {
            assert!(!rendered.objects.is_empty(), "a policy of nothing");
        }
        return;
    }
    let (policy, registries) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, [].as_slice()),
    };
    let name = ImageName::parse("registry.example:5000/a/b:v1").expect("a name");
    assert_eq!(name.form(), Some(Form::Tag));
    let mut folder = RegistriesD::default();
    let read = std::str::from_utf8(registries).is_ok_and(|text| folder.add("a.yaml", text).is_ok());
    let lookup = folder.lookup(&name);
    assert!(read || !lookup.attachments, "a file that is refused says nothing");
    let Ok(policy) = ConsumerPolicy::parse(policy) else { return };
    let evaluator = policy.with(&Files::new());
    let image = keypack::oci::Digest::of(b"image");
    let pulled =
        Pulled { name: &name, image, attachments: lookup.attachments, signatures: Ok(&[]) };
    let admission = evaluator.admit(&pulled, jiff::Timestamp::UNIX_EPOCH);
    assert!(admission.verdict != Verdict::Admitted, "nothing signed it");
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
