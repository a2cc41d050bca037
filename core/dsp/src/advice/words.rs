//! What is said about a difference.

use super::{Band, Level, Measure};

/// Why a difference matters, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) why: String,
    pub(super) action: String,
}

/// The words for a difference, which is not zero, and its correction.
pub(super) fn words(
    measure: Measure,
    band: Option<Band>,
    difference: f64,
    correction_db: Option<f64>,
    level: Level,
) -> Words {
    let is_above = difference > 0.0;
    let (why, action) = match (measure, band) {
        (Measure::BandLevelDb, Some(band)) if correction_db.is_none() => empty_band(band),
        (Measure::BandLevelDb, Some(band)) => level_of_band(band, is_above),
        (Measure::Width, Some(band)) => width_of_band(band, is_above),
        _ => whole(measure, is_above),
    };
    let action = action.replace("{}", &amount(correction_db));
    let action = match level {
        Level::Subtle => format!("if you agree by ear, {action}"),
        Level::Suggestive | Level::Assertive => action,
    };
    Words { why: why.to_owned(), action }
}

/// `2 dB`, `1.5 dB`; without a number `a little`.
fn amount(correction_db: Option<f64>) -> String {
    match correction_db.map(f64::abs) {
        None => "a little".to_owned(),
        Some(db) if db < 0.1 => "less than 0.1 dB".to_owned(),
        Some(db) => format!("{db} dB"),
    }
}

#[rustfmt::skip]
fn whole(measure: Measure, is_above: bool) -> (&'static str, &'static str) {
    match (measure, is_above) {
        (Measure::TruePeakDbtp, _) => (
            "peaks this high clip in lossy encoders and in players",
            "lower the limiter's ceiling by {}, with true-peak detection on",
        ),
        (Measure::IntegratedLufs, true) => (
            "streaming services turn it down, and only the limiting stays",
            "lower the level into the limiter by {}, and keep its ceiling",
        ),
        (Measure::IntegratedLufs, false) => (
            "it sounds quiet next to other masters of its kind",
            "raise the level into the limiter by {}, as long as the drums keep their attack",
        ),
        (Measure::PeakToLoudnessLu, true) => (
            "peaks take headroom that loudness needs",
            "reduce peaks by {} with a limiter, or find the hits that stick out in the mix",
        ),
        (Measure::PeakToLoudnessLu, false) => (
            "peaks are cut down to the loudness, so that attacks are lost",
            "limit {} less, or go back to the mix before its bus limiter",
        ),
        (Measure::CrestFactorDb, true) => (
            "single peaks are far above the average level",
            "compress or clip the loudest hits by {}, on their own tracks where you can",
        ),
        (Measure::CrestFactorDb, false) => (
            "peaks are close to the average level, so that drums lack punch",
            "compress and limit {} less",
        ),
        (Measure::LoudnessRangeLu, true) => (
            "quiet passages get lost where it is noisy",
            "raise the quiet passages by {} with automation, or compress slowly",
        ),
        (Measure::LoudnessRangeLu, false) => (
            "breaks and drops are equally loud, so that nothing stands out",
            "lower breaks and intros by {} with automation, or compress less",
        ),
        (Measure::Width, true) => (
            "wide sides weaken the center, and much is lost in mono",
            "lower the side signal by {}, or pan the widest parts inward",
        ),
        (Measure::Width, false) => (
            "the stereo image is narrower than usual",
            "raise the side signal by {}, or pan parts apart in the mix",
        ),
        _ => (
            "the sides are partly out of phase, so that parts vanish in mono",
            "listen in mono, and look for wide effects and inverted channels",
        ),
    }
}

#[rustfmt::skip]
fn level_of_band(band: Band, is_above: bool) -> (&'static str, &'static str) {
    match (band, is_above) {
        (Band::Low, true) => (
            "strong bass drives the limiter and masks the rest",
            "cut {} below 150 Hz with a low shelf, or lower kick and bass",
        ),
        (Band::Low, false) => (
            "the foundation is thin on large loudspeakers",
            "raise {} below 150 Hz with a low shelf, or check the phase of kick and bass",
        ),
        (Band::LowMid, true) => (
            "it sounds muddy, and bass and kick lose contour",
            "cut {} around 300 Hz, or check the bass guitar, pads and reverbs",
        ),
        (Band::LowMid, false) => (
            "it lacks warmth and body on small loudspeakers",
            "raise {} around 300 Hz, or check for high-pass filters set too high",
        ),
        (Band::Mid, true) => (
            "it sounds boxy or nasal and tires the ear",
            "cut {} around 1 kHz, or lower the leads and the snare",
        ),
        (Band::Mid, false) => (
            "leads and vocals stand back, most of all on small loudspeakers",
            "raise {} around 1 kHz, or raise the leads",
        ),
        (Band::HighMid, true) => (
            "it sounds harsh where the ear is most sensitive",
            "cut {} around 3.5 kHz, or check leads, snare and distortion",
        ),
        (Band::HighMid, false) => (
            "attacks and consonants are hard to make out",
            "raise {} around 3.5 kHz, or check the attack of snare and leads",
        ),
        (Band::High, true) => (
            "it sounds sharp, with sibilance and splashy hi-hats",
            "cut {} above 7.5 kHz with a high shelf, or lower hi-hats and noise",
        ),
        (Band::High, false) => (
            "it sounds dull next to other masters of its kind",
            "raise {} above 7.5 kHz with a high shelf, or raise the hi-hats",
        ),
    }
}

/// A band that lacks too much to be raised.
fn empty_band(band: Band) -> (&'static str, &'static str) {
    let action = match band {
        Band::Low => "check for a high-pass filter or a missing bass track",
        Band::LowMid | Band::Mid | Band::HighMid => "check for missing tracks and wrong filters",
        Band::High => "check for a low-pass filter or a lossy source",
    };
    ("the band is almost empty: an equalizer would only raise noise", action)
}

fn width_of_band(band: Band, is_above: bool) -> (&'static str, &'static str) {
    match (band, is_above) {
        (Band::Low, true) => (
            "bass that differs between the sides cancels in mono and on vinyl",
            "make the bass mono below 150 Hz, or lower its side signal by {}",
        ),
        (Band::LowMid | Band::Mid, true) => (
            "the center is weak where melodies and voices are",
            "lower the side signal of this band by {}, or check chorus and reverbs",
        ),
        (Band::HighMid | Band::High, true) => (
            "the top is loose from the center and fades in mono",
            "lower the side signal of this band by {}, or check wide hi-hats",
        ),
        (_, false) => (
            "this band is narrower than usual",
            "raise the side signal of this band by {}, or pan parts apart in the mix",
        ),
    }
}
