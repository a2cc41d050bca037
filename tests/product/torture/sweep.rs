//! Every system call of a job that touches a file, met by every fault that it can meet.

use crate::scenario::{Scenario, Stage};
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use wavemill_tests::faults::{self, Call, Fault, Target};
use wavemill_tests::record::Record;

/// A fault to make.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    pub(crate) target: Target,
    /// What the call was about when no fault was made.
    pub(crate) path: String,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {} ({})", self.scenario, self.target, self.path)
    }
}

/// How a case went.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether the call came at all: threads that take turns make a few calls more or less.
    pub(crate) is_hit: bool,
    /// What was violated.
    pub(crate) violations: Vec<String>,
}

/// The calls of a scenario when nothing goes wrong; none where it cannot be run.
pub(crate) fn calls(scenario: Scenario) -> Vec<Call> {
    let Some(stage) = Stage::new(scenario) else { return Vec::new() };
    let traced = faults::run(&stage.command(), stage.folder(), None);
    let wanted = if scenario == Scenario::Failed || scenario == Scenario::Rejected { 3 } else { 0 };
    assert_eq!(traced.ended.code, Some(wanted), "{scenario:?}: {traced:#?}");
    assert_eq!(stage.settled(), Vec::<String>::new(), "{scenario:?} without faults");
    traced.calls
}

/// All cases of a scenario.
pub(crate) fn cases(scenario: Scenario) -> Vec<Case> {
    let case = |call: &Call, fault: Fault| Case {
        scenario,
        target: Target::at(call, fault),
        path: call.path.clone(),
    };
    let calls = calls(scenario);
    calls
        .iter()
        .flat_map(|call| Fault::of(call.effect).iter().map(|fault| case(call, *fault)))
        .collect()
}

/// Makes a fault, recovers and looks.
pub(crate) fn run(case: &Case) -> Outcome {
    let Some(stage) = Stage::new(case.scenario) else {
        return Outcome { is_hit: false, violations: Vec::new() };
    };
    let traced = faults::run(&stage.command(), stage.folder(), Some(&case.target));
    let mut violations = Vec::new();
    if traced.is_hung {
        violations.push("it hangs".to_owned());
    }
    violations.extend(stage.torn().into_iter().map(|line| format!("before recovery: {line}")));
    let recovered = stage.recover();
    if !matches!(recovered.code, Some(0 | 3)) {
        violations.push(format!("it does not start again: {recovered:?}"));
    }
    violations.extend(stage.settled());
    if !violations.is_empty() {
        violations.push(format!("the fault ended so: {:?}", traced.ended));
    }
    Outcome { is_hit: traced.hit.is_some(), violations }
}

/// Cases in sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Swept {
    /// Cases tried.
    pub(crate) cases: usize,
    /// Which, and whether the call came.
    tried: Vec<(Case, bool)>,
    /// Those whose call came.
    pub(crate) hits: BTreeMap<Fault, usize>,
    /// What was violated, a line each.
    pub(crate) violations: Vec<String>,
}

impl Swept {
    /// Writes down what was tried, of `all` cases, and what was violated.
    pub(crate) fn record(&self, seed: u64, all: usize) {
        let hits: usize = self.hits.values().sum();
        let each: Vec<String> =
            self.hits.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
        let mut findings = vec![
            format!(
                "{} of {all} cases tried, in an order that follows from seed {seed}",
                self.cases
            ),
            format!(
                "{hits} faults made: {}; in the other cases the call did not come",
                each.join(", ")
            ),
            format!("{} violations", self.violations.len()),
        ];
        findings.extend(self.violations.iter().cloned());
        let rows = self.tried.iter().map(|(case, is_hit)| {
            vec![
                format!("{:?}", case.scenario),
                case.target.caller.clone(),
                case.target.name.to_owned(),
                case.target.number.to_string(),
                case.target.fault.to_string(),
                is_hit.to_string(),
            ]
        });
        let columns = vec!["scenario", "caller", "call", "number", "fault", "came"];
        let record = Record { findings, columns, rows: rows.collect() };
        record.write(
            "torture-sweep",
            "a fault at every system call of a job that touches a file, then a start without faults",
        );
    }
}

/// Cases tried at the same time: the cores of a small machine.
const PARALLEL: usize = 2;

/// Runs cases in order until they or the time are over.
pub(crate) fn run_all(cases: Vec<Case>, until: Option<Instant>) -> Swept {
    let queue = Mutex::new(cases.into_iter());
    let swept = Mutex::new(Swept::default());
    let work = || {
        while until.is_none_or(|end| Instant::now() < end) {
            let Some(case) = locked(&queue).next() else { break };
            let outcome = catch_unwind(AssertUnwindSafe(|| run(&case))).unwrap_or_else(|_| {
                Outcome { is_hit: true, violations: vec!["the check panicked".to_owned()] }
            });
            let mut swept = locked(&swept);
            swept.cases += 1;
            *swept.hits.entry(case.target.fault).or_default() += usize::from(outcome.is_hit);
            swept.tried.push((case.clone(), outcome.is_hit));
            for line in outcome.violations {
                println!("violation: {case}: {line}");
                swept.violations.push(format!("{case}: {line}"));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(work);
        }
    });
    swept.into_inner()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
