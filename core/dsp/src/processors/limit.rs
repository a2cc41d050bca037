//! `limit`: keeps the true peak below a ceiling.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::limit::{Character, Limited, Limiter, LimiterSettings, Linking};
use crate::processor::{
    Finding, Lowered, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use wavemill_audio::units::{Dbtp, Decibels, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// How peaks are reduced.
pub(super) const CHARACTER: ParamDescriptor = ParamDescriptor {
    key: "character",
    summary: "How peaks are limited: `clean` by a slow gain, `loud` by cutting off their tops as well, \
              `auto` as the signal asks for it.",
    kind: ParamKind::Choice(&["auto", "clean", "loud"]),
    default: ParamDefault::Choice("auto"),
};

/// How fast the gain returns.
pub(super) const RELEASE: ParamDescriptor = ParamDescriptor {
    key: "release_ms",
    summary: "Time constant with which the gain returns after a peak; without it 40 ms for `clean` and \
              30 ms for the others.",
    kind: ParamKind::Number { unit: "ms", min: 5.0, max: 1000.0 },
    default: ParamDefault::Absent,
};

/// A limiter as asked for.
pub(super) fn settings(
    params: &Params,
    ceiling: Dbtp,
    linking: Linking,
) -> Result<LimiterSettings, BuildError> {
    let characters =
        [("auto", Character::Auto), ("clean", Character::Clean), ("loud", Character::Loud)];
    let character = params.choice("character", &characters)?;
    let release_ms = params.optional_number("release_ms");
    let release = release_ms.map(|release_ms| Seconds(release_ms / 1000.0));
    Ok(LimiterSettings { ceiling, linking, character, release })
}

/// `limit{ceiling_dbtp, linking, character, release_ms}`
pub const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "limit",
    summary: "Turns down what would exceed a true-peak ceiling, and nothing else.",
    manual: "Peaks are seen between the samples, 16 times oversampled. Afterwards the true peak is at \
             most 0.05 dB above the ceiling, or 0.2 dB where the signal holds much above 0.45 of its \
             sample rate, such as white noise. Where nothing exceeds the ceiling no sample changes. \
             `character = \"clean\"` turns peaks down by a slow gain alone: it falls within 5 ms before \
             a peak (96 frames below 19.2 kHz), stays for 10 ms, and returns with a time constant of \
             40 ms, or slowly where limiting goes on, so that bass is not distorted. `loud` cuts off \
             the tops of peaks, up to 3 dB of single ones and 2 dB of sustained ones, without aliasing, \
             and turns down the rest by a gain that returns with 30 ms: at 6 dB of limiting music is \
             about 1.5 LU louder. `auto` cuts off single peaks only, and becomes `loud` where more than 3 dB \
             of reduction go on.",
    params: &[
        ParamDescriptor {
            key: "ceiling_dbtp",
            summary: "True peak that is not exceeded.",
            kind: ParamKind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
            default: ParamDefault::Number(-1.0),
        },
        ParamDescriptor {
            key: "linking",
            summary: "Whether all channels are turned down together (`linked`), which keeps the \
                      stereo image, or each on its own (`per-channel`).",
            kind: ParamKind::Choice(&["linked", "per-channel"]),
            default: ParamDefault::Choice("linked"),
        },
        CHARACTER,
        RELEASE,
    ],
    peaks: Peaks::BoundsTruePeak("ceiling_dbtp"),
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let ceiling = Dbtp(params.number("ceiling_dbtp")?);
    let linkings = [("linked", Linking::Linked), ("per-channel", Linking::PerChannel)];
    let settings = settings(params, ceiling, params.choice("linking", &linkings)?)?;
    let limiter = Limiter::new(spec, &settings);
    let spec = spec.clone();
    Ok(StepProcessor::of_whole_file(Limit { spec, settings, limiter, lowered: None }))
}

/// Limits a stream.
#[derive(Clone, Debug)]
struct Limit {
    spec: StreamSpec,
    settings: LimiterSettings,
    limiter: Limiter,
    /// Works in its place, where a lower ceiling was asked for.
    lowered: Option<Box<Limiter>>,
}

impl Limit {
    fn active(&mut self) -> &mut Limiter {
        self.lowered.as_deref_mut().unwrap_or(&mut self.limiter)
    }
}

impl Processor for Limit {
    fn process(&mut self, block: &mut Block) -> Status {
        self.active().process(block);
        Status::Continue
    }

    fn reset(&mut self) {
        self.active().reset();
    }

    fn properties(&self) -> Properties {
        Properties { latency: self.limiter.latency(), ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        findings(&self.limiter.limited()).into()
    }
}

impl WholeFile for Limit {
    fn needs_samples(&self) -> bool {
        false
    }

    fn lower_ceiling(&mut self, by: Decibels, _louder: Decibels) -> Lowered {
        let settings = LimiterSettings { ceiling: self.settings.ceiling + -by, ..self.settings };
        let limiter = || Box::new(Limiter::new(&self.spec, &settings));
        self.lowered = (by != Decibels::ZERO).then(limiter);
        Lowered::Done
    }
}

/// What a limiter did, for the report.
pub(super) fn findings(limited: &Limited) -> Vec<Finding> {
    let thousandths = |value: f64| (value * 1000.0).round() / 1000.0;
    vec![
        Finding::number("reduction_max_db", thousandths(limited.reduction_max_db)),
        Finding::number("time_reduced_s", thousandths(limited.time_reduced.0)),
        Finding::number("time_above_1_db_s", thousandths(limited.time_above_1_db.0)),
    ]
}
