//! Sums over samples.

/// Partial sums that are added to beside each other, so that one addition need not wait for the other.
const LANES: usize = 8;

/// Sums and the peak of some samples of one channel. Which partial sum a sample falls to depends on
/// its place alone, so that results do not depend on blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) frame_count: usize,
    sums: [f64; LANES],
    square_sums: [f64; LANES],
    /// Largest absolute sample.
    pub(super) peak: f32,
}

impl Totals {
    /// Adds samples; returns their peak.
    pub(super) fn add(&mut self, samples: &[f32]) -> f32 {
        let first =
            (self.frame_count.next_multiple_of(LANES) - self.frame_count).min(samples.len());
        let (first, others) = samples.split_at(first);
        let (rows, last) = others.as_chunks::<LANES>();
        let mut peaks = [self.add_few(first); LANES];
        let (mut sums, mut square_sums) = (self.sums, self.square_sums);
        for row in rows {
            for lane in 0..LANES {
                let value = f64::from(row[lane]);
                sums[lane] += value;
                square_sums[lane] += value * value;
                let magnitude = row[lane].abs();
                peaks[lane] = if magnitude > peaks[lane] { magnitude } else { peaks[lane] };
            }
        }
        (self.sums, self.square_sums) = (sums, square_sums);
        self.frame_count += rows.len() * LANES;
        let peak = peaks.into_iter().fold(self.add_few(last), f32::max);
        self.peak = self.peak.max(peak);
        peak
    }

    fn add_few(&mut self, samples: &[f32]) -> f32 {
        for &sample in samples {
            let value = f64::from(sample);
            self.sums[self.frame_count % LANES] += value;
            self.square_sums[self.frame_count % LANES] += value * value;
            self.frame_count += 1;
        }
        samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// Of all samples.
    pub(super) fn sum(&self) -> f64 {
        self.sums.iter().sum()
    }

    /// Of their squares.
    pub(super) fn square_sum(&self) -> f64 {
        self.square_sums.iter().sum()
    }
}
