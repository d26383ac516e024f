//! What a release payload says: the policy that it brings, and the images that it consists of.

use std::{collections::BTreeSet, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::{PolicyFault, Rendered, builtin, render};
use crate::{
    key::parse_key_file,
    oci::Digest,
    policy::consumer::{ImageName, PolicyFault as Fault},
    trust::attachment::base64,
    yaml,
};

/// The most images of a release: 4.20 has some 190.
const IMAGES: usize = 4096;

/// The policy of a payload, as far as it is in force on a cluster with the default feature set.
#[derive(Debug, Clone)]
pub struct PayloadPolicy {
    /// As the nodes have it.
    pub rendered: Rendered,
    /// What it asks for.
    pub summary: Summary,
    /// Its objects, as documents of JSON in YAML.
    pub text: String,
}

/// What a policy asks for, to be compared with another, and to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    scopes: BTreeSet<String>,
    /// The fingerprint of each key, with the rest of its policy.
    policies: BTreeSet<(String, String)>,
}

impl PayloadPolicy {
    /// Reads `0000_90_openshift-cluster-image-policy.yaml`; `None` if none of its objects is in force by default.
    ///
    /// The cluster version operator leaves an object out whose annotation names other feature sets than that of the
    /// cluster (openshift/library-go `pkg/manifest/manifest.go`): from 4.17 to 4.20 the policy is there and
    /// `TechPreviewNoUpgrade`.
    pub fn read(text: &str) -> Result<Option<Self>, PolicyFault> {
        let objects = yaml::documents::<Value>(text).map_err(|fault| Fault(fault.what))?;
        let objects: Vec<_> = objects.into_iter().filter(is_in_force).collect();
        if objects.is_empty() {
            return Ok(None);
        }
        let texts: Vec<_> = objects.iter().map(Value::to_string).collect();
        let text = format!("---\n{}\n", texts.join("\n---\n"));
        Ok(Some(Self { rendered: render(&text)?, summary: Summary::of(&objects), text }))
    }
}

fn is_in_force(object: &Value) -> bool {
    let sets = &object["metadata"]["annotations"]["release.openshift.io/feature-set"];
    sets.as_str().is_none_or(|sets| sets.split(',').any(|set| set.trim() == "Default"))
}

impl Summary {
    fn of(objects: &[Value]) -> Self {
        let scopes =
            objects.iter().flat_map(|object| object["spec"]["scopes"].as_array().into_iter().flatten());
        let policies = objects.iter().map(|object| {
            let mut policy = object["spec"]["policy"].clone();
            let key = policy.pointer_mut("/rootOfTrust/publicKey").and_then(Value::as_object_mut);
            let data = key.and_then(|key| key.remove("keyData"));
            let fingerprint = data.as_ref().and_then(Value::as_str).map(fingerprint);
            (fingerprint.unwrap_or_default(), policy.to_string())
        });
        Self {
            scopes: scopes.filter_map(Value::as_str).map(str::to_owned).collect(),
            policies: policies.collect(),
        }
    }

    /// That of the built-in copy for a release.
    pub fn builtin(version: &str) -> Option<Self> {
        let objects = yaml::documents::<Value>(&builtin::text(version)?).ok()?;
        Some(Self::of(&objects))
    }
}

fn fingerprint(data: &str) -> String {
    let pem = base64(data).unwrap_or_default();
    let key = parse_key_file(&pem).ok().and_then(|parsed| parsed.material.into_iter().next());
    key.map_or_else(|| Digest::of(data.as_bytes()).to_string(), |key| key.fingerprint().to_string())
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const USUAL: &str = r#"{"rootOfTrust":{"policyType":"PublicKey","publicKey":{}}}"#;
        let scopes: Vec<_> = self.scopes.iter().map(String::as_str).collect();
        f.write_str(&scopes.join(", "))?;
        for (fingerprint, policy) in &self.policies {
            match (fingerprint.as_str(), policy.as_str()) {
                ("", policy) => write!(f, "; {policy}")?,
                (key, USUAL) => write!(f, "; signed with the key {key}")?,
                (key, policy) => write!(f, "; signed with the key {key}, {policy}")?,
            }
        }
        Ok(())
    }
}

/// The images that a release consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReferences {
    /// The version of the release.
    pub version: String,
    /// Its images.
    pub images: Vec<ReleaseImage>,
}

/// An image of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseImage {
    /// What it is called in the release: `machine-config-operator`.
    pub name: String,
    /// By which name and digest it is pulled.
    pub image: String,
    /// The repository of that name.
    pub repository: String,
    /// The digest.
    pub digest: Digest,
}

#[derive(Deserialize)]
struct StreamDto {
    kind: String,
    metadata: MetadataDto,
    spec: SpecDto,
}

#[derive(Deserialize)]
struct MetadataDto {
    name: String,
}

#[derive(Deserialize)]
struct SpecDto {
    tags: Vec<TagDto>,
}

#[derive(Deserialize)]
struct TagDto {
    name: String,
    from: FromDto,
}

