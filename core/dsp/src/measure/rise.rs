//! The rise of an onset, on the level of a window that follows the envelope and not the wave.
//!
//! The level of 1 ms follows each half wave of a tone below 500 Hz: it would read the rise of a wave, not that of
//! the tone. So the window grows until the level behind the rise is smooth, up to [`WINDOWS_MS`]' last. What it adds
//! to a rise is taken off again.

use super::envelope::Envelope;
use super::fourier::{FRAME, HOP};

/// Behind an onset's frame, a rise begins within half a frame.
pub(super) const RISE_S_MAX: f64 = 0.15;

/// A rise ends when there was no larger value for so long.
pub(super) const REST_S: f64 = 0.02;

/// How long before its steepest place a rise may begin.
pub(super) const BASE_S: f64 = 0.12;

/// Windows that are tried: the last is half a wave of 40 Hz.
const WINDOWS_MS: [f64; 15] =
    [1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.25, 10.0, 12.5];

/// Behind a rise, levels are looked at for so long: two half waves of 40 Hz and more.
const BEHIND_S: f64 = 0.04;

/// Share of the level by which it may rise again there and count as smooth: a window that is a sixth shorter than
/// half a wave leaves so much, and in white noise one of about 4 ms.
const RIPPLE_MAX: f64 = 0.15;

/// From 10 to 90 % of what jumps, on the level of a window: its energy grows in a straight line, so that a
/// hundredth and 0.81 of the window have passed.
const RISE_OF_WINDOW: f64 = 0.8;

/// A rise, in ticks.
#[derive(Debug)]
pub(super) struct Rise {
    /// The tick in which 10 % are reached.
    pub(super) start: u64,
    /// From 10 to 90 %.
    pub(super) length: f64,
    /// The tick of the peak.
    top: u64,
}

impl Rise {
    /// The rise around an onset's tick by the level of 1 ms, looking at ticks before `end` only; `None` when there is
    /// none.
    pub(super) fn find(envelope: &Envelope, tick: u64, end: u64) -> Option<Self> {
        let window = envelope.ticks(0.001);
        let first = envelope.first() + window;
        Search { envelope, level: |tick| envelope.rms(tick), window, tick, first, end }.rise()
    }
}

/// Measures how long rises take. Room for what is around an onset is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Attacks {
    /// Energy and frames before each tick, from the first one on.
    sums: Vec<(f64, f64)>,
}

impl Attacks {
    /// Ticks from 10 to 90 % of the rise around an onset's tick, looking at ticks before `end` only.
    pub(super) fn length(&mut self, envelope: &Envelope, tick: u64, end: u64) -> Option<f64> {
        let windows = WINDOWS_MS.map(|ms| envelope.ticks(ms / 1000.0));
        let longest = windows[windows.len() - 1];
        let before = envelope.ticks(BASE_S) + envelope.tick_of(HOP as u64) + 2 * longest;
        let origin = tick.saturating_sub(before).max(envelope.first());
        self.fill(envelope, origin, end);
        let around = &*self;
        let search = |window: u64| Search {
            envelope,
            level: move |tick| around.level(tick - origin, window),
            window,
            tick,
            first: origin + window,
            end,
        };
        let top = search(longest).rise()?.top;
        let window = windows.into_iter().find(|&window| search(window).is_smooth_behind(top));
        let window = window.unwrap_or(longest);
        let length = search(window).rise()?.length;
        // The shortest adds less than is shown.
        let own = if window > windows[0] { RISE_OF_WINDOW * window as f64 } else { 0.0 };
        Some((length * length - own * own).max(0.0).sqrt())
    }

    fn fill(&mut self, envelope: &Envelope, origin: u64, end: u64) {
        let (mut energy, mut frames) = (0.0, 0.0);
        self.sums.clear();
        self.sums.push((energy, frames));
        for tick in origin..end {
            let (square_sum, frame_count) = envelope.tick(tick);
            energy += square_sum;
            frames += frame_count;
            self.sums.push((energy, frames));
        }
    }

    /// Root of the mean square of the window that ends with a tick, counted from the first one.
    fn level(&self, tick: u64, window: u64) -> f64 {
        let at = |tick: u64| self.sums[usize::try_from(tick).expect("a few thousand")];
        let ((before, first), (until, last)) =
            (at((tick + 1).saturating_sub(window)), at(tick + 1));
        if last > first { ((until - before) / (last - first)).max(0.0).sqrt() } else { 0.0 }
    }
}

/// Where a rise is looked for.
struct Search<'a, L> {
    envelope: &'a Envelope,
    /// The level of the window that ends with a tick.
    level: L,
    /// Ticks of the window.
    window: u64,
    /// The onset.
    tick: u64,
    /// The first tick that has a whole window.
    first: u64,
    end: u64,
}

impl<L: Fn(u64) -> f64> Search<'_, L> {
    fn rise(&self) -> Option<Rise> {
        let Self { envelope, level, window, .. } = self;
        let hop = envelope.tick_of(HOP as u64).max(1);
        let first = self.tick.saturating_sub(hop).max(self.first).max(*window);
        // The frame's middle may lie before the rise by half a frame.
        let last = self.tick + envelope.tick_of(FRAME as u64 / 2) + hop + window;
        let last = (last - envelope.ticks(0.001)).min(self.end);
        let steepest = (first..last)
            .map(|tick| (tick, level(tick) - level(tick - window)))
            .reduce(|best, other| if other.1 > best.1 { other } else { best })?
            .0;
        let (top, peak) = self.top(steepest);
        let from = steepest.saturating_sub(envelope.ticks(BASE_S)).max(self.first);
        let base = (from..=steepest).map(level).fold(peak, f64::min);
        let (low, high) = (base + 0.1 * (peak - base), base + 0.9 * (peak - base));
        // Backwards from the top to the last tick that is not above the tenth, then forwards.
        let start = (from..top).rev().find(|&tick| level(tick) <= low)?;
        let stop = (start + 1..=top).find(|&tick| level(tick) >= high)?;
        let crossing = |tick: u64, wanted: f64| {
            let (before, behind) = (level(tick), level(tick + 1));
            tick as f64 + (wanted - before) / (behind - before)
        };
        let length = crossing(stop - 1, high) - crossing(start, low);
        (length.is_finite() && peak > base).then_some(Rise { start, length, top })
    }

    /// The top of a rise: the first tick with a value that none exceeds for a while.
    fn top(&self, from: u64) -> (u64, f64) {
        let rest = self.envelope.ticks(REST_S);
        let last = (from + self.envelope.ticks(RISE_S_MAX)).min(self.end);
        let mut top = (from, (self.level)(from));
        for tick in from + 1..last {
            let level = (self.level)(tick);
            if level > top.1 {
                top = (tick, level);
            } else if tick - top.0 >= rest {
                break;
            }
        }
        top
    }

    /// Whether the level hardly rises again behind the top.
    fn is_smooth_behind(&self, top: u64) -> bool {
        let end = (top + self.envelope.ticks(BEHIND_S)).min(self.end);
        let (mut lowest, mut largest, mut ripple) = (f64::INFINITY, 0.0f64, 0.0f64);
        for tick in top..end {
            let level = (self.level)(tick);
            lowest = lowest.min(level);
            largest = largest.max(level);
            ripple = ripple.max(level - lowest);
        }
        ripple <= RIPPLE_MAX * largest
    }
}
