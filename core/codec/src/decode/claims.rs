//! Holds a header's claims against [`wavemill_audio::limits`] before anything is allocated because of them.

use super::DecodeError;
use wavemill_audio::limits::{
    CHANNEL_COUNT_MAX, DURATION_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN,
};
use wavemill_audio::units::{Frames, SampleRate};

/// Checks rate and channels.
pub(super) fn check_stream(sample_rate_hz: u64, channel_count: u64) -> Result<u32, DecodeError> {
    check("channels", channel_count, 1, CHANNEL_COUNT_MAX as u64)?;
    let (min, max) = (u64::from(SAMPLE_RATE_HZ_MIN), u64::from(SAMPLE_RATE_HZ_MAX));
    check("Hz of sample rate", sample_rate_hz, min, max)?;
    Ok(u32::try_from(sample_rate_hz).expect("was just checked to be below a u32"))
}

/// Checks the length.
pub(super) fn check_frames(frame_count: u64, sample_rate_hz: u32) -> Result<Frames, DecodeError> {
    let max = DURATION_MAX.to_frames(SampleRate(sample_rate_hz)).0;
    check("frames", frame_count, 0, max)?;
    Ok(Frames(frame_count))
}

fn check(what: &'static str, value: u64, min: u64, max: u64) -> Result<(), DecodeError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(DecodeError::OutOfLimits { what, value, min, max })
    }
}
