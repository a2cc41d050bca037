//! AAC: what its configuration says, and how its packets sound.

pub(super) mod adts;
mod codec;
mod config;
mod program;

pub(super) use codec::AacSetup;
pub(super) use config::AacConfig;

/// Packets that a stream is listened to before it is told what it sounds like.
pub(super) const LISTENED_TO: usize = 16;
