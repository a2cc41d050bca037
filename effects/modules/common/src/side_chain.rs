//! The input of a detector: that of the effect, filtered.

use crate::glide::Glide;
use crate::grid::{Row, SUB_BLOCK, Segment};
use crate::svf::{Svf, SvfState};
use alloc::{vec, vec::Vec};
use wavemill_effect::Block;

/// At or below this cutoff the high-pass is off.
pub const HIGH_PASS_OFF_HZ: f64 = 20.0;

/// At or above this cutoff the low-pass is off.
pub const LOW_PASS_OFF_HZ: f64 = 20_000.0;

/// Cutoffs on their way to what they were set to.
#[derive(Debug)]
pub struct FilterControls {
    /// Cutoff in Hz.
    pub high_pass_hz: Glide,
    /// Cutoff in Hz.
    pub low_pass_hz: Glide,
    sample_rate: f64,
}

/// The filters of a sub-block, unless they are off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filters {
    /// Takes away what is low.
    pub high_pass: Option<Svf>,
    /// Takes away what is high.
    pub low_pass: Option<Svf>,
}

impl FilterControls {
    /// At rest at these cutoffs.
    pub fn new(high_pass_hz: f64, low_pass_hz: f64, sample_rate: f64) -> Self {
        Self {
            high_pass_hz: Glide::new(high_pass_hz, sample_rate),
            low_pass_hz: Glide::new(low_pass_hz, sample_rate),
            sample_rate,
        }
    }

    /// The filters for where the cutoffs are.
    pub fn filters(&self) -> Filters {
        let (high_pass_hz, low_pass_hz) = (self.high_pass_hz.value(), self.low_pass_hz.value());
        let filter = |cutoff_hz| Svf::new(cutoff_hz, self.sample_rate);
        Filters {
            high_pass: (high_pass_hz > HIGH_PASS_OFF_HZ).then(|| filter(high_pass_hz)),
            low_pass: (low_pass_hz < LOW_PASS_OFF_HZ).then(|| filter(low_pass_hz)),
        }
    }
}

/// The filtered samples of a segment.
#[derive(Debug)]
pub struct SideChain {
    high_pass: Vec<SvfState>,
    low_pass: Vec<SvfState>,
    rows: Vec<Row>,
}

impl SideChain {
    /// Allocates for `channels` channels.
    pub fn new(channels: usize) -> Self {
        Self {
            high_pass: vec![SvfState::default(); channels],
            low_pass: vec![SvfState::default(); channels],
            rows: vec![[0.0; SUB_BLOCK]; channels],
        }
    }

    /// Rounds what is left of faded signals to zero; filters that are off forget theirs.
    pub fn begin_sub_block(&mut self, filters: &Filters) {
        for (states, filter) in
            [(&mut self.high_pass, filters.high_pass), (&mut self.low_pass, filters.low_pass)]
        {
            match filter {
                Some(_) => states.iter_mut().for_each(SvfState::tidy),
                None => states.fill(SvfState::default()),
            }
        }
    }

    /// The samples of a segment, filtered, one row a channel.
    pub fn read(&mut self, block: &Block<'_>, segment: Segment, filters: &Filters) -> &mut [Row] {
        let frames = segment.frames();
        for (channel, row) in self.rows.iter_mut().enumerate() {
            row[..frames].copy_from_slice(&block.plane(channel)[segment.from..segment.to]);
        }
        if let Some(filter) = filters.high_pass {
            filter.high_pass(&mut self.high_pass, &mut self.rows, frames);
        }
        if let Some(filter) = filters.low_pass {
            filter.low_pass(&mut self.low_pass, &mut self.rows, frames);
        }
        &mut self.rows
    }

    /// What was last read, and then perhaps changed.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The largest value of all channels, frame by frame.
    pub fn largest(&self, values: &mut [f32]) {
        let (first, others) = self.rows.split_at(1);
        values.copy_from_slice(&first[0][..values.len()]);
        for row in others {
            for (largest, value) in values.iter_mut().zip(row) {
                *largest = if *value > *largest { *value } else { *largest };
            }
        }
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.high_pass.fill(SvfState::default());
        self.low_pass.fill(SvfState::default());
    }
}

/// Turns samples into amplitudes.
pub fn rectify(rows: &mut [Row], frames: usize) {
    for row in rows {
        for sample in &mut row[..frames] {
            *sample = sample.abs();
        }
    }
}

/// Samples times gains, frame by frame.
pub fn amplify(samples: &mut [f32], gains: &[f32]) {
    for (sample, gain) in samples.iter_mut().zip(gains) {
        *sample *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    fn read(filters: &FilterControls) -> Vec<Row> {
        let mut samples = [-0.5_f32; 3 * SUB_BLOCK];
        samples[SUB_BLOCK..].fill(0.25);
        let segment = Grid::new().next(0, SUB_BLOCK).unwrap();
        let block = Block::new(&mut samples, SUB_BLOCK, SUB_BLOCK);
        let mut chain = SideChain::new(3);
        chain.read(&block, segment, &filters.filters()).to_vec()
    }

    #[test]
    fn filters_at_their_ends_are_off() {
        let rows = read(&FilterControls::new(20.0, 20_000.0, 48_000.0));
        assert_eq!(rows[0], [-0.5; SUB_BLOCK]);
        assert_eq!(rows[2], [0.25; SUB_BLOCK]);
    }

    #[test]
    fn high_pass_takes_the_constant_away() {
        let rows = read(&FilterControls::new(2_000.0, 20_000.0, 48_000.0));
        assert!(rows.iter().all(|row| row[SUB_BLOCK - 1].abs() < 0.02), "{rows:?}");
    }

    #[test]
    fn largest_is_taken_frame_by_frame() {
        let mut chain = SideChain::new(2);
        chain.rows[0][..2].copy_from_slice(&[1.0, -2.0]);
        chain.rows[1][..2].copy_from_slice(&[0.5, -1.0]);
        let mut largest = [0.0; 2];
        chain.largest(&mut largest);
        assert_eq!(largest, [1.0, -1.0]);
        rectify(&mut chain.rows, 2);
        chain.largest(&mut largest);
        assert_eq!(largest, [1.0, 2.0]);
    }
}
