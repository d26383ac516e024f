//! Command lines of cosign for the rules: what each line is given makes it ask for exactly what the rule asks for, and keeps it off the
//! network. cosign trusts every log and CA of a trusted root alike, so that each line has one with those of its rule alone.
//!
//! sigstore/cosign v2.6.1 and d6d86c22 (3.1): cmd/cosign/cli/verify/verify.go, pkg/cosign/verify.go.

mod line;

use std::{collections::BTreeMap, fmt::Write as _};

use self::line::{Line, lines};
use super::{keys::ExportKeys, object_names::ObjectNames};
use crate::{
    diag::{Code, Diagnostic},
    display::shown,
    key::{KeyRef, slug, trusted_root},
    policy::{
        rule::Rule,
        target::{Feature, Target},
    },
};

/// What the command lines are made of.
pub(crate) struct CosignInput<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) keys: &'a ExportKeys<'a>,
    pub(crate) targets: &'a [Target],
}

/// The files, and what to know about them.
#[derive(Debug, Default)]
pub(crate) struct CosignFiles {
    /// The command lines, by the name of the version's file.
    commands: BTreeMap<String, String>,
    /// The keys and trusted roots that they name, by path.
    named: BTreeMap<String, String>,
    pub(crate) notes: Vec<Diagnostic>,
}

