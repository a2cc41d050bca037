//! What the cross-crate tests share: signals, independent encoders, decoders and meters, and a daemon
//! to torment.

pub mod sha256;
