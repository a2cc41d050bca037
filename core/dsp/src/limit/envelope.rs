//! From what each group of frames needs to what is done about it.

use super::smoothing::Smoothing;
use super::window::Window;
use wavemill_audio::units::{SampleRate, Seconds};

/// Time over which the gain falls before a peak. Longer ones sound like a swelling before drums;
/// shorter ones modulate the signal audibly.
const LOOK_AHEAD: Seconds = Seconds(0.005);

/// Frames of look-ahead at least: with fewer the gain changes so quickly that the band between 0.45 and
/// half of the sample rate, where interpolation is undefined, cannot hold what it makes of the signal.
const LOOK_AHEAD_FRAMES_MIN: usize = 96;

/// Time for which a reduction stays. With the look-ahead of the next peak it bridges half a period of
/// 33 Hz, so that higher tones are not distorted at all. Half as much was tried: dense music at 3 dB of
/// reduction came out 0.1 LU louder, and tones up to 50 Hz were modulated at their onset.
const HOLD: Seconds = Seconds(0.01);

/// Time constant with which a reduction falls towards its sustained part.
const RELEASE: Seconds = Seconds(0.04);

/// What is needed in each of so many parts in a row is sustained: with the hold, whatever comes back
/// at 25 Hz or faster for 100 ms.
const SUSTAINED_PART: Seconds = Seconds(0.02);
const SUSTAINED_PARTS: usize = 5;

/// Time constants with which the sustained part rises and falls.
const SUSTAINED_RISE: Seconds = Seconds(0.2);
const SUSTAINED_FALL: Seconds = Seconds(0.4);

/// A reduction below this is none: 0.0001 dB.
const REDUCTION_MIN: f64 = 1e-5;

/// How fast a reduction comes and goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) look_ahead: Seconds,
    pub(super) hold: Seconds,
    pub(super) release: Seconds,
}

impl Times {
    pub(super) const CLEAN: Self = Self { look_ahead: LOOK_AHEAD, hold: HOLD, release: RELEASE };
}

/// Makes reductions of groups from what they need. A reduction is 1 minus a gain: 0 changes nothing.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    needed: Window,
    /// Of what is needed by peaks that come back; `None` where that is the same.
    steady: Option<Window>,
    /// What is left of a step after a group.
    release: f64,
    reduction: f64,
    sustained: Sustained,
    smoothing: Smoothing,
    /// Groups since anything was needed or left, and how many of them make everything zero.
    idle_groups: usize,
    idle_groups_max: usize,
}

/// The part of the reduction that lasts.
#[derive(Clone, Debug)]
struct Sustained {
    reduction: f64,
    rise: f64,
    fall: f64,
    part_groups: usize,
    groups_of_part: usize,
    /// Largest reduction needed in the present part, and in each of the ones before.
    largest: f64,
    parts: [f64; SUSTAINED_PARTS],
    position: usize,
    /// The smallest of those.
    target: f64,
}

impl Envelope {
    /// For groups of `group_frames` frames. With an allowance, single peaks need less than those that come
    /// back.
    pub(super) fn new(
        rate: SampleRate,
        group_frames: usize,
        times: &Times,
        has_allowance: bool,
    ) -> Self {
        let groups = |time: Seconds| time.to_frames(rate).as_usize().div_ceil(group_frames);
        let look_ahead = groups(times.look_ahead).max(LOOK_AHEAD_FRAMES_MIN / group_frames);
        let smoothing = Smoothing::new(look_ahead);
        // The groups ahead, the present one, the next, whose gain ends the line, and the hold.
        let needed = Window::new(smoothing.span() + 2 + groups(times.hold));
        let steady = has_allowance.then(|| needed.clone());
        let group_s = group_frames as f64 / f64::from(rate.0);
        let left = |time: Seconds| (-group_s / time.0).exp();
        let sustained = Sustained {
            reduction: 0.0,
            rise: 1.0 - left(SUSTAINED_RISE),
            fall: 1.0 - left(SUSTAINED_FALL),
            part_groups: groups(SUSTAINED_PART).max(1),
            groups_of_part: 0,
            largest: 0.0,
            parts: [0.0; SUSTAINED_PARTS],
            position: 0,
            target: 0.0,
        };
        // As long as means and parts remember.
        let idle_groups_max = smoothing.span() + (SUSTAINED_PARTS + 1) * sustained.part_groups + 1;
        Self {
            needed,
            steady,
            release: left(times.release),
            reduction: 0.0,
            sustained,
            smoothing,
            idle_groups: idle_groups_max,
            idle_groups_max,
        }
    }

    /// Groups between one that is pushed and the one whose reduction is returned.
    pub(super) fn look_ahead(&self) -> usize {
        self.smoothing.span()
    }

    pub(super) fn clear(&mut self) {
        self.needed.clear();
        if let Some(steady) = &mut self.steady {
            steady.clear();
        }
        self.reduction = 0.0;
        self.sustained.clear();
        self.smoothing.clear();
        self.idle_groups = self.idle_groups_max;
    }

    /// Whether pushing what needs nothing changes nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.idle_groups >= self.idle_groups_max
    }

    /// Takes the reduction that a group needs and gives the one at the beginning of the group
    /// [`Self::look_ahead`] before; both that and the next are at least what the group in between needs.
    ///
    /// What it needs is given by itself, and as one of many in a row.
    pub(super) fn push(&mut self, [needed, in_a_row]: [f64; 2]) -> f64 {
        let mut needed = self.needed.push(needed);
        let sustained = self.sustained.reduction;
        let mut steady = needed;
        if let Some(window) = &mut self.steady {
            steady = window.push(in_a_row);
            needed = if needed > sustained { needed } else { sustained };
        }
        let released = sustained + (self.reduction - sustained) * self.release;
        self.reduction = if released > needed { released } else { needed };
        if self.reduction < REDUCTION_MIN && needed == 0.0 {
            self.reduction = 0.0;
        }
        self.sustained.push(steady);
        let is_idle = self.reduction == 0.0 && self.sustained.reduction == 0.0 && steady == 0.0;
        self.idle_groups = if is_idle { self.idle_groups + 1 } else { 0 };
        self.smoothing.push(self.reduction)
    }
}

impl Sustained {
    fn clear(&mut self) {
        (self.reduction, self.largest, self.target) = (0.0, 0.0, 0.0);
        (self.groups_of_part, self.position) = (0, 0);
        self.parts = [0.0; SUSTAINED_PARTS];
    }

    fn push(&mut self, needed: f64) {
        self.largest = if needed > self.largest { needed } else { self.largest };
        self.groups_of_part += 1;
        if self.groups_of_part == self.part_groups {
            self.groups_of_part = 0;
            self.parts[self.position] = std::mem::take(&mut self.largest);
            self.position = (self.position + 1) % SUSTAINED_PARTS;
            self.target = self.parts.iter().copied().fold(1.0, f64::min);
        }
        let distance = self.target - self.reduction;
        self.reduction += distance * if distance > 0.0 { self.rise } else { self.fall };
        if self.reduction < REDUCTION_MIN && self.target == 0.0 {
            self.reduction = 0.0;
        }
    }
}