/// Makes the lines, or says for every rule that cosign can't be asked why.
pub(crate) fn cosign(input: &CosignInput<'_>) -> Result<CosignFiles, Vec<Diagnostic>> {
    let (mut files, mut refused, mut all) = (CosignFiles::default(), Vec::new(), Vec::new());
    for rule in input.rules {
        match lines(rule, input.keys) {
            Ok((lines, notes)) => {
                let notes = notes.into_iter().map(|note| format!("{}: {note}", rule.scope));
                files.notes.extend(notes.map(|what| Diagnostic::new(Code::ConsumerDiffers, what)));
                all.push((rule, lines));
            }
            Err(why) => {
                refused.push(Diagnostic::new(Code::RuleNotExpressible, format!("{}: {why}", rule.scope)));
            }
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    // pkg/cosign/verify.go, SimpleClaimVerifier and IntotoSubjectClaimVerifier.
    let what = "cosign compares the digest in a signature and not the name: signedIdentity is not checked, and an image may stand under another name";
    files.notes.push(Diagnostic::new(Code::ConsumerDiffers, what).hinting(
        "name images by digest, and take the digest from a place that you trust; `keypack verify` compares names",
    ));
    let roots = roots(&all, input, &mut files.named);
    for target in input.targets {
        let text = text(target, &all, &roots, input);
        files.commands.insert(format!("cosign-{}.txt", target.version), text);
    }
    Ok(files)
}

/// The trusted root of every line, by its content: its path.
fn roots(
    all: &[(&Rule, Vec<Line>)],
    input: &CosignInput<'_>,
    named: &mut BTreeMap<String, String>,
) -> BTreeMap<Vec<KeyRef>, String> {
    let (mut roots, mut names) = (BTreeMap::new(), ObjectNames::default());
    for (rule, lines) in all {
        for line in lines {
            if let Some(signer) = line.signer {
                named.insert(format!("keys/{}", input.keys.file(signer)), input.keys.pem(signer));
            }
            if roots.contains_key(&line.trusted) {
                continue;
            }
            let stem = if line.trusted.is_empty() { "none".to_owned() } else { slug(rule.scope.as_str()) };
            let path = format!("roots/{}.json", names.free(&stem));
            if line.is_private {
                named.insert(path.clone(), input.keys.private_root(&line.trusted));
                named.insert(pem_of(&path), input.keys.pems(&line.trusted));
                roots.insert(line.trusted.clone(), path);
                continue;
            }
            let json = input.keys.trusted_root(&|key| line.trusted.contains(&key));
            let empty = || String::from_utf8_lossy(&trusted_root::write(&[])).into_owned();
            named.insert(path.clone(), json.unwrap_or_else(empty));
            roots.insert(line.trusted.clone(), path);
        }
    }
    roots
}

/// The same CAs as PEM, beside a trusted root.
fn pem_of(root: &str) -> String {
    root.replace(".json", ".pem")
}

/// The lines for a private CA. Only `--ca-roots` follows the certificates that came with a signature at a tag, and for bundles only a
/// trusted root is taken. An image that has both kinds is read for bundles alone, unless these are switched off.
fn by_private_ca(line: &Line, root: &str, target: &Target, bundles: &str) -> String {
    let by_default = target.has(Feature::BundlesByDefault);
    let (tags, bundles) = if by_default { (" --new-bundle-format=false", "") } else { ("", bundles) };
    let pem = pem_of(root);
    format!(
        "cosign verify --ca-roots {pem}{}{tags} \"$IMAGE\"\ncosign verify --trusted-root {root}{}{bundles} \"$IMAGE\"\n",
        line.options, line.options
    )
}

/// The file of one version.
fn text(
    target: &Target,
    all: &[(&Rule, Vec<Line>)],
    roots: &BTreeMap<Vec<KeyRef>, String>,
    input: &CosignInput<'_>,
) -> String {
    let mut out = format!(
        "# {target}, in this folder, with the image as an environment variable: export IMAGE=HOST/REPOSITORY@sha256:…\n\
         # For an image use the lines of the most precise scope that it is in. One line that succeeds is enough.\n"
    );
    // One call reads either form from 3.0 on, and the tag form or bundles before.
    let bundles = " --new-bundle-format=true";
    let forms: &[&str] = if target.has(Feature::BundlesByDefault) { &[""] } else { &["", bundles] };
    for (rule, lines) in all {
        let named = rule.named(&|key| input.keys.file(key));
        let _ = write!(out, "\n# {}: {}\n", rule.scope, shown(&named.to_string()));
        if lines.is_empty() {
            out.push_str("# reject every image: all signers, or all logs, were revoked on this host\n");
        }
        let root_of = |line: &Line| roots.get(&line.trusted).map(String::as_str).unwrap_or_default();
        let (private, lines): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.is_private);
        out.extend(private.into_iter().map(|line| by_private_ca(line, root_of(line), target, bundles)));
        for (line, form) in lines.iter().flat_map(|line| forms.iter().map(move |form| (line, form))) {
            let root = root_of(line);
            let mut write = |more: &str| {
                let _ = writeln!(
                    out,
                    "cosign verify --trusted-root {root}{}{form}{more} \"$IMAGE\"",
                    line.options
                );
            };
            write("");
            // Entries of Rekor v2 have no time, and a version that does not ask for the timestamp by itself refuses them.
            if line.may_need_timestamp
                && !target.has(Feature::TimestampsByDefault)
                && *form == *forms.last().unwrap_or(&"")
            {
                write(" --use-signed-timestamps=true");
            }
        }
    }
    out
}

impl CosignFiles {
    /// The files, with this line on top of those that have comments.
    pub(crate) fn files(&self, first_line: &str) -> Vec<(String, String)> {
        let mut files: Vec<_> = self
            .commands
            .iter()
            .map(|(name, text)| (name.clone(), format!("# {first_line}\n{text}")))
            .chain(self.named.iter().map(|(path, text)| (path.clone(), text.clone())))
            .collect();
        let mut readme = format!(
            "{first_line}\n\n\
             cosign-VERSION.txt has a command line for every signer of every rule, to be run in this folder:\n\n  \
             export IMAGE=HOST/REPOSITORY@sha256:…\n  cosign verify …\n\n\
             Exit code 0: it is signed as the rule asks. The trusted root in each line holds the logs and CAs of that rule alone, and with it\n\
             cosign asks nothing but the registry. Nothing is installed, so that there is nothing to take back.\n"
        );
        for note in &self.notes {
            let _ = write!(readme, "\nNote: {} [{}]\n      {}\n", note.message, note.code, note.hint);
        }
        files.push(("README.txt".into(), readme));
        files
    }
}
