use std::fmt::Write;

use super::{Part, text::groups};
use crate::outcome::html::escaped;

/// Nothing is loaded and nothing runs, whatever a name in the pack contains (Content Security Policy Level 3).
const HEAD: &str = r#"<!doctype html>
<html lang="en">
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
div.key { margin: 1.5mm 0; break-inside: avoid }
code, pre { font-family: monospace; font-size: 9pt; overflow-wrap: anywhere }
pre { font-size: 11pt; margin: 1mm 0 }
table { border-collapse: collapse; width: 100%; break-inside: avoid }
th { text-align: left; font-weight: bold; padding-right: 4mm; vertical-align: top; white-space: nowrap }
td { overflow-wrap: anywhere }
table.names td { border-bottom: 0.3mm solid #000; height: 14mm; vertical-align: bottom; width: 33% }
</style>
"#;

/// One self-contained page.
pub(super) fn render(lineage: &str, parts: &[Part]) -> String {
    let mut out = HEAD.to_owned();
    let _ = write!(
        out,
        "<title>Key sheet of {}</title>\n</head>\n<body>\n<h1>Key sheet</h1>\n",
        escaped(lineage)
    );
    let mut in_table = false;
    for part in parts {
        let is_field = matches!(part, Part::Field(..));
        if is_field != in_table {
            out.push_str(if is_field { "<table>\n" } else { "</table>\n" });
            in_table = is_field;
        }
        let _ = match part {
            Part::Field(name, value) => {
                writeln!(out, "<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value))
            }
            Part::Digest(name, digest) => writeln!(
                out,
                "<h2>{} (sha256)</h2>\n<pre>{}</pre>",
                escaped(name),
                escaped(&groups(&digest.hex()).join("\n"))
            ),
            Part::Heading(title) => writeln!(out, "<h2>{}</h2>", escaped(title)),
            Part::Key([file, fingerprint, vouched]) => writeln!(
                out,
                "<div class=\"key\">\n<p>{}</p>\n<p class=\"detail\"><code>{}</code></p>\n<p class=\"detail\">{}</p>\n</div>",
                escaped(file),
                escaped(fingerprint),
                escaped(vouched)
            ),
            Part::Exact(text) => writeln!(out, "<p class=\"detail\"><code>{}</code></p>", escaped(text)),
            Part::Line(text) => writeln!(out, "<p>{}</p>", escaped(text)),
            Part::Detail(text) => writeln!(out, "<p class=\"detail\">{}</p>", escaped(text)),
            Part::Signatures => writeln!(
                out,
                "<h2>APPROVED by two people, who compared the digests and every fingerprint</h2>\n\
                 <table class=\"names\">\n{0}{0}</table>",
                "<tr><td>Name</td><td>Signature</td><td>Date</td></tr>\n"
            ),
        };
    }
    out.push_str("</body>\n</html>\n");
    out
}
