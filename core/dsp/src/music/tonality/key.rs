//! Names of keys.

use serde::{Deserialize, Serialize};

/// Major or minor.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Major.
    Major,
    /// Minor.
    Minor,
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The tonic, semitones above C.
    pub tonic: usize,
    /// Its mode.
    pub mode: Mode,
}

/// Keys there are.
pub(super) const KEY_COUNT: usize = 24;

/// Tonics as they are written, with the fewest accidentals in the key signature.
const MAJOR_TONICS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const MINOR_TONICS: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];

impl Key {
    /// All keys: major, then minor, from C on.
    pub(super) fn all() -> [Self; KEY_COUNT] {
        std::array::from_fn(Self::numbered)
    }

    /// The key at a place in [`Self::all`].
    pub(super) fn numbered(number: usize) -> Self {
        let mode = if number < KEY_COUNT / 2 { Mode::Major } else { Mode::Minor };
        Self { tonic: number % 12, mode }
    }

    /// Its tonic's name, such as `Bb`.
    pub(super) fn tonic_name(self) -> &'static str {
        match self.mode {
            Mode::Major => MAJOR_TONICS[self.tonic % 12],
            Mode::Minor => MINOR_TONICS[self.tonic % 12],
        }
    }

    /// Its name, such as `C` or `F#m`.
    pub(super) fn name(self) -> String {
        let ending = if self.mode == Mode::Minor { "m" } else { "" };
        format!("{}{ending}", self.tonic_name())
    }

    /// The tonic of the major key that has the same notes.
    pub(super) fn signature(self) -> usize {
        match self.mode {
            Mode::Major => self.tonic % 12,
            Mode::Minor => (self.tonic + 3) % 12,
        }
    }

    /// Its place on the Camelot wheel, such as `8B`: by fifths, and B for major.
    ///
    /// Source: M. Davis, Mixed In Key, "Camelot wheel".
    pub(super) fn camelot(self) -> String {
        let number = (self.signature() * 7 + 7) % 12 + 1;
        let letter = if self.mode == Mode::Minor { 'A' } else { 'B' };
        format!("{number}{letter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_camelot_places_are_the_usual_ones() {
        let cases = [
            (0, Mode::Major, "C", "8B"),
            (9, Mode::Minor, "Am", "8A"),
            (7, Mode::Major, "G", "9B"),
            (6, Mode::Minor, "F#m", "11A"),
            (10, Mode::Minor, "Bbm", "3A"),
            (11, Mode::Major, "B", "1B"),
        ];
        for (tonic, mode, name, camelot) in cases {
            let key = Key { tonic, mode };
            assert_eq!((key.name().as_str(), key.camelot().as_str()), (name, camelot));
        }
    }
}
