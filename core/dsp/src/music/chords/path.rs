//! The most likely path of chords through all frames.
//!
//! Source: A. Sheh, D. Ellis, "Chord segmentation and recognition using EM-trained hidden Markov
//! models", ISMIR 2003 (Viterbi); T. Cho, R. Weiss, J. Bello, "Exploring common variations in state
//! of the art chord recognition systems", SMC 2010 (the same cost for all changes).

use super::chord::{Harmony, Span};
use super::emission::{NO_CHORD_STATE, STATE_COUNT, States, log_likelihoods};
use super::quality::{QUALITIES, QUALITY_COUNT};
use crate::music::chroma::ChromaFrame;

/// Cost of a change, as a logarithm of its probability.
const CHANGE: f32 = -6.0;

/// The state of each frame says where its best path came from: the state itself, or this one.
#[derive(Clone, Copy)]
struct Step {
    best: u8,
    /// Whether a state was better reached from the best one: a bit for each.
    jumped: u128,
}

/// The chords of frames, one after the other without gaps.
pub(crate) fn spans(frames: &[ChromaFrame]) -> Vec<Span> {
    let mut scores = [0.0; STATE_COUNT];
    let steps: Vec<Step> = frames.iter().map(|frame| advance(&mut scores, frame)).collect();
    let mut state = highest(&scores);
    let mut spans: Vec<Span> = Vec::new();
    for (frame, step) in steps.iter().enumerate().rev() {
        let harmony = harmony(state);
        match spans.last_mut() {
            Some(span) if span.harmony == harmony => span.start = frame,
            _ => spans.push(Span { start: frame, end: frame + 1, harmony }),
        }
        if step.jumped >> state & 1 == 1 {
            state = usize::from(step.best);
        }
    }
    spans.reverse();
    spans
}

fn advance(scores: &mut States, frame: &ChromaFrame) -> Step {
    let best = highest(scores);
    let jump = scores[best] + CHANGE;
    let likelihoods = log_likelihoods(frame);
    let mut jumped = 0;
    let highest_score = scores[best];
    for (state, score) in scores.iter_mut().enumerate() {
        if *score < jump {
            *score = jump;
            jumped |= 1 << state;
        }
        // The best is kept at zero, so that sums stay small however long the recording.
        *score += likelihoods[state] - highest_score;
    }
    Step { best: u8::try_from(best).unwrap_or(0), jumped }
}

/// The first state of the highest score.
fn highest(scores: &States) -> usize {
    let mut best = 0;
    for (state, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = state;
        }
    }
    best
}

fn harmony(state: usize) -> Option<Harmony> {
    let quality = *QUALITIES.get(state % QUALITY_COUNT)?;
    (state != NO_CHORD_STATE).then_some(Harmony { root: state / QUALITY_COUNT, quality })
}
