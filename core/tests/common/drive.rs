//! Drives a step over a whole signal as an executor does.

use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::descriptor::{ParamValue, Params};
use wavemill_core::matching::{Reference, ReferenceMeter};
use wavemill_core::processor::{Properties, Status, StepProcessor, Tail};
use wavemill_core::processors;
use wavemill_core::units::Frames;

/// Planar samples.
pub type Planes = Vec<Vec<f32>>;

/// A step by name with its parameters, for a test.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The step.
    pub step: &'static str,
    /// Its parameters; the others have their defaults.
    pub params: &'static [(&'static str, Value)],
    /// Channels of the input.
    pub channel_count: usize,
}

/// A parameter's value.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Bool(bool),
    /// A word.
    Choice(&'static str),
}

use Value::{Choice, Integer, Number};

/// Every step with parameters that make all of its code run.
pub const CASES: &[Case] = &[
    Case {
        step: "fade",
        params: &[("in_s", Number(0.01)), ("out_s", Number(0.02)), ("shape", Choice("cosine"))],
        channel_count: 2,
    },
    Case { step: "fade", params: &[("in_s", Number(0.5))], channel_count: 1 },
    Case { step: "dc-remove", params: &[], channel_count: 2 },
    Case { step: "invert", params: &[("channel", Choice("right"))], channel_count: 2 },
    Case {
        step: "match",
        params: &[("reference", Choice("pulses.wav")), ("ceiling_dbtp", Number(-12.0))],
        channel_count: 2,
    },
    Case {
        step: "match",
        params: &[("reference", Choice("pulses.wav")), ("phase", Choice("minimum"))],
        channel_count: 1,
    },
    Case { step: "measure", params: &[("group", Choice("batch"))], channel_count: 2 },
    Case { step: "low-pass", params: &[("cutoff_hz", Number(5_000.0))], channel_count: 2 },
    Case {
        step: "pad",
        params: &[("start_s", Number(0.02)), ("end_s", Number(0.01))],
        channel_count: 2,
    },
    Case {
        step: "range",
        params: &[("start_s", Number(0.01)), ("end_s", Number(0.05))],
        channel_count: 2,
    },
    Case {
        step: "speech-level",
        params: &[("speed_db_per_s", Number(20.0)), ("tolerance_lu", Number(0.0))],
        channel_count: 2,
    },
    Case { step: "swap", params: &[], channel_count: 6 },
    Case { step: "gain", params: &[("gain_db", Number(-3.0))], channel_count: 2 },
    Case { step: "high-pass", params: &[("cutoff_hz", Number(80.0))], channel_count: 2 },
    Case { step: "limit", params: &[("ceiling_dbtp", Number(-12.0))], channel_count: 2 },
    Case {
        step: "limit",
        params: &[("ceiling_dbtp", Number(-3.0)), ("linking", Choice("per-channel"))],
        channel_count: 3,
    },
    Case { step: "loudness", params: &[("target_lufs", Number(-16.0))], channel_count: 2 },
    Case {
        step: "loudness",
        params: &[("target_lufs", Number(-8.0)), ("mode", Choice("limit"))],
        channel_count: 2,
    },
    Case {
        step: "loudness",
        params: &[("target_lufs", Number(-30.0)), ("mono", Choice("dual"))],
        channel_count: 1,
    },
    Case { step: "peak-normalize", params: &[], channel_count: 2 },
    Case { step: "remix", params: &[("channels", Integer(1))], channel_count: 2 },
    Case { step: "remix", params: &[("channels", Integer(2))], channel_count: 1 },
    Case { step: "remix", params: &[("channels", Integer(2))], channel_count: 6 },
    Case { step: "remix", params: &[("channels", Integer(3))], channel_count: 3 },
    Case {
        step: "remix",
        params: &[("channels", Integer(1)), ("from", Choice("right"))],
        channel_count: 2,
    },
    Case { step: "resample", params: &[("sample_rate_hz", Integer(48_000))], channel_count: 2 },
    Case {
        step: "resample",
        params: &[("sample_rate_hz", Integer(8_000)), ("quality", Choice("high"))],
        channel_count: 1,
    },
    Case {
        step: "resample",
        params: &[("sample_rate_hz", Integer(99_991)), ("quality", Choice("fast"))],
        channel_count: 3,
    },
    Case { step: "resample", params: &[("sample_rate_hz", Integer(44_100))], channel_count: 2 },
    Case {
        step: "trim-silence",
        params: &[("threshold_dbfs", Number(-40.0)), ("pad_s", Number(0.001))],
        channel_count: 2,
    },
];

