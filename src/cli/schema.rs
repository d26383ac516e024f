use super::{args, output::Output};
use crate::diag::{Code, Diagnostic, Exit};

/// The schemas that are part of the program.
const SCHEMAS: [(&str, &str); 8] = [
    ("admission-v1", include_str!("../../schemas/admission-v1.schema.json")),
    ("config-v1", include_str!("../../schemas/config-v1.schema.json")),
    ("export-v1", include_str!("../../schemas/export-v1.schema.json")),
    ("pack-v1", include_str!("../../schemas/pack-v1.schema.json")),
    ("report-v1", include_str!("../../schemas/report-v1.schema.json")),
    ("results-v1", include_str!("../../schemas/results-v1.schema.json")),
    ("verify-report-v1", include_str!("../../schemas/verify-report-v1.schema.json")),
    ("verify-v1", include_str!("../../schemas/verify-v1.schema.json")),
];

pub(super) fn run(args: &args::Schema, output: &Output) -> Result<Exit, Diagnostic> {
    let Some(name) = &args.name else {
        let names: String = SCHEMAS.iter().map(|(name, _)| format!("{name}\n")).collect();
        output.data(&names)?;
        return Ok(Exit::Done);
    };
    // Without a version, the newest is meant.
    let named =
        |known: &str| known == name || known.rsplit_once("-v").is_some_and(|(plain, _)| plain == name);
    match SCHEMAS.iter().rev().find(|(known, _)| named(known)) {
        Some((_, schema)) => output.data(schema)?,
        None => {
            return Err(Diagnostic::new(Code::SchemaUnknown, format!("there is no schema {name:?}")));
        }
    }
    Ok(Exit::Done)
}
