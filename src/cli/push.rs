use std::path::Path;

use super::{
    args,
    failure::{Exit, Failure},
    output::{Format, Output},
    places::{hosts, keys, location},
};
use crate::{
    content::{self, Destination, Location, Source},
    limits,
    oci::{Descriptor, Document},
    pack::{self, Coverage, to_artifact},
    write,
};

/// What a destination without a tag gets.
const TAG: &str = "latest";

const DESTINATION: &str = "write docker://HOST/REPO:TAG, oci:DIR:TAG or oci-archive:FILE:TAG";

/// A tag that names an image is not taken from it.
fn refuse_taken_tag(source: &dyn Source, repository: &str, tag: &str) -> Result<(), Failure> {
    let there = source.resolve(repository, tag).map_err(|e| Failure::from(e).on("destination"))?;
    let Some(there) = there else { return Ok(()) };
    let config =
        |config: &Descriptor| content::fetch(source, repository, config, limits::CONFIG).ok().flatten();
    if let Ok(Some((_, Document::Manifest(manifest)))) = content::fetch_manifest(source, repository, &there)
        && pack::looks_like_a_pack(&manifest, config)
    {
        return Ok(());
    }
    let error = format!("the tag {tag} of {} names something that is no pack", source.place());
    Err(Failure::new("tag-taken", error, Exit::CouldNot))
}

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
    draft.refuse_stale_signatures()?;
    for (name, covers) in draft.coverage() {
        if covers == Coverage::Unsaid {
            output.warn(&format!(
                "{name} does not say which inventory it is about (Ed25519 signatures do not); only its key can tell"
            ));
        }
    }
    let location = location(&args.dest).map_err(|e| e.hinting(DESTINATION))?;
    let tag = location.reference().unwrap_or_else(|| TAG.into());
    if tag.starts_with("sha256:") {
        return Err(Failure::usage("a destination has a tag, not a digest", DESTINATION));
    }
    let form = match args.form {
        args::Form::Image => pack::Form::Image,
        args::Form::Artifact => pack::Form::Artifact,
    };
    let artifact = to_artifact(&draft, form)?;
    args.wire.check(hosts(std::slice::from_ref(&location)))?;
    output.working(&format!("writing to {location}"));
    let Destination { sink, source } =
        content::open_destination(&location, &|| args.wire.options(output), &output.meter).map_err(|e| {
            let unsupported = matches!(e, content::ContentError::Unsupported { .. });
            let failure = Failure::from(e).on("destination");
            if unsupported { failure.hinting(DESTINATION) } else { failure }
        })?;
    // What travels with oc-mirror has a file of its own, and no tag that another image could have.
    if let Some(source) = source.filter(|_| !matches!(location, Location::OcMirror(_))) {
        refuse_taken_tag(source.as_ref(), location.repository(), &tag)?;
    }
    output.interrupt.leaves(format!(
        "the tag {tag} of {} names what it named before, or the whole pack; push again to be sure",
        sink.place()
    ));
    let stored = sink.put(&artifact, &tag).map_err(|e| Failure::from(e).on("destination"))?;
    output.interrupt.leaves(format!("the tag {tag} of {} names the pack", sink.place()));
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
