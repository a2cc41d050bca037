//! The bundled effects that are not written in Rust, which cannot be tested natively: their `.wasm` files in the sandbox.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]
#![allow(clippy::float_cmp, reason = "equal bits are what the tests claim")]

mod bench;
mod delay;
mod live;
mod properties;
mod stereo_width;
