//! The chunks of a CAF file.

use crate::decode::chunks::{read_at, read_up_to, u16_be, u32_be, u64_be};
use crate::decode::{Damaged, DecodeError, Source, claims, core_audio};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// Bytes of a chunk's name and length.
const HEADER_BYTES: usize = 12;

/// First byte of the first chunk, after the file's name, version and flags.
const CHUNKS_START: usize = 8;

/// Bytes of `desc`.
const DESCRIPTION_BYTES: usize = 32;

/// Bytes of a codec's configuration that are looked at.
const COOKIE_BYTES_MAX: usize = 4096;

/// Bytes of the number of edits, before the samples.
const EDIT_COUNT_BYTES: u64 = 4;

/// Where everything is.
#[derive(Default)]
pub(in crate::decode) struct Header {
    pub(super) description: Option<Description>,
    /// The channel layout.
    pub(super) chan: Option<Vec<u8>>,
    /// The codec's configuration.
    pub(super) cookie: Option<Vec<u8>>,
    /// The table of packets.
    pub(super) packets: Option<Range>,
    pub(in crate::decode) data: Option<Data>,
    /// Tags.
    information: Option<Range>,
    pub(super) markers: Option<Range>,
    /// Names of markers.
    pub(super) strings: Option<Range>,
    /// Whether something that is no chunk follows the samples of a file to repair.
    pub(super) has_odd_rest: bool,
    /// The furthest end that a chunk claims.
    end: u64,
}

/// Bytes `[start, end)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The `data` chunk.
#[derive(Clone, Copy, Debug)]
pub(in crate::decode) struct Data {
    /// First byte of the samples.
    pub(in crate::decode) start: u64,
    /// Bytes of samples; `None` when its writer did not know.
    pub(in crate::decode) claimed: Option<u64>,
}

/// The `desc` chunk.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) sample_rate_hz: u64,
    pub(super) format: [u8; 4],
    pub(super) flags: u32,
    /// 0 where packets differ.
    pub(super) packet_bytes: u32,
    /// 0 where packets differ.
    pub(super) packet_frames: u32,
    pub(super) channel_count: u32,
    pub(super) bits: u32,
}

impl Header {
    /// Bytes the file has by its own account.
    pub(in crate::decode) fn promised(&self) -> u64 {
        self.end
    }
}