impl Case {
    /// The stream of its input.
    pub fn spec(&self) -> StreamSpec {
        StreamSpec::new(44_100, self.channel_count)
    }

    /// The step, built.
    pub fn build(&self) -> StepProcessor {
        build(self.step, self.params, &self.spec()).unwrap()
    }
}

/// A step with completed parameters.
pub fn build(
    step: &str,
    params: &[(&str, Value)],
    spec: &StreamSpec,
) -> Result<StepProcessor, wavemill_core::descriptor::BuildError> {
    let descriptor = processors::step(step).expect("a known step");
    let mut given = Params::default();
    for &(key, value) in params {
        let value = match value {
            Value::Number(value) => ParamValue::Number(value),
            Value::Integer(value) => ParamValue::Integer(value),
            Value::Bool(value) => ParamValue::Bool(value),
            Value::Choice(value) => ParamValue::Choice(value.to_owned()),
        };
        given.set(key, value);
    }
    let completed = descriptor.complete(&given).map_err(|mut errors| errors.remove(0))?;
    let mut built = (descriptor.build)(&completed, spec)?;
    if let (Some(_), Some(step)) = (descriptor.audio_file(), built.whole_file_mut()) {
        step.set_reference(&pulses());
    }
    Ok(built)
}

/// A second of pulses, of which the left channel has more: all frequencies, wider than the signals here.
fn pulses() -> Reference {
    let spec = StreamSpec::new(44_100, 2);
    let plane = |every: usize| -> Vec<f32> {
        (0..44_100).map(|frame| if frame % every == 0 { 0.5 } else { 0.0 }).collect()
    };
    let mut meter = ReferenceMeter::new(&spec);
    meter.push(&Block::from_planes(&[plane(441), plane(700)]));
    meter.finish().expect("pulses have a loudness")
}

/// The pass before the first `process`.
pub fn prepare(step: &mut StepProcessor, input: &Planes, block_frames: usize) {
    if let Some(step) = step.observer() {
        for_blocks(input, block_frames, |block| step.observe(block));
        while step.observes_again() {
            for_blocks(input, block_frames, |block| step.observe(block));
        }
    }
    step.begin(Some(Frames(input[0].len() as u64))).unwrap();
}

/// What a prepared step delivers: latency compensated, with its tail.
pub fn process(
    step: &mut StepProcessor,
    spec: &StreamSpec,
    input: &Planes,
    block_frames: usize,
) -> Planes {
    let Properties { latency, held_back, tail, .. } = step.properties();
    let Tail::Frames(tail) = tail else { panic!("no step sounds for ever") };
    let frame_count = input[0].len();
    let extra = (latency + tail + held_back).as_usize();
    let padded: Planes =
        input.iter().map(|plane| [&plane[..], &vec![0.0; extra]].concat()).collect();
    let output_channel_count = step.output_spec(spec).channel_count();
    let mut output = vec![Vec::new(); output_channel_count];
    for_blocks(&padded, block_frames, |block| {
        let mut room = Block::with_capacity(
            block.channel_count(),
            block.channel_count().max(output_channel_count),
            step.max_output_frames(block_frames).max(block_frames),
        );
        room.copy_from(block, 0, block.frame_count());
        let most = step.max_output_frames(block.frame_count());
        assert_ne!(step.process(&mut room), Status::Failed, "{:?}", step.report().failure);
        assert_eq!(room.channel_count(), output_channel_count);
        assert!(room.frame_count() <= most, "more frames than announced");
        for (output, plane) in output.iter_mut().zip(room.planes()) {
            output.extend(plane);
        }
    });
    let length = (step.span(Frames(frame_count as u64)).length + tail).as_usize();
    for plane in &mut output {
        plane.drain(..latency.as_usize());
        assert!(plane.len() >= length, "{} of {length} frames announced", plane.len());
        plane.truncate(length);
    }
    output
}

/// Everything at once.
pub fn run(case: &Case, input: &Planes, block_frames: usize) -> Planes {
    let mut step = case.build();
    prepare(&mut step, input, block_frames);
    process(&mut step, &case.spec(), input, block_frames)
}

fn for_blocks(input: &Planes, block_frames: usize, mut each: impl FnMut(&Block)) {
    let frame_count = input[0].len();
    for start in (0..frame_count).step_by(block_frames) {
        let end = (start + block_frames).min(frame_count);
        let cut: Vec<&[f32]> = input.iter().map(|plane| &plane[start..end]).collect();
        each(&Block::from_planes(&cut));
    }
}
