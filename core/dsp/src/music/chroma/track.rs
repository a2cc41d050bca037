//! The pitch class profiles of a whole signal, in bounded memory.

/// Pitch classes of an octave, from C on.
pub(crate) const PITCH_CLASSES: usize = 12;

/// One number for each pitch class, from C on.
pub(crate) type PitchClasses = [f32; PITCH_CLASSES];

/// The pitch class profiles of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ChromaFrame {
    /// Of notes below about E3.
    pub bass: PitchClasses,
    /// Of all notes, mostly those above.
    pub treble: PitchClasses,
}

impl ChromaFrame {
    fn mean(self, other: Self) -> Self {
        let mean = |a: PitchClasses, b: PitchClasses| std::array::from_fn(|c| 0.5 * (a[c] + b[c]));
        Self { bass: mean(self.bass, other.bass), treble: mean(self.treble, other.treble) }
    }
}

/// Most frames kept: 1.7 hours. Beyond, neighbors are joined, so a recording of ten hours has frames
/// of 0.7 seconds.
const FRAMES_MAX: usize = 1 << 16;

/// Profiles at equal distances, the first at the signal's first sample.
#[derive(Clone, Debug)]
pub(crate) struct ChromaTrack {
    /// The profiles.
    pub frames: Vec<ChromaFrame>,
    /// Seconds between them.
    pub hop_s: f64,
    /// Length of the signal in seconds.
    pub duration_s: f64,
    /// A4 of the recording, in Hz.
    pub tuning_hz: f64,
    /// How well the pitches of the recording agree with that tuning, from 0 (no pitches) to 1.
    pub tuning_concentration: f64,
    /// Frames that make one.
    joined: usize,
    /// What was taken of the next one.
    rest: ChromaFrame,
    rest_count: usize,
}

impl ChromaTrack {
    pub(super) fn new(hop_s: f64) -> Self {
        Self {
            frames: Vec::new(),
            hop_s,
            duration_s: 0.0,
            tuning_hz: 440.0,
            tuning_concentration: 0.0,
            joined: 1,
            rest: ChromaFrame::default(),
            rest_count: 0,
        }
    }

    /// Appends a frame.
    pub(super) fn push(&mut self, frame: ChromaFrame) {
        if self.joined == 1 {
            self.frames.push(frame);
        } else {
            self.join(&frame);
        }
        if self.frames.len() >= FRAMES_MAX {
            self.thin();
        }
    }

    fn join(&mut self, frame: &ChromaFrame) {
        let share = 1.0 / self.joined as f32;
        for class in 0..PITCH_CLASSES {
            self.rest.bass[class] += share * frame.bass[class];
            self.rest.treble[class] += share * frame.treble[class];
        }
        self.rest_count += 1;
        if self.rest_count == self.joined {
            self.frames.push(std::mem::take(&mut self.rest));
            self.rest_count = 0;
        }
    }

    fn thin(&mut self) {
        let half = self.frames.len() / 2;
        for index in 0..half {
            self.frames[index] = self.frames[2 * index].mean(self.frames[2 * index + 1]);
        }
        self.frames.truncate(half);
        self.joined *= 2;
        self.hop_s *= 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_signals_are_thinned() {
        let mut track = ChromaTrack::new(0.1);
        for _ in 0..FRAMES_MAX * 3 {
            track.push(ChromaFrame { bass: [1.0; 12], treble: [2.0; 12] });
        }
        assert!(track.frames.len() < FRAMES_MAX && (track.hop_s - 0.4).abs() < 1e-9);
        assert!(track.frames.iter().all(|frame| (frame.treble[3] - 2.0).abs() < 1e-6));
    }
}
