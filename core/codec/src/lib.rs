//! Audio files: containers, codecs and tags, read and written.

pub mod decode;
pub mod encode;
#[cfg(feature = "opus")]
mod opus;
pub mod tags;
#[cfg(any(feature = "opus", feature = "vorbis"))]
mod vorbis_order;
