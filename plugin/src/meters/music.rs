//! What is known of the music: tempo, key, balance.

use parking_lot::Mutex;
use std::sync::Arc;
use wavemill_core::advice::{Band, Profile, nearest};
use wavemill_core::music::LiveReport;
use wavemill_core::units::Decibels;
use wavemill_pipelines::profiles;

/// What is less certain is not shown.
const CONFIDENCE_MIN: f64 = 0.3;

/// The music of the latest minutes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Music {
    /// `None` where there is no steady pulse.
    pub tempo: Option<Tempo>,
    /// `None` where there is no key.
    pub key: Option<Key>,
    /// Level of each band by that of all together; 0 dB would be all of the energy.
    pub balance: [Option<Decibels>; Band::ALL.len()],
    /// The genre profile whose balance is nearest, if one is near.
    pub profile: Option<&'static Profile>,
}

/// How fast it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tempo {
    /// Quarter notes a minute.
    pub bpm: f64,
    /// How probable it is, 0 to 1.
    pub confidence: f64,
}

/// In which key it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As a musician writes it: `C`, `Am`.
    pub name: String,
    /// Its place on the Camelot wheel: `8A`.
    pub camelot: String,
    /// How probable it is, 0 to 1.
    pub confidence: f64,
}

impl Music {
    pub(super) fn of(report: LiveReport) -> Self {
        let LiveReport { rhythm, tonality, bands } = report;
        let tempo = rhythm.tempo_bpm.zip(rhythm.confidence);
        let tempo = tempo.map(|(bpm, confidence)| Tempo { bpm, confidence });
        let key = tonality.key.zip(tonality.camelot).zip(tonality.confidence);
        let key = key.map(|((name, camelot), confidence)| Key { name, camelot, confidence });
        Self {
            tempo: tempo.filter(|tempo| tempo.confidence >= CONFIDENCE_MIN),
            key: key.filter(|key| key.confidence >= CONFIDENCE_MIN),
            balance: bands,
            profile: nearest(profiles::shipped(), &bands),
        }
    }
}

/// The latest music, passed from the worker to the window. It belongs to frames that begin at a place of the
/// [`Tap`](super::Tap): once the meters begin anew it is of the past, without anybody clearing it.
#[derive(Debug, Default)]
pub(super) struct MusicReading(Mutex<Option<(u64, Arc<Music>)>>);

impl MusicReading {
    pub(super) fn set(&self, start: u64, music: Option<Music>) {
        *self.0.lock() = music.map(|music| (start, Arc::new(music)));
    }

    pub(super) fn get(&self, start: u64) -> Option<Arc<Music>> {
        let latest = self.0.lock();
        latest.as_ref().filter(|(of, _)| *of == start).map(|(_, music)| Arc::clone(music))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::music::{RhythmReport, TonalityReport};

    fn music(confidence: f64) -> Music {
        Music::of(LiveReport {
            rhythm: RhythmReport {
                tempo_bpm: Some(128.0),
                confidence: Some(confidence),
                ..RhythmReport::default()
            },
            tonality: TonalityReport {
                key: Some("Am".into()),
                camelot: Some("8A".into()),
                confidence: Some(confidence),
                ..TonalityReport::default()
            },
            ..LiveReport::default()
        })
    }

    #[test]
    fn what_is_uncertain_is_not_known() {
        let certain = music(0.3);
        assert_eq!(certain.tempo, Some(Tempo { bpm: 128.0, confidence: 0.3 }));
        assert_eq!(certain.key.unwrap().name, "Am");
        assert_eq!(music(0.29), Music::default());
    }

    #[test]
    fn reading_ends_with_what_it_belongs_to() {
        let reading = MusicReading::default();
        assert_eq!(reading.get(0), None);
        reading.set(5, Some(music(1.0)));
        assert_eq!(reading.get(5).as_deref(), Some(&music(1.0)));
        assert_eq!(reading.get(6), None);
        reading.set(5, None);
        assert_eq!(reading.get(5), None);
    }
}
