//! Time of a block natively and in the sandbox.

use super::module;
use crate::record::{Record, median, tenth};
use effect_compressor::Compressor;
use effect_parametric_eq::ParametricEq;
use effect_reverb::Reverb;
use std::path::Path;
use std::time::Instant;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::descriptor::ParamValue;
use wavemill_core::processor::Processor;
use wavemill_effect::Effect;
use wavemill_effect::testing::Rig;
use wavemill_runtime::{Mode, Sandbox, Settings, limits};

const RATE_HZ: u32 = 48_000;
const CHANNELS: usize = 2;

/// Frames of a round: less than a millisecond of work, so that most rounds are not interrupted.
const FRAMES: usize = 16_384;

/// Rounds of both sides in turn.
const ROUNDS: usize = 101;

/// The block size of the promise, and others.
const PROMISED_FRAMES: usize = 256;
const BLOCKS: [usize; 4] = [64, PROMISED_FRAMES, 1024, 4096];

/// All eight bands at work.
pub(crate) const EIGHT_BANDS: &[(&str, f64)] = &[
    ("band_1_gain_db", 3.0),
    ("band_2_gain_db", -2.0),
    ("band_3_gain_db", 2.0),
    ("band_4_gain_db", -3.0),
    ("band_5_gain_db", 2.0),
    ("band_6_gain_db", -1.0),
    ("band_7_gain_db", 3.0),
    ("band_8_gain_db", 2.0),
];

/// Three of them: what a mastering chain has.
const THREE_BANDS: &[(&str, f64)] =
    &[("band_1_gain_db", 3.0), ("band_5_gain_db", -2.0), ("band_8_gain_db", 2.0)];

pub(super) fn run(folder: &Path, record: &mut Record) {
    compare::<ParametricEq>(folder, "parametric-eq", "eq, 8 bands", EIGHT_BANDS, record);
    compare::<ParametricEq>(folder, "parametric-eq", "eq, 3 bands", THREE_BANDS, record);
    compare::<Reverb>(folder, "reverb", "reverb", &[], record);
    compare::<Compressor>(folder, "compressor", "compressor", &[], record);
}

/// One side of a comparison: processes the signal in blocks.
type Side<'a> = Box<dyn FnMut(&[Vec<f32>]) + 'a>;

fn compare<E: Effect>(
    folder: &Path,
    name: &str,
    what: &str,
    params: &[(&str, f64)],
    record: &mut Record,
) {
    let bytes = module(folder, name);
    let input = wavemill_tests::signal::pink(RATE_HZ, CHANNELS, FRAMES, 0.3, 1).planes;
    for block_frames in BLOCKS {
        let mut native = native::<E>(params, block_frames);
        let mut sandboxed = sandboxed(&bytes, params, block_frames);
        let (mut natives, mut wasms) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let times = [time(&mut native, &input), time(&mut sandboxed, &input)];
            // The first round warms up.
            if round > 0 {
                natives.push(times[0]);
                wasms.push(times[1]);
            }
        }
        let per_block = block_frames as f64 / FRAMES as f64 * 1e9;
        let ratios: Vec<f64> =
            wasms.iter().zip(&natives).map(|(wasm, native)| wasm / native).collect();
        let (native, wasm, ratio) = (tenth(&natives), tenth(&wasms), median(&ratios));
        let numbers = [native * per_block, wasm * per_block].map(|ns| format!("{ns:.0}"));
        let [native_ns, wasm_ns] = numbers;
        if block_frames == PROMISED_FRAMES {
            record.findings.push(format!(
                "{what}: a block of {block_frames} stereo frames takes {wasm_ns} ns in the sandbox, {native_ns} ns natively, ratio {ratio:.2} \
                 (tenth of the times and median of the ratios of {ROUNDS} alternating rounds; promised: at most 1.2)"
            ));
        }
        let row = [
            what.replace(',', ""),
            block_frames.to_string(),
            native_ns,
            wasm_ns,
            format!("{ratio:.3}"),
        ];
        record.rows.push(row.to_vec());
    }
}

fn time(side: &mut Side<'_>, input: &[Vec<f32>]) -> f64 {
    let start = Instant::now();
    side(input);
    start.elapsed().as_secs_f64()
}

/// As it would be linked: in place on the caller's samples, nothing scanned, nothing copied but the signal into the block.
fn native<'a, E: Effect>(params: &[(&str, f64)], block_frames: usize) -> Side<'a> {
    let mut rig = Rig::<E>::new(f64::from(RATE_HZ), CHANNELS, block_frames).with_all(params);
    rig.start().expect("the effect can be created");
    let mut effect = rig.into_effect();
    // A cache line apart, as in the kit.
    let stride = block_frames + 16;
    let mut samples = vec![0.0; CHANNELS * stride];
    Box::new(move |input| {
        let _flush = FlushDenormals::on();
        for at in (0..FRAMES).step_by(block_frames) {
            for (plane, channel) in samples.chunks_exact_mut(stride).zip(input) {
                plane[..block_frames].copy_from_slice(&channel[at..at + block_frames]);
            }
            let mut block = wavemill_effect::Block::new(&mut samples, stride, block_frames);
            let _ = std::hint::black_box(effect.process(&mut block));
        }
    })
}

/// As the executor runs it: epochs on, samples copied in and out, output scanned.
fn sandboxed<'a>(bytes: &[u8], params: &[(&str, f64)], block_frames: usize) -> Side<'a> {
    let sandbox = Sandbox::new(Mode::File, None).expect("a sandbox can be made");
    let module = sandbox.load(bytes, limits::MEMORY_MIB).expect("the module can be loaded");
    let given = params.iter().map(|(key, value)| ((*key).to_owned(), ParamValue::Number(*value)));
    let settings = Settings::of(module.description(), None, &given.collect());
    let settings = settings.expect("the parameters exist");
    let spec = StreamSpec::new(RATE_HZ, CHANNELS);
    let effect = module.instantiate(&spec, &settings, block_frames);
    let mut effect = effect.expect("the module can be instantiated");
    let mut block = Block::new(CHANNELS, block_frames);
    block.set_frame_count(block_frames);
    Box::new(move |input| {
        let _flush = FlushDenormals::on();
        for at in (0..FRAMES).step_by(block_frames) {
            for (channel, plane) in input.iter().enumerate() {
                block.plane_mut(channel).copy_from_slice(&plane[at..at + block_frames]);
            }
            let _ = std::hint::black_box(effect.process(&mut block));
        }
    })
}
