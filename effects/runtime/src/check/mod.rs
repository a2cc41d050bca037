//! What `wavemill effects check` proves about a module: that it keeps the promises of `effects/ABI.md`.
//!
//! Every check is a file and a line in [`CHECKS`]. Nothing depends on the clock: signals are
//! synthesized, cost is counted in fuel, and a module that costs too much is judged as far as the
//! budget goes.

mod amplitude;
mod block_limits;
mod block_sizes;
mod changes;
mod channels;
mod correlation;
mod cost;
mod determinism;
mod judge;
mod latency;
mod loading;
mod memory;
mod meters;
mod params;
mod presets;
mod reset;
mod runs;
mod sample_rates;
mod signal;
mod signals;
mod silence;
mod stream;
mod subject;
mod tail;

#[cfg(test)]
pub(crate) use signal::Random;

use crate::description::Description;
use crate::load::LoadError;
use judge::{Judgment, Outcome, Stop};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use subject::Subject;

/// What was found out about a module.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// What it is.
    pub module: ModuleFacts,
    /// One result a check, in the order of [`CHECKS`].
    pub results: Vec<CheckResult>,
    /// Executed instructions for a frame of all channels, with blocks of 256 frames; `None` where it
    /// could not be counted. Does not depend on the machine.
    pub fuel_per_frame: Option<f64>,
    /// Fuel of the dearest call of 64 frames.
    pub fuel_of_dearest_call: Option<u64>,
}

impl CheckReport {
    /// Results that are failures.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| matches!(result.verdict, Verdict::Failed(_)))
    }

    /// Whether any check failed.
    pub fn has_failed(&self) -> bool {
        self.failures().next().is_some()
    }
}

/// What a module is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModuleFacts {
    /// SHA-256 of the bytes as 64 hexadecimal digits.
    pub sha256: String,
    /// Number of bytes.
    pub size_bytes: usize,
    /// What it says of itself; `None` where it could not be read.
    pub description: Option<Description>,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckResult {
    /// Name of the check, `kebab-case`.
    pub name: &'static str,
    /// What it proves, as a sentence.
    pub summary: &'static str,
    /// The verdict, with its reason.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What was tried or measured, in a few words; may be empty.
    pub seen: String,
}

/// A verdict. Reasons are one line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
pub enum Verdict {
    /// The promise is kept.
    Passed,
    /// The promise is broken, and how to keep it.
    Failed(String),
    /// No promise is broken, but this could be better.
    Hint(String),
    /// It could not be judged.
    NotJudged(String),
}

/// A check.
struct Check {
    name: &'static str,
    summary: &'static str,
    run: Run,
}

