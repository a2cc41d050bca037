//! `match`: brings spectrum, width and loudness towards those of a reference.

use super::{limit, loudness};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, ParamValue, Params, Peaks, StepDescriptor,
};
use crate::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use crate::matching::{
    Aims, Convolver, Design, LongTermMeter, LongTermSpectrum, OCTAVES, Phase, Recording, Reference,
};
use crate::processor::{
    CeilingChange, Finding, OutputSpan, ProcessError, Processor, Properties, Status, StepProcessor,
    StepReport, WholeFile,
};
use wavemill_audio::units::{Decibels, Frames, Lufs};
use wavemill_audio::{Block, StreamSpec};

/// Largest change of a band that may be asked for: more is no match but another recording.
const EQ_DB_MAX: f64 = 24.0;

/// Largest change of the side signal that may be asked for.
const WIDTH_DB_MAX: f64 = 6.0;

/// Largest change of loudness that may be asked for: between a quiet classical recording and a loud master.
const LOUDNESS_LU_MAX: f64 = 40.0;

/// Whoever runs the step did not show it the signal as often as it asks for it.
const NOT_OBSERVED: &str = "the signal was observed once; `match` must see it again, filtered";
const NO_REFERENCE: &str = "the reference was not measured";

/// `match{reference, amount, max_eq_db, phase, max_width_db, max_loudness_lu, ceiling_dbtp, max_reduction_db,
/// character, release_ms}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "match",
    summary: "Matches spectrum, stereo width and loudness to a reference recording, below a \
        true-peak ceiling.",
    manual: "Both long-term average spectra are compared in bands of a sixth of an octave, every \
        twelfth of an octave from 25 Hz to 20 kHz, without their difference in loudness. One \
        filter for all channels brings the source's bands to those of the reference, each by at \
        most `max_eq_db`. Bands of the source more than 60 dB below its strongest band are not \
        raised, because they hold noise. Where the reference ends, such as above 16 kHz if it was \
        an MP3 file, nothing changes. The stereo width is changed by one gain of the side signal, \
        which leaves the mono sum alone and never makes the sides stronger than the center; a \
        mono reference changes no width. Loudness follows, by gain and limiting as in the step \
        `loudness` with `mode = \"limit\"`: the integrated loudness of the reference, or less if \
        the bounds allow no more. `amount` scales all three. Every bound can be set to 0, which \
        turns that change off; with `amount = 0`, audio below the ceiling passes bit-exact. A \
        filter with linear phase keeps the waveform's symmetry and rings before and after \
        transients; one with minimum phase rings after them only. The length does not change. The \
        report states the gain of each octave, the width, the loudness and the distance of the \
        spectra before and after. A silent file is left alone. The reference is decoded once for \
        every file. With a genre profile (`wavemill analyze --recommend` lists them), band levels, \
        width and loudness outside its ranges move to the nearer end; what is inside stays.",
    params: &[
        ParamDescriptor {
            key: "reference",
            summary: "Audio file to match, relative to the pipeline file, or a genre profile, such as \
                \"profile:techno-deep\".",
            kind: ParamKind::AudioFile,
            default: ParamDefault::Required { example: "\"reference.wav\"" },
        },
        ParamDescriptor {
            key: "amount",
            summary: "Share of each difference to remove: 0 for nothing, 1 for all of it.",
            kind: ParamKind::Number { unit: "", min: 0.0, max: 1.0 },
            default: ParamDefault::Number(1.0),
        },
        ParamDescriptor {
            key: "max_eq_db",
            summary: "Largest change of a band, up or down.",
            kind: ParamKind::Number { unit: "dB", min: 0.0, max: EQ_DB_MAX },
            default: ParamDefault::Number(6.0),
        },
        ParamDescriptor {
            key: "phase",
            summary: "Phase of the filter: `linear` delays all frequencies alike, `minimum` has no \
                ringing before transients.",
            kind: ParamKind::Choice(&["linear", "minimum"]),
            default: ParamDefault::Choice("linear"),
        },
        ParamDescriptor {
            key: "max_width_db",
            summary: "Largest change of the side signal, up or down.",
            kind: ParamKind::Number { unit: "dB", min: 0.0, max: WIDTH_DB_MAX },
            default: ParamDefault::Number(3.0),
        },
        ParamDescriptor {
            key: "max_loudness_lu",
            summary: "Largest change of loudness, up or down.",
            kind: ParamKind::Number { unit: "LU", min: 0.0, max: LOUDNESS_LU_MAX },
            default: ParamDefault::Number(20.0),
        },
        ParamDescriptor {
            key: "ceiling_dbtp",
            summary: "Maximum true peak.",
            kind: ParamKind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
            default: ParamDefault::Number(-1.0),
        },
        ParamDescriptor {
            key: "max_reduction_db",
            summary: "Maximum gain reduction of a peak. A file that would need more stays quieter \
                than the reference.",
            kind: ParamKind::Number { unit: "dB", min: 0.0, max: loudness::REDUCTION_DB_MAX },
            default: ParamDefault::Number(6.0),
        },
        limit::CHARACTER,
        limit::RELEASE,
    ],
    peaks: Peaks::BoundsTruePeak("ceiling_dbtp"),
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let phases = [("linear", Phase::Linear), ("minimum", Phase::Minimum)];
    Ok(StepProcessor::of_whole_file(Match {
        aims: Aims {
            amount: params.number("amount")?,
            max_eq: Decibels(params.number("max_eq_db")?),
            max_width: Decibels(params.number("max_width_db")?),
            phase: params.choice("phase", &phases)?,
        },
        loudness_max: Decibels(params.number("max_loudness_lu")?),
        params: params_of_loudness(params),
        spec: spec.clone(),
        reference: None,
        loudness: None,
        meters: Some(Box::new(Meters::new(spec))),
        measured: LoudnessReport::default(),
        design: None,
        image: Image::default(),
        leveler: None,
        failure: None,
        trial: Trial { block: Block::new(spec.channel_count(), 0), late: 0 },
    }))
}

