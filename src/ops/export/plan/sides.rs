//! What the images of a mirror are to the old and to the new policy, and the scopes in between.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Admission, Format, Given, Made, OpenShift, Others, PulledBy, Request, names, openshift,
        policy_json::{self, not_expressible},
    },
    Changed, PlanRequest,
};
use crate::{
    diag::{Code, Diagnostic},
    export::{BridgeObject, ExportKeys, Mirrored, ObjectNames, bridge},
    ops::{
        Context,
        verify::{self, Authentication, Survey},
    },
    outcome::{
        admission::{AdmissionReport, PullReport},
        plan::ImagesReport,
    },
    pack::Draft,
    policy::{
        consumer::Verdict,
        mapping::NameMap,
        rule::{Log, Rule, Scope, Signer},
        target::Target,
    },
};

/// The two policies, and the mirror.
pub(super) struct Sides<'a> {
    pub(super) request: &'a PlanRequest,
    pub(super) target: &'a Target,
    pub(super) one_key: bool,
    pub(super) old: &'a Draft,
    pub(super) new: &'a Draft,
    pub(super) changed: &'a Changed<'a>,
    pub(super) ctx: &'a Context,
}

/// A pull, as both policies are asked about it.
type PullId = (String, String, Option<String>);

impl Sides<'_> {
    pub(super) fn compare(&self, bridges: bool) -> Result<(ImagesReport, Vec<BridgeObject>), Diagnostic> {
        let check = &self.request.images;
        let names = verify::given(check)?;
        let survey = verify::survey(check, names.clone(), self.ctx)?;
        let mirrored = names::mirrored(&survey);
        let of_old = self.rules(self.old, false);
        let of_new = self.rules(self.new, true);
        let (_, before) =
            self.judge(&of_old, self.old, &survey, &mirrored, &names).map_err(|e| e.on("old"))?;
        let (made, after) =
            self.judge(&of_new, self.new, &survey, &mirrored, &names).map_err(|e| e.on("new"))?;
        let verdicts = |report: &AdmissionReport| -> BTreeMap<PullId, Verdict> {
            report.images.iter().map(|pull| (id(pull), pull.verdict)).collect()
        };
        let (before, of_after) = (verdicts(&before), verdicts(&after));
        let mut images = ImagesReport {
            sources: after.sources.iter().map(|place| place.place.clone()).collect(),
            pulls: of_after.len(),
            both: 0,
            only_old: Vec::new(),
            only_new: Vec::new(),
            neither: 0,
            not_judged: 0,
            bridged: None,
        };
        let mut scopes: BTreeMap<&Scope, BTreeSet<String>> = BTreeMap::new();
        for (pull, verdict) in &of_after {
            let was = before.get(pull).copied().unwrap_or(Verdict::NotJudged);
            match (runs(was), runs(*verdict)) {
                (None, _) | (_, None) => images.not_judged += 1,
                (Some(true), Some(true)) => images.both += 1,
                (Some(false), Some(false)) => images.neither += 1,
                (Some(true), Some(false)) => {
                    images.only_old.push(label(pull));
                    if let Some(scope) = self.scope_of(&pull.1) {
                        scopes.entry(scope).or_default().insert(pull.1.clone());
                    }
                }
                (Some(false), Some(true)) => images.only_new.push(label(pull)),
            }
        }
        if !bridges || scopes.is_empty() {
            return Ok((images, Vec::new()));
        }
        let objects = self.objects(&of_old, &scopes)?;
        let all =
            self.given(&of_new, &ExportKeys::of(self.new), Some(&survey), &mirrored, &names, |given| {
                match &made {
                    Made::Objects(made) => openshift::judge_with(given, made, &objects),
                    Made::Policy(made) => policy_json::judge_with(given, made, &objects),
                    _ => Ok(None),
                }
            })?;
        if let Some(all) = all {
            let stopped = verdicts(&all).into_iter().filter(|(pull, verdict)| {
                before.get(pull).copied().and_then(runs) == Some(true) && runs(*verdict) == Some(false)
            });
            images.bridged = Some(images.only_old.len() - stopped.count());
        }
        Ok((images, objects))
    }

    /// The rules of a side. A consumer with one key for a scope takes the key that is new, where the rule names the old one beside it.
    fn rules(&self, draft: &Draft, is_new: bool) -> Vec<Rule> {
        let mut rules = draft.inventory().rules.clone();
        for rule in rules.iter_mut().filter(|_| is_new && self.one_key) {
            let Some((Some(old), Some(_))) = self.changed.get(&rule.scope) else { continue };
            let added: Vec<Signer> =
                rule.signers.iter().filter(|signer| !old.signers.contains(signer)).cloned().collect();
            if !added.is_empty() {
                rule.signers = added;
            }
            if let (Log::Keys(new), Log::Keys(old)) = (&mut rule.log, &old.log) {
                let added: Vec<_> = new.iter().filter(|key| !old.contains(key)).copied().collect();
                if !added.is_empty() {
                    *new = added;
                }
            }
        }
        rules
    }

    /// The changed scope that an image is in, the most precise one.
    fn scope_of(&self, name: &str) -> Option<&Scope> {
        let repository = name.split('@').next().unwrap_or_default();
        let repository = match repository.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => before,
            _ => repository,
        };
        let fits = self.changed.keys().filter(|scope| scope.covers(repository));
        fits.max_by_key(|scope| scope.as_str().len()).copied()
    }

    fn judge(
        &self,
        rules: &[Rule],
        draft: &Draft,
        survey: &Survey,
        mirrored: &[Mirrored],
        names: &NameMap,
    ) -> Result<(Made, AdmissionReport), Diagnostic> {
        self.given(rules, &ExportKeys::of(draft), Some(survey), mirrored, names, |given| {
            let (made, report) = match given.request.format {
                Format::ClusterImagePolicy => openshift::make(given)?,
                _ => policy_json::make(given)?,
            };
            let none = || Diagnostic::new(Code::NothingInScope, "no image of the mirror was judged");
            Ok((made, report.ok_or_else(none)?))
        })
    }

    /// The objects with the old key, each with no more scopes than the consumer takes.
    fn objects(
        &self,
        rules: &[Rule],
        scopes: &BTreeMap<&Scope, BTreeSet<String>>,
    ) -> Result<Vec<BridgeObject>, Diagnostic> {
        let keys = ExportKeys::of(self.old);
        let (mut objects, mut taken) = (Vec::new(), ObjectNames::default());
        for (scope, names) in scopes {
            let Some(rule) = rules.iter().find(|rule| rule.scope == **scope) else { continue };
            let names: Vec<_> = names.iter().cloned().collect();
            let made = bridge(rule, &names, &keys, self.target, &mut taken).map_err(|why| {
                not_expressible(&[Diagnostic::new(Code::RuleNotExpressible, format!("{scope}: {why}"))])
            })?;
            objects.extend(made);
        }
        Ok(objects)
    }

    fn given<T>(
        &self,
        rules: &[Rule],
        keys: &ExportKeys<'_>,
        survey: Option<&Survey>,
        mirrored: &[Mirrored],
        names: &NameMap,
        ask: impl FnOnce(&Given<'_>) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let is_openshift = self.target.openshift.is_some();
        let request = Request {
            format: if is_openshift { Format::ClusterImagePolicy } else { Format::PolicyJson },
            keys_dir: "keys".into(),
            authentication: Authentication::default(),
            output: "policy".into(),
            targets: Vec::new(),
            others: Others::default(),
            pulled_by: PulledBy::default(),
            keys_at: None,
            openshift: OpenShift::default(),
            admission: Admission::default(),
            pool: None,
            check: self.request.images.clone(),
            allow_rejects: true,
        };
        let targets = [self.target.clone()];
        let mirrored = mirrored.to_vec();
        ask(&Given {
            request: &request,
            rules,
            keys,
            targets: &targets,
            names,
            survey,
            mirrored,
            ctx: self.ctx,
        })
    }
}

fn id(pull: &PullReport) -> PullId {
    let name = pull.name.clone().unwrap_or_else(|| pull.reference.clone());
    (pull.source.clone(), name, pull.platform.clone())
}

fn label((_, name, platform): &PullId) -> String {
    platform.as_ref().map_or_else(|| name.clone(), |platform| format!("{name} ({platform})"))
}

/// Whether an image with this verdict runs; none, where that is not known.
const fn runs(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Outside | Verdict::Admitted | Verdict::AdmittedUnverified => Some(true),
        Verdict::Refused => Some(false),
        Verdict::NotJudged => None,
    }
}
