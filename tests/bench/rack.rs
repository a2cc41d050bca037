//! A rack of eight effects against the same effects linked natively: time of a block, and 32 chains at the pace of a
//! sound card.

use crate::effects::EIGHT_BANDS;
use crate::record::{Record, median, tenth};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wavemill_core::audio::StreamSpec;
use wavemill_core::denormals::FlushDenormals;
use wavemill_effect::testing::Rig;
use wavemill_effect::{Block, Effect};
use wavemill_pipelines::Effects;
use wavemill_rack::{Part, Slots};

const RATE_HZ: u32 = 48_000;
const BLOCK_FRAMES: usize = 64;

/// Blocks of a round: some milliseconds of work.
const BLOCKS: usize = 256;

/// Rounds of both sides in turn.
const ROUNDS: usize = 101;

const CHAINS: usize = 32;
const THREADS: usize = 2;

/// Time that all chains are played, by each side in turn.
const PACED_TIME: Duration = Duration::from_secs(10);
const PACED_ROUNDS: usize = 3;

/// The effects, in their order; with their defaults, but for the equalizers, whose bands do nothing by default.
const NAMES: [&str; 8] = [
    "gate",
    "noise-reduction",
    "parametric-eq",
    "de-esser",
    "compressor",
    "saturator",
    "parametric-eq",
    "reverb",
];

/// Processes a stereo block in place.
type Chain = Box<dyn FnMut(&mut [&mut [f32]]) + Send>;

pub(crate) fn run(_arguments: &[String]) -> Record {
    let mut record =
        Record { columns: vec!["what", "native", "rack", "ratio"], ..Record::default() };
    compare(&mut record);
    keep_pace(&mut record);
    record
}

/// Planes are a cache line apart, as in the kit.
const STRIDE: usize = BLOCK_FRAMES + 16;

/// As eight plugins in a row: in place on the host's samples, nothing scanned.
fn native(names: &[&str]) -> Chain {
    let mut effects: Vec<Process> = names.iter().map(|name| effect(name)).collect();
    let mut samples = vec![0.0; 2 * STRIDE];
    Box::new(move |planes| {
        let _flush = FlushDenormals::on();
        for (own, plane) in samples.chunks_exact_mut(STRIDE).zip(planes.iter()) {
            own[..BLOCK_FRAMES].copy_from_slice(plane);
        }
        for effect in &mut effects {
            effect(&mut Block::new(&mut samples, STRIDE, BLOCK_FRAMES));
        }
        for (own, plane) in samples.chunks_exact(STRIDE).zip(planes) {
            plane.copy_from_slice(&own[..BLOCK_FRAMES]);
        }
    })
}

fn effect(name: &str) -> Process {
    match name {
        "gate" => started::<effect_gate::Gate>(&[]),
        "noise-reduction" => started::<effect_noise_reduction::NoiseReduction>(&[]),
        "parametric-eq" => started::<effect_parametric_eq::ParametricEq>(EIGHT_BANDS),
        "de-esser" => started::<effect_de_esser::DeEsser>(&[]),
        "compressor" => started::<effect_compressor::Compressor>(&[]),
        "saturator" => started::<effect_saturator::Saturator>(&[]),
        "reverb" => started::<effect_reverb::Reverb>(&[]),
        _ => panic!("{name} is not written in Rust"),
    }
}

type Process = Box<dyn FnMut(&mut Block<'_>) + Send>;

fn started<E: Effect + Send + 'static>(params: &[(&str, f64)]) -> Process {
    let mut rig = Rig::<E>::new(f64::from(RATE_HZ), 2, BLOCK_FRAMES).with_all(params);
    rig.start().expect("the effect can be created");
    let mut effect = rig.into_effect();
    Box::new(move |block| {
        let _ = black_box(effect.process(block));
    })
}

/// As the plugin plays it.
fn rack(effects: &Effects, names: &[&str]) -> Chain {
    let part = |name: &str| {
        let module = effects.load(name).expect("it is bundled");
        let mut part = Part::effect(name, module, None).expect("it has no preset");
        if name == "parametric-eq" {
            part.set_by_key(EIGHT_BANDS.iter().copied());
        }
        part
    };
    let slots: Slots<Option<Part>> =
        std::array::from_fn(|slot| names.get(slot).map(|name| part(name)));
    let spec = StreamSpec::new(RATE_HZ, 2);
    let (mut rack, mut supervisor, incidents) =
        wavemill_rack::rack(&spec, &slots, &[1.0; 8], Arc::default());
    assert!(incidents.is_empty(), "{incidents:?}");
    rack.reset();
    Box::new(move |planes| {
        rack.process(planes, false).expect("no render is stopped in real time");
        if rack.take_need() {
            BREAKS.fetch_add(supervisor.tend(&slots).len(), Ordering::Relaxed);
        }
    })
}

/// How often an effect was taken for one that is late.
static BREAKS: AtomicUsize = AtomicUsize::new(0);