/// What is handed on to the step `loudness`.
fn params_of_loudness(params: &Params) -> Params {
    let mut given = Params::default();
    for key in ["ceiling_dbtp", "max_reduction_db", "character", "release_ms"] {
        if let Some(value) = params.get(key) {
            given.set(key, value.clone());
        }
    }
    given.set("mode", ParamValue::Choice("limit".to_owned()));
    given
}

/// What is measured of the source.
#[derive(Debug)]
struct Meters {
    spectrum: LongTermMeter,
    loudness: LoudnessMeter,
}

impl Meters {
    fn new(spec: &StreamSpec) -> Self {
        Self {
            spectrum: LongTermMeter::new(spec),
            loudness: LoudnessMeter::new(spec, MonoMode::Single),
        }
    }
}

/// Filter and width.
#[derive(Debug, Default)]
struct Image {
    convolver: Option<Convolver>,
    /// Factor of the side signal; `None` where it stays as it is.
    side: Option<f32>,
}

impl Image {
    fn new(design: &Design, channel_count: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let side = (design.side != Decibels::ZERO).then(|| design.side.to_amplitude() as f32);
        let convolver = design.fir.as_ref().map(|fir| Convolver::new(fir, channel_count));
        Self { convolver, side }
    }

    fn latency(&self) -> Frames {
        self.convolver.as_ref().map_or(Frames::ZERO, Convolver::latency)
    }

    fn is_transparent(&self) -> bool {
        self.convolver.is_none() && self.side.is_none()
    }

    fn reset(&mut self) {
        if let Some(convolver) = &mut self.convolver {
            convolver.reset();
        }
    }

    fn process(&mut self, block: &mut Block) {
        if let Some(convolver) = &mut self.convolver {
            convolver.process(block);
        }
        let Some(factor) = self.side else { return };
        let mut planes = block.planes_mut();
        let (Some(left), Some(right)) = (planes.next(), planes.next()) else { return };
        for (left, right) in left.iter_mut().zip(right) {
            let mid = (*left + *right) * 0.5;
            let side = (*left - *right) * 0.5 * factor;
            (*left, *right) = (mid + side, mid - side);
        }
    }
}