#[derive(Deserialize)]
struct FromDto {
    kind: String,
    name: String,
}

impl ImageReferences {
    /// Reads `image-references`, an ImageStream in JSON (openshift/cluster-version-operator `pkg/payload/payload.go`).
    pub fn read(json: &[u8]) -> Result<Self, PolicyFault> {
        let stream: StreamDto = serde_json::from_slice(json).map_err(|e| Fault(e.to_string()))?;
        if stream.kind != "ImageStream" || stream.spec.tags.len() > IMAGES {
            return Err(Fault(format!("it is not an ImageStream with at most {IMAGES} tags")));
        }
        let image = |tag: TagDto| {
            let named = ImageName::parse(&tag.from.name).filter(|_| tag.from.kind == "DockerImage");
            let found = named.and_then(|name| {
                let digest = tag.from.name.rsplit_once('@')?.1.parse().ok()?;
                Some(ReleaseImage {
                    image: name.to_string(),
                    repository: name.name().to_owned(),
                    digest,
                    name: tag.name.clone(),
                })
            });
            found.ok_or_else(|| Fault(format!("its tag {:?} names no image by digest", tag.name)))
        };
        Ok(Self {
            version: stream.metadata.name,
            images: stream.spec.tags.into_iter().map(image).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the policy of this release is off by default, or is not there: before 4.21.
    pub fn is_before_policies(&self) -> bool {
        let mut numbers = self.version.split('.').map(str::parse::<u32>);
        matches!((numbers.next(), numbers.next()), (Some(Ok(4)), Some(Ok(minor))) if minor < 21)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDHATS: &str =
        include_str!("../../../../testdata/gpg/redhat/0000_90_openshift-cluster-image-policy.yaml");

    #[test]
    fn red_hats_own_policy_is_the_built_in_one() {
        let policy = PayloadPolicy::read(REDHATS).unwrap().unwrap();
        for (version, is_same) in [("4.22.7", true), ("5.1", true), ("4.21.3", false)] {
            assert_eq!(Summary::builtin(version).as_ref() == Some(&policy.summary), is_same, "{version}");
        }
        assert_eq!(Summary::builtin("4.20.1"), None);
        let shown = policy.summary.to_string();
        assert!(shown.contains("ocp-v5.0-art-dev; signed with the key sha256:ba9d26350d78"), "{shown}");
    }

    #[test]
    fn a_policy_for_another_feature_set_is_not_in_force() {
        let with = |sets: &str| {
            let annotation = format!("  annotations:\n    release.openshift.io/feature-set: {sets}\n");
            PayloadPolicy::read(&REDHATS.replacen("  annotations:\n", &annotation, 1)).unwrap()
        };
        assert!(with("TechPreviewNoUpgrade").is_none());
        assert!(with("CustomNoUpgrade,TechPreviewNoUpgrade").is_none());
        assert!(with("Default,TechPreviewNoUpgrade").is_some());
        assert!(PayloadPolicy::read("kind: ConfigMap\n").is_err());
        assert!(PayloadPolicy::read("{").is_err());
    }

    #[test]
    fn other_keys_and_other_rules_are_another_policy() {
        let own = PayloadPolicy::read(REDHATS).unwrap().unwrap().summary;
        let identity = format!("{REDHATS}\n    signedIdentity:\n      matchPolicy: MatchRepository\n");
        let other = PayloadPolicy::read(&identity).unwrap().unwrap().summary;
        assert_ne!(own, other);
        assert!(other.to_string().contains("MatchRepository"), "{other}");
    }

    #[test]
    fn images_have_names_and_digests() {
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let text = |from: &str| {
            format!(
                r#"{{"kind":"ImageStream","apiVersion":"image.openshift.io/v1","metadata":{{"name":"4.22.7","creationTimestamp":null}},"spec":{{"lookupPolicy":{{"local":false}},"tags":[{{"name":"etcd","annotations":{{}},"from":{{"kind":"DockerImage","name":"{from}"}}}}]}}}}"#
            )
        };
        let name = "quay.io/openshift-release-dev/ocp-v4.0-art-dev";
        let read = ImageReferences::read(text(&format!("{name}@{digest}")).as_bytes()).unwrap();
        assert_eq!((read.version.as_str(), read.is_before_policies()), ("4.22.7", false));
        assert_eq!((read.images[0].name.as_str(), read.images[0].repository.as_str()), ("etcd", name));
        for from in [format!("{name}:latest"), name.to_owned(), format!("{name}@sha256:00"), String::new()] {
            assert!(ImageReferences::read(text(&from).as_bytes()).is_err(), "{from}");
        }
        let old = ImageReferences { version: "4.20.11".into(), images: Vec::new() };
        assert!(old.is_before_policies());
        for version in ["5.0.1", "4.21.0-rc.1", "4", "", "4.x"] {
            let other = ImageReferences { version: version.into(), images: Vec::new() };
            assert!(!other.is_before_policies(), "{version}");
        }
    }
}
