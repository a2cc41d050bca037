//! AAC: what its configuration says, and how its packets sound.

pub(super) mod adts;
mod codec;
mod config;
mod program;

pub(super) use codec::AacSetup;
pub(super) use config::AacConfig;

/// Packets that are decoded before it is stated what a stream sounds like.
pub(super) const LISTENED_TO: usize = 16;
