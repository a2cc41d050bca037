//! What a file is, by its first bytes.

#[cfg(feature = "mpeg4")]
use super::aac::adts;
use super::chunks::read_up_to;
use super::{DecodeError, Source, id3, mpeg, wave64};

/// A kind of file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Wav,
    /// Sony Wave64.
    Wave64,
    Aiff,
    /// Core Audio Format.
    Caf,
    /// The stream marker stands at byte `start`, after ID3 tags.
    Flac {
        start: u64,
    },
    Ogg,
    /// The first frame stands at byte `start`, after ID3 tags and padding.
    Mpeg {
        start: u64,
    },
    #[cfg(feature = "matroska")]
    Matroska,
    #[cfg(feature = "mpeg4")]
    Mpeg4,
    /// AAC, whose first frame stands at byte `start`, after ID3 tags.
    #[cfg(feature = "mpeg4")]
    Adts {
        start: u64,
    },
}

/// Bytes looked at.
const HEAD_BYTES: usize = 4096;

/// Finds out what a file of `byte_count` bytes is.
pub(crate) fn detect(
    source: &mut dyn Source,
    byte_count: u64,
    extension: Option<&str>,
) -> Result<Kind, DecodeError> {
    let head = read_up_to(source, 0, HEAD_BYTES)?;
    let form = head.get(8..12);
    match head.first_chunk::<4>() {
        Some(b"RIFF" | b"RF64" | b"BW64") if form == Some(b"WAVE") => return Ok(Kind::Wav),
        Some(b"FORM") if form == Some(b"AIFF") || form == Some(b"AIFC") => return Ok(Kind::Aiff),
        Some(b"OggS") => return Ok(Kind::Ogg),
        Some(b"caff") => return Ok(Kind::Caf),
        Some(_) if head.starts_with(wave64::RIFF) => return Ok(Kind::Wave64),
        _ => {}
    }
    if let Some(what) = unsupported(&head) {
        return Err(DecodeError::unsupported(what));
    }
    if head.starts_with(b"\x1a\x45\xdf\xa3") {
        #[cfg(feature = "matroska")]
        return Ok(Kind::Matroska);
        #[cfg(not(feature = "matroska"))]
        return Err(not_built("Matroska or WebM", "matroska"));
    }
    if is_mpeg4(&head) {
        #[cfg(feature = "mpeg4")]
        return Ok(Kind::Mpeg4);
        #[cfg(not(feature = "mpeg4"))]
        return Err(not_built("MPEG-4", "mpeg4"));
    }
    let start = id3::skip(source, byte_count)?;
    let behind = read_up_to(source, start, HEAD_BYTES)?;
    if behind.starts_with(b"fLaC") {
        return Ok(Kind::Flac { start });
    }
    if let Some(what) = unsupported(&behind) {
        return Err(DecodeError::unsupported(what));
    }
    // 12 bits of sync and layer 0, which MPEG audio does not have.
    if behind.first() == Some(&0xff) && behind.get(1).is_some_and(|second| second & 0xf6 == 0xf0) {
        #[cfg(feature = "mpeg4")]
        if adts::is_adts(source, start, byte_count)? {
            return Ok(Kind::Adts { start });
        }
        #[cfg(not(feature = "mpeg4"))]
        return Err(not_built("AAC (ADTS)", "mpeg4"));
    }
    if let Some(start) = mpeg::find(source, start, byte_count)? {
        return Ok(Kind::Mpeg { start });
    }
    Err(DecodeError::Unrecognized { hint: hint(&head, extension) })
}

/// Whether a file begins with an atom that MPEG-4 and `QuickTime` files begin with.
fn is_mpeg4(head: &[u8]) -> bool {
    let known: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    head.get(4..8).is_some_and(|name| known.contains(&name))
}

/// What is said of a format that another build reads.
#[cfg(not(all(feature = "matroska", feature = "mpeg4")))]
pub(super) fn not_built(what: &str, feature: &str) -> DecodeError {
    DecodeError::unsupported(format!("{what} (needs a build with `--features {feature}`)"))
}

/// Names the format of a file that is known but not read.
fn unsupported(head: &[u8]) -> Option<String> {
    #[rustfmt::skip]
    let at_start: [(&[u8], &str); 17] = [
        (b"RIFX", "big-endian RIFF (RIFX)"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (ASF)"),
        (b"MAC ", "Monkey's Audio (APE)"),
        (b"wvpk", "WavPack"),
        (b"TTA1", "True Audio (TTA)"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"DSD ", "DSD (DSF)"),
        (b"FRM8", "DSD (DSDIFF)"),
        (b".snd", "Sun/NeXT audio (AU)"),
        (b"#!AMR", "AMR"),
        (b"MThd", "MIDI, which contains notes, not audio"),
        (b"\x0b\x77", "AC-3"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"ADIF", "AAC (ADIF)"),
        (b"FLV\x01", "Flash video"),
        (b".RMF", "RealMedia"),
    ];
    if let Some((_, what)) = at_start.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some((*what).to_owned());
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ") {
        return Some("AVI video".into());
    }
    // Packets of 188 bytes that start with 0x47.
    if [0, 188, 376].iter().all(|&offset| head.get(offset) == Some(&0x47)) {
        return Some("an MPEG transport stream".into());
    }
    None
}

/// What a file that nobody knows looks like.
fn hint(head: &[u8], extension: Option<&str>) -> Option<String> {
    #[rustfmt::skip]
    let magics: [(&[u8], &str); 8] = [
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG", "a PNG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"Rar!", "a RAR archive"),
        (b"\x7fELF", "a program"),
    ];
    if let Some((_, what)) = magics.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(format!("it is {what}"));
    }
    if head.iter().all(|&byte| byte == 0) {
        return Some("it starts with zeros".into());
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if head.iter().all(is_text) && std::str::from_utf8(&head[..head.len().min(64)]).is_ok() {
        return Some("it looks like text".into());
    }
    let extension = extension?;
    let is_plain = extension.len() <= 8 && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    is_plain.then(|| format!("its content does not match the extension .{extension}"))
}
