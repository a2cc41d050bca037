//! Kinds of chords.

/// A kind of chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Quality {
    /// Major triad.
    Major,
    /// Minor triad.
    Minor,
    /// Dominant seventh chord.
    Dominant,
    /// Major seventh chord.
    MajorSeventh,
    /// Minor seventh chord.
    MinorSeventh,
    /// Diminished triad.
    Diminished,
    /// Half-diminished seventh chord.
    HalfDiminished,
}

/// All of them, in the order of the model's table.
pub(crate) const QUALITIES: [Quality; QUALITY_COUNT] = [
    Quality::Major,
    Quality::Minor,
    Quality::Dominant,
    Quality::MajorSeventh,
    Quality::MinorSeventh,
    Quality::Diminished,
    Quality::HalfDiminished,
];

pub(crate) const QUALITY_COUNT: usize = 7;

impl Quality {
    /// Its name in a chord label.
    ///
    /// Source: C. Harte et al., "Symbolic representation of musical chords", ISMIR 2005.
    pub(crate) fn shorthand(self) -> &'static str {
        match self {
            Self::Major => "maj",
            Self::Minor => "min",
            Self::Dominant => "7",
            Self::MajorSeventh => "maj7",
            Self::MinorSeventh => "min7",
            Self::Diminished => "dim",
            Self::HalfDiminished => "hdim7",
        }
    }
}
