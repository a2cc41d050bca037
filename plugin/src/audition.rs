//! Playing the program as loud as a platform will: a gain behind the meters, while the window asks for it.
//!
//! It is no parameter and is not saved: what a project renders, and what a host automates, never depends on it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wavemill_core::denormals;
use wavemill_core::units::Decibels;

/// How long until a change of the gain is nearly done (63 %), in seconds: short for the ear, and without a click.
const TIME_S: f64 = 0.03;

/// A gain nearer than this to where it goes is there: -100 dB of a factor.
const ARRIVED: f64 = 1e-5;

/// Largest change, in dB, either way: more than any platform makes, and less than hurts.
const GAIN_DB_MAX: f64 = 24.0;

/// What the window asks for. Neither side waits.
#[derive(Debug)]
pub(crate) struct Audition {
    is_on: AtomicBool,
    /// In dB, as bits; no number where the platform changes nothing.
    gain_db: AtomicU32,
}

impl Default for Audition {
    fn default() -> Self {
        Self { is_on: AtomicBool::new(false), gain_db: AtomicU32::new(f32::NAN.to_bits()) }
    }
}

impl Audition {
    /// Switches it.
    pub(crate) fn switch(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// The gain while it is on; `None` for the signal as it is.
    pub(crate) fn want(&self, gain: Option<Decibels>) {
        #[expect(clippy::cast_possible_truncation, reason = "a gain of at most 24 dB")]
        let db = |gain: Decibels| gain.0.clamp(-GAIN_DB_MAX, GAIN_DB_MAX) as f32;
        self.gain_db.store(gain.map_or(f32::NAN, db).to_bits(), Ordering::Relaxed);
    }

    /// The gain that is asked for; `None` while it is off. Real-time.
    pub(crate) fn wanted(&self) -> Option<Decibels> {
        let db = f32::from_bits(self.gain_db.load(Ordering::Relaxed));
        (self.is_on() && !db.is_nan()).then_some(Decibels(db.into()))
    }
}

/// What applies it on the audio thread: it goes smoothly to where the window asks. Real-time.
#[derive(Debug)]
pub(crate) struct AuditionGain {
    /// Of 64 bits: steps of 32 bits would end before it arrives.
    factor: f64,
    /// Part of the way that one frame goes.
    share: f64,
}

impl AuditionGain {
    /// At 0 dB, for a stream of this rate, in Hz.
    pub(crate) fn new(sample_rate_hz: f32) -> Self {
        let frames = (TIME_S * f64::from(sample_rate_hz)).max(1.0);
        Self { factor: 1.0, share: 1.0 - (-1.0 / frames).exp() }
    }

    /// The signal as it is, at once.
    pub(crate) fn reset(&mut self) {
        self.factor = 1.0;
    }

    /// Applies the gain; once it is 0 dB no sample changes.
    pub(crate) fn apply(&mut self, planes: &mut [&mut [f32]], wanted: Option<Decibels>) {
        let goal = wanted.map_or(1.0, Decibels::to_amplitude);
        if [self.factor, goal].iter().all(|factor| factor.to_bits() == 1.0f64.to_bits()) {
            return;
        }
        let mut end = self.factor;
        for plane in planes.iter_mut() {
            let mut factor = self.factor;
            for sample in plane.iter_mut() {
                factor += (goal - factor) * self.share;
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let own = factor as f32;
                *sample *= own;
            }
            end = factor;
        }
        self.factor = if (end - goal).abs() < ARRIVED { goal } else { end };
        for plane in planes {
            denormals::flush(plane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a constant signal becomes: the gain itself.
    fn gains(gain: &mut AuditionGain, wanted: Option<f64>, frames: usize) -> Vec<f32> {
        let (mut left, mut right) = (vec![1.0f32; frames], vec![-1.0f32; frames]);
        for (left, right) in left.chunks_mut(64).zip(right.chunks_mut(64)) {
            gain.apply(&mut [left, right], wanted.map(Decibels));
        }
        assert!(left.iter().zip(&right).all(|(l, r)| l.to_bits() == (-r).to_bits()));
        left
    }

    /// By the closed form of the exponential: 1 - (1 - g) (1 - exp(-t / T)).
    #[test]
    fn gain_goes_where_it_is_asked_as_its_time_says() {
        let mut gain = AuditionGain::new(48_000.0);
        let played = gains(&mut gain, Some(-6.0), 48_000);
        let goal = 10f64.powf(-6.0 / 20.0);
        for frame in [0usize, 100, 1440, 4800, 20_000] {
            let time = (frame as f64 + 1.0) / 48_000.0;
            let expected = 1.0 - (1.0 - goal) * (1.0 - (-time / 0.03).exp());
            let found = f64::from(played[frame]);
            assert!((found - expected).abs() < 1e-4, "{frame}: {found} {expected}");
        }
        assert!((f64::from(played[47_999]) - goal).abs() < 1e-6);
        // On the way back, and once there, bit for bit.
        let back = gains(&mut gain, None, 48_000);
        assert!(back.windows(2).all(|two| two[0] <= two[1]));
        assert_eq!(gains(&mut gain, None, 64), [1.0; 64]);
    }

    /// A click is a jump: no step is larger than the way through the time, which is 1/1440 of 24 dB at most.
    #[test]
    fn gain_never_jumps() {
        let mut gain = AuditionGain::new(48_000.0);
        let mut played = gains(&mut gain, Some(GAIN_DB_MAX), 10_000);
        played.extend(gains(&mut gain, Some(-GAIN_DB_MAX), 10_000));
        played.extend(gains(&mut gain, None, 10_000));
        let most = 10f32.powf(24.0 / 20.0) / 1440.0;
        assert!(played.windows(2).all(|two| (two[1] - two[0]).abs() <= most));
    }

    #[test]
    fn untouched_signal_stays_bit_exact() {
        let mut gain = AuditionGain::new(44_100.0);
        let mut signal = [f32::MIN_POSITIVE, -0.0, 0.1, f32::NAN, 1e30];
        let before = signal.map(f32::to_bits);
        gain.apply(&mut [&mut signal], None);
        assert_eq!(signal.map(f32::to_bits), before);
        gain.apply(&mut [&mut signal], Some(Decibels(-3.0)));
        gain.reset();
        let mut signal = [0.1f32; 4];
        gain.apply(&mut [&mut signal], None);
        assert_eq!(signal.map(f32::to_bits), [0.1f32.to_bits(); 4]);
    }

    #[test]
    fn wild_gains_are_bounded_and_no_number_is_off() {
        let audition = Audition::default();
        assert_eq!(audition.wanted(), None);
        audition.want(Some(Decibels(90.0)));
        assert_eq!(audition.wanted(), None, "it is not on");
        audition.switch(true);
        assert_eq!(audition.wanted(), Some(Decibels(24.0)));
        audition.want(Some(Decibels(f64::NAN)));
        assert_eq!(audition.wanted(), None);
    }
}
