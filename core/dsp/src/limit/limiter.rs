//! The limiter.

use super::clipper::Clipper;
use super::envelope::Times;
use super::reducer::{Allowance, Limited, Linking, Reducer};
use wavemill_audio::units::{Dbtp, Decibels, Frames, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// How peaks are kept below the ceiling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Character {
    /// Cuts off the tops of single peaks, and turns down what goes on by a gain alone; `Loud` from 3 dB of
    /// sustained reduction on.
    #[default]
    Auto,
    /// By a slow gain alone.
    Clean,
    /// Cuts off the tops of all peaks, and turns down the rest by a gain that returns quickly.
    Loud,
}

/// Largest part of a single peak that is cut off: see `core/decisions/0020-a-limiter-for-loud-masters.md`.
const CUT_OF_PEAKS: Decibels = Decibels(3.0);

/// Largest part of peaks that come back all the time: less, since what goes on is audible.
const CUT_OF_SUSTAINED: Decibels = Decibels(2.0);

/// What [`Character::Auto`] takes from sustained peaks by the gain alone.
const CLEAN_OF_SUSTAINED: Decibels = Decibels(3.0);

/// The gain before the clipper. It takes what lasts, so it may return quickly: a pad under one kick is
/// turned down by more than 1 dB for half as long as by the clean one.
const BEFORE_CLIPPER: Times =
    Times { look_ahead: Seconds(0.005), hold: Seconds(0.002), release: Seconds(0.03) };

/// The gain behind it, for the tenths of a decibel that the clipper leaves: as fast as the detector bears.
const BEHIND_CLIPPER: Times =
    Times { look_ahead: Seconds(0.001), hold: Seconds(0.002), release: Seconds(0.015) };

/// What a [`Limiter`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LimiterSettings {
    /// True peak that is not exceeded.
    pub ceiling: Dbtp,
    /// Whether channels are reduced together.
    pub linking: Linking,
    /// How peaks are reduced.
    pub character: Character,
    /// Time constant with which the gain returns; `None` for the character's own.
    pub release: Option<Seconds>,
}

/// Keeps the true peak of a stream below a ceiling.
///
/// The true peak afterwards, by any meter with 16 times oversampling and up to 256 taps a phase, exceeds the
/// ceiling by at most 0.05 dB where the signal has nothing above 0.45 of its sample rate, and by 0.2 dB
/// otherwise. Where nothing exceeds the ceiling every sample stays as it is, bit by bit, later by
/// [`Limiter::latency`]. Samples that are not finite disturb only their neighborhood.
///
/// With [`Character::Clean`] the gain falls over 5 ms before a peak and stays for 10 ms. It returns with a
/// time constant of 40 ms to what was needed without pause during the last 100 ms, which itself fades with
/// one of 400 ms: one peak leaves no trace, and sustained limiting does not follow the waves of bass.
#[derive(Clone, Debug)]
pub struct Limiter {
    /// What comes before the last gain in all characters but [`Character::Clean`].
    loud: Option<Loud>,
    last: Reducer,
}

/// Leaves little above the ceiling.
#[derive(Clone, Debug)]
struct Loud {
    reducer: Reducer,
    clipper: Clipper,
}

impl Limiter {
    /// A limiter for a stream.
    pub fn new(spec: &StreamSpec, settings: &LimiterSettings) -> Self {
        let LimiterSettings { linking, character, release, .. } = *settings;
        let ceiling = Decibels(settings.ceiling.0).to_amplitude();
        let released = |times: Times| Times { release: release.unwrap_or(times.release), ..times };
        let reducer = |times, allowance| Reducer::new(spec, ceiling, linking, &times, allowance);
        let clean_of_sustained = match character {
            Character::Clean => {
                return Self { loud: None, last: reducer(released(Times::CLEAN), None) };
            }
            Character::Auto => CLEAN_OF_SUSTAINED,
            Character::Loud => Decibels::ZERO,
        };
        let allowance = Allowance {
            of_peaks: CUT_OF_PEAKS.to_amplitude(),
            of_sustained: CUT_OF_SUSTAINED.to_amplitude(),
            sustained_from: clean_of_sustained.to_amplitude(),
        };
        let loud = Loud {
            reducer: reducer(released(BEFORE_CLIPPER), Some(allowance)),
            clipper: Clipper::new(spec, ceiling),
        };
        Self { loud: Some(loud), last: reducer(BEHIND_CLIPPER, None) }
    }

    /// Frames by which the output lags behind the input.
    pub fn latency(&self) -> Frames {
        let loud = self.loud.as_ref();
        let loud = loud.map_or(0, |it| it.reducer.latency().0 + Clipper::LATENCY as u64);
        Frames(loud + self.last.latency().0)
    }

    /// Forgets the signal so far, and what was done. Real-time.
    pub fn reset(&mut self) {
        if let Some(loud) = &mut self.loud {
            loud.reducer.reset();
            loud.clipper.reset();
        }
        self.last.reset();
    }

    /// What was done so far. What is cut off counts as reduction, but not as time.
    pub fn limited(&self) -> Limited {
        let last = self.last.limited();
        let Some(loud) = &self.loud else { return last };
        let first = loud.reducer.limited();
        let longer = |a: Seconds, b: Seconds| Seconds(a.0.max(b.0));
        Limited {
            reduction_max_db: loud.reducer.above_max().0.max(last.reduction_max_db),
            time_above_1_db: longer(first.time_above_1_db, last.time_above_1_db),
            time_reduced: longer(first.time_reduced, last.time_reduced),
        }
    }

    /// Limits a block in place, whose frames leave [`Self::latency`] later. Real-time.
    pub fn process(&mut self, block: &mut Block) {
        if let Some(loud) = &mut self.loud {
            loud.reducer.process(block);
            loud.clipper.process(block);
        }
        self.last.process(block);
    }
}
