use jiff::Timestamp;

use super::{
    evaluate::{Admission, Pulled},
    keys::Ready,
    policy::Scopes,
    reference::ImageName,
    scope::Matched,
    verdict::Verdict,
};
use crate::diag::{Code, Diagnostic};

/// Policies with their keys. Usually it is one; a mirror with several releases brings several, and a cluster that is updated
/// through them has each in turn.
#[derive(Debug, Clone)]
pub struct Evaluator(pub(super) Vec<Scopes<Ready>>);

impl Evaluator {
    /// All of these: each pull is judged by each, and the worst verdict counts. Without any, everything is outside.
    pub fn all(each: impl IntoIterator<Item = Self>) -> Self {
        Self(each.into_iter().flat_map(|evaluator| evaluator.0).collect())
    }

    /// Where the requirements of an image are from.
    pub fn matched(&self, name: &ImageName) -> Matched {
        let own = self.0.iter().map(|policy| policy.of(name).0);
        own.min_by_key(|matched| matches!(matched, Matched::Default)).unwrap_or(Matched::Default)
    }

    /// What the consumer would do about one pull.
    pub fn admit(&self, pulled: &Pulled<'_>, now: Timestamp) -> Admission {
        let all = self.0.iter().map(|policy| policy.admit(pulled, now));
        all.max_by_key(|admission| admission.verdict).unwrap_or_else(|| Admission {
            verdict: Verdict::Outside,
            matched: Matched::Default,
            cause: Some(Diagnostic::new(Code::NotVerifiedByPolicy, "no policy is in force")),
        })
    }

    /// Whether an image whose host is not known, only the path behind it, is outside on every host: no scope may be its own,
    /// and the default accepts anything.
    pub fn is_outside_on_every_host(&self, path: &str) -> bool {
        let accepts = |list: &[Ready]| list.iter().all(|requirement| matches!(requirement, Ready::Accept));
        self.0.iter().all(|policy| {
            accepts(&policy.default) && policy.docker.keys().all(|scope| !may_cover(scope, path))
        })
    }
}

/// Whether a scope may be that of an image with this path on some host. A mirror may have put more in front of the path.
fn may_cover(scope: &str, path: &str) -> bool {
    let Some((_, wanted)) = scope.split_once('/') else { return true };
    let wanted = wanted.split(['@', ':']).next().unwrap_or_default();
    let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    std::iter::once(path)
        .chain(ends)
        .any(|end| end.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::consumer::{ConsumerPolicy, Files};

    fn evaluator(default: &str, scopes: &[&str]) -> Evaluator {
        let scopes: Vec<_> =
            scopes.iter().map(|scope| format!(r#""{scope}":[{{"type":"reject"}}]"#)).collect();
        let text = format!(
            r#"{{"default":[{{"type":"{default}"}}],"transports":{{"docker":{{{}}}}}}}"#,
            scopes.join(",")
        );
        ConsumerPolicy::parse(text.as_bytes()).unwrap().with(&Files::new())
    }

    fn admit(evaluator: &Evaluator, name: &str) -> Verdict {
        let name = ImageName::parse(name).unwrap();
        let image = crate::oci::Digest::of(b"image");
        let pulled = Pulled { name: &name, image, attachments: false, signatures: Ok(&[]) };
        evaluator.admit(&pulled, Timestamp::UNIX_EPOCH).verdict
    }

    #[test]
    fn the_worst_of_several_policies_counts() {
        let accept = "insecureAcceptAnything";
        let (one, other) = (evaluator(accept, &["a.example/x"]), evaluator(accept, &["a.example/y"]));
        for both in [Evaluator::all([one.clone(), other.clone()]), Evaluator::all([other, one])] {
            for (name, verdict) in [
                ("a.example/x/1:v", Verdict::Refused),
                ("a.example/y/1:v", Verdict::Refused),
                ("a.example/z/1:v", Verdict::Outside),
            ] {
                assert_eq!(admit(&both, name), verdict, "{name}");
            }
            let matched = both.matched(&ImageName::parse("a.example/y/1:v").unwrap());
            assert_eq!(matched, Matched::Scope("a.example/y".into()));
        }
        assert_eq!(admit(&Evaluator::all([]), "a.example/x:v"), Verdict::Outside);
    }

    #[test]
    fn a_path_that_no_scope_may_cover_is_outside() {
        let accept = "insecureAcceptAnything";
        let of_openshift = evaluator(accept, &["quay.io/openshift-release-dev/ocp-release"]);
        for (path, is_outside) in [
            ("ubi9/ubi", true),
            ("openshift-release-dev/ocp-release", false),
            ("mirror/openshift-release-dev/ocp-release", false),
            ("openshift-release-dev/ocp-release-nightly", true),
            ("openshift-release-dev", true),
        ] {
            assert_eq!(of_openshift.is_outside_on_every_host(path), is_outside, "{path}");
        }
        assert!(!evaluator("reject", &[]).is_outside_on_every_host("ubi9/ubi"));
        for scope in ["quay.io", "*.example", "quay.io/ubi9", "quay.io/ubi9/ubi:1", ""] {
            assert!(!evaluator(accept, &[scope]).is_outside_on_every_host("ubi9/ubi"), "{scope}");
        }
        let both = Evaluator::all([of_openshift, evaluator(accept, &["quay.io"])]);
        assert!(!both.is_outside_on_every_host("ubi9/ubi"));
    }
}
