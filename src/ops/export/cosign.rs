//! Command lines of cosign.

use super::{Given, Made, policy_json::not_expressible};
use crate::{
    diag::Diagnostic,
    export::{CosignInput, cosign},
};

pub(super) fn make(given: &Given<'_>) -> Result<Made, Diagnostic> {
    let input = CosignInput { rules: given.rules, keys: given.keys, targets: given.targets };
    Ok(Made::Cosign(cosign(&input).map_err(|refused| not_expressible(&refused))?))
}