/// What a check looks at.
enum Run {
    /// How loading ended.
    Loading(fn(Option<&LoadError>) -> Judgment),
    /// A module that was loaded.
    Loaded(fn(&Subject<'_>) -> Judgment),
    /// A module that runs.
    Running(fn(&Subject<'_>) -> Judgment),
}

/// Every check, in the order of the report.
#[rustfmt::skip]
const CHECKS: &[Check] = &[
    Check { name: "loads", run: Run::Loading(loading::loads),
        summary: "exports, imports and types are those of the contract" },
    Check { name: "description", run: Run::Loading(loading::description),
        summary: "its description is complete and consistent" },
    Check { name: "runs", run: Run::Loaded(runs::run),
        summary: "it is created with its defaults and processes noise" },
    Check { name: "determinism", run: Run::Running(determinism::run),
        summary: "the same input gives the same bits, with more memory too" },
    Check { name: "block-sizes", run: Run::Running(block_sizes::run),
        summary: "the output does not depend on block sizes" },
    Check { name: "block-limits", run: Run::Running(block_limits::run),
        summary: "the output does not depend on the largest block it is created for" },
    Check { name: "reset", run: Run::Running(reset::run),
        summary: "after fx_reset, it behaves like a new instance" },
    Check { name: "memory", run: Run::Running(memory::run),
        summary: "it does not allocate memory while audio runs" },
    Check { name: "signals", run: Run::Running(signals::run),
        summary: "silence, impulses, full scale and denormals give finite output" },
    Check { name: "amplitude", run: Run::Running(amplitude::run),
        summary: "the output stays within bounds" },
    Check { name: "channels", run: Run::Running(channels::run),
        summary: "every declared channel count works" },
    Check { name: "sample-rates", run: Run::Running(sample_rates::run),
        summary: "every common sample rate in its declared range works" },
    Check { name: "parameters", run: Run::Running(params::run),
        summary: "every parameter works at its limits and at each label" },
    Check { name: "changes", run: Run::Running(changes::run),
        summary: "parameters may change while audio runs, at exact frames" },
    Check { name: "presets", run: Run::Running(presets::run),
        summary: "every preset works" },
    Check { name: "latency", run: Run::Running(latency::run),
        summary: "the output is delayed by fx_latency" },
    Check { name: "tail", run: Run::Running(tail::run),
        summary: "after fx_tail, the output is below -120 dBFS" },
    Check { name: "silence", run: Run::Running(silence::run),
        summary: "once it reports silence, it stays silent" },
    Check { name: "meters", run: Run::Running(meters::run),
        summary: "its meters show numbers within their ranges, and showing them changes nothing" },
    Check { name: "cost", run: Run::Running(cost::run),
        summary: "no call takes longer than a live host waits" },
];

/// Checks the bytes of a `.wasm` file, each instance with `memory_mib` MiB at most.
pub fn check(bytes: &[u8], memory_mib: u32) -> CheckReport {
    let loaded = Subject::load(bytes, memory_mib);
    let (error, subject) = match &loaded {
        Ok(subject) => (None, Some(subject)),
        Err(error) => (Some(error), None),
    };
    let mut results: Vec<CheckResult> = Vec::with_capacity(CHECKS.len());
    let mut runs = false;
    for check in CHECKS {
        let judged = match (&check.run, subject) {
            (Run::Loading(run), _) => run(error),
            (Run::Loaded(run), Some(subject)) => {
                let judged = run(subject);
                runs = judged.is_ok();
                judged
            }
            (Run::Running(run), Some(subject)) if runs => run(subject),
            (Run::Running(_), Some(_)) => Ok(not_judged("it does not run")),
            (_, None) => Ok(not_judged("it was not loaded")),
        };
        results.push(check.result(judged));
    }
    let cost = subject.map(Subject::cost).unwrap_or_default();
    CheckReport {
        module: ModuleFacts {
            sha256: sha256(bytes),
            size_bytes: bytes.len(),
            description: subject.map(|subject| subject.description().clone()),
        },
        results,
        fuel_per_frame: cost.fuel_per_frame,
        fuel_of_dearest_call: cost.fuel_of_dearest_call,
    }
}

/// Name and what it proves, of every check in the order of the report.
pub fn names() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    CHECKS.iter().map(|check| (check.name, check.summary))
}

fn not_judged(reason: &str) -> Outcome {
    Outcome::NotJudged(reason.to_owned())
}

impl Check {
    fn result(&self, judged: Judgment) -> CheckResult {
        let (verdict, seen) = match judged {
            Ok(Outcome::Passed(seen)) => (Verdict::Passed, seen),
            Ok(Outcome::Hint(reason, seen)) => (Verdict::Hint(reason), seen),
            Ok(Outcome::NotJudged(reason)) => (Verdict::NotJudged(reason), String::new()),
            Err(Stop::Broke { reason, .. }) => (Verdict::Failed(reason), String::new()),
            Err(Stop::Spent) => {
                let reason = "the checks would take too long: the module is too slow";
                (Verdict::NotJudged(reason.to_owned()), String::new())
            }
        };
        CheckResult { name: self.name, summary: self.summary, verdict, seen }
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests;
