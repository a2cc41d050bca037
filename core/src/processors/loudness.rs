//! `loudness`: one gain that brings the whole file to a loudness, below a true-peak ceiling.

use super::gain::Gain;
use crate::audio::{Block, StreamSpec};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, StepDescriptor,
};
use crate::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use crate::processor::{Finding, ProcessError, Processor, Status, WholeFileNeed};
use crate::units::{Dbtp, Decibels, Frames, Lu, Lufs};

/// Amplitude kept free below the ceiling: dither and rounding to 16 bits move a sample by up to 1.5
/// LSB, and the interpolation filter between samples by up to 1.9 times that (the sum of the
/// magnitudes of a phase of its taps). At -1 dBTP this costs 0.001 dB.
const QUANTIZATION_HEADROOM: f64 = 3.0 / 32_768.0;

/// Why a file has no loudness.
const NO_LOUDNESS: &str = "no loudness: silent, shorter than 400 ms or below -70 LUFS";

/// `loudness{target_lufs, ceiling_dbtp, mode, mono, skip_within_lu, lower_only}`
pub const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "loudness",
    summary: "Brings the whole file to a loudness with one gain, below a true-peak ceiling.",
    manual: "Loudness is measured as ITU-R BS.1770-5 and EBU R 128 say. The gain is the same \
             throughout, so the dynamics stay. Where the ceiling would be exceeded the file gets \
             less gain, and the report states what it falls short of in LU. The true peak is \
             measured with four times oversampling (twice from 96 kHz); the ceiling leaves room \
             for the dither of 16 bits. Gains are rounded to 0.001 dB, down where the ceiling \
             binds. A file without loudness (silent, shorter than 400 ms, below -70 LUFS) is left \
             alone, or lowered to the ceiling where it exceeds that, and the report says so.",
    params: &[
        ParamDescriptor {
            key: "target_lufs",
            summary: "Integrated loudness afterwards.",
            kind: ParamKind::Number { unit: "LUFS", min: -70.0, max: 0.0 },
            default: ParamDefault::Required,
        },
        ParamDescriptor {
            key: "ceiling_dbtp",
            summary: "True peak that is not exceeded.",
            kind: ParamKind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
            default: ParamDefault::Number(-1.0),
        },
        ParamDescriptor {
            key: "mode",
            summary: "What happens where the ceiling binds: `lower` gives less gain.",
            kind: ParamKind::Choice(&["lower"]),
            default: ParamDefault::Choice("lower"),
        },
        ParamDescriptor {
            key: "mono",
            summary: "How a mono file counts: `single` as one channel, `dual` as if played by two \
                      loudspeakers, 3 LU louder.",
            kind: ParamKind::Choice(&["single", "dual"]),
            default: ParamDefault::Choice("single"),
        },
        ParamDescriptor {
            key: "skip_within_lu",
            summary: "A file this close to the target keeps its loudness.",
            kind: ParamKind::Number { unit: "LU", min: 0.0, max: 20.0 },
            default: ParamDefault::Absent,
        },
        ParamDescriptor {
            key: "lower_only",
            summary: "Whether a file softer than the target keeps its loudness.",
            kind: ParamKind::Bool,
            default: ParamDefault::Bool(false),
        },
    ],
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<Box<dyn Processor>, BuildError> {
    let number =
        |param| params.number(param).ok_or(BuildError::Missing { step: DESCRIPTOR.name, param });
    let mono = match params.choice("mono") {
        Some("dual") => MonoMode::Dual,
        _ => MonoMode::Single,
    };
    let aim = Aim {
        target: Lufs(number("target_lufs")?),
        ceiling: Dbtp(number("ceiling_dbtp")?),
        skip_within: params.number("skip_within_lu").map(Lu),
        lower_only: params.bool("lower_only").unwrap_or_default(),
    };
    let meter = Some(LoudnessMeter::new(spec, mono));
    let is_usual = mono == MonoMode::Single || spec.channel_count() != 1;
    let measured = LoudnessReport::default();
    Ok(Box::new(Loudness { aim, is_usual, meter, measured, decision: None }))
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
struct Aim {
    target: Lufs,
    ceiling: Dbtp,
    skip_within: Option<Lu>,
    lower_only: bool,
}

/// What is done about it.
#[derive(Clone, Debug)]
struct Decision {
    gain: Decibels,
    /// Whether the ceiling allowed less than the target asked for.
    is_ceiling_bound: bool,
    /// By how much the result is softer than it was to become; nothing where it had no loudness.
    shortfall: Lu,
    processor: Gain,
}

impl Aim {
    /// The gain for a file of this loudness and true peak.
    fn decide(self, loudness: Lufs, true_peak: Option<Dbtp>) -> Decision {
        let distance: Decibels = (self.target - loudness).into();
        let is_near = self.skip_within.is_some_and(|range| distance.0.abs() <= range.0);
        let keeps_loudness = is_near || (self.lower_only && distance > Decibels::ZERO);
        let wanted = if keeps_loudness { Decibels::ZERO } else { distance.rounded() };
        let allowed = true_peak.and_then(|peak| self.allowed(peak));
        let gain = allowed.filter(|&allowed| allowed < wanted).unwrap_or(wanted);
        Decision {
            gain,
            is_ceiling_bound: gain < wanted,
            shortfall: (wanted - gain).into(),
            processor: Gain::new(gain),
        }
    }

    /// What is done to a file that has no loudness to bring anywhere: nothing, unless it exceeds
    /// the ceiling.
    fn decide_without_loudness(self, true_peak: Dbtp) -> Option<Decision> {
        let gain = self.allowed(true_peak).filter(|&gain| gain < Decibels::ZERO)?;
        let shortfall = Lu(0.0);
        Some(Decision { gain, is_ceiling_bound: true, shortfall, processor: Gain::new(gain) })
    }

    /// The largest gain that keeps the ceiling.
    fn allowed(self, true_peak: Dbtp) -> Option<Decibels> {
        let ceiling = Decibels(self.ceiling.0).to_amplitude() - QUANTIZATION_HEADROOM;
        Dbtp::from_amplitude(ceiling).map(|ceiling| (ceiling - true_peak).rounded_down())
    }
}

/// Applies one gain to the whole file.
#[derive(Debug)]
struct Loudness {
    aim: Aim,
    /// Whether it measures as everybody does: a mono file as one channel.
    is_usual: bool,
    /// Measures the first pass; `None` after `begin`.
    meter: Option<LoudnessMeter>,
    measured: LoudnessReport,
    /// `None` before `begin`, or when the file is left alone.
    decision: Option<Decision>,
}

impl Processor for Loudness {
    fn process(&mut self, block: &mut Block) -> Status {
        match &mut self.decision {
            Some(decision) => decision.processor.process(block),
            None => Status::Continue,
        }
    }

    fn reset(&mut self) {}

    fn whole_file_need(&self) -> WholeFileNeed {
        WholeFileNeed::Samples
    }

    fn observe(&mut self, block: &Block) {
        if let Some(meter) = &mut self.meter {
            meter.push(block);
        }
    }

    fn observed_loudness(&self) -> Option<&LoudnessReport> {
        self.is_usual.then_some(&self.measured)
    }

    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        if let Some(meter) = self.meter.take() {
            self.measured = meter.finish();
        }
        let true_peak = self.measured.true_peak_dbtp;
        self.decision = match self.measured.integrated_lufs {
            Some(loudness) => Some(self.aim.decide(loudness, true_peak)),
            None => true_peak.and_then(|peak| self.aim.decide_without_loudness(peak)),
        };
        Ok(())
    }

    fn is_transparent(&self) -> bool {
        self.decision.as_ref().is_none_or(|decision| decision.processor.is_transparent())
    }

    fn findings(&self) -> Vec<Finding> {
        let loudness = self.measured.integrated_lufs;
        let true_peak = self.measured.true_peak_dbtp;
        let mut findings = vec![
            Finding::number("measured_integrated_lufs", loudness.map(|lufs| lufs.0)),
            Finding::number("measured_true_peak_dbtp", true_peak.map(|peak| peak.0)),
        ];
        if loudness.is_none() {
            let done =
                if self.decision.is_some() { "only_lowered_to_ceiling" } else { "left_alone" };
            findings.push(Finding::text(done, NO_LOUDNESS));
        }
        let Some(decision) = &self.decision else { return findings };
        let gain = decision.gain;
        findings.extend([
            Finding::number("gain_db", gain.0),
            Finding::flag("ceiling_bound", decision.is_ceiling_bound),
            Finding::number("shortfall_lu", loudness.map(|_| decision.shortfall.0)),
            Finding::number("expected_integrated_lufs", loudness.map(|lufs| (lufs + gain).0)),
            Finding::number("expected_true_peak_dbtp", true_peak.map(|peak| (peak + gain).0)),
        ]);
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: Aim =
        Aim { target: Lufs(-16.0), ceiling: Dbtp(-1.0), skip_within: None, lower_only: false };

    #[test]
    fn gain_is_the_distance_to_the_target() {
        let decision = AIM.decide(Lufs(-23.0), Some(Dbtp(-12.0)));
        assert_eq!(decision.gain, Decibels(7.0));
        assert!(!decision.is_ceiling_bound);
        assert_eq!(decision.shortfall, Lu(0.0));
    }

    #[test]
    fn ceiling_that_binds_lowers_the_gain_and_states_the_shortfall() {
        // The ceiling allows 4 dB less the headroom of 0.0009 dB, rounded down.
        let decision = AIM.decide(Lufs(-23.0), Some(Dbtp(-5.0)));
        assert_eq!(decision.gain, Decibels(3.999));
        assert!(decision.is_ceiling_bound);
        assert!((decision.shortfall.0 - 3.001).abs() < 1e-9);
    }

    #[test]
    fn file_near_the_target_keeps_its_loudness_but_not_its_overshoot() {
        let aim = Aim { skip_within: Some(Lu(1.0)), ..AIM };
        assert_eq!(aim.decide(Lufs(-15.5), Some(Dbtp(-2.0))).gain, Decibels::ZERO);
        assert_eq!(aim.decide(Lufs(-17.5), Some(Dbtp(-9.0))).gain, Decibels(1.5));
        let overshoot = aim.decide(Lufs(-15.5), Some(Dbtp(0.0)));
        assert_eq!(overshoot.gain, Decibels(-1.001));
        assert!(overshoot.is_ceiling_bound);
    }

    #[test]
    fn lower_only_never_raises() {
        let aim = Aim { lower_only: true, ..AIM };
        assert_eq!(aim.decide(Lufs(-23.0), Some(Dbtp(-12.0))).gain, Decibels::ZERO);
        assert_eq!(aim.decide(Lufs(-10.0), Some(Dbtp(-1.5))).gain, Decibels(-6.0));
    }
}
