//! What speaks for a key.
//!
//! Relative keys have the same notes and often the same chords. What distinguishes them is the bass,
//! the first and the last chord, and which chords lead to the tonic (cadences).

use super::key::{Key, Mode};
use super::profiles::fits;
use crate::music::chords::{Quality, Span};
use crate::music::chroma::{ChromaFrame, PITCH_CLASSES, PitchClasses};

/// Kinds of chords that are distinguished.
const FAMILY_COUNT: usize = 4;

/// Chords of each root and kind.
type Degrees = [[f32; FAMILY_COUNT]; PITCH_CLASSES];

/// Numbers that speak for a key.
pub(super) const FEATURE_COUNT: usize = 39;

/// As seen from a key.
pub(super) type Features = [f32; FEATURE_COUNT];

/// Shares of the time that each chord of a loop has, and all of them, at least.
const LOOP_CHORD_MIN: f32 = 0.1;
const LOOP_MIN: f32 = 0.85;

/// A tonic that lasts longer than so many chords speaks no more for its key.
const REST_MAX: f32 = 3.0;

/// What was heard in a part of a recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Mean profiles, with a sum of [`PITCH_CLASSES`].
    bass: PitchClasses,
    pub(super) treble: PitchClasses,
    /// Share of the time that each chord has.
    shares: Degrees,
    /// One for the first chord, one for the last.
    first: Degrees,
    last: Degrees,
    /// Of the changes of chords, the share from each (row, kind) to each root, major and minor.
    moves: Vec<Move>,
    /// The chords, one after the other.
    heard: Vec<ChordSpan>,
}

/// A change of chords.
#[derive(Clone, Copy, Debug)]
struct Move {
    from: (usize, usize),
    to: (usize, usize),
    share: f32,
}

impl Evidence {
    /// Of frames, and of the chords in them.
    pub(super) fn new(frames: &[ChromaFrame], spans: &[Span]) -> Self {
        let mut evidence = Self {
            bass: mean_profile(frames, |frame| &frame.bass),
            treble: mean_profile(frames, |frame| &frame.treble),
            ..Self::default()
        };
        evidence.take_chords(&joined(spans));
        evidence
    }

    fn take_chords(&mut self, chords: &[ChordSpan]) {
        let total: usize = chords.iter().map(|chord| chord.length).sum();
        for chord in chords {
            self.shares[chord.root][chord.family] += chord.length as f32 / total.max(1) as f32;
        }
        if let (Some(first), Some(last)) = (chords.first(), chords.last()) {
            self.first[first.root][first.family] = 1.0;
            self.last[last.root][last.family] = 1.0;
        }
        let share = 1.0 / chords.len().saturating_sub(1).max(1) as f32;
        for pair in chords.windows(2) {
            let &[from, to] = pair else { continue };
            let (from, to) = ((from.root, from.family), (to.root, to.family));
            self.moves.push(Move { from, to, share });
        }
        self.heard = chords.to_vec();
    }

    /// All numbers as seen from a key.
    pub(super) fn features(&self, key: Key) -> Features {
        let mut features = [0.0; FEATURE_COUNT];
        let all = self.notes(key).into_iter().chain(self.chords(key)).chain(self.cadences(key));
        let all = all.chain(self.triad(key)).chain([self.rest(key)]).chain(self.endings(key));
        for (feature, value) in features.iter_mut().zip(all) {
            *feature = value;
        }
        features
    }

    /// Whether the chords are hardly any but I, V, vi and IV of a key or its relative, from vi on: that
    /// loop is heard in major and in minor.
    pub(super) fn is_loop_of_minor(&self, key: Key) -> bool {
        let major = Key { tonic: key.signature(), mode: Mode::Major };
        let minor = Key { tonic: (major.tonic + 9) % PITCH_CLASSES, mode: Mode::Minor };
        let shares = KeyView { degrees: &self.shares, key: major };
        let four = [shares.major(0), shares.any_major(5), shares.any_major(7), shares.minor(9)];
        let first = KeyView { degrees: &self.first, key: minor };
        first.tonic() > 0.0
            && four.iter().all(|&share| share >= LOOP_CHORD_MIN)
            && four.iter().sum::<f32>() >= LOOP_MIN
    }

