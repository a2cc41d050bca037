//! AAC: what its configuration says, and whether it is the variant that is decoded.
//!
//! Symphonia decodes the low complexity profile in mono and stereo. Everything else is named.

pub(super) mod adts;
mod config;
mod replication;

pub(super) use config::AacConfig;
pub(super) use replication::has_replication;

/// Frames of a packet.
///
/// Source: ISO/IEC 14496-3, 4.5.1.1, with `frameLengthFlag` 0.
pub(super) const PACKET_FRAMES: u64 = 1024;

/// Packets looked at for spectral band replication that no header announces.
pub(super) const LOOKED_AT: usize = 16;
