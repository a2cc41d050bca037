//! What is kept of each short-time spectrum: powers of bands, and how the tones are spread.

use super::spectra::Spectra;

/// Edges of the bands: about a third of an octave, wider at the bottom.
const EDGES_HZ: [f64; BAND_COUNT + 1] = [
    30.0, 60.0, 90.0, 130.0, 180.0, 240.0, 310.0, 400.0, 510.0, 640.0, 800.0, 1000.0, 1250.0,
    1550.0, 1900.0, 2350.0, 2900.0, 3600.0, 4400.0, 5400.0, 6600.0, 8000.0, 9800.0,
];

/// Bands.
pub(crate) const BAND_COUNT: usize = 22;

/// First band of each group of bands, and the end of the last. In a drum set: the bass drum's body,
/// the snare's body, tones, voices, the snare's noise, cymbals.
pub(crate) const GROUP_EDGES: [usize; GROUP_COUNT + 1] = [0, 3, 6, 10, 15, 19, 22];

/// Groups of bands.
pub(crate) const GROUP_COUNT: usize = 6;

/// Semitones below [`LOW_HZ_MAX`] that are kept apart, for the bass, and above it the pitch classes.
pub(crate) const TONE_COUNT: usize = LOW_COUNT + 12;
const LOW_COUNT: usize = 10;
const LOW_HZ_MIN: f64 = 55.0;
const LOW_HZ_MAX: f64 = 270.0;
const TONE_HZ_MAX: f64 = 2000.0;

/// Bins of a band, the outer ones in part.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: usize,
    last: usize,
    first_part: f32,
    last_part: f32,
}

/// Powers of bands and magnitudes of tones, frame after frame.
#[derive(Clone, Debug)]
pub(crate) struct Bands {
    spans: Vec<Option<Span>>,
    /// Of each bin that counts as tone, which one.
    tones: Vec<(usize, usize)>,
    /// Power of each band, `[frame][band]`.
    pub(crate) powers: Vec<[f32; BAND_COUNT]>,
    /// Magnitudes of the tones, `[frame][tone]`.
    pub(crate) tone_magnitudes: Vec<[f32; TONE_COUNT]>,
}

impl Bands {
    pub(crate) fn new(spectra: &Spectra) -> Self {
        let (bin_hz, bin_count) = (spectra.bin_hz(), spectra.bin_count());
        let spans = EDGES_HZ.windows(2).map(|edges| span(edges, bin_hz, bin_count)).collect();
        let tones = (1..bin_count).filter_map(|bin| Some((bin, tone(bin as f64 * bin_hz)?)));
        Self { spans, tones: tones.collect(), powers: Vec::new(), tone_magnitudes: Vec::new() }
    }

    /// Keeps what counts of a frame's spectrum.
    pub(crate) fn push(&mut self, bins: &[f32]) {
        let mut powers = [0.0; BAND_COUNT];
        for (power, span) in powers.iter_mut().zip(&self.spans) {
            *power = span.map_or(0.0, |span| span.sum(bins));
        }
        let mut magnitudes = [0.0; TONE_COUNT];
        for &(bin, tone) in &self.tones {
            if let (Some(sum), Some(power)) = (magnitudes.get_mut(tone), bins.get(bin)) {
                *sum += power.sqrt();
            }
        }
        self.powers.push(powers);
        self.tone_magnitudes.push(magnitudes);
    }

    /// Leaves the first frames; the others are returned.
    pub(crate) fn split_off(&mut self, frame: usize) -> Self {
        let frame = frame.min(self.powers.len());
        Self {
            spans: self.spans.clone(),
            tones: self.tones.clone(),
            powers: self.powers.split_off(frame),
            tone_magnitudes: self.tone_magnitudes.split_off(frame),
        }
    }

    pub(crate) fn frame_count(&self) -> usize {
        self.powers.len()
    }
}

impl Span {
    fn sum(self, bins: &[f32]) -> f32 {
        let inner: f32 = bins.get(self.first + 1..self.last).unwrap_or_default().iter().sum();
        let outer = |bin: usize, part: f32| part * bins.get(bin).copied().unwrap_or(0.0);
        inner + outer(self.first, self.first_part) + outer(self.last, self.last_part)
    }
}

/// The bins between two frequencies; `None` where the sample rate ends before.
fn span(edges_hz: &[f64], bin_hz: f64, bin_count: usize) -> Option<Span> {
    let &[low_hz, high_hz] = edges_hz else { return None };
    // A bin reaches half a bin to both sides.
    let (low, high) = (low_hz / bin_hz + 0.5, high_hz / bin_hz + 0.5);
    if high >= bin_count as f64 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bins are few")]
    let (first, last) = (low as usize, high as usize);
    #[expect(clippy::cast_possible_truncation, reason = "parts of one")]
    let (first_part, last_part) = ((1.0 - low.fract()) as f32, high.fract() as f32);
    let first_part = if first == last { last_part + first_part - 1.0 } else { first_part };
    let last_part = if first == last { 0.0 } else { last_part };
    Some(Span { first, last, first_part, last_part })
}

/// The tone that a frequency belongs to.
fn tone(hz: f64) -> Option<usize> {
    if hz < LOW_HZ_MIN || hz > TONE_HZ_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tones are few")]
    let tone = if hz < LOW_HZ_MAX {
        ((hz - LOW_HZ_MIN) / (LOW_HZ_MAX - LOW_HZ_MIN) * LOW_COUNT as f64) as usize
    } else {
        LOW_COUNT + (12.0 * (hz / 440.0).log2() + 36.5).rem_euclid(12.0) as usize
    };
    Some(tone.min(TONE_COUNT - 1))
}
