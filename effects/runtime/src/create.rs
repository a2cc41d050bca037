//! Why there is no effect for a stream.

use crate::fault::Failure;
use thiserror::Error;

/// Why a module cannot process a stream.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum CreateError {
    /// The description excludes this number of channels.
    #[error("effect `{effect}` takes {}, not {given}", channels(*min, *max))]
    ChannelCount {
        /// Name of the effect.
        effect: String,
        /// Channels of the stream.
        given: usize,
        /// Fewest it takes.
        min: u32,
        /// Most it takes.
        max: u32,
    },
    /// The description excludes this sample rate.
    #[error("effect `{effect}` takes sample rates of {expected} Hz, not {given_hz} Hz")]
    SampleRate {
        /// Name of the effect.
        effect: String,
        /// Rate of the stream.
        given_hz: u32,
        /// Rates it takes.
        expected: String,
    },
    /// A call failed before the first block.
    #[error("{0}")]
    Failed(Failure),
    /// An address that cannot be used.
    #[error("effect `{effect}`: {reason}")]
    Planes {
        /// Name of the effect.
        effect: String,
        /// Which export returned what.
        reason: String,
    },
    /// A latency beyond the limit.
    #[error("effect `{effect}` has a latency of {latency_s:.1} s; at most {max_s} s are allowed")]
    Latency {
        /// Name of the effect.
        effect: String,
        /// Its latency.
        latency_s: f64,
        /// The limit.
        max_s: u64,
    },
    /// Instances with the same parameters for the same stream said different things.
    #[error("effect `{effect}`: its instances differ in latency or tail for the same parameters")]
    Unequal {
        /// Name of the effect.
        effect: String,
    },
}

/// A range of channel counts in words.
fn channels(min: u32, max: u32) -> String {
    match (min, max) {
        (1, 1) => "1 channel".into(),
        (min, max) if min == max => format!("{min} channels"),
        (min, max) => format!("{min} to {max} channels"),
    }
}
