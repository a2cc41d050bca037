//! What several of the bundled effects share.
//!
//! Everything here gives the same bits natively and in wasm, whatever the blocks: parameters move and states are
//! tidied at the borders of sub-blocks that are counted from the start of the stream ([`grid`]).
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod convert;
pub mod delay;
pub mod fast;
pub mod glide;
pub mod grid;
pub mod pole;
pub mod side_chain;
pub mod svf;

pub use delay::Delay;
pub use glide::{Glide, Ramp};
pub use grid::{Grid, Row, SUB_BLOCK, Segment};
pub use pole::Pole;
pub use side_chain::{FilterControls, Filters, SideChain};
pub use svf::{Svf, SvfPair, SvfState};
