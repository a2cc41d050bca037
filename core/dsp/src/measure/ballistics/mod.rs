//! How fast a level meter's indication follows the signal: program meters, VU meters, RMS.

use wavemill_audio::limits::SAMPLE_MAGNITUDE_MAX;
use wavemill_audio::units::{Dbfs, Decibels, SampleRate};

/// Kinds of level meters. All of them read 0 dBFS for a steady sine that reaches full scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ballistics {
    /// Quasi-peak program meter of type I ("DIN"): a tone of 5 ms reads 2 dB less than a steady one; falls 20 dB in
    /// 1.7 s.
    ///
    /// Source: IEC 60268-10:1991; table and return time as in Wikipedia, "Peak programme meter" (2026).
    PpmTypeOne,
    /// Quasi-peak program meter of types II a ("BBC") and II b ("EBU"), which differ in their marks only: a tone of 10 ms
    /// reads 2 dB less than a steady one; falls 24 dB in 2.8 s.
    ///
    /// Source: IEC 60268-10:1991; EBU Tech 3205-E (1979), 3.3 and 3.10; BBC, "ppm-testing", for the table.
    PpmTypeTwo,
    /// Volume indicator: mean of the rectified signal, 99 % of its final value after 0.3 s, 1 to 1.5 % of overswing,
    /// falling as it rises.
    ///
    /// Source: IEC 60268-17:1990.
    Vu,
    /// Root of the mean square, 3.01 dB higher than [`Dbfs`] of a mean square: 99 % of its final value after 0.6 s, as
    /// the K-System has it.
    ///
    /// Source: Katz, "An Integrated Approach to Metering, Monitoring, and Leveling Practices", JAES 48 (9), 2000. How
    /// the mean is weighted in time it leaves open; here it is exponential.
    Rms,
    /// Largest sample, at once; falls 20 dB in 1.7 s.
    ///
    /// Source: IEC TR 60268-18:1995.
    SamplePeak,
}

/// One channel's level meter. Real-time, but for being made; a sample costs the same whatever it is.
#[derive(Clone, Debug)]
pub struct LevelIndicator {
    detector: Detector,
    /// What the indication is multiplied with, so that a steady sine reads its peak.
    scale: f64,
}

#[derive(Clone, Debug)]
enum Detector {
    Peak(PeakDetector),
    Vu(Movement),
    Rms { mean_square: f64, share: f64 },
}

impl LevelIndicator {
    /// A meter at rest.
    pub fn new(ballistics: Ballistics, rate: SampleRate) -> Self {
        let rate_hz = f64::from(rate.0.max(1));
        let peak = |charge, fall| Detector::Peak(PeakDetector::new(charge, fall, rate_hz));
        let (detector, scale) = match ballistics {
            Ballistics::PpmTypeOne => (peak(TYPE_ONE_PER_S, (20.0, 1.7)), TYPE_ONE_LOSS),
            Ballistics::PpmTypeTwo => (peak(TYPE_TWO_PER_S, (24.0, 2.8)), TYPE_TWO_LOSS),
            Ballistics::SamplePeak => (peak([f64::INFINITY; 2], (20.0, 1.7)), Decibels::ZERO),
            Ballistics::Vu => (Detector::Vu(Movement::new(rate_hz)), MEAN_OF_SINE),
            Ballistics::Rms => {
                let share = -(-1.0 / (RMS_TIME_CONSTANT_S * rate_hz)).exp_m1();
                (Detector::Rms { mean_square: 0.0, share }, RMS_OF_SINE)
            }
        };
        Self { detector, scale: scale.to_amplitude() }
    }

    /// Takes further samples. Those that are no number, or beyond [`SAMPLE_MAGNITUDE_MAX`], count as silence.
    pub fn push(&mut self, samples: &[f32]) {
        let amplitudes = samples.iter().map(|sample| {
            let amplitude = sample.abs();
            f64::from(if amplitude <= SAMPLE_MAGNITUDE_MAX { amplitude } else { 0.0 })
        });
        match &mut self.detector {
            Detector::Peak(detector) => detector.push(amplitudes),
            Detector::Vu(movement) => movement.push(amplitudes),
            Detector::Rms { mean_square, share } => {
                let mean = amplitudes.fold(*mean_square, |mean, amplitude| {
                    mean + *share * (amplitude * amplitude - mean)
                });
                *mean_square = mean;
            }
        }
    }

    /// The indication: of peak meters the highest since the last call, of the others the present one. `None` below
    /// -200 dBFS.
    pub fn take_level(&mut self) -> Option<Dbfs> {
        let indication = match &mut self.detector {
            Detector::Peak(detector) => detector.take(),
            Detector::Vu(movement) => movement.rested(),
            Detector::Rms { mean_square, .. } => {
                if *mean_square < SILENCE * SILENCE {
                    *mean_square = 0.0;
                }
                mean_square.sqrt()
            }
        };
        Some(indication * self.scale)
            .filter(|level| *level > SILENCE)
            .and_then(Dbfs::from_amplitude)
    }

