use super::{
    args,
    failure::{Exit, Failure},
    output::Output,
};

/// The schemas that are part of the program.
const SCHEMAS: [(&str, &str); 2] = [
    ("pack-v1", include_str!("../../schemas/pack-v1.schema.json")),
    ("report-v1", include_str!("../../schemas/report-v1.schema.json")),
];

pub(super) fn run(args: &args::Schema, output: &Output) -> Result<Exit, Failure> {
    let Some(name) = &args.name else {
        let names: String = SCHEMAS.iter().map(|(name, _)| format!("{name}\n")).collect();
        output.data(&names)?;
        return Ok(Exit::Done);
    };
    match SCHEMAS.iter().find(|(known, _)| known == name) {
        Some((_, schema)) => output.data(schema)?,
        None => {
            return Err(Failure::new("schema-unknown", format!("there is no schema {name:?}"), Exit::Usage));
        }
    }
    Ok(Exit::Done)
}
