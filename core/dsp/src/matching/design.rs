//! The changes that bring one recording towards another.

use super::curve::{self, PointTarget, octave_mean};
use super::fir::{Fir, FirDesigner};
use super::grid::{OnGrid, POINTS};
use super::long_term::LongTermSpectrum;
use super::reference::Recording;
use wavemill_audio::units::Decibels;

/// How often the curve is corrected by what its filter does to the source: each round leaves a fraction of the
/// error, since neighboring bands overlap.
const ROUNDS: usize = 6;

/// A side signal so far below mid is noise, and not raised.
const SIDE_EMPTY_DB: f64 = -60.0;

/// How the filter delays frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// All alike.
    Linear,
    /// Each as little as its gain allows.
    Minimum,
}

/// What is asked of a match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aims {
    /// Share of every distance to take away, from 0 to 1.
    pub(crate) amount: f64,
    pub(crate) max_eq: Decibels,
    pub(crate) max_width: Decibels,
    pub(crate) phase: Phase,
}

/// What is done to spectrum and width, and what comes of it.
#[derive(Clone, Debug)]
pub(crate) struct Design {
    /// `None` where the spectrum stays as it is.
    pub(crate) fir: Option<Fir>,
    /// Gain of the side signal.
    pub(crate) side: Decibels,
    /// Gain of the filter, dB.
    curve: OnGrid<f64>,
    /// Whether a band is as far from the source as it may be.
    pub(crate) is_bound: bool,
    /// Distance of the spectra, dB, of the source and as expected of the result.
    pub(crate) distance_before: Option<f64>,
    pub(crate) distance_after: Option<f64>,
}

impl Design {
    /// Chooses filter and side gain for a source.
    pub(crate) fn new(source: &LongTermSpectrum, reference: &Recording, aims: &Aims) -> Self {
        let before = source.levels(None, 1.0);
        let wanted = curve::wanted(&before, &reference.levels, aims.amount, aims.max_eq.0);
        let designer = FirDesigner::new(source.rate, source.size, aims.phase);
        let mut curve: OnGrid<f64> =
            std::array::from_fn(|point| wanted[point].map_or(0.0, |wanted| wanted.change_db));
        let mut found = CurveEffect::new(source, reference, aims, &designer, &curve);
        for _ in 0..ROUNDS {
            correct(&mut curve, &wanted, &before, &found.levels, aims.max_eq);
            found = CurveEffect::new(source, reference, aims, &designer, &curve);
        }
        let at_bound = |wanted: &PointTarget| wanted.change_db.abs() >= aims.max_eq.0;
        Self {
            fir: found.fir,
            side: found.side,
            curve,
            is_bound: aims.max_eq.0 > 0.0 && wanted.iter().flatten().any(at_bound),
            distance_before: curve::distance(&before, &reference.levels),
            distance_after: curve::distance(&found.levels, &reference.levels),
        }
    }

    /// Gain of an octave.
    pub(crate) fn gain_of_octave(&self, center_hz: f64) -> Decibels {
        Decibels(octave_mean(&self.curve, center_hz))
    }

    /// The least and the largest gain.
    pub(crate) fn gains(&self) -> (Decibels, Decibels) {
        let least = self.curve.iter().copied().fold(0.0, f64::min);
        let most = self.curve.iter().copied().fold(0.0, f64::max);
        (Decibels(least), Decibels(most))
    }
}

/// What a curve does to the source.
struct CurveEffect {
    fir: Option<Fir>,
    side: Decibels,
    levels: OnGrid<Option<f64>>,
}

impl CurveEffect {
    fn new(
        source: &LongTermSpectrum,
        reference: &Recording,
        aims: &Aims,
        designer: &FirDesigner,
        curve: &OnGrid<f64>,
    ) -> Self {
        let is_flat = curve.iter().all(|gain| *gain == 0.0);
        let fir = (!is_flat).then(|| designer.design(curve));
        let response = fir.as_ref().map(|fir| designer.response(fir));
        let side = side_gain(source, reference, aims, response.as_deref());
        let levels = source.levels(response.as_deref(), side.to_amplitude());
        Self { fir, side, levels }
    }
}

/// Gain of the side signal behind the filter. It is never raised above mid, with which the sides would be out of
/// phase more than in phase, nor where it is next to nothing.
fn side_gain(
    source: &LongTermSpectrum,
    reference: &Recording,
    aims: &Aims,
    response: Option<&[f64]>,
) -> Decibels {
    let ratios = (source.side_to_mid(None), source.side_to_mid(response), reference.side_to_mid);
    let (Some(before), Some(filtered), Some(reference)) = ratios else { return Decibels::ZERO };
    let wanted = before.0 + aims.amount * (reference.0 - before.0);
    let boost_max = if filtered.0 < SIDE_EMPTY_DB { 0.0 } else { (-filtered.0).max(0.0) };
    let gain = (wanted - filtered.0).clamp(-aims.max_width.0, aims.max_width.0.min(boost_max));
    Decibels(gain).rounded()
}

/// Adds to a curve what the bands lack, within its bounds; a change of all of them alike is no lack.
fn correct(
    curve: &mut OnGrid<f64>,
    wanted: &OnGrid<Option<PointTarget>>,
    before: &OnGrid<Option<f64>>,
    after: &OnGrid<Option<f64>>,
    max_eq: Decibels,
) {
    let lack = |point: usize| -> Option<f64> {
        Some(wanted[point]?.change_db - (after[point]? - before[point]?))
    };
    let offset = curve::median((0..POINTS).filter_map(lack));
    for (point, gain) in curve.iter_mut().enumerate() {
        if let (Some(wanted), Some(lack)) = (wanted[point], lack(point)) {
            let corrected = (*gain + lack - offset).clamp(-max_eq.0, wanted.boost_db_max);
            *gain = Decibels(corrected).rounded().0;
        }
    }
}