    /// As before the first sample.
    pub fn reset(&mut self) {
        match &mut self.detector {
            Detector::Peak(detector) => (detector.charges, detector.highest) = ([0.0; 2], 0.0),
            Detector::Vu(movement) => (movement.place, movement.speed) = (0.0, 0.0),
            Detector::Rms { mean_square, .. } => *mean_square = 0.0,
        }
    }
}

/// Indications below it, -200 dBFS, are none; so slow a fall would end in denormals.
const SILENCE: f64 = 1e-10;

/// How fast the two charges of a [`PeakDetector`] follow, in their distance a second.
///
/// Found by a search for the smallest deviations from the standard's nominal values, which the tests bound.
const TYPE_ONE_PER_S: [f64; 2] = [450.0, 1140.0];
const TYPE_TWO_PER_S: [f64; 2] = [207.0, 882.0];

/// What a steady sine of 1 kHz reads too little: charges fall between its peaks.
const TYPE_ONE_LOSS: Decibels = Decibels(0.192);
const TYPE_TWO_LOSS: Decibels = Decibels(0.235);

/// Peak over mean of a rectified sine: pi / 2.
const MEAN_OF_SINE: Decibels = Decibels(3.922_398);

/// Peak over root mean square of a sine.
const RMS_OF_SINE: Decibels = Decibels(3.010_300);

/// So that the root reaches 99 % after 0.6 s: 0.6 / -ln(1 - 0.99^2).
const RMS_TIME_CONSTANT_S: f64 = 0.153_163;

/// The mean of two charges that follow larger amplitudes, one faster than the other, and fall by equal dB in equal times.
///
/// One alone cannot follow the table of a program meter: what lets it reach a tone of 10 ms is too slow for 0.5 ms. That
/// two beside each other can is known from the meters of Fons Adriaensen (jmeters, 2012); the numbers are ours.
#[derive(Clone, Debug)]
struct PeakDetector {
    charges: [f64; 2],
    /// What is added of the distance to a larger amplitude.
    shares: [f64; 2],
    /// What is left of a charge one sample later.
    rest: f64,
    /// Since it was taken.
    highest: f64,
}

impl PeakDetector {
    fn new(per_s: [f64; 2], (fall_db, fall_s): (f64, f64), rate_hz: f64) -> Self {
        Self {
            charges: [0.0; 2],
            shares: per_s.map(|per_s| -(-per_s / rate_hz).exp_m1()),
            rest: Decibels(-fall_db / (fall_s * rate_hz)).to_amplitude(),
            highest: 0.0,
        }
    }

    fn push(&mut self, amplitudes: impl Iterator<Item = f64>) {
        let Self { mut charges, shares, rest, mut highest } = *self;
        for amplitude in amplitudes {
            for (charge, share) in charges.iter_mut().zip(shares) {
                *charge *= rest;
                *charge += share * (amplitude - *charge).max(0.0);
            }
            highest = f64::max(highest, f64::midpoint(charges[0], charges[1]));
        }
        (self.charges, self.highest) = (charges, highest);
    }

    fn take(&mut self) -> f64 {
        for charge in &mut self.charges {
            *charge = if *charge < SILENCE { 0.0 } else { *charge };
        }
        std::mem::take(&mut self.highest)
    }
}

/// A pointer on a spring, pulled by the rectified signal.
#[derive(Clone, Debug)]
struct Movement {
    place: f64,
    /// A sample.
    speed: f64,
    /// Of the distance, and of the speed: what it gains and loses in one sample.
    pull: f64,
    drag: f64,
}

impl Movement {
    /// Damping with 1.25 % of overswing, the middle of what the standard allows: exp(-pi d / sqrt(1 - d^2)).
    const DAMPING: f64 = 0.812_717;

    /// With this damping, 99 % are reached after 0.3 s. In radians a second.
    const ANGULAR_FREQUENCY: f64 = 13.511_913;

    fn new(rate_hz: f64) -> Self {
        let angle = Self::ANGULAR_FREQUENCY / rate_hz;
        Self { place: 0.0, speed: 0.0, pull: angle * angle, drag: 2.0 * Self::DAMPING * angle }
    }

    fn push(&mut self, amplitudes: impl Iterator<Item = f64>) {
        let Self { mut place, mut speed, pull, drag } = *self;
        for amplitude in amplitudes {
            speed += pull * (amplitude - place) - drag * speed;
            place += speed;
        }
        (self.place, self.speed) = (place, speed);
    }

    /// Where it is; at rest once nothing is seen of it any more.
    fn rested(&mut self) -> f64 {
        if self.place.abs() < SILENCE * SILENCE && self.speed.abs() < SILENCE * SILENCE {
            (self.place, self.speed) = (0.0, 0.0);
        }
        self.place
    }
}

#[cfg(test)]
mod tests;
