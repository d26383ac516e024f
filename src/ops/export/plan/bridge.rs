//! The policies with the old key as files, by the rules of every export.

use super::{
    super::{Written, checked_on, record, write},
    PlanRequest,
};
use crate::{
    diag::Diagnostic,
    export::{About, BridgeObject, CheckedAgainst, ExportTree, PackOf, bridge_files},
    ops::Context,
    outcome::plan::{BridgeFolder, PlanReport},
    pack::Draft,
};

/// The format of such a folder.
const FORMAT: &str = "bridge";

/// Writes them, if a folder is named for them and there are any.
pub(super) fn write(
    request: &PlanRequest,
    report: &PlanReport,
    objects: &[BridgeObject],
    old: &Draft,
    ctx: &Context,
) -> Result<Option<BridgeFolder>, Diagnostic> {
    let (Some(to), Some(images)) = (&request.bridge_to, &report.images) else { return Ok(None) };
    let directory = to.directory.display().to_string();
    if objects.is_empty() {
        return Ok(Some(BridgeFolder { directory, change: None, files: Vec::new() }));
    }
    let inventory = old.inventory();
    let about = About {
        format: FORMAT.to_owned(),
        r#for: vec![report.consumer.consumer.clone()],
        pack: PackOf { name: inventory.name.clone(), version: inventory.version, digest: old.digest() },
        checked: Some(CheckedAgainst {
            sources: images.sources.clone(),
            on: checked_on(ctx.now),
            pulls: images.only_old.len(),
            refused: images.only_old.len() - images.bridged.unwrap_or_default(),
        }),
    };
    let tree = ExportTree::new(&about, bridge_files(objects, report.is_openshift));
    let change = write::write(&to.directory, FORMAT, &tree, ctx)?;
    let written =
        Written { format: FORMAT, directory: &to.directory, names_keys: true, allow_rejects: false };
    record(&written, to.authentication.state_dir.as_deref(), old, ctx)?;
    let files = tree.files.into_iter().map(|(path, _)| path).collect();
    Ok(Some(BridgeFolder { directory, change: Some(change.into()), files }))
}
