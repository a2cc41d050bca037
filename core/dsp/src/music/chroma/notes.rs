//! From peaks to notes, and from notes to pitch class profiles.
//!
//! Overtones of a note are taken off the notes they coincide with: without that a lone C would also
//! sound like E and G (harmonic suppression).
//!
//! Source of the profile: E. Gómez, "Tonal description of music audio signals", 2006 (harmonic pitch
//! class profile). Source of the split into bass and treble: M. Mauch, S. Dixon, "Approximate note
//! transcription for the improved identification of difficult chords", ISMIR 2010.

use super::peaks::Peak;
use super::track::{ChromaFrame, PITCH_CLASSES, PitchClasses};
use std::f32::consts::PI;

/// Lowest note: E1, as a MIDI note number.
const NOTE_MIN: usize = 28;

/// Notes, up to B6.
const NOTE_COUNT: usize = 68;

/// Overtones that fall on other pitch classes: semitones above, and the share of the fundamental's
/// strength that they usually have.
const OVERTONES: [(usize, f32); 4] = [(19, 0.45), (28, 0.35), (31, 0.25), (34, 0.2)];

/// The bass ends here, and above begins to: E3 and A2.
const BASS_END: f32 = 57.0;
const BASS_FULL: f32 = 45.0;

/// The treble counts fully around here, and less farther away: F4 and an octave.
const TREBLE_CENTER: f32 = 65.0;
const TREBLE_WIDTH: f32 = 14.0;

/// The strengths of the notes of a frame, from [`NOTE_MIN`] on.
pub(super) type Notes = [f32; NOTE_COUNT];

/// The notes that peaks make, with A4 `tuning` semitones above 440 Hz.
pub(super) fn notes(peaks: &[Peak], tuning: f32) -> Notes {
    let mut notes = [0.0f32; NOTE_COUNT];
    for &peak in peaks {
        let pitch = peak.pitch - tuning;
        let nearest = pitch.round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let index = (nearest as usize).wrapping_sub(NOTE_MIN);
        if let Some(note) = notes.get_mut(index) {
            *note = note.max(strength(peak) * (PI * (pitch - nearest)).cos());
        }
    }
    suppress_overtones(&mut notes);
    notes
}

/// How much a peak counts.
fn strength(peak: Peak) -> f32 {
    peak.ratio.sqrt()
}

fn suppress_overtones(notes: &mut Notes) {
    for index in 0..NOTE_COUNT {
        let strength = notes[index];
        for (semitones, share) in OVERTONES {
            if let Some(overtone) = notes.get_mut(index + semitones) {
                *overtone = (*overtone - share * strength).max(0.0);
            }
        }
    }
}

/// The pitch class profiles of a frame's notes.
pub(super) fn profiles(notes: &Notes) -> ChromaFrame {
    let (mut bass, mut treble): (PitchClasses, PitchClasses) = Default::default();
    for (index, &strength) in notes.iter().enumerate() {
        let note = (NOTE_MIN + index) as f32;
        let class = (NOTE_MIN + index) % PITCH_CLASSES;
        bass[class] += strength * ((BASS_END - note) / (BASS_END - BASS_FULL)).clamp(0.0, 1.0);
        let distance = (note - TREBLE_CENTER) / TREBLE_WIDTH;
        treble[class] += strength / (1.0 + distance * distance);
    }
    ChromaFrame { bass, treble }
}
