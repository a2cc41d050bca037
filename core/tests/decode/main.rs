//! Decoding against independent writers and decoders.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "synthesized signals are in range"
)]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]
#![expect(clippy::print_stderr, reason = "skipped tests say so")]

mod adpcm;
mod containers;
mod damage;
mod fixtures;
mod flac;
mod headers;
mod lossless;
mod lossy;
mod matroska;
mod mpeg4;
mod pcm;
mod repair;
mod support;
mod tags;
