//! What the exports for admission controllers have in common: from rules to objects, which nothing here can evaluate.

use std::collections::BTreeMap;

use super::{
    asked::{Asked, asked},
    keys::ExportKeys,
    names::refuse_one_image,
    object_names::ObjectNames,
    places::{Places, places},
    policy_json::PulledBy,
};
use crate::{
    diag::{Code, Diagnostic},
    policy::{mapping::NameMap, rule::Rule, target::Target},
    yaml::quoted,
};

/// What the objects are made of.
pub(crate) struct AdmissionInput<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) keys: &'a ExportKeys<'a>,
    pub(crate) target: &'a Target,
    /// The beginning of the objects' names.
    pub(crate) name: &'a str,
    /// Whether images that don't meet their rule are refused, and not only reported.
    pub(crate) enforce: bool,
    pub(crate) pulled_by: PulledBy,
    /// Where the caller says that images are mirrored.
    pub(crate) names: &'a NameMap,
}

/// The objects, and what to know about them.
#[derive(Debug, Default)]
pub(crate) struct AdmissionFiles {
    /// What the objects do, as a sentence: the beginning of each file.
    pub(super) head: String,
    /// By file name, without the line on top.
    pub(super) texts: BTreeMap<String, String>,
    /// What to do with them.
    pub(super) how: String,
    pub(crate) notes: Vec<Diagnostic>,
}

/// A rule with the name of its object.
pub(super) struct One<'a> {
    pub(super) rule: &'a Rule,
    pub(super) name: String,
    pub(super) places: Places,
    pub(super) asked: Asked,
}

type Refusal = String;

/// What was made of each rule, by the object's name, and what to know about it.
type Named<T> = (Vec<(String, T)>, Vec<Diagnostic>);

impl AdmissionFiles {
    /// Makes a text of each rule, or says for every rule that the consumer can't be asked why.
    pub(super) fn of_each<T>(
        input: &AdmissionInput<'_>,
        make: &dyn Fn(&One<'_>) -> Result<T, Refusal>,
    ) -> Result<Named<T>, Vec<Diagnostic>> {
        let (mut made, mut notes, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = ObjectNames::default();
        let places = places(input.rules, input.pulled_by, input.names);
        for (rule, places) in input.rules.iter().zip(places) {
            let one = |places: Places| {
                refuse_one_image(rule, input.rules, true)?;
                let name = names.of(input.name, &rule.scope);
                let one = One { rule, name, places, asked: asked(rule, input.keys)? };
                Ok((make(&one)?, one))
            };
            if places.as_ref().is_ok_and(|places| places.scopes.is_empty()) {
                let what =
                    format!("{} has no object: what is mirrored of it belongs to narrower rules", rule.scope);
                notes.push(
                    Diagnostic::new(Code::ScopeLeftOut, what)
                        .hinting("if more of it is mirrored, name that with --idms or --map"),
                );
                continue;
            }
            match places.and_then(one) {
                Ok((text, one)) => {
                    let about = |note: &String| {
                        Diagnostic::new(Code::ConsumerDiffers, format!("{}: {note}", rule.scope))
                    };
                    notes.extend(one.asked.notes.iter().map(about));
                    made.push((one.name, text));
                }
                Err(why) => {
                    refused.push(Diagnostic::new(Code::RuleNotExpressible, format!("{}: {why}", rule.scope)));
                }
            }
        }
        if refused.is_empty() { Ok((made, notes)) } else { Err(refused) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The files: these say themselves that nothing was checked.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let first = format!(
            "Written by keypack export. NOT CHECKED: keypack can't evaluate it, and has tried it on no image. {}",
            self.head
        );
        let file = |(name, text): (&String, &String)| (name.clone(), format!("# {first}\n{text}"));
        let mut files: Vec<_> = self.texts.iter().map(file).collect();
        let mut readme = format!("{first}\n\n{}", self.how);
        for note in &self.notes {
            readme.push_str(&format!("\nNote: {} [{}]\n      {}\n", note.message, note.code, note.hint));
        }
        files.push(("README.txt".into(), readme));
        files
    }
}

/// What holds for every signature that these consumers verify.
pub(super) fn names_note(consumer: &str) -> Diagnostic {
    let what = format!(
        "{consumer} compares the digest in a signature and never the name: signedIdentity is not checked"
    );
    Diagnostic::new(Code::ConsumerDiffers, what)
}

/// What is asked where an image is to be found.
pub(super) fn mirrors_note(consumer: &str, by: PulledBy) -> Option<Diagnostic> {
    let what = format!(
        "{consumer} asks the registry that the pod names, and knows no mirrors of the nodes: it must reach the sources' hosts"
    );
    (by == PulledBy::Source).then(|| {
        Diagnostic::new(Code::ConsumerDiffers, what)
            .hinting("where pods name the mirror, export with --pulled-by mirror and --idms or --map")
    })
}

/// A text of several lines, as the value of a field.
pub(super) fn block(text: &str, indent: usize) -> String {
    let lines = text.lines().map(|line| format!("{:indent$}{line}\n", ""));
    format!("|\n{}", lines.collect::<String>())
}

/// A list of texts, as the value of a field.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a String>, indent: usize) -> String {
    texts.into_iter().map(|text| format!("{:indent$}- {}\n", "", quoted(text))).collect()
}
