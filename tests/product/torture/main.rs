//! The host, broken on purpose: at every system call, by kills at random, by disks that are full or gone.
//!
//! As tests these are samples; `cargo xtask torture` runs them for as long as one likes, and records it.

#![expect(clippy::print_stdout, reason = "seeds and cases, for who wants to see a failure again")]

mod broken;
mod control;
mod disk;
mod kills;
mod plan;
mod scenario;
mod soak;
mod sweep;

use plan::{Plan, shuffle};
use scenario::Scenario;
use wavemill_tests::faults::{self, Fault};
use wavemill_tests::signal::Random;

/// Cases that the gate tries, of thousands.
const SAMPLE: usize = 12;

/// Share of the time for the sweep.
const SWEEP_SHARE: f64 = 0.7;

#[test]
fn fault_at_any_call_of_a_job_leaves_one_whole_set_after_restart() {
    let plan = Plan::read();
    if !faults::is_possible() {
        return;
    }
    let mut random = Random::new(plan.seed);
    let scenarios: Vec<Scenario> = match plan.time {
        // All of them in turn, two at a time.
        None => (0..2).map(|_| *random.choice(&Scenario::SHORT)).collect(),
        Some(_) => Scenario::ALL.to_vec(),
    };
    let mut cases: Vec<_> = scenarios.into_iter().flat_map(sweep::cases).collect();
    cases.retain(|case| plan.takes(case));
    shuffle(&mut cases, &mut random);
    if plan.time.is_none() {
        cases.truncate(SAMPLE);
    }
    println!("seed {}: {} cases", plan.seed, cases.len());
    let all = cases.len();
    let swept = sweep::run_all(cases, plan.until(SWEEP_SHARE));
    if plan.time.is_some() {
        swept.record(plan.seed, all);
    }
    assert!(swept.violations.is_empty(), "seed {}: {:#?}", plan.seed, swept.violations);
}

/// Cases that were violated once: scenario, fault, call, caller, end of the path.
#[rustfmt::skip]
const VIOLATED: &[(Scenario, Fault, &str, &str, &str)] = &[
    // The job failed for good: its worker was started without a folder that it needed.
    (Scenario::Deleted, Fault::Enospc, "mkdir", "daemon/slot 0", "root/out"),
    (Scenario::Deleted, Fault::Eio, "openat", "worker/main", "spool"),
    // The job failed for good: a folder that could not be looked at was taken for a file.
    (Scenario::Moved, Fault::Eio, "statx", "worker/main", "root/out"),
    // The source was left where it was, and half a reason in the folder of failed files.
    (Scenario::Moved, Fault::Eio, "renameat2", "daemon/slot 0", "root/in/a.wav"),
    (Scenario::Failed, Fault::Eio, "fsync", "daemon/slot 0", "1.part"),
    (Scenario::Failed, Fault::Eio, "rename", "daemon/slot 0", "1.part"),
    (Scenario::Failed, Fault::Enospc, "fsync", "daemon/slot 0", "root/in"),
    // The source stayed beside its copy.
    (Scenario::Far, Fault::Kill, "unlink", "daemon/slot 0", "root/in/a.wav"),
    (Scenario::Far, Fault::Eio, "unlink", "daemon/slot 0", "root/in/a.wav"),
];

#[test]
fn faults_that_once_were_permanent_pass() {
    if !faults::is_possible() {
        return;
    }
    let scenarios = [Scenario::Deleted, Scenario::Moved, Scenario::Failed, Scenario::Far];
    let all: Vec<_> = scenarios.into_iter().flat_map(sweep::cases).collect();
    let mut cases = Vec::new();
    for (scenario, fault, call, caller, path) in VIOLATED {
        let is_it = |case: &&sweep::Case| {
            (case.scenario, case.target.fault, case.target.name) == (*scenario, *fault, *call)
                && case.target.caller == *caller
                && case.path.ends_with(path)
        };
        let found: Vec<_> = all.iter().filter(is_it).cloned().collect();
        // Where there is no second file system, that is said.
        let is_skipped = all.iter().all(|case| case.scenario != *scenario);
        assert!(
            is_skipped || !found.is_empty(),
            "{scenario:?}: {fault} at {call} of {caller}: {path} never comes"
        );
        cases.extend(found);
    }
    let swept = sweep::run_all(cases, None);
    assert!(swept.violations.is_empty(), "{:#?}", swept.violations);
}
