//! From the energies of steps to those of windows.

use super::gating;
use super::running::Running;
use super::short_term::ShortTermSum;
use wavemill_audio::units::{Frames, SampleRate, Seconds};

/// Length of a step: all windows are made of whole steps. EBU Tech 3341 asks of a meter of momentary
/// loudness that it is updated at least every 100 ms; every 10 ms the maximum is found exactly enough.
const STEP_MS: u32 = 10;

pub(super) const STEPS_PER_SECOND: u32 = 1000 / STEP_MS;

/// Steps of the momentary window, 400 ms. EBU Tech 3341.
const MOMENTARY_STEPS: usize = 40;

/// Steps of the short-term window, 3 s. EBU Tech 3341.
const SHORT_TERM_STEPS: usize = gating::SHORT_TERM_HOPS * HOP_STEPS;

/// Steps between gating blocks, and between the short-term windows of loudness range and PSR, 100 ms. BS.1770-5,
/// Annex 1 (75 % overlap of 400 ms); EBU Tech 3342 (overlap of at least 2.9 s).
pub(super) const HOP_STEPS: usize = 10;

/// Hops that windows still need: those of the short-term one, and of the one that ended a few hops before, to
/// which its peaks come late.
const NEEDED_HOPS: usize = 2 * gating::SHORT_TERM_HOPS;

/// Energies are added in this many rows beside each other, in the same order on every machine.
const LANES: usize = 8;

/// The largest energy of a window, and the count of steps at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Largest {
    pub(super) energy: f64,
    end_step: u64,
}

impl Largest {
    fn see(&mut self, energy: f64, end_step: u64) {
        if energy > self.energy {
            *self = Self { energy, end_step };
        }
    }

    /// The window's end.
    pub(super) fn end(&self) -> Seconds {
        time_of(self.end_step)
    }
}

/// Energies of all windows of a stream.
#[derive(Clone, Debug)]
pub(super) struct Energies {
    rate: SampleRate,
    /// Completed steps.
    step_count: u64,
    /// Energy sums of the latest steps, a ring indexed by step count.
    recent: [f64; MOMENTARY_STEPS],
    /// Mean energy of every 100 ms, but for the oldest ones where not all are kept.
    hops: Vec<f64>,
    forgotten: usize,
    /// Hops that are kept.
    kept_max: usize,
    /// Of the latest 400 ms, once there are so many.
    momentary: Option<f64>,
    /// Of the latest 3 s, once there are so many.
    short_term: Option<f64>,
    short_term_sum: ShortTermSum,
    momentary_max: Largest,
    short_term_max: Largest,
    running: Running,
}

impl Energies {
    pub(super) fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            step_count: 0,
            recent: [0.0; MOMENTARY_STEPS],
            hops: Vec::new(),
            forgotten: 0,
            kept_max: usize::MAX,
            momentary: None,
            short_term: None,
            short_term_sum: ShortTermSum::new(),
            momentary_max: Largest::default(),
            short_term_max: Largest::default(),
            running: Running::new(),
        }
    }

    /// Forgets everything; the room stays.
    pub(super) fn clear(&mut self) {
        self.step_count = 0;
        self.recent = [0.0; MOMENTARY_STEPS];
        self.hops.clear();
        self.forgotten = 0;
        self.momentary = None;
        self.short_term = None;
        self.short_term_sum.clear();
        self.momentary_max = Largest::default();
        self.short_term_max = Largest::default();
        self.running.clear();
    }

    /// Makes room for so much more signal.
    pub(super) fn reserve(&mut self, hop_count: usize) {
        self.hops.reserve(hop_count);
    }

    /// Makes room for so many hops, and keeps no more of them.
    pub(super) fn keep_at_most(&mut self, hop_count: usize) {
        self.kept_max = hop_count.max(2 * NEEDED_HOPS);
        self.hops.reserve_exact(self.kept_max.saturating_sub(self.hops.len()));
    }

    /// Adds the energy sum of a step.
    pub(super) fn push(&mut self, energy: f64) {
        self.recent[index(self.step_count) % MOMENTARY_STEPS] = energy;
        self.step_count += 1;
        if self.step_count >= MOMENTARY_STEPS as u64 {
            let energy = lane_sum(&self.recent) / self.frames_of_latest(MOMENTARY_STEPS);
            self.momentary = Some(energy);
            self.momentary_max.see(energy, self.step_count);
        }
        let sum = self.short_term_sum.push(energy);
        if self.step_count >= SHORT_TERM_STEPS as u64 {
            // A window that begins late misses up to 0.07 LU of an event of 3 s where windows are 100 ms apart.
            self.short_term_max.see(sum / self.frames_of_latest(SHORT_TERM_STEPS), self.step_count);
        }
        if self.step_count.is_multiple_of(HOP_STEPS as u64) {
            self.end_hop();
        }
    }

    fn end_hop(&mut self) {
        let first = (index(self.step_count) - HOP_STEPS) % MOMENTARY_STEPS;
        let sum: f64 = self.recent[first..first + HOP_STEPS].iter().sum();
        if self.hops.len() >= self.kept_max {
            self.forget();
        }
        self.hops.push(sum / self.frames_of_latest(HOP_STEPS));
        if let Some(energy) = gating::block_energy(&self.hops) {
            self.running.add_block(energy);
        }
        self.short_term = gating::short_term_energy(&self.hops);
        if let Some(energy) = self.short_term {
            self.running.add_short_term(energy);
        }
    }

    /// Keeps only what windows still need: moving more would take the time of a block.
    fn forget(&mut self) {
        let first = self.hops.len() - NEEDED_HOPS;
        self.hops.copy_within(first.., 0);
        self.hops.truncate(NEEDED_HOPS);
        self.forgotten += first;
    }

    fn frames_of_latest(&self, steps: usize) -> f64 {
        let first = end_of_step(self.rate, self.step_count - steps as u64);
        (end_of_step(self.rate, self.step_count) - first) as f64
    }

    /// Frames of the next step: steps end at the frame next to every 10 ms, so that windows do not
    /// drift at rates that are no multiple of 100 Hz.
    pub(super) fn next_step_frames(&self) -> usize {
        Frames(end_of_step(self.rate, self.step_count + 1) - self.frame_count()).as_usize()
    }

    /// Frames of all completed steps.
    pub(super) fn frame_count(&self) -> u64 {
        end_of_step(self.rate, self.step_count)
    }

    /// Frames until the end of the hop with this index.
    pub(super) fn end_of_hop(&self, hop_index: usize) -> u64 {
        end_of_step(self.rate, ((hop_index + 1) * HOP_STEPS) as u64)
    }

    /// Mean energy of every 100 ms, of those that are kept.
    pub(super) fn hops(&self) -> &[f64] {
        &self.hops
    }

    /// Hops so far.
    pub(super) fn hop_count(&self) -> usize {
        self.forgotten + self.hops.len()
    }

    /// Whether [`Self::hops`] are all there were.
    pub(super) fn has_all_hops(&self) -> bool {
        self.forgotten == 0
    }

    /// Mean energies of the 3 s that end with the hop of this index; `None` when it is too early. Asked for the
    /// latest hop or the one before.
    pub(super) fn short_term_at(&self, hop_index: usize) -> Option<f64> {
        gating::short_term_energy(&self.hops[..=hop_index - self.forgotten])
    }

    pub(super) fn momentary(&self) -> Option<f64> {
        self.momentary
    }

    pub(super) fn short_term(&self) -> Option<f64> {
        self.short_term
    }

    pub(super) fn momentary_max(&self) -> Largest {
        self.momentary_max
    }

    pub(super) fn short_term_max(&self) -> Largest {
        self.short_term_max
    }

    pub(super) fn running(&self) -> &Running {
        &self.running
    }
}

