//! Finds the frames of an MP3 file.

use super::header::{FrameHeader, HEADER_BYTES, HeaderError};
use super::{BUFFER_BYTES, InfoTag};
use crate::decode::chunks::{read_at, read_up_to};
use crate::decode::{DecodeError, Source, id3};
use std::io::{BufReader, Read, Seek, SeekFrom};

/// How far the first frame is looked for after the ID3 tags; some taggers leave gaps.
const SEARCH_BYTES: usize = 64 * 1024;

/// Frames in a row that make bytes an MP3 file. Random bytes look like one header in 2^13 places; a
/// second, third and fourth at the right distance are chance no more.
const CHAIN_FRAMES: usize = 4;

/// What a walk over all frames found.
pub(in crate::decode) struct Walk {
    pub(super) header: FrameHeader,
    pub(super) tag: Option<InfoTag>,
    /// First byte of the first frame of sound.
    pub(super) audio_start: u64,
    /// First byte after the last whole frame.
    pub(super) end: u64,
    /// Frames of sound.
    pub(super) mpeg_frame_count: u64,
    /// First byte of the tag's frame or else of the sound.
    start: u64,
    /// Bytes that the last, incomplete frame has, and should have.
    partial: Option<(u64, u64)>,
    /// Bytes after `end` that are neither frames nor a known tag.
    has_junk: bool,
}