/// All of them, and each alone.
fn compare(record: &mut Record) {
    let effects = Effects::live(None);
    let mut chains = vec![("eight effects", NAMES.to_vec())];
    let alone = NAMES.iter().enumerate().filter(|(index, name)| !NAMES[..*index].contains(name));
    chains.extend(alone.map(|(_, name)| (*name, vec![*name])));
    for (what, names) in chains {
        let [native, rack, ratio] = compared(native(&names), rack(&effects, &names));
        record.findings.push(format!(
            "{what}: a block of {BLOCK_FRAMES} stereo frames takes {rack:.1} us in the rack, {native:.1} us natively, \
             ratio {ratio:.2} (tenth of the times and median of the ratios of {ROUNDS} alternating rounds)"
        ));
        let numbers = [native, rack, ratio].map(|number| format!("{number:.3}"));
        let what = format!("{what} in microseconds a block");
        record.rows.push(std::iter::once(what).chain(numbers).collect());
    }
}

/// Microseconds of a block natively and in the rack, and the ratio.
fn compared(mut native: Chain, mut rack: Chain) -> [f64; 3] {
    let input = wavemill_tests::signal::pink(RATE_HZ, 2, BLOCKS * BLOCK_FRAMES, 0.3, 1).planes;
    let (mut natives, mut racks) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let times = [time(&mut native, &input), time(&mut rack, &input)];
        // The first round warms up.
        if round > 0 {
            natives.push(times[0]);
            racks.push(times[1]);
        }
    }
    let ratios: Vec<f64> = racks.iter().zip(&natives).map(|(rack, native)| rack / native).collect();
    let us = |times: &[f64]| tenth(times) / BLOCKS as f64 * 1e6;
    [us(&natives), us(&racks), median(&ratios)]
}

/// Processor time of this thread in seconds, so that other programs do not count.
fn time(chain: &mut Chain, input: &[Vec<f32>]) -> f64 {
    let mut planes = input.to_vec();
    let start = worked();
    for at in 0..BLOCKS {
        let range = at * BLOCK_FRAMES..(at + 1) * BLOCK_FRAMES;
        chain(&mut planes.iter_mut().map(|plane| &mut plane[range.clone()]).collect::<Vec<_>>());
    }
    worked().saturating_sub(start).as_secs_f64()
}

/// How long the calling thread has worked.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("time does not run backward")
}

/// Late blocks, and the share of all threads' time that was worked.
#[derive(Clone, Copy, Default)]
struct Pace {
    blocks: usize,
    late_blocks: usize,
    worked: Duration,
}

fn keep_pace(record: &mut Record) {
    let effects = Effects::live(None);
    let mut both = [Pace::default(); 2];
    for _ in 0..PACED_ROUNDS {
        for (side, total) in both.iter_mut().enumerate() {
            let chain = || if side == 0 { native(&NAMES) } else { rack(&effects, &NAMES) };
            let threads: Vec<Vec<Chain>> =
                (0..THREADS).map(|_| (0..CHAINS / THREADS).map(|_| chain()).collect()).collect();
            for pace in played(threads) {
                total.blocks += pace.blocks;
                total.late_blocks += pace.late_blocks;
                total.worked += pace.worked;
            }
        }
    }
    let [native, rack] = both.map(|pace| {
        let time = PACED_TIME.as_secs_f64() * (PACED_ROUNDS * THREADS) as f64;
        (pace, pace.worked.as_secs_f64() / time * 100.0)
    });
    record.findings.push(format!(
        "{CHAINS} chains of eight on {THREADS} threads without priority, {BLOCK_FRAMES} frames at {RATE_HZ} Hz, {} s a side: \
         {} of {} blocks were late in racks, {} of {} natively; work took {:.0} % and {:.0} % of the time; effects broken: {}",
        PACED_TIME.as_secs() * PACED_ROUNDS as u64,
        rack.0.late_blocks, rack.0.blocks, native.0.late_blocks, native.0.blocks, rack.1, native.1, BREAKS.load(Ordering::Relaxed)
    ));
    for (what, native, rack) in [
        ("late blocks", native.0.late_blocks as f64, rack.0.late_blocks as f64),
        ("percent of time", native.1, rack.1),
    ] {
        let ratio = format!("{:.3}", rack / native);
        record.rows.push(vec![
            what.to_owned(),
            format!("{native:.2}"),
            format!("{rack:.2}"),
            ratio,
        ]);
    }
}

/// Plays all chains, those of each thread one behind the other.
fn played(threads: Vec<Vec<Chain>>) -> Vec<Pace> {
    std::thread::scope(|scope| {
        let players: Vec<_> =
            threads.into_iter().map(|chains| scope.spawn(move || play(chains))).collect();
        players.into_iter().map(|player| player.join().expect("it plays to the end")).collect()
    })
}

fn play(mut chains: Vec<Chain>) -> Pace {
    wavemill_runtime::prepare_thread();
    let noise = wavemill_tests::signal::pink(RATE_HZ, 2, BLOCK_FRAMES, 0.3, 1).planes;
    let block_time = Duration::from_secs_f64(BLOCK_FRAMES as f64 / f64::from(RATE_HZ));
    let mut pace = Pace::default();
    let begin = Instant::now();
    let mut due = begin;
    while begin.elapsed() < PACED_TIME {
        let start = worked();
        for chain in &mut chains {
            let mut planes = noise.clone();
            chain(&mut planes.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        }
        pace.worked += worked().saturating_sub(start);
        pace.blocks += 1;
        due += block_time;
        let left = due.checked_duration_since(Instant::now());
        pace.late_blocks += usize::from(left.is_none());
        match left {
            Some(left) => std::thread::park_timeout(left),
            // As a sound card that had to repeat a block.
            None => due = Instant::now(),
        }
    }
    pace
}
