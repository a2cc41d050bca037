//! What begins at each place of a candidate's beats: the onset strengths on musical time.

use super::bands::GROUP_COUNT;
use super::grid::Grid;
use super::harmony::Harmony;
use super::number::{index, integer, single};
use super::onset_strength::OnsetStrength;
use super::pulse::dot;

/// Places of a beat: sixteenths and triplets.
pub(crate) const PLACES: usize = 12;

/// What is looked at: the groups of bands, and the change of harmony.
pub(crate) const LAYERS: usize = GROUP_COUNT + 1;

/// Onset strengths, by place.
#[derive(Clone, Debug)]
pub(crate) struct Lattice {
    /// `[place][layer]`; the first is at a beat.
    pub(crate) values: Vec<[f32; LAYERS]>,
    /// Number of the first beat: multiples of the candidate's period from the grid's first beat on.
    pub(crate) first_beat: i64,
    /// Pulses of the grid in a beat.
    pub(crate) ratio: f64,
}

/// Onset strengths, each the largest of three frames: players are not exact.
#[derive(Clone, Debug)]
pub(crate) struct Wide {
    layers: [Vec<f32>; GROUP_COUNT],
    hop_s: f64,
}

impl Wide {
    pub(crate) fn new(onsets: &OnsetStrength) -> Self {
        Self {
            layers: std::array::from_fn(|group| widened(onsets.groups.get(group))),
            hop_s: onsets.hop_s,
        }
    }

    fn duration_s(&self) -> f64 {
        self.layers.first().map_or(0, Vec::len) as f64 * self.hop_s
    }

    fn at(&self, time_s: f64) -> [f32; LAYERS] {
        let frame = index(time_s / self.hop_s);
        let mut values = [0.0; LAYERS];
        for (value, layer) in values.iter_mut().zip(&self.layers) {
            *value = layer.get(frame).copied().unwrap_or(0.0);
        }
        values
    }
}

fn widened(signal: Option<&Vec<f32>>) -> Vec<f32> {
    let signal = signal.map(Vec::as_slice).unwrap_or_default();
    let at = |frame: usize| signal.get(frame).copied().unwrap_or(0.0);
    (0..signal.len()).map(|f| at(f.saturating_sub(1)).max(at(f)).max(at(f + 1))).collect()
}

impl Lattice {
    /// With `ratio` pulses of the grid in a beat.
    pub(crate) fn new(wide: &Wide, harmony: &Harmony, grid: &Grid, ratio: f64) -> Self {
        let end = grid.place(wide.duration_s()) / ratio;
        let first_beat = integer((grid.place(0.0) / ratio).ceil());
        let beats = index((end - first_beat as f64).floor().max(0.0));
        let beat_s = (grid.time_s(2.0 * ratio) - grid.time_s(0.0)) / 2.0;
        let values = (0..beats * PLACES).map(|place| {
            let beat = first_beat as f64 + place as f64 / PLACES as f64;
            let time_s = grid.time_s(beat * ratio);
            let mut values = wide.at(time_s);
            if let Some(last) = values.last_mut() {
                *last = harmony.change(time_s, beat_s);
            }
            values
        });
        Self { values: values.collect(), first_beat, ratio }
    }

    /// Mean over the bars of what is at each place of a bar of so many beats, relative to the layer's
    /// mean: `[place][layer]`. The bars begin with the beats whose number is a multiple of `beats`.
    pub(crate) fn bar(&self, beats: usize) -> Vec<[f32; LAYERS]> {
        let length = beats * PLACES;
        let mut sums = vec![[0.0f64; LAYERS]; length];
        let mut counts = vec![0.0f64; length];
        let shift =
            index(self.first_beat.rem_euclid(i64::try_from(beats).unwrap_or(1)) as f64) * PLACES;
        for (place, values) in self.values.iter().enumerate() {
            let slot = (place + shift) % length;
            if let (Some(sums), Some(count)) = (sums.get_mut(slot), counts.get_mut(slot)) {
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value));
                *count += 1.0;
            }
        }
        let means = self.means();
        let relative = |(sums, count): (&[f64; LAYERS], &f64)| {
            std::array::from_fn(|layer| {
                let mean = means.get(layer).copied().unwrap_or(1.0).max(1e-6);
                single(sums.get(layer).copied().unwrap_or(0.0) / count.max(1.0) / mean)
            })
        };
        sums.iter().zip(&counts).map(relative).collect()
    }

    /// Mean of each layer.
    pub(crate) fn means(&self) -> [f64; LAYERS] {
        let mut means = [0.0; LAYERS];
        for values in &self.values {
            means.iter_mut().zip(values).for_each(|(mean, value)| *mean += f64::from(*value));
        }
        means.map(|sum| sum / self.values.len().max(1) as f64)
    }

    /// Correlation of a sum of layers with itself so many places later: 1 for exact repetition, 0 for
    /// none and where the music is too short.
    pub(crate) fn repetition(&self, layers: std::ops::Range<usize>, lags: &[usize]) -> Vec<f32> {
        let sum =
            |values: &[f32; LAYERS]| values.get(layers.clone()).unwrap_or_default().iter().sum();
        let mut signal: Vec<f32> = self.values.iter().map(sum).collect();
        let total: f64 = signal.iter().map(|&value| f64::from(value)).sum();
        let mean = single(total / signal.len().max(1) as f64);
        for value in &mut signal {
            *value -= mean;
        }
        let product = |lag: usize| -> f64 {
            let later = signal.get(lag..).unwrap_or_default();
            f64::from(dot(&signal, later)) / signal.len().saturating_sub(lag).max(1) as f64
        };
        let energy = product(0).max(1e-12);
        let is_long = |lag: usize| signal.len() >= lag + 2 * PLACES;
        lags.iter()
            .map(|&lag| if is_long(lag) { single(product(lag) / energy) } else { 0.0 })
            .collect()
    }
}
