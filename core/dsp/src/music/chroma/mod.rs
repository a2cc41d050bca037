//! Pitch class profiles of a signal, as it comes.
//!
//! The channels' mean is [decimated](decimator) to about [`ANALYSIS_RATE_HZ`](decimator::ANALYSIS_RATE_HZ), cut into
//! [spectra] of a third of a second, in which [peaks] stand out against their
//! neighborhood. Once some of them are there, the recording's [tuning] is known and they
//! become [notes], whose overtones are taken off, and these become two pitch class profiles,
//! of the bass and of everything above, kept in a [track].

mod decimator;
mod meter;
mod notes;
mod peaks;
mod spectra;
mod track;
mod tuning;

pub(crate) use meter::{ChromaMeter, planes};
pub(crate) use track::{ChromaFrame, ChromaTrack, PITCH_CLASSES, PitchClasses};
