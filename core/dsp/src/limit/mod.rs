//! A true-peak limiter: see `core/decisions/0006-a-limiter-at-the-base-rate.md` and
//! `core/decisions/0020-a-limiter-for-loud-masters.md`.

mod clipper;
mod detector;
mod envelope;
mod gain;
mod limiter;
mod line;
mod reducer;
mod smoothing;
mod window;

pub use limiter::{Character, Limiter, LimiterSettings};
pub use reducer::{Limited, Linking};
