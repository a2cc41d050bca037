//! What the DAW saves and automates.
//!
//! Names in `#[id]` and `#[persist]` never change: a state of version 1 loads for ever.

use crate::meters::Shared;
use nice_plug::params::persist::PersistentField;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// When samples are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CaptureMode {
    /// Never.
    #[default]
    Off,
    /// From now on until it is turned off.
    Now,
    /// While the transport plays; each start is a capture of its own.
    Playing,
    /// While the DAW renders offline.
    Bounce,
}

/// The chosen [`CaptureMode`]. It is no parameter: hosts and validators set those to anything, by automation or to
/// try them, and this one writes files.
#[derive(Debug, Default)]
pub(crate) struct Capture(AtomicU8);

impl Capture {
    /// Real-time.
    pub(crate) fn value(&self) -> CaptureMode {
        use CaptureMode::{Bounce, Now, Off, Playing};
        let value = self.0.load(Ordering::Relaxed);
        [Off, Now, Playing, Bounce]
            .into_iter()
            .find(|mode| *mode as u8 == value)
            .unwrap_or_default()
    }

    /// Chooses another one.
    pub(crate) fn set(&self, mode: CaptureMode) {
        self.0.store(mode as u8, Ordering::Relaxed);
    }
}

impl PersistentField<'_, CaptureMode> for Arc<Capture> {
    fn set(&self, mode: CaptureMode) {
        Capture::set(self, mode);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&CaptureMode) -> R,
    {
        f(&self.value())
    }
}

/// States before [`Capture`] have its value among the parameters, in the same words.
pub(crate) fn upgrade(state: &mut PluginState) {
    if let Some(ParamValue::String(mode)) = state.params.remove("capture") {
        state.fields.entry("capture".into()).or_insert_with(|| format!("\"{mode}\""));
    }
}

/// Everything that belongs to an instance.
#[derive(Debug, Params)]
pub(crate) struct WavemillParams {
    /// Stops the meters; the signal passes either way.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// A change to "on" begins all meters anew.
    #[id = "reset"]
    pub reset: BoolParam,
    /// The meters pause while the transport stands.
    #[id = "follow"]
    pub follow: BoolParam,
    /// The meters begin anew when the transport starts or jumps.
    #[id = "reset-on-start"]
    pub reset_on_start: BoolParam,
    /// A mono signal counts as if two loudspeakers played it.
    #[id = "dual-mono"]
    pub dual_mono: BoolParam,
    /// When samples are captured.
    #[persist = "capture"]
    pub capture: Arc<Capture>,
    /// Choices that are no parameters.
    #[persist = "choices"]
    pub choices: Arc<RwLock<Choices>>,
    /// The latest readings, as they were when the project was saved.
    #[persist = "readings"]
    pub shared: Arc<Shared>,
    /// The spectrum that is kept to compare with.
    #[persist = "reference"]
    pub reference: Arc<RwLock<Option<Reference>>>,
}

/// Choices that are saved with the project. Keys that an older version does not know are ignored, keys
/// that an older state does not have get their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the window, each a key of its own")]
pub(crate) struct Choices {
    /// Size of the editor in points.
    pub window: (u32, u32),
    /// Zoom of the editor, 1.0 to 3.0.
    pub zoom: f32,
    /// Whether the zoom follows the size of the window.
    pub zoom_follows: bool,
    /// Whether the window moves as little as meters can.
    pub reduces_motion: bool,
    /// Id of the delivery target.
    pub target: String,
    /// Targets that are shown beside each other; see [`COMPARED_MAX`].
    pub compared: Vec<String>,
    /// Folder of captures; `None` means `Wavemill` in the user's music folder.
    pub capture_folder: Option<PathBuf>,
    /// What a capture runs through when it is complete: the name of a shipped pipeline or the path of a
    /// file.
    pub pipeline: Option<String>,
    /// A watched folder that captures are sent to.
    pub watch_folder: Option<PathBuf>,
    /// Whether the spectrum has the ranges of the nearest genre profile.
    pub shows_profile: bool,
    /// What the level bars show.
    pub scale: LevelScale,
    /// Whether the numbers have a table of the channels.
    pub shows_channels: bool,
    /// Whether the history has a lane with correlation and fold-down loss.
    pub shows_stereo: bool,
    /// Whether the spectrum is shown over time.
    pub shows_spectrogram: bool,
    /// Whether the program is measured at its places in the song.
    pub follows_timeline: bool,
    /// Whether each second is written to a log.
    pub logs: bool,
}

/// Scales of the level bars. Words of a newer version mean the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LevelScale {
    /// Loudness relative to the target, up to +9 LU.
    #[serde(rename = "ebu-9")]
    EbuPlus9,
    /// The same, up to +18 LU.
    #[serde(rename = "ebu-18")]
    EbuPlus18,
    #[serde(rename = "ppm-1")]
    PpmOne,
    #[serde(rename = "ppm-2a")]
    PpmTwoA,
    #[serde(rename = "ppm-2b")]
    PpmTwoB,
    #[serde(rename = "vu")]
    Vu,
    #[serde(rename = "k-20")]
    K20,
    #[serde(rename = "k-14")]
    K14,
    #[serde(rename = "k-12")]
    K12,
    /// Absolute loudness, and true peak.
    #[default]
    #[serde(rename = "lufs", other)]
    Lufs,
}

/// A kept spectrum, in a few bytes a band.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    /// Levels of the editor's bands, the lowest first, in tenths of a dB.
    pub levels_db10: Vec<i16>,
}

impl Reference {
    /// Keeps levels in dB.
    pub(crate) fn new(levels_db: &[f32]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "rounded, and a cast saturates")]
        let levels_db10 = levels_db.iter().map(|db| (db * 10.0).round() as i16).collect();
        Self { levels_db10 }
    }

    /// Levels in dB.
    pub(crate) fn levels_db(&self) -> Vec<f32> {
        self.levels_db10.iter().map(|&level| f32::from(level) / 10.0).collect()
    }
}

/// Most targets that are shown beside each other: what has room in two rows of the smallest window.
pub(crate) const COMPARED_MAX: usize = 8;

/// Size of the editor in points when nobody resized it.
pub(crate) const WINDOW: (u32, u32) = (960, 600);

impl Default for Choices {
    fn default() -> Self {
        Self {
            window: WINDOW,
            zoom: 1.0,
            zoom_follows: false,
            reduces_motion: false,
            target: "r128".into(),
            compared: Vec::new(),
            capture_folder: None,
            pipeline: None,
            watch_folder: None,
            shows_profile: false,
            scale: LevelScale::default(),
            shows_channels: false,
            shows_stereo: false,
            shows_spectrogram: false,
            follows_timeline: false,
            logs: false,
        }
    }
}

/// A parameter that is on or off; any other word is refused.
fn switch(name: &'static str, default: bool) -> BoolParam {
    BoolParam::new(name, default).with_string_to_value(Arc::new(|words| {
        match words.trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Some(true),
            "off" | "false" | "no" | "0" => Some(false),
            _ => None,
        }
    }))
}

impl Default for WavemillParams {
    fn default() -> Self {
        Self {
            bypass: switch("Bypass", false).make_bypass(),
            reset: switch("Reset meters", false),
            follow: switch("Pause with transport", true),
            reset_on_start: switch("Reset on start", false),
            dual_mono: switch("Dual mono", false),
            capture: Arc::default(),
            choices: Arc::default(),
            shared: Arc::default(),
            reference: Arc::default(),
        }
    }
}