/// Sum in an order that vectors of any width keep.
fn lane_sum(energies: &[f64; MOMENTARY_STEPS]) -> f64 {
    let mut lanes = [0.0; LANES];
    for row in energies.chunks_exact(LANES) {
        for (lane, energy) in lanes.iter_mut().zip(row) {
            *lane += energy;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// Frames until this many steps have ended.
fn end_of_step(rate: SampleRate, steps: u64) -> u64 {
    (steps * u64::from(rate.0) + u64::from(STEPS_PER_SECOND) / 2) / u64::from(STEPS_PER_SECOND)
}

/// Time at the end of this many steps.
pub(super) fn time_of(steps: u64) -> Seconds {
    Seconds((steps * u64::from(STEP_MS)) as f64 / 1000.0)
}

/// A count of steps as an index; at 100 a second it fits even 32 bits for more than a year.
fn index(steps: u64) -> usize {
    Frames(steps).as_usize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit of a file's length; see `limits::DURATION_MAX`.
    const HOURS_MAX: usize = 100;

    #[test]
    fn state_of_100_hours_is_8_bytes_for_every_100_ms_and_as_much_room() {
        let mut energies = Energies::new(SampleRate(44_100));
        for step in 0..HOURS_MAX * 3600 * 100 {
            energies.push((step % 1000) as f64);
        }
        assert_eq!(energies.hops.len(), HOURS_MAX * 3600 * 10);
        // Room grows by half or twice; 29 MB are used.
        assert!(energies.hops.capacity() * size_of::<f64>() < 64_000_000);
        assert!(size_of::<Energies>() < 1000);
        assert_eq!(energies.frame_count(), HOURS_MAX as u64 * 3600 * 44_100);
        assert!(energies.running.integrated().is_some());
    }

    #[test]
    fn kept_energies_take_no_more_room_however_long_the_signal() {
        /// A day.
        const KEPT: usize = 24 * 3600 * 10;
        let mut energies = Energies::new(SampleRate(48_000));
        energies.keep_at_most(KEPT);
        let mut all = Energies::new(SampleRate(48_000));
        let room = energies.hops.as_ptr();
        // And a quarter.
        for step in 0..30 * 3600 * 100 {
            let energy = f64::from(step % 1237) + 1.0;
            energies.push(energy);
            all.push(energy);
            assert!(energies.hops.len() <= KEPT);
        }
        assert_eq!((energies.hops.as_ptr(), energies.hop_count()), (room, all.hop_count()));
        assert!(!energies.has_all_hops() && all.has_all_hops());
        let latest = all.hop_count() - 1;
        for hop in [latest, latest - 1] {
            assert_eq!(energies.short_term_at(hop), all.short_term_at(hop));
        }
        assert_eq!(energies.short_term, all.short_term);
        assert_eq!(energies.running.integrated(), all.running.integrated());
        assert_eq!(energies.running.range(), all.running.range());
    }
}
