//! The quietest half second: what a room and a chain of microphones leave in the pauses.

use super::totals::Totals;
use wavemill_audio::units::{Dbfs, SampleRate};
use wavemill_audio::{Block, StreamSpec};

/// Windows a second; a window begins with each.
const HOPS_A_SECOND: f64 = 20.0;

/// Hops of a window.
///
/// Source: "ACX Check" 1.0 for Audacity (2015): the RMS of the quietest 500 ms.
const WINDOW_HOPS: usize = 10;

/// Finds the quietest half second. Results do not depend on how the signal was cut into blocks.
#[derive(Debug)]
pub(super) struct NoiseFloor {
    hop_frames: usize,
    /// Of the hop that is going on, by channel.
    hop: Vec<Totals>,
    /// Energies of the last hops, in a ring.
    window: [f64; WINDOW_HOPS],
    hop_count: usize,
    softest: Option<f64>,
}

impl NoiseFloor {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        Self {
            hop_frames: hop_frames(spec.sample_rate),
            hop: vec![Totals::default(); spec.channel_count()],
            window: [0.0; WINDOW_HOPS],
            hop_count: 0,
            softest: None,
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        let mut start = 0;
        while start < block.frame_count() && !self.hop.is_empty() {
            let missing = self.hop_frames - self.hop[0].frame_count;
            let end = block.frame_count().min(start + missing);
            for (totals, plane) in self.hop.iter_mut().zip(block.planes()) {
                totals.add(&plane[start..end]);
            }
            if self.hop[0].frame_count == self.hop_frames {
                self.end_hop();
            }
            start = end;
        }
    }

    fn end_hop(&mut self) {
        self.window[self.hop_count % WINDOW_HOPS] = self.hop.iter().map(Totals::square_sum).sum();
        self.hop_count += 1;
        self.hop.fill(Totals::default());
        if self.hop_count >= WINDOW_HOPS {
            let energy = self.window.iter().sum();
            self.softest = Some(self.softest.map_or(energy, |softest| softest.min(energy)));
        }
    }

    /// Mean square of all channels of that half second, as a level; `None` where it is silent, or the file
    /// is shorter.
    pub(super) fn finish(&self) -> Option<Dbfs> {
        let sample_count = self.hop.len() * self.hop_frames * WINDOW_HOPS;
        Dbfs::from_power(self.softest? / sample_count as f64)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a twentieth of a sample rate"
)]
fn hop_frames(rate: SampleRate) -> usize {
    ((f64::from(rate.0) / HOPS_A_SECOND).round() as usize).max(1)
}