/// The filtered signal on its way to the step `loudness`, before anything is delivered.
#[derive(Debug)]
struct Trial {
    /// As wide as the signal; as long as its longest block so far.
    block: Block,
    /// Frames that come out before the signal does.
    late: usize,
}

/// Brings a file towards a reference.
struct Match {
    aims: Aims,
    loudness_max: Decibels,
    /// Of the step `loudness`, without the target.
    params: Params,
    spec: StreamSpec,
    reference: Option<Reference>,
    /// Of what it is brought towards, once that is known.
    loudness: Option<Lufs>,
    /// `None` once the source was measured.
    meters: Option<Box<Meters>>,
    /// Of the source.
    measured: LoudnessReport,
    design: Option<Design>,
    image: Image,
    /// The step `loudness`, once its target is known.
    leveler: Option<StepProcessor>,
    failure: Option<String>,
    trial: Trial,
}

impl Match {
    /// Chooses what is done, from what was measured.
    fn decide(&mut self, spectrum: &LongTermSpectrum) -> Result<(), String> {
        let reference = self.reference.as_ref().ok_or(NO_REFERENCE)?;
        let recording = reference.of_source(spectrum, self.measured.integrated_lufs);
        let target = self.target(&recording);
        let design = Design::new(spectrum, &recording, &self.aims);
        self.loudness = Some(recording.loudness());
        self.image = Image::new(&design, self.spec.channel_count());
        self.design = Some(design);
        let mut given = self.params.clone();
        given.set("target_lufs", ParamValue::Number(target.0.clamp(-70.0, 0.0)));
        let params = loudness::DESCRIPTOR.complete(&given);
        let params = params.map_err(|mut errors| errors.remove(0).to_string())?;
        let leveler = (loudness::DESCRIPTOR.build)(&params, &self.spec);
        self.leveler = Some(leveler.map_err(|error| error.to_string())?);
        self.restart();
        Ok(())
    }

    /// Loudness of the result: the reference's, as far as the amount and the bound go.
    fn target(&self, reference: &Recording) -> Lufs {
        let Some(loudness) = self.measured.integrated_lufs else { return reference.loudness() };
        let distance: Decibels = (reference.loudness() - loudness).into();
        let most = self.loudness_max.0;
        loudness + Decibels((distance.0 * self.aims.amount).clamp(-most, most))
    }

    /// Shows the step `loudness` what the trial's block becomes.
    fn observe_trial(&mut self) {
        let Trial { block, late } = &mut self.trial;
        self.image.process(block);
        let dropped = (*late).min(block.frame_count());
        *late -= dropped;
        block.drop_front(dropped);
        if let Some(leveler) = self.leveler.as_mut().and_then(StepProcessor::observer) {
            leveler.observe(block);
        }
    }

    /// Feeds the silence that brings out the filter's latency.
    fn end_trial(&mut self) {
        let mut left = self.image.latency().as_usize();
        while left > 0 && self.trial.block.frame_capacity() > 0 {
            let count = left.min(self.trial.block.frame_capacity());
            self.trial.block.set_frame_count(count);
            self.trial.block.silence();
            self.observe_trial();
            left -= count;
        }
        self.restart();
    }

    fn restart(&mut self) {
        self.image.reset();
        self.trial.late = self.image.latency().as_usize();
    }

    fn findings_of_design(design: &Design) -> Vec<Finding> {
        let (least, most) = design.gains();
        let rounded = |value: Decibels| value.rounded().0;
        let distance = |value: Option<f64>| value.map(|db| rounded(Decibels(db)));
        let mut findings = vec![
            Finding::number("eq_min_db", rounded(least)),
            Finding::number("eq_max_db", rounded(most)),
        ];
        findings.extend(OCTAVES.iter().map(|&(key, center_hz)| {
            Finding::number(key, rounded(design.gain_of_octave(center_hz)))
        }));
        findings.extend([
            Finding::flag("eq_bound", design.is_bound),
            Finding::number("side_gain_db", rounded(design.side)),
            Finding::number("spectrum_distance_before_db", distance(design.distance_before)),
            Finding::number("spectrum_distance_after_db", distance(design.distance_after)),
        ]);
        findings
    }
}

