//! The commands that copy missing signatures, as a shell script for people to read: `verify --policy --fix`.
//!
//! oras copies a signature manifest byte for byte. skopeo and oc-mirror write it anew, and some registries refuse what they
//! write when several signatures have the same payload (container-libs issue 1018, oc-mirror issue 1478); they also apply the
//! host's own policy to it.

use std::fmt::Write as _;

use crate::display::{count, shell_word, shown};

/// The beginning of the first line: such a file may be replaced.
const MARK: &str = "# Written by keypack verify --fix: ";

/// The folder between the sources and a mirror that they can't reach, an OCI layout.
pub(crate) const FOLDER: &str = "keypack-signatures";

/// The commands and what they are for.
#[derive(Debug)]
pub(crate) struct SignatureCopies<'a> {
    /// The places that were judged.
    pub places: &'a [String],
    /// The policy, as the user named it.
    pub policy: &'a str,
    /// The name of the file.
    pub file: &'a str,
    /// What is copied.
    pub copies: &'a [SignatureCopy],
    /// What is refused and is not cured by a copy.
    pub others: &'a [Uncopied],
    /// Whether the sources and the mirror can be reached from one machine.
    pub way: Way,
    /// Whether the places are folders or archives of oc-mirror.
    pub is_oc_mirror: bool,
    /// The options of oras for the source, where keypack asked it, and for the mirror.
    pub source_options: &'a str,
    /// Those for the mirror.
    pub mirror_options: &'a str,
}

/// How signatures reach the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From registry to registry.
    Direct,
    /// Through [`FOLDER`], which is carried.
    Carried,
}

/// One signature tag to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignatureCopy {
    /// The image that it is for.
    pub image: String,
    /// `HOST/REPOSITORY` at the source.
    pub source: String,
    /// The mirror's repository.
    pub mirror: Repository,
    /// The tag.
    pub tag: String,
    /// Whether the source was asked, and has a signature that the policy accepts.
    pub asked: bool,
}

/// A repository of the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repository {
    /// `HOST/REPOSITORY`.
    Named(String),
    /// A path below what the user puts into the variable MIRROR.
    Below(String),
}

impl Repository {
    /// The name of a tag in it, as the script has it.
    pub(crate) fn with(&self, tag: &str) -> String {
        match self {
            Self::Named(name) => format!("{name}:{tag}"),
            Self::Below(path) => format!("$MIRROR/{path}:{tag}"),
        }
    }

    fn word(&self, tag: &str) -> String {
        match self {
            Self::Named(_) => shell_word(&self.with(tag)),
            Self::Below(path) => format!("\"$MIRROR\"/{}", shell_word(&format!("{path}:{tag}"))),
        }
    }
}

/// Images that no copy cures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uncopied {
    /// The images.
    pub images: Vec<String>,
    /// Why, in words.
    pub cause: String,
    /// What to do.
    pub cure: String,
}

/// Whether a file begins as those of [`SignatureCopies::script`] do.
pub(crate) fn is_fix(file: &[u8]) -> bool {
    file.starts_with(MARK.as_bytes())
}

