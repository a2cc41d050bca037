//! The key of a recording: which, how certain, and when it changes.
//!
//! [Evidence](evidence) of the pitch class profiles and of the chords is laid out as seen from each of
//! the 24 keys and weighed by a [model] trained on rendered music, the same for every tonic.
//! What [has no key](presence) gets none.

mod changes;
mod estimate;
mod evidence;
#[cfg(test)]
mod features;
mod key;
mod meter;
mod model;
mod presence;
mod profiles;
mod report;

pub use key::Mode;
pub(crate) use meter::TonalityMeter;
pub use report::{KeyAlternative, KeyChange, TonalityReport};
