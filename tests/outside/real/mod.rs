//! Other people's content and other people's programs. Missing ones count as ignored, with the reason, never as
//! passed: whether a test can run is known only when it runs, so this program has its own harness.
mod containers_image;
mod layouts;
mod oc_mirror;
mod openshift_api;
mod place;
mod programs;
mod roots;
mod tuf;

use libtest_mimic::Trial;

type Case = (&'static str, fn());

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let real = place::real().is_some();
    for (room, cases) in [
        ("oc_mirror", oc_mirror::CASES),
        ("containers_image", containers_image::CASES),
        ("openshift_api", openshift_api::CASES),
        ("roots", roots::CASES),
        ("layouts", layouts::CASES),
        ("tuf", tuf::CASES),
    ] {
        for (name, run) in cases {
            let trial = Trial::test(format!("real::{room}::{name}"), || {
                run();
                Ok(())
            });
            trials.push(if real {
                trial
            } else {
                trial
                    .with_kind("needs ../shared/fixtures/real or KEYPACK_REAL_FIXTURES")
                    .with_ignored_flag(true)
            });
        }
    }
    for (program, package, name, run) in programs::CASES {
        let trial = Trial::test(format!("real::programs::{name}"), || {
            run();
            Ok(())
        });
        trials.push(if place::has(program) {
            trial
        } else {
            trial.with_kind(format!("needs {program}: apt-get install {package}")).with_ignored_flag(true)
        });
    }
    trials
}
