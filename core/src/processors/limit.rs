//! `limit`: keeps the true peak below a ceiling.

use crate::audio::{Block, StreamSpec};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, StepDescriptor,
};
use crate::limit::{Limited, Limiter, Linking};
use crate::processor::{Finding, Processor, Status};
use crate::units::{Dbtp, Decibels, Frames};

/// `limit{ceiling_dbtp, linking}`
pub const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "limit",
    summary: "Turns down what would exceed a true-peak ceiling, and nothing else.",
    manual: "Peaks are seen between the samples, 16 times oversampled. The gain falls within 5 ms \
             before a peak (96 frames below 19.2 kHz), stays for 10 ms, and returns with a time \
             constant of 40 ms: after one peak 6 dB above the ceiling, what follows is within \
             0.1 dB of itself after 200 ms. What was needed without pause for 100 ms fades slowly, \
             with a time constant of 400 ms, so that sustained limiting does not distort bass. \
             Afterwards the true peak is at most 0.05 dB above the ceiling, or 0.2 dB where the \
             signal holds much above 0.45 of its sample rate, such as white noise. Where nothing \
             exceeds the ceiling no sample changes.",
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
    ],
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<Box<dyn Processor>, BuildError> {
    let ceiling = params
        .number("ceiling_dbtp")
        .ok_or(BuildError::Missing { step: DESCRIPTOR.name, param: "ceiling_dbtp" })?;
    let linking = match params.choice("linking") {
        Some("per-channel") => Linking::PerChannel,
        _ => Linking::Linked,
    };
    let ceiling = Dbtp(ceiling);
    let limiter = Limiter::new(spec, ceiling, linking);
    Ok(Box::new(Limit { spec: spec.clone(), ceiling, linking, limiter }))
}

/// Limits a stream.
#[derive(Clone, Debug)]
struct Limit {
    spec: StreamSpec,
    ceiling: Dbtp,
    linking: Linking,
    limiter: Limiter,
}

impl Processor for Limit {
    fn process(&mut self, block: &mut Block) -> Status {
        self.limiter.process(block);
        Status::Continue
    }

    fn reset(&mut self) {
        self.limiter.reset();
    }

    fn latency(&self) -> Frames {
        self.limiter.latency()
    }

    fn lower_ceiling(&mut self, by: Decibels) -> bool {
        self.limiter = Limiter::new(&self.spec, self.ceiling + -by, self.linking);
        true
    }

    fn findings(&self) -> Vec<Finding> {
        findings(&self.limiter.limited())
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
