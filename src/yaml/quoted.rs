use std::fmt::Write as _;

/// A double-quoted scalar (YAML 1.2.2 §7.3.1, escapes §5.7) in printable ASCII, whatever the text contains.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_gets_out_of_its_quotes() {
        for text in [
            "plain",
            "a\"\n- scope: \"*.com",
            "a\\\"\ndraft: false",
            "\u{2028}draft: false\u{85}x\u{0}\u{1b}[2J",
            "größe \u{1f511} \u{202e}",
            "# comment",
            "' : [] {} & * ! | > % @ `",
            "",
        ] {
            let line = quoted(text);
            assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
            let read: Vec<String> = crate::yaml::read(&format!("- {line}  # {line}\n")).unwrap();
            assert_eq!(read, [text]);
        }
    }
}
