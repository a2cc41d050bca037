//! What is known about the key of a recording.

use super::key::Mode;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The key of a recording, of the channels' mean. Fields are `None` where there is no key: in noise, drums, speech, lone
/// tones and silence.
///
/// Method: pitch class profiles of spectral peaks, chords by a Viterbi path, and a comparison of the 24 keys by profiles
/// (Krumhansl & Kessler 1982, Temperley 1999), bass, chords, cadences and rest, learned on rendered music. On rendered
/// music that it was not trained on, 85 % of keys are right. Loops of the four usual chords fit a major key and its
/// relative minor alike: neither is certain there. There is a key only where more than two pitch classes are the
/// strongest one at times, or more than one root has chords.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TonalityReport {
    /// The key, as a musician writes it: `C`, `F#m`, `Bbm`. If it changes, the one that lasts longest.
    pub key: Option<String>,
    /// Its tonic.
    pub tonic: Option<String>,
    /// Major or minor.
    pub mode: Option<Mode>,
    /// How probable it is that this is the key, 0 to 1: that the likeliest key is right, times that there is a key
    /// at all.
    pub confidence: Option<f64>,
    /// Its place on the Camelot wheel, such as `8B`.
    pub camelot: Option<String>,
    /// The frequency to which A4 is tuned, from 427 to 453 Hz.
    pub tuning_hz: Option<f64>,
    /// Why there is no key; `None` where there is one.
    pub reason: Option<Cow<'static, str>>,
    /// Other likely keys, the likeliest first.
    pub alternatives: Vec<KeyAlternative>,
    /// Where the key changes; empty for most recordings.
    pub changes: Vec<KeyChange>,
}

/// Another likely key.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyAlternative {
    /// The key.
    pub key: String,
    /// Its probability, from 0 to 1.
    pub weight: f64,
}

/// A change of key.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyChange {
    /// When, in seconds.
    pub time_s: f64,
    /// The key from there on.
    pub key: String,
}
