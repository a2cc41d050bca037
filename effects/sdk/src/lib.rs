//! Write Wavemill effects in Rust.
//!
//! An effect is a type that implements [`Effect`]: it says what it is ([`Effect::DESCRIPTION`]), is created for a stream,
//! and processes blocks in place. Natively it is an ordinary type, tested with `cargo test`.
//!
//! No dependencies, no `std` in wasm. What is not `+ - * /` comes from [`math`], so that native and
//! wasm builds give the same bits.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod block;
pub mod description;
pub mod effect;

pub use block::Block;
pub use description::{Description, Param, Preset, Scale};
pub use effect::{CreateError, Effect, Flow, Setup, Tail};