/// Finds the chunks that matter.
pub(in crate::decode) fn read_header(
    source: &mut dyn Source,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Header, DecodeError> {
    let start = read_up_to(source, 0, CHUNKS_START)?;
    match u16_be(&start, 4) {
        Some(1) => {}
        Some(version) => return Err(DecodeError::unsupported(format!("CAF of version {version}"))),
        None => return Err(DecodeError::truncated("a header", format_args!("{byte_count} bytes"))),
    }
    let mut header = Header::default();
    let mut position = CHUNKS_START as u64;
    for _ in 0..CHUNK_COUNT_MAX {
        let head = read_up_to(source, position, HEADER_BYTES)?;
        let (Some(name), Some(length)) = (head.first_chunk::<4>(), u64_be(&head, 4)) else {
            return Ok(header);
        };
        if *name == [0; 4] && header.data.is_some() {
            // Zeros that pad a file are no chunk.
            return Ok(header);
        }
        let start = position + HEADER_BYTES as u64;
        let is_open_ended = length == u64::MAX;
        if header.data.is_some() && damaged.is_repaired() && length > i64::MAX as u64 {
            // What follows the samples is not where it should be.
            header.has_odd_rest = true;
            return Ok(header);
        }
        if is_open_ended && name != b"data" || !is_open_ended && length > i64::MAX as u64 {
            return Err(DecodeError::damaged(format!(
                "its chunk `{}` has a negative length",
                name.escape_ascii()
            )));
        }
        let end = if is_open_ended { byte_count } else { start.saturating_add(length) };
        header.end = header.end.max(end);
        header.add(source, *name, Range { start, end }, is_open_ended, byte_count)?;
        if end >= byte_count {
            return Ok(header);
        }
        position = end;
    }
    Err(DecodeError::damaged(format!("more than {CHUNK_COUNT_MAX} chunks")))
}

impl Header {
    /// Looks at a chunk.
    fn add(
        &mut self,
        source: &mut dyn Source,
        name: [u8; 4],
        range: Range,
        is_open_ended: bool,
        byte_count: u64,
    ) -> Result<(), DecodeError> {
        let mut read = |count_max: usize| range.read(source, count_max, byte_count);
        match &name {
            b"desc" if self.description.is_none() => {
                self.description = Some(Description::parse(&read(DESCRIPTION_BYTES)?)?);
            }
            b"chan" if self.chan.is_none() => self.chan = Some(read(core_audio::CHAN_BYTES)?),
            b"kuki" if self.cookie.is_none() => self.cookie = Some(read(COOKIE_BYTES_MAX)?),
            b"pakt" if self.packets.is_none() => self.packets = Some(range),
            b"info" if self.information.is_none() => self.information = Some(range),
            b"mark" if self.markers.is_none() => self.markers = Some(range),
            b"strg" if self.strings.is_none() => self.strings = Some(range),
            b"data" if self.data.is_none() => {
                let length = (range.end - range.start).saturating_sub(EDIT_COUNT_BYTES);
                let start = range.start.saturating_add(EDIT_COUNT_BYTES);
                self.data = Some(Data { start, claimed: (!is_open_ended).then_some(length) });
            }
            _ => {}
        }
        Ok(())
    }
}

impl Range {
    /// Up to `count_max` bytes of it that are there.
    pub(super) fn read(
        self,
        source: &mut dyn Source,
        count_max: usize,
        byte_count: u64,
    ) -> Result<Vec<u8>, DecodeError> {
        let there = self.end.min(byte_count).saturating_sub(self.start);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or(usize::MAX).min(count_max)];
        read_at(source, self.start, &mut bytes)?;
        Ok(bytes)
    }
}

impl Description {
    fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let read = || {
            let field = |offset| u32_be(bytes, offset);
            Some(Self {
                sample_rate_hz: whole(f64::from_bits(u64_be(bytes, 0)?)),
                format: *bytes.get(8..)?.first_chunk()?,
                flags: field(12)?,
                packet_bytes: field(16)?,
                packet_frames: field(20)?,
                channel_count: field(24)?,
                bits: field(28)?,
            })
        };
        let read = read().ok_or_else(|| DecodeError::damaged("its `desc` chunk is cut short"))?;
        // Before anything is divided by it or allocated for it.
        claims::check_stream(read.sample_rate_hz, read.channel_count.into())?;
        Ok(read)
    }
}

/// A rate in whole Hz; 0 for what is no rate.
fn whole(rate_hz: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of floats ends at the largest and smallest numbers, and NaN becomes 0"
    )]
    let whole = rate_hz.round() as u64;
    whole
}

/// The pairs of names and texts of the `info` chunk, of `byte_count_max` bytes at most.
pub(crate) fn information(
    source: &mut dyn Source,
    byte_count_max: usize,
) -> Result<Vec<(String, String)>, DecodeError> {
    let byte_count = crate::decode::byte_count(source)?;
    let header = read_header(source, byte_count, Damaged::Refuse)?;
    let Some(range) = header.information else { return Ok(Vec::new()) };
    let bytes = range.read(source, byte_count_max, byte_count)?;
    let mut texts = bytes.get(4..).unwrap_or_default().split(|&byte| byte == 0);
    let mut text = || Some(String::from_utf8_lossy(texts.next()?).into_owned());
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (text(), text()) {
        pairs.push((name, value));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_are_none_are_zero_or_too_large() {
        assert_eq!(whole(44_100.2), 44_100);
        assert_eq!([f64::NAN, -1.0, 0.2].map(whole), [0; 3]);
        assert_eq!(whole(f64::INFINITY), u64::MAX);
    }
}
