//! Every cap on untrusted input, in one place.
//!
//! A file's header is a claim, not a fact: nothing is allocated because of it before these bounds
//! were checked.

use crate::units::{Frames, Seconds};

/// Frames per block inside the chain. Large enough that per-block costs vanish, small enough that a
/// stereo block (32 KiB) stays in the first-level cache of common machines.
pub const BLOCK_FRAMES: usize = 4096;

/// Most channels accepted: 22.2 is the largest layout in use (ITU-R BS.2051, system H).
pub const CHANNEL_COUNT_MAX: usize = 24;

/// Lowest sample rate accepted, in Hz. 8 kHz is telephony; some speech archives go lower.
pub const SAMPLE_RATE_HZ_MIN: u32 = 1_000;

/// Highest sample rate accepted, in Hz: the largest FLAC can state.
pub const SAMPLE_RATE_HZ_MAX: u32 = 655_350;

/// Largest magnitude of a sample that a meter believes: 100 dB above full scale. Floats that hold integers of
/// 16 bits without scaling (+90 dBFS) are still measured; what lies beyond is a broken stream.
pub const SAMPLE_MAGNITUDE_MAX: f32 = 100_000.0;

/// Longest file accepted. A year of audio at 655 kHz still fits the arithmetic; 100 hours is more
/// than any programme and keeps a wrong header from reserving the disk.
pub const DURATION_MAX: Seconds = Seconds(360_000.0);

/// Longest fade, trim padding and similar times of a step.
pub const STEP_TIME_MAX: Seconds = Seconds(3_600.0);

/// Tail rendered for a step that never decays.
pub const INFINITE_TAIL_MAX: Seconds = Seconds(30.0);

/// Most bytes of one text tag kept.
pub const TAG_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Most text tags kept of one file.
pub const TAG_COUNT_MAX: usize = 512;

/// Most bytes of one picture kept: with the longest texts and 32 bytes of numbers it still fits a
/// metadata block of FLAC, whose length has 24 bits (RFC 9639, 8.1 and 8.8).
pub const PICTURE_BYTES_MAX: usize = (1 << 24) - 1 - 32 - 2 * TAG_TEXT_BYTES_MAX;

/// Most bytes of all pictures kept of one file; they are in memory while it is processed.
pub const PICTURES_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most pictures kept of one file.
pub const PICTURE_COUNT_MAX: usize = 16;

/// Most chunks looked at in a RIFF or IFF file before it counts as damaged.
pub const CHUNK_COUNT_MAX: usize = 4096;

/// Most frames a decoder may deliver in one packet; FLAC's largest block is 65,535.
pub const PACKET_FRAMES_MAX: Frames = Frames(1 << 20);

/// Most bytes of one packet. The largest that can be: 65,536 frames of eight channels of 32 bits, not
/// compressed, take 2 MiB.
pub const PACKET_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Most silence put in the place of missing sound when a file is repaired. A minute is longer than any
/// hole of lost pages or clusters; times that claim more are damaged themselves.
pub const REPAIRED_SILENCE_MAX: Seconds = Seconds(60.0);

/// Most silence put in the place of pauses in a file that is sound: times of a container that go on while
/// no packet does. More is a recording that was interrupted, or times that are damaged.
pub const PAUSES_MAX: Seconds = Seconds(10.0);