    /// How the notes fit the key's profiles, and how much some of them sound: the tonic, dominant and
    /// subdominant in the bass, the leading note above.
    fn notes(&self, key: Key) -> [f32; 8] {
        let [treble, bass] = [&self.treble, &self.bass].map(|classes| fits(classes, key));
        let share = |classes: &PitchClasses, step: usize| {
            classes[(key.tonic + step) % PITCH_CLASSES] / PITCH_CLASSES as f32
        };
        let [low, fifth, fourth] = [0, 7, 5].map(|step| share(&self.bass, step));
        [treble[0], bass[0], treble[1], bass[1], low, fifth, fourth, share(&self.treble, 11)]
    }

    /// Share of the time that the chords of the scale have: I, I7, V, V7, v, IV, iv, ii, vi, iii, bVII
    /// and the tonic of the other mode; whether the first and the last chord is the tonic, or the last
    /// one the dominant.
    fn chords(&self, key: Key) -> [f32; 15] {
        let shares = KeyView { degrees: &self.shares, key };
        let [first, last] = [&self.first, &self.last].map(|degrees| KeyView { degrees, key });
        [
            shares.by_mode(|seen| seen.major(0), |seen| seen.minor(0)),
            shares.dominant(0),
            shares.major(7),
            shares.dominant(7),
            shares.minor(7),
            shares.any_major(5),
            shares.minor(5),
            shares.by_mode(|seen| seen.minor(2), |seen| seen.diminished(2)),
            shares.submediant(),
            shares.by_mode(|seen| seen.minor(4), |seen| seen.any_major(3)),
            shares.any_major(10),
            shares.by_mode(|seen| seen.minor(0), |seen| seen.major(0)),
            first.tonic(),
            last.tonic(),
            last.any_major(7),
        ]
    }

    /// Share of the changes of chords that lead to the tonic from V, V7, v, IV, bVII, vi and ii, and
    /// from it to V and IV.
    fn cadences(&self, key: Key) -> [f32; 9] {
        let (to, from) = (self.moves_to(key), self.moves_from(key));
        let [to, from] = [&to, &from].map(|degrees| KeyView { degrees, key });
        [
            to.major(7),
            to.dominant(7),
            to.minor(7),
            to.any_major(5) + to.minor(5),
            to.any_major(10),
            from.any_major(7) + from.minor(7),
            from.any_major(5) + from.minor(5),
            to.submediant(),
            to.by_mode(|seen| seen.minor(2), |seen| seen.diminished(2) + seen.any_major(1)),
        ]
    }

    /// How much the notes of the tonic triad sound above the bass.
    fn triad(&self, key: Key) -> [f32; 3] {
        let third = if key.mode == Mode::Minor { 3 } else { 4 };
        let share = |step: usize| self.treble[(key.tonic + step) % PITCH_CLASSES];
        [0, third, 7].map(|step| share(step) / PITCH_CLASSES as f32)
    }

    /// How long the tonic lasts each time, of the mean of all chords: music rests on it.
    fn rest(&self, key: Key) -> f32 {
        let mean = |chords: &mut dyn Iterator<Item = &ChordSpan>| {
            let (count, sum) = chords.fold((0, 0), |(count, sum), c| (count + 1, sum + c.length));
            sum as f32 / f32::from(u16::try_from(count.max(1)).unwrap_or(u16::MAX))
        };
        let tonics = mean(&mut self.heard.iter().filter(|chord| chord.is_tonic(key)));
        (tonics / mean(&mut self.heard.iter()).max(1.0)).min(REST_MAX)
    }

    /// Share of three chords in a row that are bVII, IV and the tonic, IV, V and the tonic, or ii, V and the tonic.
    fn endings(&self, key: Key) -> [f32; 3] {
        let mut counts = [0.0; 3];
        for three in self.heard.windows(3) {
            let [first, second, last] = three else { continue };
            if !last.is_tonic(key) {
                continue;
            }
            let [a, b] = [first, second].map(|chord| chord.step(key));
            let is_major = |chord: &ChordSpan| chord.family == MAJOR || chord.family == DOMINANT;
            counts[0] += f32::from(u8::from(a == 10 && is_major(first) && b == 5));
            counts[1] += f32::from(u8::from(a == 5 && b == 7 && is_major(second)));
            counts[2] += f32::from(u8::from(a == 2 && b == 7 && is_major(second)));
        }
        counts.map(|count| count / self.heard.len().saturating_sub(2).max(1) as f32)
    }

    /// Share of the changes from each chord to a key's tonic.
    fn moves_to(&self, key: Key) -> Degrees {
        let mut degrees = Degrees::default();
        for step in self.moves.iter().filter(|step| is_tonic(step.to, key)) {
            degrees[step.from.0][step.from.1] += step.share;
        }
        degrees
    }

