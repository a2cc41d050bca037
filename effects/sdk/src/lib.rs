//! Write Wavemill effects in Rust.
//!
//! An effect is a type that implements [`Effect`]: it says what it is ([`Effect::DESCRIPTION`]), is
//! created for a stream, and processes blocks in place. Natively it is an ordinary type, tested
//! with `cargo test`.
//!
//! No dependencies, no `std` in wasm. What is not `+ - * /` comes from [`math`], so that native and
//! wasm builds give the same bits.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "equal bits are what the tests claim"))]

extern crate alloc;

pub mod block;
pub mod description;
pub mod effect;
mod export;
#[doc(hidden)]
pub mod instance;
#[doc(hidden)]
pub mod json;
pub mod lanes;
pub mod log;
pub mod math;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
#[doc(hidden)]
pub mod validity;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wasm;

pub use block::Block;
pub use description::{Description, Meter, Param, Preset, Scale};
pub use effect::{CreateError, Effect, Flow, Setup, Tail};
pub use log::{Level, log};
