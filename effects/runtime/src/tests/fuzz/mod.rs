//! Modules damaged at random, loaded, described and run: each ends in samples or in one line.
//!
//! As a test this is a fixed number of modules. `cargo xtask fuzz effects --seconds 60` runs it for
//! longer; a failure names a seed, and `--seed` with it makes the same module again.

mod bytes;
mod text;

use super::fixtures::{half, short};
use crate::Allowance;
use crate::budgets::Budgets;
use crate::check::{self, Random, Verdict};
use crate::effect::Effect;
use crate::sandbox::{Mode, Sandbox};
use crate::{Module, Settings, bundled, limits};
use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};
use wavemill_core::units::Frames;

/// Modules of the test in the gate.
const COUNT: u64 = 1_500;

/// No module takes this long: what does has found a hang.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// Of modules that run well, one in so many is checked as `wavemill effects check` does.
const CHECKED_ONE_IN: usize = 150;

/// What modules are made from.
struct Seeds {
    texts: Vec<String>,
    modules: Vec<Vec<u8>>,
}

impl Seeds {
    fn new() -> Self {
        let good = include_str!("../../check/tests/good.wat").to_owned();
        let page = include_str!("../../../../ABI.md");
        let half_text = page.split("```wat\n").nth(1).unwrap().split("```").next().unwrap();
        let mut modules = vec![half(), wat::parse_str(&good).unwrap()];
        modules.extend(bundled::MODULES.iter().map(|module| module.bytes.to_vec()));
        Self { texts: vec![good, half_text.to_owned()], modules }
    }

    /// A damaged module.
    fn module(&self, random: &mut Random) -> Vec<u8> {
        // Damaged text mostly assembles to modules that run; damaged bytes mostly do not load.
        if random.below(8) < 6 {
            let mut text = random.choice(&self.texts).clone();
            for _ in 0..=random.below(3) {
                text = text::damaged(&text, random);
            }
            if let Ok(module) = wat::parse_str(&text) {
                return module;
            }
        }
        // Large modules take long to compile.
        let count = if random.below(20) == 0 { self.modules.len() } else { 2 };
        let mut module = self.modules[random.below(count)].clone();
        for _ in 0..=random.below(3) {
            bytes::damage(&mut module, random);
        }
        module
    }
}

/// How far a module came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    NotLoaded,
    NotCreated,
    Failed,
    Ran,
    Checked,
}

struct Fuzzer {
    seeds: Seeds,
    files: Sandbox,
    live: Sandbox,
}

impl Fuzzer {
    fn new() -> Self {
        // A damaged loop is often endless: such calls end after a few ticks.
        let budgets = Budgets { describe: 3, create: 3, call: 3, ..short() };
        let sandbox = |mode| Sandbox::with_budgets(mode, None, budgets).unwrap();
        Self { seeds: Seeds::new(), files: sandbox(Mode::File), live: sandbox(Mode::Live) }
    }

    fn run(&self, seed: u64) -> Came {
        let mut random = Random::new(seed);
        let bytes = self.seeds.module(&mut random);
        let sandbox = if random.below(4) == 0 { &self.live } else { &self.files };
        let module = match sandbox.load(&bytes, 64) {
            Ok(module) => module,
            Err(error) => {
                one_line(&error.to_string());
                return Came::NotLoaded;
            }
        };
        serde_json::to_string(module.description()).unwrap();
        let spec = spec(&module, &mut random);
        let settings = settings(&module, &mut random);
        let max_frames = [1, 64, 300, 65_536][random.below(4)];
        if std::ptr::eq(sandbox, &raw const self.live) {
            run_live(&module, &spec, &settings, &mut random);
        }
        let effect = match module.instantiate(&spec, &settings, max_frames) {
            Ok(effect) => effect,
            Err(error) => {
                one_line(&error.to_string());
                return Came::NotCreated;
            }
        };
        let came = run_file(effect, &spec, &mut random);
        // Many instructions in little time are checked for minutes.
        if came == Came::Ran && random.below(CHECKED_ONE_IN) == 0 {
            check_all(&bytes);
            return Came::Checked;
        }
        came
    }
}

/// A stream that suits, mostly.
fn spec(module: &Module, random: &mut Random) -> StreamSpec {
    let (min, max) = module.description().channels;
    let channels = match random.below(8) {
        0 => random.below(66),
        1 => max as usize,
        _ => 2usize.clamp(min as usize, max as usize),
    };
    let rate = [48_000, 44_100, 8_000, 192_000, 1_000, 655_350][random.below(6)];
    StreamSpec::new(rate, channels.max(1))
}

fn settings(module: &Module, random: &mut Random) -> Settings {
    let description = module.description();
    let preset = description.presets.get(random.below(4)).map(|preset| preset.name.as_str());
    Settings::of(description, preset, &BTreeMap::new()).unwrap()
}

/// Samples of every kind; what is no number may come out of a broken decoder.
fn fill(block: &mut Block, random: &mut Random) {
    let kind = random.below(6);
    for sample in block.planes_mut().flatten() {
        let unit = f32::from(random.byte()) / 256.0;
        *sample = match kind {
            0 => 0.0,
            1 => unit - 0.5,
            2 => (unit - 0.5) * 1e6,
            // Denormals.
            3 => f32::from_bits(u32::from(random.byte()) << 8),
            4 => f32::NAN,
            _ => 1.0,
        };
    }
}

