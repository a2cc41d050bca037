//! The letters that pages, pictures and the editor are set in: Roboto, a subset with Latin, Greek and
//! Cyrillic. Digits are of one width. Source and license: `core/dsp/fonts/README.md`.

/// A TrueType font for text.
pub const REGULAR: &[u8] = include_bytes!("../fonts/roboto-regular.ttf");

/// A TrueType font for what should stand out.
pub const MEDIUM: &[u8] = include_bytes!("../fonts/roboto-medium.ttf");