    /// Share of the changes to each chord from a key's tonic.
    fn moves_from(&self, key: Key) -> Degrees {
        let mut degrees = Degrees::default();
        for step in self.moves.iter().filter(|step| is_tonic(step.from, key)) {
            degrees[step.to.0][step.to.1] += step.share;
        }
        degrees
    }
}

/// Chords as seen from a key.
#[derive(Clone, Copy, Debug)]
struct KeyView<'a> {
    degrees: &'a Degrees,
    key: Key,
}

impl KeyView<'_> {
    /// Of the root so many semitones above the tonic, each kind.
    fn at(self, step: usize) -> [f32; FAMILY_COUNT] {
        self.degrees[(self.key.tonic + step) % PITCH_CLASSES]
    }

    fn major(self, step: usize) -> f32 {
        self.at(step)[MAJOR]
    }

    fn dominant(self, step: usize) -> f32 {
        self.at(step)[DOMINANT]
    }

    fn minor(self, step: usize) -> f32 {
        self.at(step)[MINOR]
    }

    fn diminished(self, step: usize) -> f32 {
        self.at(step)[DIMINISHED]
    }

    /// Major triads, with or without a seventh.
    fn any_major(self, step: usize) -> f32 {
        self.major(step) + self.dominant(step)
    }

    fn by_mode(self, major: impl Fn(Self) -> f32, minor: impl Fn(Self) -> f32) -> f32 {
        match self.key.mode {
            Mode::Major => major(self),
            Mode::Minor => minor(self),
        }
    }

    fn tonic(self) -> f32 {
        self.by_mode(|seen| seen.any_major(0), |seen| seen.minor(0))
    }

    fn submediant(self) -> f32 {
        self.by_mode(|seen| seen.minor(9), |seen| seen.any_major(8))
    }
}

fn is_tonic((root, family): (usize, usize), key: Key) -> bool {
    root == key.tonic && (family == MINOR) == (key.mode == Mode::Minor)
}

const MAJOR: usize = 0;
const DOMINANT: usize = 1;
const MINOR: usize = 2;
const DIMINISHED: usize = 3;

fn family(quality: Quality) -> usize {
    match quality {
        Quality::Major | Quality::MajorSeventh => MAJOR,
        Quality::Dominant => DOMINANT,
        Quality::Minor | Quality::MinorSeventh => MINOR,
        Quality::Diminished | Quality::HalfDiminished => DIMINISHED,
    }
}

/// A chord, whatever its seventh.
#[derive(Clone, Copy, Debug)]
struct ChordSpan {
    root: usize,
    family: usize,
    length: usize,
}

impl ChordSpan {
    fn is_tonic(&self, key: Key) -> bool {
        self.family != DIMINISHED && is_tonic((self.root, self.family), key)
    }

    /// Semitones above the tonic.
    fn step(&self, key: Key) -> usize {
        (self.root + PITCH_CLASSES - key.tonic) % PITCH_CLASSES
    }
}

/// Frames that a chord must last to count: so short ones are mistakes.
const LENGTH_MIN: usize = 4;

/// The chords; those between which only a moment or a seventh lies are one.
fn joined(spans: &[Span]) -> Vec<ChordSpan> {
    let mut chords: Vec<ChordSpan> = Vec::new();
    for span in spans.iter().filter(|span| span.length() >= LENGTH_MIN) {
        let Some(harmony) = span.harmony else { continue };
        let (root, family, length) = (harmony.root, family(harmony.quality), span.length());
        match chords.last_mut() {
            Some(last) if last.root == root && last.family == family => last.length += length,
            _ => chords.push(ChordSpan { root, family, length }),
        }
    }
    chords
}

/// The mean of frames' profiles of length one each, with a sum of [`PITCH_CLASSES`].
fn mean_profile(
    frames: &[ChromaFrame],
    profile: impl Fn(&ChromaFrame) -> &PitchClasses,
) -> PitchClasses {
    let mut sums = [0.0f64; PITCH_CLASSES];
    for frame in frames {
        let classes = profile(frame).map(f64::from);
        let length = classes.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            sums.iter_mut().zip(classes).for_each(|(sum, class)| *sum += class / length);
        }
    }
    let total: f64 = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 12")]
    let scaled = sums.map(|sum| (sum / total * PITCH_CLASSES as f64) as f32);
    scaled
}