fn run_file(mut effect: Effect, spec: &StreamSpec, random: &mut Random) -> Came {
    let params = effect.module().description().params.clone();
    for param in params.iter().take(3) {
        let at = Frames(random.below(2_000) as u64);
        let _ = effect.schedule(at, param.id, param.min);
    }
    let mut block = Block::new(spec.channel_count(), 700);
    for round in 0..6 {
        block.set_frame_count(random.below(701));
        fill(&mut block, random);
        if effect.process(&mut block) == Status::Failed {
            one_line(&effect.failure().expect("a failure has words"));
            return Came::Failed;
        }
        let bound = limits::OUTPUT_AMPLITUDE_MAX;
        assert!(block.planes().flatten().all(|sample| sample.abs() <= bound), "out of bounds");
        match round {
            2 => effect.reset(),
            3 => drop(params.first().map(|param| effect.set(param.id, param.max))),
            _ => {}
        }
    }
    effect.log().iter().for_each(|line| one_line(line));
    Came::Ran
}

fn run_live(module: &Module, spec: &StreamSpec, settings: &Settings, random: &mut Random) {
    let mut effect = match module.instantiate(spec, settings, 256) {
        Ok(effect) => effect,
        Err(error) => return one_line(&error.to_string()),
    };
    let mut block = Block::new(spec.channel_count(), 256);
    for _ in 0..6 {
        let frames = 1 + random.below(256);
        block.set_frame_count(frames);
        fill(&mut block, random);
        let mut allowance = Allowance::real_time(frames, spec.sample_rate);
        match effect.advance(&mut block, 0, frames, &mut allowance) {
            Ok(_) => {
                let is_finite = block.planes().flatten().all(|sample| sample.is_finite());
                assert!(is_finite, "a live effect wrote what is no number");
            }
            Err(broken) => return one_line(&effect.explain(broken).to_string()),
        }
    }
}

/// As `wavemill effects check` does: every reason is one line.
fn check_all(bytes: &[u8]) {
    let report = check::check(bytes, 64);
    for result in &report.results {
        one_line(&format!("{} {}", result.name, result.seen));
        match &result.verdict {
            Verdict::Passed => {}
            Verdict::Failed(line) | Verdict::Hint(line) | Verdict::NotJudged(line) => {
                one_line(line);
            }
        }
    }
}

fn one_line(text: &str) {
    let is_right = !text.is_empty() && text.len() < 2_000 && !text.contains(char::is_control);
    assert!(is_right, "not one line: {text:?}");
}

/// How long, and from which seed on.
struct Plan {
    first: u64,
    count: u64,
    time: Option<Duration>,
}

impl Plan {
    /// The test's, or what `cargo xtask fuzz effects` asks for.
    fn read() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let time = number("WAVEMILL_FUZZ_SECONDS").map(Duration::from_secs);
        let seed = number("WAVEMILL_FUZZ_SEED");
        let is_single = seed.is_some() && time.is_none();
        let count = match (is_single, time) {
            (true, _) => 1,
            (false, Some(_)) => u64::MAX,
            (false, None) => COUNT,
        };
        Self { first: seed.unwrap_or(1), count, time }
    }
}

#[test]
fn damaged_modules_end_in_samples_or_in_one_line() {
    let plan = Plan::read();
    let (sender, receiver) = channel();
    let runner = std::thread::spawn(move || {
        let (fuzzer, started) = (Fuzzer::new(), Instant::now());
        for seed in plan.first..plan.first.saturating_add(plan.count) {
            if plan.time.is_some_and(|time| started.elapsed() > time) {
                break;
            }
            // Said before: the process may not live to say it after.
            let _ = sender.send((seed, None));
            let came = fuzzer.run(seed);
            let _ = sender.send((seed, Some(came)));
        }
    });
    let mut counts: BTreeMap<Came, u64> = BTreeMap::new();
    let (mut last, mut slowest) = (0, (Duration::ZERO, 0));
    let mut begun = Instant::now();
    loop {
        match receiver.recv_timeout(WAIT_MAX) {
            Ok((seed, None)) => (last, begun) = (seed, Instant::now()),
            Ok((seed, Some(came))) => {
                *counts.entry(came).or_default() += 1;
                slowest = slowest.max((begun.elapsed(), seed));
            }
            Err(RecvTimeoutError::Timeout) => panic!("seed {last} takes more than {WAIT_MAX:?}"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert!(runner.join().is_ok(), "seed {last} failed; its message stands above");
    let total: u64 = counts.values().sum();
    println!("{total} modules: {counts:?}; slowest: seed {} in {:?}", slowest.1, slowest.0);
    if total >= COUNT {
        for came in [Came::NotLoaded, Came::NotCreated, Came::Failed, Came::Ran] {
            let share = counts.get(&came).copied().unwrap_or(0) * 100 / total;
            assert!(share >= 1, "only {share} % of {total} modules came to {came:?}: {counts:?}");
        }
    }
}
