//! Whether there is a key at all.
//!
//! Noise, drums and speech have no steady pitches that agree with a tuning; a lone tone or a drone has one chord, if any,
//! and one or two pitch classes that are ever the strongest; random notes fit no key. A linear model under a logistic
//! function, trained on rendered music and on what has no key, weighs the following.

use super::key::Key;
use super::model::{PRESENCE, PRESENCE_BIAS};
use super::profiles::fits;
use crate::music::chords::Span;
use crate::music::chroma::{ChromaFrame, ChromaTrack, PITCH_CLASSES, PitchClasses};

/// Numbers that are weighed.
pub(super) const PRESENCE_COUNT: usize = 15;

/// Seconds of music from which on there can be a key.
const SECONDS_MIN: f64 = 1.5;

/// Pitch classes that music in a key has at least if it stays on one root: a pentatonic scale. Those
/// weaker than this share of the strongest do not count.
const CLASSES_MIN: usize = 5;
const CLASS_SHARE_MIN: f32 = 0.1;

/// Frames that are looked at together, half a second: so strokes of noise between tones do not count.
const LEADING_FRAMES: usize = 5;

/// A lone tone, a fifth and an octave have at most two pitch classes that lead at times; as a logarithm.
const STILL: f32 = 0.7;

/// Frames between those that are compared.
const DISTANCE: usize = 4;

/// How likely there is a key, from 0 to 1.
pub(super) fn presence(track: &ChromaTrack, spans: &[Span]) -> f64 {
    let features = presence_features(track, spans);
    let sounding = track.frames.iter().filter(|frame| sum(&frame.treble) > 0.0).count();
    if sounding as f64 * track.hop_s < SECONDS_MIN || is_one_chord(track, spans) {
        return 0.0;
    }
    let products = PRESENCE.iter().zip(features).map(|(w, x)| f64::from(w * x));
    let score = f64::from(PRESENCE_BIAS) + products.sum::<f64>();
    1.0 / (1.0 + (-score).exp())
}

/// Whether there is not more than one root with its chord, or with at most two pitch classes that lead: a lone note has
/// the major triad of its root among its overtones, a fifth that stays too, and noise beside them adds all others.
fn is_one_chord(track: &ChromaTrack, spans: &[Span]) -> bool {
    let roots = root_shares(spans, track.frames.len());
    let classes = mean_of(&track.frames, |frame| frame.treble);
    let least = classes.iter().copied().fold(0.0, f32::max) * CLASS_SHARE_MIN;
    let class_count = classes.iter().filter(|&&class| class > least).count();
    let leading = leading_classes(&track.frames, LEADING_FRAMES).ln();
    root_count(&roots) <= 1 && (class_count < CLASSES_MIN || leading <= STILL)
}

/// The numbers, each from about 0 to about 3.
pub(super) fn presence_features(track: &ChromaTrack, spans: &[Span]) -> [f32; PRESENCE_COUNT] {
    let frames = &track.frames;
    let classes = mean_of(frames, |frame| frame.treble);
    let fits = Key::all().map(|key| fits(&classes, key));
    let highest = |which: usize| fits.iter().map(|fit| fit[which]).fold(-1.0, f32::max);
    let (chords, with_chord) = chord_counts(spans, frames.len());
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
    let concentration = track.tuning_concentration as f32;
    let seconds = chord_seconds(spans, track.hop_s);
    let [at_once, moving] = [1, LEADING_FRAMES].map(|width| leading_classes(frames, width).ln());
    [
        concentration,
        highest(0),
        highest(1),
        with_chord,
        chords,
        (seconds + 0.1).ln().clamp(-2.0, 2.0),
        ((seconds + 0.1).ln() - 0.5).powi(2).min(3.0),
        mean(frames, |frame| (1.0 + sum(&frame.treble)).ln()),
        mean(frames, |frame| length(&frame.treble) / sum(&frame.treble).max(1e-6)),
        steadiness(frames),
        diatonic_share(&classes),
        length(&classes) / sum(&classes).max(1e-6) * 3.0,
        moving,
        (moving - STILL).max(0.0),
        at_once - moving,
    ]
}

