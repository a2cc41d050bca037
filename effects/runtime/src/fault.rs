//! Why a call of a module ended badly, small enough for the audio thread.

use std::fmt;
use wasmtime::Trap;
use wavemill_core::units::Frames;

/// Why a call ended badly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Its deadline passed.
    OutOfTime,
    /// All calls for the file took too long together.
    OutOfFileTime,
    /// It used up the stack.
    StackOverflow,
    /// It read or wrote beyond its memory.
    OutOfBounds,
    /// It gave up: a panic, an `abort` or an `unreachable`.
    GaveUp,
    /// Another trap.
    Trap(Trap),
    /// Something of the host's failed.
    Host,
    /// `fx_create` or `fx_process` returned this, which the contract does not know.
    Returned(i32),
    /// A sample that is no number, or beyond the largest amplitude.
    Sample {
        /// What it wrote.
        value: f32,
        /// Channel of the stream.
        channel: u32,
    },
    /// The block does not have the channels the effect was made for; a bug of the caller.
    Channels,
}

impl Fault {
    pub(crate) fn of(error: &wasmtime::Error) -> Self {
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt | Trap::OutOfFuel) => Self::OutOfTime,
            Some(Trap::StackOverflow) => Self::StackOverflow,
            Some(Trap::MemoryOutOfBounds | Trap::HeapMisaligned) => Self::OutOfBounds,
            Some(Trap::UnreachableCodeReached) => Self::GaveUp,
            Some(other) => Self::Trap(*other),
            None if error.is::<Abort>() => Self::GaveUp,
            None => Self::Host,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfTime => f.write_str("took too long and was stopped"),
            Self::OutOfFileTime => f.write_str("took too long for the whole file and was stopped"),
            Self::StackOverflow => f.write_str("overflowed its stack; look for endless recursion"),
            Self::OutOfBounds => f.write_str("accessed memory out of bounds"),
            Self::GaveUp => f.write_str("gave up"),
            Self::Trap(trap) => {
                let text = trap.to_string();
                write!(f, "trapped: {}", text.strip_prefix("wasm trap: ").unwrap_or(&text))
            }
            Self::Host => f.write_str("could not be run"),
            Self::Returned(-1) => f.write_str("returned the error -1"),
            Self::Returned(-2) => f.write_str("does not support this sample rate (-2)"),
            Self::Returned(-3) => f.write_str("does not support this number of channels (-3)"),
            Self::Returned(-4) => f.write_str("does not have enough memory (-4)"),
            Self::Returned(-5) => {
                f.write_str("does not support this combination of parameters (-5)")
            }
            Self::Returned(code) if *code < 0 => write!(f, "returned its own error {code}"),
            Self::Returned(code) => {
                write!(f, "returned {code}, which the contract does not allow")
            }
            Self::Sample { value, channel } if value.is_finite() => {
                write!(f, "wrote {value:e} to channel {channel}, which is beyond +-1e6")
            }
            Self::Sample { value, channel } => {
                let what = if value.is_nan() { "a NaN" } else { "an infinity" };
                write!(f, "wrote {what} to channel {channel}")
            }
            Self::Channels => {
                f.write_str("got a block with another number of channels than it was created for")
            }
        }
    }
}

/// A fault with all that is known about it, in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Name of the effect from its description.
    pub(crate) effect: String,
    /// Export that was called.
    pub(crate) call: &'static str,
    pub(crate) fault: Fault,
    /// What the engine says where the module is not to blame.
    pub(crate) engine: Option<String>,
    /// First frame of the stream that the call was about; `None` outside the stream.
    pub(crate) at: Option<Frames>,
    /// What the module said by `fx_error` or `env.abort`.
    pub(crate) said: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "effect `{}`: {} {}", self.effect, self.call, self.fault)?;
        if let Some(engine) = &self.engine {
            write!(f, ": {engine}")?;
        }
        if let Some(at) = self.at {
            write!(f, ", at frame {}", at.0)?;
        }
        match &self.said {
            Some(said) => write!(f, "; it said: {said}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// What the host function `env.abort` ends an instance with.
#[derive(Debug)]
pub(crate) struct Abort;

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("env.abort")
    }
}

impl std::error::Error for Abort {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_one_line_with_name_reason_place_and_words() {
        let failure = Failure {
            effect: "Half".into(),
            call: "fx_process",
            fault: Fault::Sample { value: f32::NAN, channel: 1 },
            engine: None,
            at: Some(Frames(4096)),
            said: Some("boom".into()),
        };
        assert_eq!(
            failure.to_string(),
            "effect `Half`: fx_process wrote a NaN to channel 1, at frame 4096; it said: boom"
        );
    }

    #[test]
    fn absurd_amplitude_is_named_with_its_value() {
        let fault = Fault::Sample { value: 1e30, channel: 0 };
        assert_eq!(fault.to_string(), "wrote 1e30 to channel 0, which is beyond +-1e6");
    }

    #[test]
    fn every_error_of_the_contract_has_words() {
        assert_eq!(Fault::Returned(-4).to_string(), "does not have enough memory (-4)");
        assert_eq!(Fault::Returned(-77).to_string(), "returned its own error -77");
        assert_eq!(Fault::Returned(2).to_string(), "returned 2, which the contract does not allow");
    }
}
