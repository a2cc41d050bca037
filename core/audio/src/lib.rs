//! Samples and what is known about them: layouts, blocks, formats, units, limits.

mod block;
pub mod convert;
pub mod denormals;
mod format;
mod layout;
pub mod limits;
mod samples;
pub mod suggestion;
pub mod units;
mod vectors;

pub use block::Block;
pub use format::{PcmFormat, SampleFormat, StreamSpec};
pub use layout::{ChannelLayout, ChannelPosition};
pub use samples::Samples;
pub use vectors::Vectors;
