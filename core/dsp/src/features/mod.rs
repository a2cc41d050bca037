//! 128 numbers that say what music sounds like, and how alike two of them are.
//!
//! [`DIMENSIONS`] lists them. A [`meter`](FeatureReport) measures what other groups of the analysis do
//! not; [`Features`] takes all of it, each number less the mean and by the spread of a corpus of real
//! music (`standard`). A number that a file does not have is masked: a mono file has no width, music
//! without a key no tonic. Likeness is the cosine over what both sides have, in a [`metric`] in which
//! what differs within a track counts little, and what dimensions of a group have in common counts once.

mod bands;
mod dimension;
mod flux;
mod group;
mod index;
mod levels;
mod meter;
mod metric;
mod report;
mod similarity;
mod standard;
#[cfg(test)]
mod training;
mod values;
mod vector;

pub use dimension::{DIMENSION_COUNT, DIMENSIONS, Dimension};
pub use group::FeatureGroup;
pub use index::{FeatureIndex, Hit};
pub(crate) use meter::FeatureMeter;
pub use report::FeatureReport;
pub use similarity::{Contribution, Similarity};
pub use values::GROUPS;
pub use vector::{BadFeatures, FEATURE_VERSION, Features};
