//! What is known of music: its rhythm, its key, its chords.

mod chords;
pub(crate) mod chroma;
mod live;
#[cfg(test)]
mod results;
mod rhythm;
mod tonality;
#[cfg(test)]
pub(crate) mod wav;

pub(crate) use chords::ChordMeter;
pub use chords::{Chord, write_lab};
pub use live::{LiveMeter, LiveReport};
pub(crate) use rhythm::RhythmMeter;
pub use rhythm::{RhythmOptions, RhythmReport, TempoAlternative, TempoPrior};
pub(crate) use tonality::TonalityMeter;
pub use tonality::{KeyAlternative, KeyChange, Mode, TonalityReport};
