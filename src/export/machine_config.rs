//! The files of policy.json for nodes that Ignition writes: as a MachineConfig of OpenShift, and as a Butane config for Fedora CoreOS.
//!
//! openshift/api `machineconfiguration/v1` with Ignition 3.2.0 (coreos/ignition `docs/configuration-v3_2.md`), which every release since
//! OpenShift 4.7 reads, and coreos/butane `docs/config-fcos-v1_3.md`, which becomes the same.

use std::{fmt::Write as _, path::Path};

use super::{encoded, policy_json::PolicyFiles};
use crate::yaml::quoted;

/// 0644. A number in decimal means the same to readers of YAML 1.1 and 1.2.
const MODE: u32 = 0o644;

/// Where policy.json and registries.d are on a host: containers-policy.json(5), containers-registries.d(5).
const POLICY: &str = "/etc/containers/policy.json";
const SECTIONS: &str = "/etc/containers/registries.d/keypack.yaml";

/// One object for the nodes of a pool.
pub(crate) fn machine_config(
    made: &PolicyFiles,
    pool: &str,
    first_line: &str,
    keys_at: Option<&Path>,
) -> Vec<(String, String)> {
    let name = format!("99-{pool}-keypack");
    let head =
        format!("Applying this rolls out to the pool {pool}, and reboots its nodes one after the other.");
    let mut out = format!("# {head} {first_line}\n");
    // merge order: pkg/controller/common/helpers.go, MergeMachineConfigs
    out.push_str(
        "# It replaces policy.json as a whole, also the one that the cluster makes of its image policies and allowed registries.\n",
    );
    let _ = write!(
        out,
        "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\nmetadata:\n  name: \"{name}\"\n  labels:\n    \
         machineconfiguration.openshift.io/role: \"{pool}\"\nspec:\n  config:\n    ignition:\n      version: 3.2.0\n    storage:\n      files:\n"
    );
    for (path, text) in on_host(made, first_line, keys_at) {
        let source = encoded(&text);
        let _ = write!(
            out,
            "        - path: {}\n          mode: {MODE}\n          overwrite: true\n          contents:\n            compression: \"\"\n            \
             source: \"data:text/plain;charset=utf-8;base64,{source}\"\n",
            quoted(&path)
        );
    }
    let mut readme = format!("{head} {first_line}\n\n");
    let _ = write!(
        readme,
        "For pools whose nodes run containers by podman. Where OpenShift has image policies, from 4.16 on, and above all from 4.21 on, where the\n\
         release brings one of its own, use keypack export cluster-image-policy: this object replaces what the cluster writes into policy.json.\n\n\
         Apply:    oc apply -f {name}.yaml\n\
         Watch:    oc get machineconfigpool {pool}\n\
         Go back:  oc delete machineconfig {name}; the pool rolls out again\n\n\
         Newer releases of OpenShift reload CRI-O instead of rebooting where nothing but policy.json and registries.d changed.\n"
    );
    notes(made, &mut readme);
    vec![(format!("{name}.yaml"), out), ("README.txt".into(), readme)]
}

/// One config for a host.
pub(crate) fn butane(made: &PolicyFiles, first_line: &str, keys_at: Option<&Path>) -> Vec<(String, String)> {
    let mut out = format!("# {first_line}\nvariant: fcos\nversion: 1.3.0\nstorage:\n  files:\n");
    for (path, text) in on_host(made, first_line, keys_at) {
        let _ = write!(
            out,
            "    - path: {}\n      mode: {MODE}\n      overwrite: true\n      contents:\n        inline: |\n",
            quoted(&path)
        );
        for line in text.lines() {
            let _ = writeln!(out, "          {line}");
        }
    }
    let mut readme = format!("{first_line}\n\n");
    readme.push_str(
        "keypack.bu   as it is:            butane --strict keypack.bu > keypack.ign\n             \
         as part of another:  copy its storage.files, or merge keypack.ign with ignition.config.merge\n\n\
         Ignition writes the files when a host boots for the first time, and never again. On a host that runs, install what\n\
         keypack export policy-json writes. To go back there, copy the distribution's file: /usr/etc/containers/policy.json.\n",
    );
    notes(made, &mut readme);
    vec![("keypack.bu".into(), out), ("README.txt".into(), readme)]
}

/// What is written on the host, by whole paths.
fn on_host(made: &PolicyFiles, first_line: &str, keys_at: Option<&Path>) -> Vec<(String, String)> {
    let mut files =
        vec![(POLICY.to_owned(), made.policy.clone()), (SECTIONS.to_owned(), made.registries_d(first_line))];
    let keys = |at: &Path| -> Vec<_> {
        made.keys.iter().map(|(name, text)| (at.join(name).display().to_string(), text.clone())).collect()
    };
    files.extend(keys_at.map(keys).unwrap_or_default());
    files
}

fn notes(made: &PolicyFiles, out: &mut String) {
    for note in &made.notes {
        let _ = write!(out, "\nNote: {} [{}]\n", note.message, note.code);
    }
}
