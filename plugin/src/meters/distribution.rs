//! How often which short-term loudness occurred in the session.

use std::sync::atomic::{AtomicU32, Ordering};

/// The lowest edge of a bin, in LUFS: the absolute gate of BS.1770, which windows must be above, as in reports.
pub(crate) const LOWEST_LUFS: i16 = -70;

/// Bins of 1 LU. What is louder than the last one belongs into it.
pub(crate) const BINS: usize = 80;

/// Counts of windows, in the bins of `LoudnessMeter::distribution`. That goes through the energies of the whole
/// session and allocates, so it is not for the audio thread, whose meter nobody else may look into. Here each
/// window is counted when it ends: at 10 a second a bin is full after 13 years.
#[derive(Debug)]
pub struct Distribution([AtomicU32; BINS]);

impl Default for Distribution {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; BINS])
    }
}

impl Distribution {
    /// Counts a window of this loudness, in LUFS. Real-time, as all that writes.
    pub(crate) fn add(&self, lufs: f64) {
        if lufs > f64::from(LOWEST_LUFS) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and what is too loud belongs into the last bin"
            )]
            let bin = (lufs.floor() - f64::from(LOWEST_LUFS)) as usize;
            let count = &self.0[bin.min(BINS - 1)];
            // One thread writes.
            count.store(count.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.0.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// Windows of each bin, the quietest first.
    pub(crate) fn counts(&self) -> [u32; BINS] {
        std::array::from_fn(|bin| self.0[bin].load(Ordering::Relaxed))
    }
}
