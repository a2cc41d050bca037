//! `speech-level`: brings soft and loud phrases towards the loudness of the file.

mod cells;
mod curve;

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::loudness::{LoudnessMeter, MonoMode};
use crate::processor::{
    Finding, ProcessError, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use cells::Cells;
use curve::{HALF_WINDOW, Limits, POINTS_PER_SECOND};
use wavemill_audio::units::{Decibels, Frames, Lufs};
use wavemill_audio::{Block, StreamSpec};

/// `speech-level{range_db, speed_db_per_s, tolerance_lu}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "speech-level",
    summary: "Evens out quiet and loud phrases of speech.",
    manual: "Rides the fader with look-ahead, toward the loudness of the whole file. The gain \
        follows the loudness of the surrounding 3 s, without pauses and other speakers. It falls \
        before a loud phrase begins and rises only while somebody speaks, so no pause is raised by \
        more than the phrase before it. Sound more than 12 LU below the loudness of the file \
        counts as speech only if it is at least 8 dB above its room tone, and never if it is more \
        than 10 LU below the range. The gain never changes faster than `speed_db_per_s`, so a fall \
        may begin within the preceding phrase. A quiet phrase of less than 1.5 s between loud ones \
        is not raised. Raised phrases may exceed full scale: add `limit` or `loudness` after this \
        step.",
    params: &[
        ParamDescriptor {
            key: "range_db",
            summary: "Maximum gain and maximum reduction.",
            kind: ParamKind::Number { unit: "dB", min: 0.0, max: 20.0 },
            default: ParamDefault::Number(20.0),
        },
        ParamDescriptor {
            key: "speed_db_per_s",
            summary: "Fastest change of the gain.",
            kind: ParamKind::Number { unit: "dB/s", min: 0.1, max: 60.0 },
            default: ParamDefault::Number(30.0),
        },
        ParamDescriptor {
            key: "tolerance_lu",
            summary: "Phrases this close to the loudness of the file are left as they are; others \
                are brought this close.",
            kind: ParamKind::Number { unit: "LU", min: 0.0, max: 10.0 },
            default: ParamDefault::Number(1.0),
        },
    ],
    peaks: Peaks::Raises,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let limits = Limits {
        range_db: params.number("range_db")?,
        step_db_max: params.number("speed_db_per_s")? / f64::from(POINTS_PER_SECOND),
        tolerance_lu: params.number("tolerance_lu")?,
    };
    Ok(StepProcessor::of_whole_file(SpeechLevel {
        limits,
        sample_rate_hz: spec.sample_rate.0.into(),
        meter: Some(LoudnessMeter::new(spec, MonoMode::Single).with_history()),
        cells: Some(Cells::new(spec)),
        momentary: Vec::new(),
        loudness: None,
        gains_db: Vec::new(),
        position: 0,
    }))
}

/// Applies a curve of gains that it drew from what it observed.
#[derive(Debug)]
struct SpeechLevel {
    limits: Limits,
    sample_rate_hz: u64,
    /// Until `begin`.
    meter: Option<LoudnessMeter>,
    /// Until `begin`.
    cells: Option<Cells>,
    /// Momentary loudness at every point of the loudness curve; none after `begin`.
    momentary: Vec<Option<Lufs>>,
    /// Of the file.
    loudness: Option<Lufs>,
    /// Gain at every tenth of a second from the start; empty where the file is left alone.
    gains_db: Vec<f64>,
    /// Next frame.
    position: u64,
}

impl SpeechLevel {
    fn take_history(&mut self) {
        if let Some(meter) = &mut self.meter {
            self.momentary.extend(meter.take_history().iter().map(|point| point.momentary_lufs));
        }
    }

    /// The gain at a point; the last holds on.
    fn gain_db(&self, point: u64) -> f64 {
        let last = self.gains_db.len().saturating_sub(1);
        let point = usize::try_from(point).unwrap_or(last).min(last);
        self.gains_db.get(point).copied().unwrap_or_default()
    }

    /// Applies the gain to the frames of a block from `start` up to `end`, which lie between two
    /// neighboring points.
    fn apply(&self, block: &mut Block, start: usize, end: usize) {
        let tenths = (self.position + start as u64) * u64::from(POINTS_PER_SECOND);
        let (point, rest) = (tenths / self.sample_rate_hz, tenths % self.sample_rate_hz);
        let (from_db, to_db) = (self.gain_db(point), self.gain_db(point + 1));
        let step_db = (to_db - from_db) / self.sample_rate_hz as f64;
        let is_unity = from_db == 0.0 && to_db == 0.0;
        if is_unity {
            return;
        }
        for plane in block.planes_mut() {
            let samples = &mut plane[start..end];
            if step_db == 0.0 {
                let amplitude = Decibels(from_db).to_amplitude();
                for sample in samples {
                    *sample = scaled(*sample, amplitude);
                }
                continue;
            }
            for (share, sample) in (rest..).step_by(POINTS_PER_SECOND as usize).zip(samples) {
                let gain = Decibels(from_db + step_db * share as f64);
                *sample = scaled(*sample, gain.to_amplitude());
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
fn scaled(sample: f32, amplitude: f64) -> f32 {
    (f64::from(sample) * amplitude) as f32
}

impl Processor for SpeechLevel {
    fn process(&mut self, block: &mut Block) -> Status {
        let frame_count = block.frame_count();
        let mut start = 0;
        while start < frame_count && !self.gains_db.is_empty() {
            let tenths = (self.position + start as u64) * u64::from(POINTS_PER_SECOND);
            let next = (tenths / self.sample_rate_hz + 1) * self.sample_rate_hz;
            let left = Frames((next - tenths).div_ceil(POINTS_PER_SECOND.into())).as_usize();
            let end = frame_count.min(start + left);
            self.apply(block, start, end);
            start = end;
        }
        self.position += frame_count as u64;
        Status::Continue
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        if let Some(meter) = &mut self.meter {
            meter.end();
        }
        self.take_history();
        if let Some(meter) = self.meter.take() {
            self.loudness = meter.finish().integrated_lufs;
        }
        let momentary = std::mem::take(&mut self.momentary);
        // The first window of the curve ends at the second point: the middle of the second is the first point.
        let centered = momentary.get(HALF_WINDOW - 1..).unwrap_or_default();
        if let (Some(loudness), Some(cells)) = (self.loudness, self.cells.take()) {
            self.gains_db = self.limits.curve(centered, loudness, &cells);
        }
        if self.gains_db.iter().all(|gain| *gain == 0.0) {
            self.gains_db = Vec::new();
        }
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties { is_transparent: self.gains_db.is_empty(), ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        let thousandths = |value: f64| (value * 1000.0).round() / 1000.0;
        let extreme =
            |pick: fn(f64, f64) -> f64| thousandths(self.gains_db.iter().copied().fold(0.0, pick));
        let mut findings = vec![
            Finding::number("measured_integrated_lufs", self.loudness.map(|lufs| lufs.0)),
            Finding::number("raised_max_db", extreme(f64::max)),
            Finding::number("lowered_max_db", extreme(f64::min).abs()),
        ];
        if self.loudness.is_none() {
            let reason = "no loudness: silent, shorter than 400 ms or below -70 LUFS";
            findings.push(Finding::text("left_alone", reason));
        }
        findings.into()
    }
}

impl WholeFile for SpeechLevel {
    fn needs_samples(&self) -> bool {
        true
    }

    fn observe(&mut self, block: &Block) {
        if let Some(meter) = &mut self.meter {
            meter.push(block);
        }
        if let Some(cells) = &mut self.cells {
            cells.push(block);
        }
        self.take_history();
    }
}
