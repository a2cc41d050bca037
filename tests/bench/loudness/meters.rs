//! The meters alone: samples in memory, one thread, everything on.

use crate::record::{Record, median, tenth};
use ebur128::{EbuR128, Mode};
use std::time::Instant;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_tests::signal::Signal;

/// Rounds of all sides in turn.
const ROUNDS: usize = 15;

/// Blocks of a file, and of a live stream; what is promised of each.
const BLOCKS: [(usize, &str); 2] = [(4096, "at least 5"), (64, "at least 1")];

/// How often the library is asked for momentary and short-term loudness when it is asked at all.
const HOPS_PER_SECOND: u32 = 10;

/// Everything both measure. The library's histograms stay off: they round to 0.1 LU.
fn modes() -> Mode {
    Mode::I | Mode::M | Mode::S | Mode::LRA | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK
}

pub(super) fn compare(what: &str, signal: &Signal, record: &mut Record) {
    let duration_s = signal.frame_count() as f64 / f64::from(signal.sample_rate_hz);
    for (block_frames, promise) in BLOCKS {
        let blocks = cut(signal, block_frames);
        let spec = StreamSpec::new(signal.sample_rate_hz, signal.channel_count());
        let [mut ours, mut unasked, mut asked] = [const { Vec::new() }; 3];
        for round in 0..=ROUNDS {
            let times = [
                time(|| measure(&spec, &blocks)),
                time(|| oracle(&spec, &blocks, false)),
                time(|| oracle(&spec, &blocks, true)),
            ];
            // The first round warms up.
            if round > 0 {
                for (side, seconds) in [&mut ours, &mut unasked, &mut asked].into_iter().zip(times)
                {
                    side.push(seconds);
                }
                for (name, seconds) in [("never asked", times[1]), ("asked", times[2])] {
                    let name = format!("{what} in {block_frames} against ebur128 {name}");
                    let numbers = [times[0], seconds].map(|seconds| format!("{seconds:.5}"));
                    let [our, their] = numbers;
                    record.rows.push(vec![name, round.to_string(), our, their]);
                }
            }
        }
        let ratio = |theirs: &[f64]| {
            let ratios: Vec<f64> =
                theirs.iter().zip(&ours).map(|(their, our)| their / our).collect();
            median(&ratios)
        };
        record.findings.push(format!(
            "{what} in blocks of {block_frames}: {:.4} s ({:.0} times real time), {:.1} times as fast as the ebur128 crate \
             with I, M, S, LRA, true and sample peak ({:.4} s; promised: {promise}), {:.1} times where it is asked for \
             M and S every 100 ms, as ours sees them (tenths of the times, medians of the ratios of {ROUNDS} alternating rounds; \
             ours measures the precise true peak, PSR and M every 10 ms besides)",
            tenth(&ours),
            duration_s / tenth(&ours),
            ratio(&unasked),
            tenth(&unasked),
            ratio(&asked),
        ));
    }
}

fn time(work: impl FnOnce() -> f64) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_secs_f64()
}

fn cut(signal: &Signal, block_frames: usize) -> Vec<Block> {
    let starts = (0..signal.frame_count()).step_by(block_frames);
    let block = |start: usize| {
        let end = (start + block_frames).min(signal.frame_count());
        let planes: Vec<&[f32]> = signal.planes.iter().map(|plane| &plane[start..end]).collect();
        Block::from_planes(&planes)
    };
    starts.map(block).collect()
}

fn measure(spec: &StreamSpec, blocks: &[Block]) -> f64 {
    let mut meter = LoudnessMeter::new(spec, MonoMode::Single);
    for block in blocks {
        meter.push(block);
    }
    meter.finish().integrated_lufs.map_or(0.0, |lufs| lufs.0)
}

/// The library takes the same blocks; it is asked for its totals at the end, and if `is_asked` for
/// momentary and short-term loudness after every 100 ms.
fn oracle(spec: &StreamSpec, blocks: &[Block], is_asked: bool) -> f64 {
    let rate_hz = spec.sample_rate.0;
    let channel_count = u32::try_from(spec.channel_count()).expect("few channels");
    let mut meter = EbuR128::new(channel_count, rate_hz, modes()).expect("a usual stream");
    let hop_frames = (rate_hz / HOPS_PER_SECOND) as usize;
    let (mut since_hop, mut total) = (0, 0.0);
    let mut planes: Vec<&[f32]> = Vec::with_capacity(spec.channel_count());
    for block in blocks {
        planes.clear();
        planes.extend(block.planes());
        meter.add_frames_planar_f32(&planes).expect("frames of the stream");
        since_hop += block.frame_count();
        if is_asked && since_hop >= hop_frames {
            since_hop -= hop_frames;
            total += meter.loudness_momentary().expect("the mode is on");
            total += meter.loudness_shortterm().expect("the mode is on");
        }
    }
    total += meter.loudness_global().expect("the mode is on");
    total += meter.loudness_range().expect("the mode is on");
    for channel in 0..channel_count {
        total += meter.true_peak(channel).expect("the mode is on");
        total += meter.sample_peak(channel).expect("the mode is on");
    }
    total
}