impl Processor for Match {
    fn process(&mut self, block: &mut Block) -> Status {
        self.image.process(block);
        match &mut self.leveler {
            Some(leveler) => leveler.process(block),
            None => Status::Continue,
        }
    }

    fn reset(&mut self) {
        self.image.reset();
        if let Some(leveler) = &mut self.leveler {
            leveler.reset();
        }
    }

    fn begin(&mut self, length: Option<Frames>) -> Result<(), ProcessError> {
        let failed = |reason: &str| Err(ProcessError { reason: reason.to_owned() });
        match (&self.failure, &mut self.leveler) {
            (Some(reason), _) => failed(reason),
            (None, None) => failed(NOT_OBSERVED),
            (None, Some(leveler)) => leveler.begin(length),
        }
    }

    fn span(&self, input: Frames) -> OutputSpan {
        OutputSpan { first_frame: Some(0), length: input }
    }

    fn properties(&self) -> Properties {
        let leveler = self.leveler.as_ref().map(|leveler| leveler.properties());
        let leveler = leveler.unwrap_or_default();
        Properties {
            latency: self.image.latency() + leveler.latency,
            is_transparent: self.image.is_transparent() && leveler.is_transparent,
            ..Properties::default()
        }
    }

    fn report(&self) -> StepReport {
        let (Some(design), Some(leveler)) = (&self.design, &self.leveler) else {
            return StepReport::default();
        };
        let reference = self.loudness.map(|loudness| loudness.0);
        let measured = self.measured.integrated_lufs.map(|lufs| lufs.0);
        let peak = self.measured.larger_true_peak().map(|peak| peak.0);
        let mut findings = Self::findings_of_design(design);
        findings.push(Finding::number("reference_integrated_lufs", reference));
        findings.push(Finding::number("measured_integrated_lufs", measured));
        findings.push(Finding::number("measured_true_peak_dbtp", peak));
        // What `loudness` measured is the filtered signal, which nobody hears.
        let report = leveler.report();
        let own = report.findings.into_iter().filter(|it| !it.key.starts_with("measured_"));
        findings.extend(own);
        StepReport { findings, failure: report.failure }
    }
}

impl WholeFile for Match {
    fn needs_samples(&self) -> bool {
        true
    }

    fn set_reference(&mut self, reference: &Reference) {
        self.reference = Some(reference.clone());
    }

    fn observe(&mut self, block: &Block) {
        if let Some(meters) = &mut self.meters {
            meters.spectrum.push(block);
            meters.loudness.push(block);
            return;
        }
        if self.trial.block.frame_capacity() < block.frame_count() {
            self.trial.block = Block::new(block.channel_count(), block.frame_count());
        }
        self.trial.block.copy_from(block, 0, block.frame_count());
        self.observe_trial();
    }

    fn observes_again(&mut self) -> bool {
        if let Some(meters) = self.meters.take() {
            self.measured = meters.loudness.finish();
            self.failure = self.decide(&meters.spectrum.finish()).err();
            return self.failure.is_none();
        }
        self.end_trial();
        let leveler = self.leveler.as_mut().and_then(StepProcessor::observer);
        leveler.is_some_and(WholeFile::observes_again)
    }

    fn observed_loudness(&self) -> Option<&LoudnessReport> {
        Some(&self.measured)
    }

    fn lower_ceiling(&mut self, by: Decibels, louder: Decibels) -> CeilingChange {
        let leveler = self.leveler.as_mut().and_then(StepProcessor::whole_file_mut);
        leveler.map_or(CeilingChange::Nothing, |leveler| leveler.lower_ceiling(by, louder))
    }
}
