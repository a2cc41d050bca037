//! `limit`: keeps the true peak below a ceiling.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::limit::{Character, Limited, Limiter, LimiterSettings, Linking};
use crate::processor::{
    CeilingChange, Finding, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use wavemill_audio::units::{Dbtp, Decibels, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// How peaks are reduced.
pub(super) const CHARACTER: ParamDescriptor = ParamDescriptor {
    key: "character",
    summary: "How peaks are limited: `clean` reduces gain slowly, `loud` also clips their tops, \
        `auto` chooses by the signal.",
    kind: ParamKind::Choice(&["auto", "clean", "loud"]),
    default: ParamDefault::Choice("auto"),
};

/// How fast the gain returns.
pub(super) const RELEASE: ParamDescriptor = ParamDescriptor {
    key: "release_ms",
    summary: "Release time constant, with which the gain recovers after a peak; default: 40 ms for \
        `clean`, 30 ms for the others.",
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
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "limit",
    summary: "Limits true peaks to a ceiling and changes nothing else.",
    manual: "Peaks are detected with 16x oversampling. The output's true peak is at most 0.05 dB \
        above the ceiling, or 0.2 dB for signals with much energy above 0.47 of their sample rate, \
        such as white noise. Audio below the ceiling passes bit-exact. `character = \"clean\"` \
        only reduces gain: it attacks within the 5 ms before a peak (96 frames below 19.2 kHz), \
        holds for 10 ms, and releases with a time constant of 40 ms, or more slowly during \
        sustained limiting, so that bass is not distorted. `loud` also clips the tops of peaks, \
        single ones by up to 3 dB and sustained ones by up to 2 dB, without aliasing, and reduces \
        the rest with a release of 30 ms: with 6 dB of limiting, music gets about 1.5 LU louder \
        than with `clean`. `auto` clips only single peaks, and works as `loud` where reduction \
        stays above 3 dB.",
    params: &[
        ParamDescriptor {
            key: "ceiling_dbtp",
            summary: "Maximum true peak.",
            kind: ParamKind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
            default: ParamDefault::Number(-1.0),
        },
        ParamDescriptor {
            key: "linking",
            summary: "Whether all channels get the same gain reduction (`linked`), which keeps the \
                stereo image, or each its own (`per-channel`).",
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

    fn lower_ceiling(&mut self, by: Decibels, _louder: Decibels) -> CeilingChange {
        let settings = LimiterSettings { ceiling: self.settings.ceiling + -by, ..self.settings };
        let limiter = || Box::new(Limiter::new(&self.spec, &settings));
        self.lowered = (by != Decibels::ZERO).then(limiter);
        CeilingChange::Done
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