/// The first byte of the first frame, if this is an MP3 file.
///
/// # Errors
/// For MPEG audio that is not decoded: layers I and II, and free format.
pub(in crate::decode) fn find(
    source: &mut dyn Source,
    tags_end: u64,
    byte_count: u64,
) -> Result<Option<u64>, DecodeError> {
    let bytes = read_up_to(source, tags_end, SEARCH_BYTES)?;
    for (offset, window) in bytes.windows(HEADER_BYTES).enumerate() {
        let Some(header) = window.first_chunk().filter(|bytes| bytes[0] == 0xff) else { continue };
        let header = FrameHeader::parse(*header);
        let start = tags_end + offset as u64;
        match header {
            Ok(header) if header.layer != 3 => {
                // Their lengths are not known here: only right at the start are they believed.
                if offset == 0 && has_second_of_layer(&bytes, header.layer) {
                    let what = format!("MPEG audio layer {}", header.layer);
                    return Err(DecodeError::unsupported(what));
                }
            }
            Ok(header) => {
                let (chain, at_end) = chain(source, start, byte_count, &header)?;
                if chain >= CHAIN_FRAMES || (at_end && (offset == 0 || chain + 1 >= CHAIN_FRAMES)) {
                    return Ok(Some(start));
                }
            }
            Err(HeaderError::FreeFormat) if offset == 0 && tags_end > 0 => {
                return Err(DecodeError::unsupported("MP3 in free format"));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

/// What stands between the tags and the first frame, at `start`, in a line: a start of the sound that is damaged or was
/// cut off looks so. `None` where there is nothing, or zeros that fill.
pub(super) fn passed_over(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<Option<String>, DecodeError> {
    let tags_end = id3::skip(source, byte_count)?;
    let count = start.saturating_sub(tags_end);
    let bytes = read_up_to(source, tags_end, usize::try_from(count).unwrap_or(SEARCH_BYTES))?;
    let is_filling = bytes.iter().all(|byte| *byte == 0);
    Ok((!is_filling).then(|| format!("skipped {count} bytes before the first frame")))
}

/// Whether a second header of the layer stands within the longest frame of it.
fn has_second_of_layer(bytes: &[u8], layer: u8) -> bool {
    let within = &bytes[HEADER_BYTES..bytes.len().min(2048)];
    within.windows(HEADER_BYTES).any(|window| {
        let same = |header: FrameHeader| header.layer == layer;
        window.first_chunk().is_some_and(|&bytes| FrameHeader::parse(bytes).is_ok_and(same))
    })
}

/// Frames in a row from `start`, up to [`CHAIN_FRAMES`], and whether the file's end stopped it.
fn chain(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
    first: &FrameHeader,
) -> Result<(usize, bool), DecodeError> {
    let mut position = start;
    for count in 0..CHAIN_FRAMES {
        if position + HEADER_BYTES as u64 > byte_count {
            return Ok((count, true));
        }
        let mut bytes = [0; HEADER_BYTES];
        read_at(source, position, &mut bytes)?;
        match FrameHeader::parse(bytes) {
            Ok(header) if header.continues(first) => position += header.frame_bytes,
            _ => return Ok((count, count > 0 && is_trailer(bytes))),
        }
    }
    Ok((CHAIN_FRAMES, false))
}

/// Walks over all frames from the first one, at `start`.
pub(in crate::decode) fn walk(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<Walk, DecodeError> {
    source.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, source);
    let (header, first) = first_frame(&mut reader, byte_count - start)?;
    let tag = InfoTag::parse(&header, &first);
    let mut walk = Walk {
        header,
        tag,
        audio_start: if tag.is_some() { start + header.frame_bytes } else { start },
        end: start,
        mpeg_frame_count: 0,
        start,
        partial: None,
        has_junk: false,
    };
    // Back to the first frame of sound.
    reader.seek(SeekFrom::Start(walk.audio_start.min(byte_count)))?;
    walk.end = walk.audio_start.min(byte_count);
    while byte_count - walk.end >= HEADER_BYTES as u64 {
        let mut bytes = [0; HEADER_BYTES];
        reader.read_exact(&mut bytes)?;
        let Some(next) = FrameHeader::parse(bytes).ok().filter(|next| next.continues(&header))
        else {
            walk.has_junk = !is_trailer(bytes) && !is_all_zero(&mut reader, bytes)?;
            return Ok(walk);
        };
        if next.frame_bytes > byte_count - walk.end {
            walk.partial = Some((byte_count - walk.end, next.frame_bytes));
            return Ok(walk);
        }
        walk.end += next.frame_bytes;
        walk.mpeg_frame_count += 1;
        let rest = next.frame_bytes - HEADER_BYTES as u64;
        reader.seek_relative(i64::try_from(rest).expect("a frame has a few thousand bytes"))?;
    }
    Ok(walk)
}

/// The first frame and its header; shorter when the file is.
fn first_frame(
    reader: &mut (impl Read + ?Sized),
    byte_count: u64,
) -> Result<(FrameHeader, Vec<u8>), DecodeError> {
    let mut frame = Vec::new();
    reader.take(HEADER_BYTES as u64).read_to_end(&mut frame)?;
    let header = frame.first_chunk().and_then(|bytes| FrameHeader::parse(*bytes).ok());
    let header =
        header.ok_or_else(|| DecodeError::damaged("it changed while it was being read"))?;
    let rest = header.frame_bytes.min(byte_count).saturating_sub(HEADER_BYTES as u64);
    reader.take(rest).read_to_end(&mut frame)?;
    Ok((header, frame))
}

/// Whether something that is known to follow the sound starts here.
///
/// Sources: `ID3v1` ("TAG", and "TAG+" of its enhanced form), `APEv2`, Lyrics3 1 and 2, appended
/// `ID3v2.4` with its footer.
pub(super) fn is_trailer(bytes: [u8; HEADER_BYTES]) -> bool {
    bytes.starts_with(b"TAG")
        || &bytes == b"APET"
        || &bytes == b"LYRI"
        || bytes.starts_with(b"ID3")
        || bytes.starts_with(b"3DI")
}

fn is_all_zero(reader: &mut impl Read, read: [u8; HEADER_BYTES]) -> Result<bool, DecodeError> {
    if read != [0; HEADER_BYTES] {
        return Ok(false);
    }
    let mut buffer = [0; 4096];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(true),
            count if buffer[..count].iter().any(|&byte| byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

impl Walk {
    /// Fails when frames are missing.
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if let Some((promised, actual)) = self.shortfall() {
            return Err(DecodeError::truncated(promised, actual));
        }
        if self.has_junk && !self.is_as_long_as_promised() {
            let frame = self.mpeg_frame_count * self.header.frame_count();
            return Err(DecodeError::damaged(format!(
                "no MP3 frame at byte {}, near frame {frame}",
                self.end
            )));
        }
        if self.mpeg_frame_count == 0 {
            return Err(DecodeError::damaged("it holds no audio"));
        }
        Ok(())
    }

    /// What is missing, if it is known that something is.
    fn shortfall(&self) -> Option<(String, String)> {
        let tag = self.tag.unwrap_or_default();
        if let Some(promised) = tag.byte_count.filter(|&promised| self.byte_count() < promised)
            && tag.mpeg_frame_count.is_none_or(|count| self.mpeg_frame_count < count)
        {
            return Some((format!("{promised} bytes"), format!("{} bytes", self.byte_count())));
        }
        if let Some(promised) = tag.mpeg_frame_count.filter(|&count| self.mpeg_frame_count < count)
            && tag.byte_count.is_none()
        {
            let actual = self.mpeg_frame_count;
            return Some((format!("{promised} MP3 frames"), actual.to_string()));
        }
        let (actual, promised) = self.partial?;
        (!self.is_as_long_as_promised())
            .then(|| (format!("{promised} bytes of its last MP3 frame"), actual.to_string()))
    }

    /// Whether the tag's frame count is there.
    fn is_as_long_as_promised(&self) -> bool {
        let count = self.tag.and_then(|tag| tag.mpeg_frame_count);
        count.is_some_and(|count| self.mpeg_frame_count >= count)
    }

    fn byte_count(&self) -> u64 {
        self.end - self.start.min(self.end)
    }
}

/// Bytes the file has by its first frame's account, if that frame says so.
pub(in crate::decode) fn promised_bytes(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<Option<u64>, DecodeError> {
    source.seek(SeekFrom::Start(start))?;
    let (header, frame) = first_frame(source, byte_count - start)?;
    if (frame.len() as u64) < header.frame_bytes {
        return Ok(Some(start + header.frame_bytes));
    }
    let tag = InfoTag::parse(&header, &frame);
    Ok(tag.and_then(|tag| tag.byte_count).map(|count| start + count))
}
