//! A chain as `wavemill run` makes it of a file, for both formats.

use std::fmt::Write as _;
use std::path::Path;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::processor::{Processor, Status, StepProcessor};
use wavemill_pipelines::model::{Defaults, Task};
use wavemill_pipelines::{Effects, load};

/// Steps of a chain, as a state and a pipeline name them.
pub(crate) type Step<'s> = (&'s str, &'s [(&'s str, f64)]);

/// Eight effects and steps with values that are no round numbers.
pub(crate) const EIGHT: [Step<'static>; 8] = [
    ("high-pass", &[("cutoff_hz", 31.7)]),
    ("parametric-eq", &[("band_1_gain_db", 3.3), ("band_2_gain_db", -2.7)]),
    ("compressor", &[("threshold_db", -27.123_456_789), ("lookahead_ms", 3.0)]),
    ("saturator", &[("drive_db", 4.1)]),
    ("gain", &[("gain_db", -1.37)]),
    ("stereo-width", &[("side_db", 1.73)]),
    ("delay", &[("time_ms", 123.4)]),
    ("limit", &[("ceiling_dbtp", -1.3)]),
];

/// The state of a rack with these in its slots.
pub(crate) fn state(steps: &[Step<'_>]) -> serde_json::Value {
    let slots: Vec<serde_json::Value> = steps
        .iter()
        .map(|(name, values)| {
            let values: serde_json::Map<String, serde_json::Value> =
                values.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
            serde_json::json!({ "name": name, "values": values })
        })
        .collect();
    let rack = serde_json::json!({ "slots": slots }).to_string();
    serde_json::json!({ "version": "0.1.0", "params": {}, "fields": { "rack": rack } })
}

/// What a pipeline with these steps makes of a file: each stage gets silence after the end, and its latency is cut off at
/// the start, so that the next one begins with the first frame of the signal.
pub(crate) fn run(steps: &[Step<'_>], rate_hz: u32, signal: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut text = "version = 1\n[pipeline]\nname = \"chain\"\n".to_owned();
    for (name, values) in steps {
        let kind = if wavemill_core::processors::step(name).is_some() { "use" } else { "effect" };
        let _ = write!(text, "[[step]]\n{kind} = \"{name}\"\n[step.with]\n");
        for (key, value) in *values {
            let _ = writeln!(text, "{key} = {value:?}");
        }
    }
    text += "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let loaded = load(&text, &Defaults::default(), &Effects::new(None).in_folder(Path::new(".")));
    let pipeline = loaded.unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}")).pipeline;
    let spec = StreamSpec::new(rate_hz, signal.len());
    let _flush = FlushDenormals::on();
    let mut planes = signal.to_vec();
    for step in &pipeline.steps {
        let mut processor: Box<dyn Processor> = match &step.task {
            Task::BuiltIn { descriptor, params } => {
                let mut step = (descriptor.build)(params, &spec).unwrap();
                step.begin(None).unwrap();
                match step {
                    StepProcessor::Streaming(step) => step,
                    StepProcessor::WholeFile(step) => step,
                }
            }
            Task::Effect(effect) => {
                Box::new(effect.module.instantiate(&spec, &effect.settings, 4096).unwrap())
            }
        };
        let latency = processor.properties().latency.as_usize();
        for plane in &mut planes {
            plane.extend(vec![0.0; latency]);
        }
        let mut block = Block::from_planes(&planes);
        assert_ne!(processor.process(&mut block), Status::Failed);
        planes = block.planes().map(|plane| plane[latency..].to_vec()).collect();
    }
    planes
}

/// What was played is what a run makes of it, late by so many frames.
pub(crate) fn assert_is_run(
    (played, latency): (&[Vec<f32>], usize),
    expected: &[Vec<f32>],
    what: &str,
) {
    let late: Vec<Vec<f32>> = played.iter().map(|plane| plane[latency..].to_vec()).collect();
    let expected: Vec<Vec<f32>> =
        expected.iter().map(|plane| plane[..plane.len() - latency].to_vec()).collect();
    assert_same_bits(&late, &expected, what);
}

/// Noise that differs between channels.
pub(crate) fn noise(channel_count: usize, frames: usize) -> Vec<Vec<f32>> {
    let mut state = 7u32;
    let mut sample = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5) * 0.7
    };
    (0..channel_count).map(|_| (0..frames).map(|_| sample()).collect()).collect()
}

/// Sizes of blocks, again and again until there is no more.
pub(crate) fn blocks(frames: usize) -> Vec<std::ops::Range<usize>> {
    let (mut start, mut blocks) = (0, Vec::new());
    for size in [1, 64, 7, 512, 4096, 333, 32, 2, 1024, 128].into_iter().cycle() {
        if start == frames {
            break;
        }
        let end = (start + size).min(frames);
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// Holds every bit against the other.
pub(crate) fn assert_same_bits(one: &[Vec<f32>], other: &[Vec<f32>], what: &str) {
    assert_eq!(one.len(), other.len(), "{what}");
    for (channel, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one.len(), other.len(), "{what}");
        let differs = one.iter().zip(other).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(differs, None, "{what}, channel {channel}: first differing frame");
    }
}