fn sum(classes: &PitchClasses) -> f32 {
    classes.iter().sum()
}

fn length(classes: &PitchClasses) -> f32 {
    classes.iter().map(|x| x * x).sum::<f32>().sqrt()
}

fn mean(frames: &[ChromaFrame], value: impl Fn(&ChromaFrame) -> f32) -> f32 {
    let sum: f64 = frames.iter().map(|frame| f64::from(value(frame))).sum();
    #[expect(clippy::cast_possible_truncation, reason = "a mean of f32")]
    let mean = (sum / frames.len().max(1) as f64) as f32;
    mean
}

fn mean_of(frames: &[ChromaFrame], value: impl Fn(&ChromaFrame) -> PitchClasses) -> PitchClasses {
    std::array::from_fn(|class| mean(frames, |frame| value(frame)[class]))
}

/// How many roots there are, as a share of six; share of the frames that have a chord.
fn chord_counts(spans: &[Span], frame_count: usize) -> (f32, f32) {
    let shares = root_shares(spans, frame_count);
    ((root_count(&shares) as f32 / 6.0).min(1.0), sum(&shares))
}

/// The share of the frames that chords of each root have.
fn root_shares(spans: &[Span], frame_count: usize) -> PitchClasses {
    let mut shares = [0.0; PITCH_CLASSES];
    for span in spans {
        if let Some(harmony) = span.harmony {
            shares[harmony.root % PITCH_CLASSES] +=
                span.length() as f32 / frame_count.max(1) as f32;
        }
    }
    shares
}

/// Roots that sound for a thirtieth of the time or more.
fn root_count(shares: &PitchClasses) -> usize {
    shares.iter().filter(|&&share| share * 30.0 >= 1.0).count()
}

/// Mean seconds of a chord.
fn chord_seconds(spans: &[Span], hop_s: f64) -> f32 {
    let chords = spans.iter().filter(|span| span.harmony.is_some());
    let (count, frames) =
        chords.fold((0, 0), |(count, frames), s| (count + 1, frames + s.length()));
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let seconds = (frames as f64 * hop_s / f64::from(count.max(1))) as f32;
    seconds
}

/// How alike profiles a third of a second apart are: the mean cosine.
fn steadiness(frames: &[ChromaFrame]) -> f32 {
    let cosine = |a: &PitchClasses, b: &PitchClasses| {
        let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        product / (length(a) * length(b)).max(1e-6)
    };
    let pairs = frames.iter().zip(frames.iter().skip(DISTANCE));
    let sum: f32 = pairs.map(|(a, b)| cosine(&a.treble, &b.treble)).sum();
    sum / frames.len().saturating_sub(DISTANCE).max(1) as f32
}

/// How many pitch classes are the strongest one at times, each counted by how often it is: the exponential of their
/// entropy. One if a tone stays, four or more in most music, however many overtones and how much noise there is beside.
fn leading_classes(frames: &[ChromaFrame], width: usize) -> f32 {
    let mut counts = [0.0f32; PITCH_CLASSES];
    for near in frames.windows(width.min(frames.len()).max(1)) {
        let classes = mean_of(near, |frame| frame.treble);
        if let Some(leading) = strongest(&classes) {
            counts[leading] += 1.0;
        }
    }
    let all = sum(&counts).max(1.0);
    let shares = counts.map(|count| count / all).into_iter().filter(|&share| share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f32>().exp()
}

/// The strongest of some pitch classes; none of silence.
fn strongest(classes: &PitchClasses) -> Option<usize> {
    let strengths = classes.iter().enumerate().filter(|(_, strength)| **strength > 0.0);
    strengths.max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class)
}

/// Largest share of the pitch classes that the notes of one major scale have.
fn diatonic_share(classes: &PitchClasses) -> f32 {
    const SCALE: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];
    let share = |tonic: usize| -> f32 {
        SCALE.iter().map(|step| classes[(tonic + step) % PITCH_CLASSES]).sum()
    };
    (0..PITCH_CLASSES).map(share).fold(0.0, f32::max) / sum(classes).max(1e-6)
}
