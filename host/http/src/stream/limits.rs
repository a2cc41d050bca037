//! Every cap on live streams.

use std::time::Duration;

/// Sessions at once. 64 of stereo reverb are what two cores can play.
pub(crate) const SESSIONS_MAX: usize = 64;

/// Sockets at once, those without a session included: each holds a file descriptor.
pub(crate) const SOCKETS_MAX: usize = 256;

/// Longest message, bytes: 2.7 s of stereo floats at 48 kHz.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Longest hello, bytes: eight effects with all of their values take a tenth.
pub(crate) const HELLO_BYTES_MAX: usize = 64 << 10;

/// Longest other text message, bytes: a change has some 80.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 10;

/// Longest wait for the hello.
pub(crate) const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// A session from which nothing comes for so long is closed: the other side is gone, or forgot it.
pub(crate) const SILENCE_MAX: Duration = Duration::from_mins(5);

/// Longest wait for a client to take what it is sent.
pub(crate) const SEND_WITHIN: Duration = Duration::from_mins(1);

/// Longest wait for a client to close after it was sent the last message.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Longest session.
pub(crate) const SESSION_MAX: Duration = Duration::from_hours(24);

/// Most channels: 7.1.
pub(crate) const CHANNELS_MAX: usize = 8;

/// Lowest sample rate, Hz: telephony.
pub(crate) const SAMPLE_RATE_HZ_MIN: u32 = 8_000;

/// Highest sample rate, Hz.
pub(crate) const SAMPLE_RATE_HZ_MAX: u32 = 192_000;

/// Fewest frames of a block: fewer cost more calls than work.
pub(crate) const BLOCK_FRAMES_MIN: usize = 32;

/// Most frames of a block: sessions wait for each other's blocks.
pub(crate) const BLOCK_FRAMES_MAX: usize = 4096;

/// Frames of a block where the hello names none.
pub(crate) const BLOCK_FRAMES: usize = 1024;

/// What waits to be processed, s; see also [`RING_BYTES_MAX`].
pub(crate) const RING_S: u32 = 5;

/// Most bytes of it: 64 stalled sessions together hold a quarter of a gigabyte.
pub(crate) const RING_BYTES_MAX: usize = 4 << 20;

/// Bytes that wait to be sent, from which on a session is not processed.
pub(crate) const OUTBOX_BYTES_MAX: usize = 1 << 20;

/// Changes of parameters that wait for their frame.
pub(crate) const CHANGES_MAX: usize = 1024;

/// A session may be read so many times as fast as it would sound; what a client sends beyond waits in its socket.
pub(crate) const SPEED_MAX: f64 = 64.0;

/// Chains that are built at once: compilers must not take the cores from those that play.
pub(crate) const BUILDERS: usize = 1;
