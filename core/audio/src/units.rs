//! Unit newtypes: a bare number never crosses a public border.
//!
//! Arithmetic exists only where it means something: the difference of two loudnesses is a [`Lu`],
//! a [`Lu`] is a [`Decibels`], and [`Decibels::to_amplitude`] is the only road from dB to a factor.
//! This file holds the one `log10` of each unit; Clippy forbids it elsewhere.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};

macro_rules! level_unit {
    ($(#[$doc:meta])* $name:ident, $suffix:literal) => {
        $(#[$doc])*
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Plain(self.0).fmt_with(f, 2)?;
                f.write_str(concat!(" ", $suffix))
            }
        }
    };
}

/// A number for people: what rounds to zero is `0.0` and never `-0.0`.
///
/// ```
/// use wavemill_audio::units::{Dbtp, Plain};
///
/// assert_eq!(format!("{:.1} {:+.1}", Plain(-0.04), Plain(-0.06)), "0.0 -0.1");
/// assert_eq!(format!("{:.1}", Dbtp(-0.04)), "0.0 dBTP");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain(pub f64);

impl Plain {
    fn fmt_with(self, f: &mut fmt::Formatter<'_>, digits: usize) -> fmt::Result {
        let digits = f.precision().unwrap_or(digits);
        let rounded = format!("{:.digits$}", self.0);
        let is_zero = rounded.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        let value = if is_zero { 0.0 } else { self.0 };
        if f.sign_plus() { write!(f, "{value:+.digits$}") } else { write!(f, "{value:.digits$}") }
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_with(f, 1)
    }
}

level_unit!(
    /// A gain in decibels: 20 log10 of an amplitude factor.
    Decibels, "dB"
);
level_unit!(
    /// Loudness in LUFS (ITU-R BS.1770-5). Silence has no loudness: it is `None`, never minus infinity.
    Lufs, "LUFS"
);
level_unit!(
    /// A difference of two loudnesses, or a loudness range. One LU is one decibel.
    Lu, "LU"
);
level_unit!(
    /// Sample level in dB relative to full scale; a full-scale square wave is 0, a sine's RMS -3.01.
    Dbfs, "dBFS"
);
level_unit!(
    /// True peak in dB relative to full scale (ITU-R BS.1770-5, Annex 2).
    Dbtp, "dBTP"
);

level_unit!(
    /// A frequency in Hz.
    Hertz, "Hz"
);

impl Decibels {
    /// No change.
    pub const ZERO: Self = Self(0.0);

    /// The factor to multiply samples with; always finite and positive.
    pub fn to_amplitude(self) -> f64 {
        10f64.powf(self.0 / 20.0)
    }

    /// The gain of the factor `amplitude`; `None` unless it is positive and finite.
    #[expect(clippy::disallowed_methods, reason = "this is the one log10 of amplitudes")]
    pub fn from_amplitude(amplitude: f64) -> Option<Self> {
        (amplitude > 0.0 && amplitude.is_finite()).then(|| Self(20.0 * amplitude.log10()))
    }

    /// The level of the mean square `power`; `None` unless it is positive and finite.
    #[expect(clippy::disallowed_methods, reason = "this is the one log10 of powers")]
    pub fn from_power(power: f64) -> Option<Self> {
        (power > 0.0 && power.is_finite()).then(|| Self(10.0 * power.log10()))
    }

    /// Rounded to 0.001 dB, as every gain is before use: equal inputs give equal bytes even when a
    /// measurement differs in its last digits.
    #[must_use]
    pub fn rounded(self) -> Self {
        Self((self.0 * 1000.0).round() / 1000.0)
    }

    /// Rounded down to 0.001 dB, for gains that a ceiling bounds.
    #[must_use]
    pub fn rounded_down(self) -> Self {
        Self((self.0 * 1000.0).floor() / 1000.0)
    }
}

impl Dbfs {
    /// Level of the largest absolute sample; `None` for silence.
    pub fn from_amplitude(amplitude: f64) -> Option<Self> {
        Decibels::from_amplitude(amplitude).map(|db| Self(db.0))
    }

