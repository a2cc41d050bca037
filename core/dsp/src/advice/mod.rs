//! Advice for a master: what was measured, held against the ranges of a [`Profile`], in words that say
//! what to do.
//!
//! Which profiles there are is data of whoever calls. Their ranges are targets, not measurements of
//! records: what lies outside may be intended, so nothing fails by it. A master inside of all ranges
//! gets no advice.

mod advise;
mod band;
mod level;
mod likeness;
mod measure;
mod own;
mod profile;
mod range;
mod reading;
mod words;

pub use advise::{Advice, CORRECTION_DB_MAX, advise};
pub use band::{Band, Filter, FilterShape};
pub use level::Level;
pub use likeness::nearest;
pub use measure::Measure;
pub use profile::{BandRanges, Profile};
pub use range::Range;
