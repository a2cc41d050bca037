//! One recording brought towards another: long-term average spectra, the filter between them, and width.

mod convolver;
mod curve;
mod design;
mod fir;
mod grid;
mod long_term;
mod profile;
mod reference;

pub(crate) use convolver::Convolver;
pub(crate) use curve::OCTAVES;
pub(crate) use design::{Aims, Design, Phase};
pub(crate) use long_term::{LongTermMeter, LongTermSpectrum};
pub(crate) use reference::Recording;
pub use reference::{Reference, ReferenceMeter};
