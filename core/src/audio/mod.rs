//! Samples and what is known about them: layouts, blocks, formats.

mod block;
pub mod convert;
mod format;
mod layout;
mod samples;
#[cfg(any(feature = "opus", feature = "vorbis"))]
pub(crate) mod vorbis_order;

pub use block::Block;
pub use format::{PcmFormat, SampleFormat, StreamSpec};
pub use layout::{ChannelLayout, ChannelPosition};
pub use samples::Samples;
