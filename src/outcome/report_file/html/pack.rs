//! What the page says of the pack.

use crate::outcome::{html::Page, report_file::PackPart};

pub(super) fn write(page: &mut Page, pack: Option<&PackPart>) {
    let Some(pack) = pack else {
        page.heading("PACK");
        page.line("no pack was used");
        return;
    };
    page.heading(&format!("PACK  {}, version {}", pack.name, pack.version));
    page.field("Made", &pack.created.to_string());
    page.field("Collected by", pack.collected_by.as_deref().unwrap_or("(not said)"));
    page.field("Directory", &pack.directory);
    page.digest("Pack digest", pack.digest);
    page.digest("Key-set digest", pack.key_set_digest);
    custody(page, pack);
    page.heading("AGES AND ENDS");
    let end = |at: Option<jiff::Timestamp>| at.map_or_else(|| "now".into(), |at| format!("{at:.0}"));
    page.list(
        [("Ends", 20), ("File", 28), ("What", 52)],
        pack.ends.iter().map(|one| {
            let what =
                if one.counts { one.what.clone() } else { format!("{} (nothing stops then)", one.what) };
            [end(one.at), one.file.clone(), what]
        }),
    );
    page.heading(&format!("KEYS ({}), by fingerprint, and who vouches for each", pack.keys.len()));
    for key in &pack.keys {
        let file = format!("{} ({}), fits {}", key.file, key.role.title(), key.fits());
        page.key([&file, &key.fingerprint.to_string(), &format!("vouched for by {}", key.vouched())]);
    }
    page.heading(&format!("RULES ({})", pack.rules.len()));
    pack.rules.iter().for_each(|rule| page.line(rule));
    page.heading(&format!("REVOKED ({})", pack.revoked.len() + pack.revoked_here.len()));
    for revoked in &pack.revoked {
        page.exact(&revoked.fingerprint.to_string());
        page.detail(&format!("by the pack: {}", revoked.reason));
    }
    pack.revoked_here.iter().for_each(|revoked| page.line(&revoked.to_string()));
}

/// Who collected, approved and imported it.
fn custody(page: &mut Page, pack: &PackPart) {
    page.heading("ANCHORS, and who collected, approved and imported it");
    for anchor in &pack.anchors {
        page.line(&format!("authenticated by {anchor}"));
    }
    if let Some(at) = pack.authenticated {
        page.line(&format!("authenticated on this host at {at:.0}"));
    }
    if pack.signatures.is_empty() {
        page.line("no signature of an organisation lies beside it");
    }
    for (file, is) in &pack.signatures {
        page.line(&format!("{file} is {is}"));
    }
    if let Some(before) = &pack.before {
        let (version, digest, at) = (before.version, before.digest, before.at);
        page.line(&format!("before it, this host had version {version}, {digest}, since {at:.0}"));
    }
    if pack.history.is_empty() {
        page.line("this host's log says nothing about it");
        return;
    }
    let rows = pack.history.iter().map(|line| {
        let who = [&line.user, &line.host, &line.ticket].into_iter().flatten().cloned();
        let more: Vec<_> = line.place.iter().chain(&line.anchors).cloned().collect();
        [
            format!("{:.0}", line.time),
            format!("{}: {}", line.command, line.result),
            who.collect::<Vec<_>>().join(", "),
            more.join(", "),
        ]
    });
    page.list([("Time", 20), ("What", 20), ("Who", 22), ("From, by", 38)], rows);
}
