use super::Part;
use crate::outcome::html::Page;

/// One self-contained page.
pub(super) fn render(lineage: &str, parts: &[Part]) -> String {
    let mut page = Page::new(None, &format!("Key sheet of {lineage}"), None);
    page.title("Key sheet");
    for part in parts {
        match part {
            Part::Field(name, value) => page.field(name, value),
            Part::Digest(name, digest) => page.digest(name, *digest),
            Part::Heading(title) => page.heading(title),
            Part::Key([file, fingerprint, vouched]) => page.key([file, fingerprint, vouched]),
            Part::Exact(text) => page.exact(text),
            Part::Line(text) => page.line(text),
            Part::Detail(text) => page.detail(text),
            Part::Signatures => {
                page.names("APPROVED by two people, who compared the digests and every fingerprint");
            }
        }
    }
    page.finish(None)
}
