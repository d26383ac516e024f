use super::{
    super::{AdmitRequest, load::Loaded, pulls::Pull},
    Releases,
    complete::complete,
    stages::stages,
};
use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    display::count,
    ops::{
        Context,
        sources::Opened,
        verify::{Platform, keys::UsedPack, names::Namer},
    },
    outcome::admission::{MissingImage, PullReport, ReleaseReport, StageReport},
};

/// The releases in the mirror, where their policy is asked for; else nothing.
#[derive(Default)]
pub(in super::super) struct InMirror {
    releases: Releases,
    /// The images of the releases that are not there.
    pub(in super::super) missing: Vec<MissingImage>,
}

impl InMirror {
    /// Reads the policy, and adds the images of the releases to the pulls. `used` becomes the pack that authenticates them.
    pub(in super::super) fn read(
        request: &AdmitRequest,
        opened: &[Opened],
        pulls: &mut Vec<Pull>,
        locations: &[Location],
        namer: &Namer,
        used: &mut Option<UsedPack>,
        ctx: &Context,
    ) -> Result<(Loaded, Self), Diagnostic> {
        let releases = Releases::find(request, opened, pulls, locations, namer, used, ctx)?;
        let loaded = releases.loaded(request, &namer.given)?;
        let missing = complete(&releases, opened, pulls, namer);
        Ok((loaded, Self { releases, missing }))
    }

    pub(in super::super) fn platforms(&self) -> Vec<Platform> {
        self.releases.platforms()
    }

    pub(in super::super) fn reports(&self) -> Vec<ReleaseReport> {
        self.releases.reports()
    }

    /// The stages at which the images are checked.
    pub(in super::super) fn stages(&self, images: &[PullReport]) -> Vec<StageReport> {
        if self.releases.verified.is_empty() {
            return Vec::new();
        }
        stages(&self.releases, images, &self.missing)
    }

    /// Why the run does not end well; `failure` is what the pulls say.
    pub(in super::super) fn failure(&self, failure: Option<Diagnostic>) -> Option<Diagnostic> {
        if failure.as_ref().is_some_and(|failure| failure.code == Code::PolicyWouldRefuse) {
            return failure;
        }
        if let Some(rejected) = self.releases.rejected.first() {
            return Some(rejected.failure());
        }
        let missing = self.missing.len();
        if missing > 0 {
            let what = format!("{} of the release could not be found in the mirror", count(missing, "image"));
            return Some(Diagnostic::new(Code::ReleaseImagesMissing, what));
        }
        failure
    }
}
