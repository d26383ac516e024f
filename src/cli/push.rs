use std::path::Path;

use super::{
    args::{self, Format},
    failure::{Exit, Failure},
    find::{keys, location, selected},
    output::Output,
};
use crate::{
    content,
    pack::{self, to_artifact},
    write,
};

/// What a destination without a tag gets.
const TAG: &str = "latest";

const DESTINATION: &str = "write oci:DIR:TAG or oci-archive:FILE:TAG";

pub(super) fn run(args: &args::Push, output: &Output) -> Result<Exit, Failure> {
    let path = Path::new(&args.keys);
    if !path.exists() && Path::new(&args.dest).join(pack::INVENTORY).exists() {
        return Err(Failure::usage(
            format!("{} is not a directory with keys", args.keys),
            format!("the directory comes first: keypack push {} {}", args.dest, args.keys),
        ));
    }
    let draft = keys(path)?.ok_or_else(|| {
        Failure::new("keys-not-found", format!("{} holds no keys", path.display()), Exit::CouldNot)
    })?;
    let location = location(&args.dest).map_err(|e| e.hinting(DESTINATION))?;
    let tag = selected(&location).unwrap_or_else(|| TAG.into());
    if tag.starts_with("sha256:") {
        return Err(Failure::usage("a destination has a tag, not a digest", DESTINATION));
    }
    let form = match args.form {
        args::Form::Image => pack::Form::Image,
        args::Form::Artifact => pack::Form::Artifact,
    };
    let artifact = to_artifact(&draft, form)?;
    output.working(&format!("writing to {location}"));
    let sink = content::open_sink(&location).map_err(|e| {
        let unsupported = matches!(e, content::ContentError::Unsupported { .. });
        let failure = Failure::from(e).on("destination");
        if unsupported { failure.hinting(DESTINATION) } else { failure }
    })?;
    let stored = sink.put(&artifact, &tag).map_err(|e| Failure::from(e).on("destination"))?;
    for (file, digest) in [(&args.digestfile, stored.digest), (&args.pack_digestfile, draft.digest())] {
        if let Some(file) = file {
            write::file(file, format!("{digest}\n").as_bytes())?;
        }
    }
    if stored.written == 0 && !stored.tagged {
        output.note(&format!("{} holds this pack already; nothing was written", sink.place()));
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "place": sink.place(),
            "tag": tag,
            "packDigest": draft.digest(),
            "manifestDigest": stored.digest,
            "written": stored.written,
        }))?,
        Format::Text => output.data(&format!("Pack: {}\nDigest: {}\n", draft.digest(), stored.digest))?,
    }
    Ok(Exit::Done)
}
