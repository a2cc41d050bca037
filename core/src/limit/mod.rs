//! A true-peak limiter: see `core/decisions/0006-a-limiter-at-the-base-rate.md`.

mod detector;
mod envelope;
mod gain;
mod limiter;
mod line;
mod smoothing;
mod window;

pub use limiter::{Limited, Limiter, Linking};
