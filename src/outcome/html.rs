//! Pages: the only place that writes HTML. Every text that gets into a page is escaped here, whatever is in it.

use std::fmt::Write as _;

use crate::{display::shown, oci::Digest};

/// Nothing is loaded and nothing runs, whatever a name in the page contains (Content Security Policy Level 3).
const HEAD: &str = r#"<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
@page { size: A4; margin: 14mm }
body { font: 10pt/1.35 sans-serif; max-width: 182mm; margin: 0 auto; color: #000; background: #fff }
h1 { font-size: 15pt; margin: 0 0 2mm }
h2 { font-size: 10pt; margin: 4mm 0 1mm; border-bottom: 0.3mm solid #000; break-after: avoid }
p { margin: 0.5mm 0; overflow-wrap: anywhere }
p.detail { margin-left: 6mm }
p.verdict { font-size: 12pt; font-weight: bold; border: 0.5mm solid #000; padding: 1.5mm 3mm; margin: 2mm 0 }
p.good { border-color: #06632a; background: #e8f5ec }
p.bad { border-color: #a40000; background: #fdeaea }
div.key { margin: 1.5mm 0; break-inside: avoid }
code, pre { font-family: monospace; font-size: 9pt; overflow-wrap: anywhere }
pre { font-size: 11pt; margin: 1mm 0 }
table { border-collapse: collapse; width: 100%; break-inside: avoid }
th { text-align: left; font-weight: bold; padding-right: 4mm; vertical-align: top; white-space: nowrap }
td { overflow-wrap: anywhere; vertical-align: top }
body.wide th { width: 28mm }
table.list { table-layout: fixed; break-inside: auto; font-size: 8.5pt; margin: 1mm 0 }
table.list th, table.list td { padding: 0.6mm 2mm 0.6mm 0; border-bottom: 0.1mm solid #999; white-space: normal }
table.list tr { break-inside: avoid }
table.names td { border-bottom: 0.3mm solid #000; height: 14mm; vertical-align: bottom; width: 33% }
@media screen { body.wide { max-width: 250mm; padding: 6mm } }
</style>
"#;

/// A page that is being written, one fact a line.
pub(super) struct Page {
    out: String,
    /// The element that is open, if any.
    open: Option<&'static str>,
}

/// A column of a list: its title, and its part of the width in percent.
pub(super) type Column = (&'static str, u8);

impl Page {
    /// A page with this title. `mark` is a comment in the first line, by which a program recognises the page.
    pub(super) fn new(mark: Option<&'static str>, title: &str, class: Option<&'static str>) -> Self {
        let mark = mark.map_or_else(String::new, |mark| format!("<!-- {mark} -->"));
        let class = class.map_or_else(String::new, |class| format!(" class=\"{class}\""));
        let out = format!(
            "<!doctype html>{mark}\n{HEAD}<title>{}</title>\n</head>\n<body{class}>\n",
            escaped(title)
        );
        Self { out, open: None }
    }

    fn element(&mut self, open: &str, text: &str, close: &str) {
        self.close();
        let _ = writeln!(self.out, "<{open}>{}</{close}>", escaped(text));
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let _ = writeln!(self.out, "</{open}>");
        }
    }

    /// The title of the page.
    pub(super) fn title(&mut self, text: &str) {
        self.element("h1", text, "h1");
    }

    /// The beginning of a section.
    pub(super) fn heading(&mut self, text: &str) {
        self.element("h2", text, "h2");
    }

    /// How it ended, in a frame.
    pub(super) fn verdict(&mut self, is_good: bool, text: &str) {
        let class = if is_good { "good" } else { "bad" };
        self.element(&format!("p class=\"verdict {class}\""), text, "p");
    }

    /// A line of a section.
    pub(super) fn line(&mut self, text: &str) {
        self.element("p", text, "p");
    }

    /// A line that belongs to the one before.
    pub(super) fn detail(&mut self, text: &str) {
        self.element("p class=\"detail\"", text, "p");
    }

    /// A text that is compared character by character.
    pub(super) fn exact(&mut self, text: &str) {
        self.close();
        let _ = writeln!(self.out, "<p class=\"detail\"><code>{}</code></p>", escaped(text));
    }

    /// A name and a value; several in a row are a table.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        if self.open.is_none() {
            self.out.push_str("<table>\n");
            self.open = Some("table");
        }
        let _ = writeln!(self.out, "<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value));
    }

    /// A digest as a section, in groups of four digits.
    pub(super) fn digest(&mut self, name: &str, digest: Digest) {
        self.heading(&format!("{name} (sha256)"));
        let _ = writeln!(self.out, "<pre>{}</pre>", groups(&digest.hex()).join("\n"));
    }

    /// A key: its file and what it fits; its fingerprint; who vouches for it.
    pub(super) fn key(&mut self, [file, fingerprint, vouched]: [&str; 3]) {
        self.close();
        self.out.push_str("<div class=\"key\">\n");
        self.line(file);
        self.exact(fingerprint);
        self.detail(vouched);
        self.out.push_str("</div>\n");
    }

    /// A list with titles over its columns, which are repeated on each page of paper.
    pub(super) fn list<const N: usize>(
        &mut self,
        columns: [Column; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        self.close();
        self.out.push_str("<table class=\"list\">\n<thead><tr>");
        for (title, width) in columns {
            let _ = write!(self.out, "<th style=\"width: {width}%\">{}</th>", escaped(title));
        }
        self.out.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
            let _ = writeln!(self.out, "<tr>{cells}</tr>");
        }
        self.out.push_str("</tbody>\n</table>\n");
    }

    /// Places for two names.
    pub(super) fn names(&mut self, title: &str) {
        self.heading(title);
        let row = "<tr><td>Name</td><td>Signature</td><td>Date</td></tr>\n";
        let _ = writeln!(self.out, "<table class=\"names\">\n{row}{row}</table>");
    }

    /// The page. `data` is for programs, and not shown.
    pub(super) fn finish(mut self, data: Option<&str>) -> String {
        self.close();
        if let Some(data) = data {
            let _ = writeln!(self.out, "<!-- {data} -->");
        }
        self.out.push_str("</body>\n</html>\n");
        self.out
    }
}

/// A digest in groups of four digits, eight groups per line.
pub(super) fn groups(hex: &str) -> Vec<String> {
    let groups: Vec<&str> = (0..hex.len()).step_by(4).filter_map(|at| hex.get(at..at + 4)).collect();
    groups.chunks(8).map(|line| line.join(" ")).collect()
}

/// A text as content of an element, or of an attribute in quotes (HTML Living Standard, 13.1.4), without what hides or
/// reorders text.
fn escaped(text: &str) -> String {
    let text = shown(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
