//! Numbers about audio. What each means is said at its field, with its source.

mod ballistics;
mod band_filter;
mod bands;
mod dynamic_range;
mod envelope;
pub(crate) mod fourier;
mod harmonic;
pub(crate) mod lanes;
mod level;
mod median;
mod meter;
mod noise_floor;
mod onsets;
mod percussion;
mod quads;
mod rise;
mod sides;
mod spectrum;
mod stereo;
mod stft;
mod tone;
mod totals;
mod transient;

pub use ballistics::{Ballistics, LevelIndicator};
pub use bands::BandReport;
pub(crate) use bands::{BAND_COUNT, BANDS, BandsMeter};
pub(crate) use harmonic::HarmonicMeter;
pub use harmonic::HarmonicReport;
pub use level::{LevelMeter, LevelReport};
pub(crate) use meter::{Meter, Needs, Setup};
pub use spectrum::SpectrumReport;
pub(crate) use spectrum::{Shapes, SpectrumMeter, WholeSpectrum};
pub use stereo::{StereoMeter, StereoReport};
pub(crate) use stft::{FrameBatch, Stft};
pub(crate) use transient::TransientMeter;
pub use transient::TransientReport;
