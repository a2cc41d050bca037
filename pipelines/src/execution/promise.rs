//! What is promised of the peaks of an export, and whether it holds.

use super::blueprint::ExportGroupPlan;
use super::group::StoredSignal;
use super::writer::WrittenFile;
use crate::ceiling::Peak;
use crate::model::{Pipeline, Require, RequireOn};
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::{Dbtp, Lufs};

/// How far a peak may lie above the ceiling of a step: what `limit` promises of itself, and rounding and
/// dither add.
pub(super) const TOLERANCE_DB: f64 = 0.05;

/// What players cannot show more than. A lossy export must not exceed it for what its format adds.
pub(super) const FULL_SCALE: Dbtp = Dbtp(0.0);

/// A peak that an export must not exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Promise {
    peak: Peak,
    tolerance_db: f64,
}

/// A peak beside the ceiling that it is nearest to, or exceeds most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Height {
    pub(super) ceiling: Peak,
    pub(super) heard: f64,
    tolerance_db: f64,
}

impl Height {
    /// By how much it is above the ceiling, and 0 up to its tolerance; negative below the ceiling.
    pub(super) fn above_db(self) -> f64 {
        let above = self.heard - self.ceiling.value();
        if above > 0.0 && above <= self.tolerance_db { 0.0 } else { above }
    }
}

/// The peaks of an export as it is decoded: of what a lossy one decodes to, else of what was stored.
pub(super) struct ExportPeaks<'a> {
    report: Option<&'a LoudnessReport>,
    /// Of converted channels before full scale cut them.
    converted_db: Option<f64>,
}

impl<'a> ExportPeaks<'a> {
    pub(super) fn new(written: &'a WrittenFile, stored: &'a StoredSignal) -> Self {
        let converted_db = stored.converted_peak.map(|peak| peak.0);
        match &written.decoded {
            Some(decoded) => Self { report: decoded.loudness.as_ref(), converted_db: None },
            None => Self { report: stored.loudness(), converted_db },
        }
    }

    /// The largest reading of a kind of peak; `None` for silence.
    fn peak(&self, kind: Peak) -> Option<f64> {
        let reading = match (kind, self.report) {
            (_, None) => None,
            (Peak::True(_), Some(report)) => report.larger_true_peak().map(|peak| peak.0),
            (Peak::Sample(_), Some(report)) => report.sample_peak_dbfs.map(|peak| peak.0),
        };
        match (kind, self.converted_db) {
            // What dither added to it later is no matter of a gain.
            (Peak::Sample(_), Some(converted)) => Some(converted),
            (_, converted) => reading.into_iter().chain(converted).reduce(f64::max),
        }
    }

    /// The promise that is kept by least, or missed by most.
    pub(super) fn height(&self, promises: &[Promise]) -> Option<Height> {
        let heights = promises.iter().filter_map(|promise| {
            let Promise { peak: ceiling, tolerance_db } = *promise;
            Some(Height { ceiling, heard: self.peak(ceiling)?, tolerance_db })
        });
        heights.max_by(|a, b| a.above_db().total_cmp(&b.above_db()))
    }
}

/// The largest peak of what a group stored, of a kind; `None` for silence.
pub(super) fn stored_peak(stored: &StoredSignal, kind: Peak) -> Option<f64> {
    let converted_db = stored.converted_peak.map(|peak| peak.0);
    ExportPeaks { report: stored.loudness(), converted_db }.peak(kind)
}

/// What lines about an export call it.
pub(super) fn name(pipeline: &Pipeline, export: usize) -> String {
    format!("export {} ({})", export + 1, pipeline.exports[export].format.name)
}

/// Whether neither a step nor a gate says which true peak exports of a group may have.
pub(super) fn is_free(pipeline: &Pipeline, group: &ExportGroupPlan) -> bool {
    let is_stepped = group.ceiling.is_some_and(|it| matches!(it.peak, Peak::True(_)));
    !is_stepped && gates(pipeline, None).next().is_none()
}

/// The largest true peaks that gates allow exports of a loudness.
fn gates(pipeline: &Pipeline, loudness: Option<Lufs>) -> impl Iterator<Item = Promise> {
    let of_gate = move |require: &Require| {
        let target = require.target.as_ref().and_then(|target| target.true_peak_max(loudness));
        let maxima =
            [require.true_peak_dbtp.and_then(|bounds| bounds.max), target.map(|max| max.0)];
        maxima.into_iter().flatten().reduce(f64::min)
    };
    let gates = pipeline.requires.iter().filter(|require| require.on == RequireOn::Output);
    gates.filter_map(of_gate).map(|max| Promise { peak: Peak::True(Dbtp(max)), tolerance_db: 0.0 })
}

/// What is promised of an export of a group: the ceiling of the last step, where a lossy format or a
/// conversion came after it; that of gates, which it must not miss for what was added behind it; and
/// full scale of a lossy format that was given no more, where nothing else is said.
pub(super) fn of_export(
    pipeline: &Pipeline,
    group: &ExportGroupPlan,
    is_lossy: bool,
    fed: Option<&LoudnessReport>,
) -> Vec<Promise> {
    let is_raised = is_lossy || (group.is_raised && !group.is_mixed());
    if !is_raised {
        return Vec::new();
    }
    let step =
        group.ceiling.map(|ceiling| Promise { peak: ceiling.peak, tolerance_db: TOLERANCE_DB });
    let loudness = fed.and_then(|fed| fed.integrated_lufs);
    let fed = ExportPeaks { report: fed, converted_db: None };
    let is_below =
        |promise: &Promise| fed.peak(promise.peak).is_none_or(|peak| peak <= promise.peak.value());
    // A signal that misses a gate by itself is for the gate to reject, not for us to turn down unasked.
    let gates = gates(pipeline, loudness).filter(|gate| step.is_some() || is_below(gate));
    let full_scale = Promise { peak: Peak::True(FULL_SCALE), tolerance_db: 0.0 };
    let full_scale =
        (is_lossy && is_free(pipeline, group) && is_below(&full_scale)).then_some(full_scale);
    step.into_iter().chain(gates).chain(full_scale).collect()
}
