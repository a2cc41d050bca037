//! Waveforms: how a signal looks, at any number of points.
//!
//! [`WaveformMeter`] takes a stream once and keeps minimum, maximum and RMS of each channel and of
//! their mean, at several resolutions beside each other; its memory depends on the points asked for,
//! never on the length. [`audiowaveform`] writes the data files of the program of that name,
//! [`picture`] draws.

pub mod audiowaveform;
mod grid;
pub mod json;
mod meter;
pub mod picture;
mod segment;

pub use grid::{POINT_COUNT_MAX, Resolution};
pub use meter::{Lane, Level, Point, Waveform, WaveformMeter};