    /// Level of a mean square; `None` for silence.
    pub fn from_power(power: f64) -> Option<Self> {
        Decibels::from_power(power).map(|db| Self(db.0))
    }
}

impl Dbtp {
    /// Level of the largest absolute oversampled value; `None` for silence.
    pub fn from_amplitude(amplitude: f64) -> Option<Self> {
        Decibels::from_amplitude(amplitude).map(|db| Self(db.0))
    }
}

impl From<Lu> for Decibels {
    fn from(lu: Lu) -> Self {
        Self(lu.0)
    }
}

impl From<Decibels> for Lu {
    fn from(db: Decibels) -> Self {
        Self(db.0)
    }
}

impl Sub for Lufs {
    type Output = Lu;
    fn sub(self, other: Self) -> Lu {
        Lu(self.0 - other.0)
    }
}

impl Add<Decibels> for Lufs {
    type Output = Self;
    fn add(self, gain: Decibels) -> Self {
        Self(self.0 + gain.0)
    }
}

impl Sub for Dbtp {
    type Output = Decibels;
    fn sub(self, other: Self) -> Decibels {
        Decibels(self.0 - other.0)
    }
}

impl Add<Decibels> for Dbtp {
    type Output = Self;
    fn add(self, gain: Decibels) -> Self {
        Self(self.0 + gain.0)
    }
}

impl Sub for Dbfs {
    type Output = Decibels;
    fn sub(self, other: Self) -> Decibels {
        Decibels(self.0 - other.0)
    }
}

impl Add for Decibels {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Decibels {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Decibels {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// A count of frames (one sample of every channel), or a position in frames from the file's start.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Frames(pub u64);

impl Frames {
    /// No frames.
    pub const ZERO: Self = Self(0);

    /// The count as an index into memory.
    ///
    /// # Panics
    /// When it does not fit `usize`; counts that index memory are bounded by block sizes.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).expect("a count that indexes memory fits usize")
    }

    /// How long this many frames last.
    pub fn duration(self, rate: SampleRate) -> Seconds {
        Seconds(self.0 as f64 / f64::from(rate.0))
    }

    /// The difference, or zero when `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Frames {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Frames {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames", self.0)
    }
}

/// Frames per second, in Hz. What a file may claim is bounded in [`crate::limits`].
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleRate(pub u32);

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

/// A duration in seconds; finite.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

impl Seconds {
    /// The nearest count of frames; negative durations give none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the float is clamped to be positive and `as` saturates"
    )]
    pub fn to_frames(self, rate: SampleRate) -> Frames {
        Frames((self.0 * f64::from(rate.0)).round().max(0.0) as u64)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*} s", f.precision().unwrap_or(3), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_of_20_db_multiplies_by_ten() {
        assert!((Decibels(20.0).to_amplitude() - 10.0).abs() < 1e-12);
    }

    #[test]
    fn level_of_silence_is_none() {
        assert_eq!(Dbfs::from_amplitude(0.0), None);
        assert_eq!(Dbfs::from_power(0.0), None);
        assert_eq!(Decibels::from_amplitude(f64::NAN), None);
    }

    #[test]
    fn difference_of_loudnesses_is_a_gain() {
        let gain: Decibels = (Lufs(-16.0) - Lufs(-23.0)).into();
        assert_eq!(gain, Decibels(7.0));
    }

    #[test]
    fn gain_is_rounded_to_thousandths_and_down_for_ceilings() {
        assert_eq!(Decibels(1.23456).rounded(), Decibels(1.235));
        assert_eq!(Decibels(-1.2341).rounded_down(), Decibels(-1.235));
    }

    #[test]
    fn seconds_round_to_the_nearest_frame() {
        assert_eq!(Seconds(0.5).to_frames(SampleRate(44_101)), Frames(22_051));
        assert_eq!(Seconds(-1.0).to_frames(SampleRate(44_100)), Frames(0));
    }
}