impl SignatureCopies<'_> {
    /// The file.
    pub(crate) fn script(&self) -> String {
        let mut out = String::new();
        let places: Vec<_> = self.places.iter().map(|place| shown(place)).collect();
        let _ = writeln!(out, "{MARK}{}, policy {}", places.join(", "), shown(self.policy));
        self.explain(&mut out);
        if !self.copies.is_empty() {
            self.prepare(&mut out);
            match self.way {
                Way::Direct => {
                    self.each(&mut out, "", |copy| self.direct(copy));
                    out.push_str(END);
                }
                Way::Carried => self.carried(&mut out),
            }
        }
        out
    }

    fn explain(&self, out: &mut String) {
        let file = shown(&shell_word(self.file));
        let what = count(self.copies.len(), "missing signature");
        match self.way {
            _ if self.copies.is_empty() => out.push_str("# There is nothing to copy.\n"),
            Way::Direct => {
                let _ = writeln!(
                    out,
                    "# Copies {what} from the source to the mirror. Run it where both can be reached: sh {file}"
                );
            }
            Way::Carried => {
                let _ = writeln!(
                    out,
                    "# Copies {what} from the source to the mirror, through the folder {FOLDER}:"
                );
                let _ =
                    writeln!(out, "#   1. on the connected side:                       sh {file} connected");
                let _ = writeln!(out, "#   2. carry {FOLDER} and this file");
                let mirror = if self.needs_mirror() { "MIRROR=HOST[:PORT][/PREFIX] " } else { "" };
                let _ = writeln!(
                    out,
                    "#   3. once the images are in the mirror registry:  {mirror}sh {file} disconnected"
                );
                if self.is_oc_mirror {
                    out.push_str(
                        "# Or mirror these images again with oc-mirror; 4.19 and 4.20 need --remove-signatures=false for it.\n",
                    );
                }
            }
        }
        if !self.copies.is_empty() {
            out.push_str(
                "# It needs oras (https://oras.land); oras login HOST for registries that require it.\n",
            );
        }
        for other in self.others {
            let _ = writeln!(out, "#\n# No command for {}:", count(other.images.len(), "pull"));
            other.images.iter().for_each(|image| {
                let _ = writeln!(out, "#   {}", shown(image));
            });
            let _ = writeln!(out, "# {}\n# fix: {}", shown(&other.cause), shown(&other.cure));
        }
    }

    fn needs_mirror(&self) -> bool {
        self.copies.iter().any(|copy| matches!(copy.mirror, Repository::Below(_)))
    }

    /// What the commands need.
    fn prepare(&self, out: &mut String) {
        out.push_str("\ncommand -v oras >/dev/null || { echo 'oras is not installed: https://oras.land' >&2; exit 1; }\nfailed=0\n");
        if self.copies.iter().any(|copy| !copy.asked) {
            out.push_str(HAS);
        }
    }

    /// A comment and a line for each copy.
    fn each(&self, out: &mut String, indent: &str, line: impl Fn(&SignatureCopy) -> String) {
        for copy in self.copies {
            let _ = writeln!(out, "\n{indent}# {}\n{indent}{} || failed=1", shown(&copy.image), line(copy));
        }
    }

    fn direct(&self, copy: &SignatureCopy) -> String {
        let to = copy.mirror.word(&copy.tag);
        format!(
            "{}{} {to}",
            self.from(copy, self.mirror_options),
            shell_word(&format!("{}:{}", copy.source, copy.tag))
        )
    }

    /// The command up to the source. One that was not asked is asked first.
    fn from(&self, copy: &SignatureCopy, to: &str) -> String {
        if copy.asked {
            return format!("oras cp{}{to} ", self.source_options);
        }
        format!("has {} && oras cp{to} ", shell_word(&format!("{}:{}", copy.source, copy.tag)))
    }

    fn carried(&self, out: &mut String) {
        out.push_str("\ncase \"${1-}\" in\nconnected)\n");
        self.each(out, "    ", |copy| {
            let source = shell_word(&format!("{}:{}", copy.source, copy.tag));
            format!("{}--to-oci-layout {source} {}", self.from(copy, ""), shell_word(&self.carrier(copy)))
        });
        out.push_str("    ;;\ndisconnected)\n");
        if self.needs_mirror() {
            out.push_str("    : \"${MIRROR:?name the mirror registry, with the prefix that oc-mirror was given: MIRROR=HOST[:PORT][/PREFIX]}\"\n");
        }
        self.each(out, "    ", |copy| {
            let to = copy.mirror.word(&copy.tag);
            format!(
                "oras cp{} --from-oci-layout {} {to}",
                self.mirror_options,
                shell_word(&self.carrier(copy))
            )
        });
        let _ = writeln!(
            out,
            "    ;;\n*)\n    echo \"say where this runs: sh $0 connected, or sh $0 disconnected\" >&2\n    exit 2\n    ;;\nesac{END}"
        );
    }

    /// Where a signature lies in the folder. One image may have other signatures in another repository.
    fn carrier(&self, copy: &SignatureCopy) -> String {
        let same: Vec<_> =
            self.copies.iter().filter(|other| other.tag == copy.tag).map(|other| &other.source).collect();
        let number = same.iter().position(|source| **source == copy.source).unwrap_or_default();
        if number == 0 { format!("{FOLDER}:{}", copy.tag) } else { format!("{FOLDER}:{}-{number}", copy.tag) }
    }
}

/// Asks a source that keypack could not ask.
const HAS: &str = r#"
# keypack could not ask the sources, so this does.
has() {
    oras manifest fetch --descriptor "$1" >/dev/null && return
    echo "not copied: $1 could not be read. If it is not found, the image is not signed at its source, and its publisher must sign it." >&2
    return 1
}
"#;

const END: &str = r#"
[ "$failed" = 0 ] || echo 'not everything was copied: see above' >&2
exit "$failed"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(source: &str, asked: bool) -> SignatureCopy {
        SignatureCopy {
            image: format!("{source}@sha256:ab"),
            source: source.into(),
            mirror: Repository::Named("mirror.example:5000/a".into()),
            tag: "sha256-ab.sig".into(),
            asked,
        }
    }

    fn script(way: Way, copies: &[SignatureCopy], others: &[Uncopied]) -> String {
        let places = ["it's\n$(touch owned)".to_owned()];
        SignatureCopies {
            places: &places,
            policy: "`x`\nexit",
            file: "fix.txt",
            copies,
            others,
            way,
            is_oc_mirror: true,
            source_options: " --from-plain-http",
            mirror_options: " --to-plain-http",
        }
        .script()
    }

    #[test]
    fn hostile_names_stay_in_comments_and_quotes() {
        let hostile = "a'; touch owned; '\n$(touch owned)";
        let other = Uncopied { images: vec![hostile.into()], cause: hostile.into(), cure: hostile.into() };
        let text = script(Way::Direct, &[copy(hostile, true)], &[other]);
        assert!(is_fix(text.as_bytes()));
        let begins = |line: &&str| line.contains("touch owned") && !line.starts_with('#');
        let commands: Vec<_> = text.lines().filter(begins).collect();
        // The name has a line break, which is within the quotes.
        assert_eq!(commands.len(), 2, "{text}");
        assert!(
            commands[0].starts_with(r"oras cp --from-plain-http --to-plain-http 'a'\''; touch owned; '\''")
        );
        assert!(
            commands[1]
                .starts_with("$(touch owned):sha256-ab.sig' mirror.example:5000/a:sha256-ab.sig || failed=1")
        );
    }

    #[test]
    fn two_repositories_with_the_same_image_do_not_share_a_tag_of_the_folder() {
        let text = script(Way::Carried, &[copy("one.example/a", true), copy("two.example/a", false)], &[]);
        assert!(text.contains("one.example/a:sha256-ab.sig keypack-signatures:sha256-ab.sig ||"), "{text}");
        assert!(text.contains("has two.example/a:sha256-ab.sig && oras cp --to-oci-layout two.example/a:sha256-ab.sig keypack-signatures:sha256-ab.sig-1 ||"), "{text}");
        assert!(text.contains("--from-oci-layout keypack-signatures:sha256-ab.sig-1 mirror"), "{text}");
    }
}
