//! The audio library of Wavemill: decode, measure, process, export.
//!
//! Three packages behind one name: [`audio`] has samples, units and limits, `wavemill-codec` files and
//! tags, `wavemill-dsp` meters and processors. None of them starts a thread, reads a clock, opens a path
//! or logs. Types of the libraries they use never cross their border.

pub use wavemill_audio as audio;
pub use wavemill_audio::{denormals, limits, suggestion, units};
pub use wavemill_codec::{decode, encode, tags};
pub use wavemill_dsp::{
    advice, analysis, delivery, descriptor, features, limit, loudness, matching, measure, music,
    processor, processors, resample, typeface, waveform,
};
