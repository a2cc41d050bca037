//! Numbers about audio. What each means is said at its field, with its source.

mod band_filter;
mod bands;
mod dynamic_range;
mod fourier;
mod lanes;
mod level;
mod quads;
mod sides;
mod spectrum;
mod stereo;
mod stft;

pub use bands::BandReport;
pub(crate) use bands::BandsMeter;
pub use level::{LevelMeter, LevelReport};
pub(crate) use spectrum::SpectrumMeter;
pub use spectrum::SpectrumReport;
pub use stereo::{StereoMeter, StereoReport};
pub(crate) use stft::Stft;
