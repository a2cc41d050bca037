//! An equalizer of eight bands, each a filter of second order.
//!
//! Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients"
//! (W3C Audio Working Group note, 2021).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod band;
mod biquad;
mod description;
mod equalizer;
mod glide;
mod shape;

pub use band::Settings;
pub use equalizer::ParametricEq;
pub use shape::Shape;

wavemill_effect::export_effect!(ParametricEq);
