//! The files with their comments, and what the reader does with them.

use std::path::Path;

use super::{TrustedRootFiles, TrustedRootForm};

const PLAIN: &str = "\
trusted_root.json holds logs, CAs and timestamp authorities, for every sigstore client, and asks for nothing: whose signatures count
is what you tell the client. With the file, clients ask no network for keys; cosign asks a log for an entry that is missing, unless it is told not to:

  cosign verify --trusted-root trusted_root.json --offline=true --key KEY.pub IMAGE             (cosign 2.6, 3)
  cosign verify --trusted-root trusted_root.json --offline=true --certificate-identity WHO --certificate-oidc-issuer URL IMAGE
  sigstore-python, sigstore-java, gh: their own option for a trusted root

To go back: give the client the file that it had before.
";

const KYVERNO: &str = "\
trustedRoot.yaml is a field for an attestor of an ImageValidatingPolicy, from Kyverno 1.19 on; older ones don't have it.

  spec.attestors[].cosign.trustedRoot    put it there, beside key or keyless

It is used for bundles (cosign 3). Kyverno 1.19 does not look at it where the attestor has a key and ctlog.insecureIgnoreTlog: true
(kyverno#17562), and in every other case it also asks a TUF repository before it verifies: without the internet, give it one in the
enclave with spec.attestors[].cosign.tuf or the controller's flags --tufMirror and --tufRootRaw, or no image will be admitted.

To go back: apply the policy that was there before.
";

const POLICY_CONTROLLER: &str = "\
{name}.yaml is a TrustRoot.

  kubectl apply -f {name}.yaml
  kubectl wait --for=condition=Ready trustroot/{name}

A ClusterImagePolicy names it as trustRootRef: {name}, in keyless, ctlog and rfc3161timestamp of an authority. It holds the keys
themselves, so that policy-controller asks no TUF repository; a key of its own has no end there, so that you remove a key by applying
the object without it.

To go back: kubectl apply the object that was there before. While a policy names a TrustRoot that is not there, it admits no image.
";

const FLUX: &str = "\
{name}.yaml is a Secret for the namespace of an OCIRepository.

  kubectl apply -n NAMESPACE -f {name}.yaml

  spec:
    verify:
      provider: cosign
      trustedRootSecretRef: {name: \"{name}\"}
      matchOIDCIdentity: [{issuer: \"^https://…$\", subject: \"^…$\"}]

From Flux 2.9 (source-controller 1.9) on, for OCIRepository. It is for keyless signatures alone: with secretRef (public keys) Flux uses
neither a trusted root nor a log. A signature without its log entry makes Flux ask the log at the address in the file.

To go back: kubectl apply the Secret that was there before, or take trustedRootSecretRef out.
";

const RHACS: &str = "\
Platform Configuration > Integrations > Signature Integrations. It takes its keys by copy and paste:

  trusted_root.json      the trust root of a verifier, as a document; no release that keypack knows has the field yet (stackrox#22487)
  pem/rekor-*.pub        Rekor public key, with \"Enable transparency log validation\" and \"Validate in offline mode\"
  pem/fulcio-*           Certificate chain, where a certificate of this CA signs
  pem/ctlog-*.pub        Certificate transparency log public key

An empty field stands for the key of the public Sigstore instance, which RHACS fetches from the internet. Who may sign (public keys, or
identities as regular expressions) is what you enter beside these, and which images must be signed is a policy of RHACS.

To go back: enter the values that were there before.
";

impl TrustedRootFiles {
    /// The files, with this line on top of those that have comments.
    pub(crate) fn files(&self, first_line: &str) -> Vec<(String, String)> {
        let commented = |(path, text): &(String, String)| {
            let is_yaml = Path::new(path).extension().is_some_and(|extension| extension == "yaml");
            let text = if is_yaml { format!("# {first_line}\n{text}") } else { text.clone() };
            (path.clone(), text)
        };
        let mut files: Vec<_> = self.texts.iter().map(commented).collect();
        let body = match self.form {
            TrustedRootForm::Plain => PLAIN,
            TrustedRootForm::Kyverno => KYVERNO,
            TrustedRootForm::PolicyController => POLICY_CONTROLLER,
            TrustedRootForm::Flux => FLUX,
            TrustedRootForm::Rhacs => RHACS,
        };
        let mut readme = format!("{first_line}\n\n{}", body.replace("{name}", &self.name));
        for note in &self.notes {
            readme.push_str(&format!("\nNote: {} [{}]\n      {}\n", note.message, note.code, note.hint));
        }
        files.push(("README.txt".into(), readme));
        files
    }
}
