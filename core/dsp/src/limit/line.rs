//! The samples of a channel on their way through the limiter.

use crate::loudness::interpolation::GROUP;

/// Frames worked on together, at fixed places of the stream, so that nothing depends on how it was cut
/// into blocks.
pub(super) const RUN: usize = 128;

/// Groups of a run.
pub(super) const GROUPS: usize = RUN / GROUP;

/// Runs between two moves of what is still needed to the front.
const RUNS: usize = 32;

/// A delay line in one piece, so that filters see neighbors as a slice.
#[derive(Clone, Debug)]
pub(super) struct Line {
    samples: Vec<f32>,
    delay: usize,
    /// Where the present run begins.
    start: usize,
}

impl Line {
    pub(super) fn new(delay: usize) -> Self {
        Self { samples: vec![0.0; delay + RUNS * RUN], delay, start: delay }
    }

    pub(super) fn clear(&mut self) {
        self.samples.fill(0.0);
        self.start = self.delay;
    }

    /// Takes samples of the present run, from its sample `offset` on, and gives those that came
    /// `delay` earlier.
    pub(super) fn exchange(&mut self, offset: usize, samples: &mut [f32]) {
        let first = self.start + offset;
        self.samples[first..][..samples.len()].copy_from_slice(samples);
        samples.copy_from_slice(&self.samples[first - self.delay..][..samples.len()]);
    }

    /// The samples, with the place at which the present run begins.
    pub(super) fn samples(&mut self) -> (&mut [f32], usize) {
        (&mut self.samples, self.start)
    }

    /// Goes on to the next run.
    pub(super) fn advance(&mut self) {
        self.start += RUN;
        if self.start + RUN > self.samples.len() {
            self.samples.copy_within(self.start - self.delay..self.start, 0);
            self.start = self.delay;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_gives_what_came_its_delay_earlier() {
        let mut line = Line::new(200);
        let mut output = Vec::new();
        let input: Vec<f32> = (1..=12_800u16).map(f32::from).collect();
        for run in input.chunks_exact(RUN) {
            for (part, samples) in run.chunks_exact(RUN / 2).enumerate() {
                let mut samples = samples.to_vec();
                line.exchange(part * RUN / 2, &mut samples);
                output.extend(samples);
            }
            line.advance();
        }
        for (frame, sample) in output.iter().enumerate() {
            let expected = (frame + 1).saturating_sub(200) as f32;
            assert_eq!(sample.to_bits(), expected.to_bits());
        }
    }
}
