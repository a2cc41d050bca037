//! The innermost loop: extremes and squares of a run of samples.

/// Sums that run beside each other. A sample's sum follows from its place in the segment alone, so
/// that neither blocks nor the machine's vectors change a bit.
const LANES: usize = 16;

/// Extremes and sum of squares of a run of samples of one channel.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    min: [f32; LANES],
    max: [f32; LANES],
    squares: [f64; LANES],
    /// Samples so far, modulo [`LANES`].
    phase: usize,
}

/// What a [`Segment`] says at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) min: f32,
    pub(super) max: f32,
    pub(super) square_sum: f64,
}

impl Segment {
    pub(super) const EMPTY: Self = Self {
        min: [f32::INFINITY; LANES],
        max: [f32::NEG_INFINITY; LANES],
        squares: [0.0; LANES],
        phase: 0,
    };

    pub(super) fn push(&mut self, samples: &[f32]) {
        let head = ((LANES - self.phase) % LANES).min(samples.len());
        let (head, rest) = samples.split_at(head);
        self.push_few(head);
        let (chunks, tail) = rest.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, &sample) in chunk.iter().enumerate() {
                // Not `f32::min`: its care for NaN, which cannot come here, costs the vectors.
                self.min[lane] = if sample < self.min[lane] { sample } else { self.min[lane] };
                self.max[lane] = if sample > self.max[lane] { sample } else { self.max[lane] };
                self.squares[lane] += f64::from(sample) * f64::from(sample);
            }
        }
        self.push_few(tail);
    }

    fn push_few(&mut self, samples: &[f32]) {
        for &sample in samples {
            let lane = self.phase;
            self.min[lane] = self.min[lane].min(sample);
            self.max[lane] = self.max[lane].max(sample);
            self.squares[lane] += f64::from(sample) * f64::from(sample);
            self.phase = (lane + 1) % LANES;
        }
    }

    /// What was found; begins anew.
    pub(super) fn take(&mut self) -> Extent {
        let extent = Extent {
            min: self.min.iter().copied().fold(f32::INFINITY, f32::min),
            max: self.max.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            square_sum: self.squares.iter().sum(),
        };
        *self = Self::EMPTY;
        extent
    }
}

/// Samples of runs at full scale, found as the level meter finds them.
#[derive(Clone, Debug)]
pub(super) struct Clipping {
    full_scale: f32,
    run: u64,
}

/// Shortest run at full scale that counts, as for `clipped_samples` of the level meter.
const RUN_MIN: u64 = 3;

impl Clipping {
    pub(super) fn new(full_scale: f32) -> Self {
        Self { full_scale, run: 0 }
    }

    /// Whether a run that is long enough ends or goes on in these samples.
    pub(super) fn push(&mut self, samples: &[f32]) -> bool {
        let peak = samples.iter().fold(0.0f32, |peak, sample| {
            let amplitude = sample.abs();
            if amplitude > peak { amplitude } else { peak }
        });
        if peak < self.full_scale {
            self.run = if samples.is_empty() { self.run } else { 0 };
            return false;
        }
        let mut is_clipped = false;
        for sample in samples {
            self.run = if sample.abs() >= self.full_scale { self.run + 1 } else { 0 };
            is_clipped |= self.run >= RUN_MIN;
        }
        is_clipped
    }
}
