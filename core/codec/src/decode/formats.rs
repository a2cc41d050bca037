//! What can be read, as `wavemill formats` and the watched folders' default filter know it.

/// A container that is read. Its content decides; the extension only says which files to look at.
#[derive(Debug)]
pub struct ReadFormat {
    /// As [`super::StreamInfo::container`].
    pub name: &'static str,
    /// Usual extensions of its files, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// Codecs inside it that are read.
    pub codecs: &'static [&'static str],
    /// One sentence: what it is.
    pub summary: &'static str,
}

/// What is read in WAVE.
const WAVE_CODECS: &[&str] = &["pcm", "mulaw", "alaw", "ima-adpcm", "ms-adpcm", "mp3"];

/// What is read in AIFC, and in CAF without Apple Lossless.
const APPLE_CODECS: &[&str] = &["pcm", "mulaw", "alaw", "ima-adpcm"];

/// What is read in CAF.
const CAF_CODECS: &[&str] = &["pcm", "mulaw", "alaw", "ima-adpcm", "alac"];

/// What is read in Matroska.
#[cfg(feature = "matroska")]
const MATROSKA_CODECS: &[&str] = &[
    "pcm",
    "vorbis",
    "flac",
    "mp3",
    #[cfg(feature = "opus")]
    "opus",
    #[cfg(feature = "mpeg4")]
    "aac",
    #[cfg(feature = "mpeg4")]
    "alac",
];

/// What is read in MPEG-4.
#[cfg(feature = "mpeg4")]
const MPEG4_CODECS: &[&str] = &[
    "aac",
    "alac",
    "flac",
    "mp3",
    #[cfg(feature = "opus")]
    "opus",
    "pcm",
];

/// Every container that is read, by name.
#[rustfmt::skip]
pub const FORMATS: &[ReadFormat] = &[
    #[cfg(feature = "mpeg4")]
    ReadFormat { name: "aac", extensions: &["aac"], codecs: &["aac"],
        summary: "AAC-LC and HE-AAC in ADTS; padding cannot be removed, because the format does \
            not mark it." },
    ReadFormat { name: "aiff", extensions: &["aif", "aiff", "aifc"], codecs: APPLE_CODECS,
        summary: "AIFF and AIFC with 8- to 32-bit or float samples, mu-law, A-law or IMA ADPCM." },
    ReadFormat { name: "caf", extensions: &["caf"], codecs: if cfg!(feature = "mpeg4") { CAF_CODECS } else { APPLE_CODECS },
        summary: "Core Audio Format with 8- to 32-bit or float samples, mu-law, A-law, IMA ADPCM \
            or ALAC." },
    ReadFormat { name: "flac", extensions: &["flac"], codecs: &["flac"],
        summary: "FLAC, the free lossless codec." },
    #[cfg(feature = "matroska")]
    ReadFormat { name: "matroska", extensions: &["mka", "mkv", "webm"], codecs: MATROSKA_CODECS,
        summary: "Matroska and WebM, also with video; encoder delay and padding are removed." },
    ReadFormat { name: "mp3", extensions: &["mp3"], codecs: &["mp3"],
        summary: "MPEG audio layer III; encoder delay and padding are removed." },
    #[cfg(feature = "mpeg4")]
    ReadFormat { name: "mp4", extensions: &["m4a", "m4b", "mp4", "mov"], codecs: MPEG4_CODECS,
        summary: "MPEG-4 and QuickTime, also fragmented or with video; encoder delay and padding \
            are removed." },
    ReadFormat {
        name: "ogg",
        extensions: &["ogg", "oga", #[cfg(feature = "opus")] "opus"],
        codecs: &["vorbis", "flac", #[cfg(feature = "opus")] "opus"],
        summary: "Ogg with Vorbis, FLAC or, if built in, Opus; encoder delay and padding are \
            removed.",
    },
    ReadFormat { name: "w64", extensions: &["w64"], codecs: WAVE_CODECS,
        summary: "Sony Wave64, with the same codecs as WAVE." },
    ReadFormat { name: "wav", extensions: &["wav", "wave", "bwf", "rf64"], codecs: WAVE_CODECS,
        summary: "WAVE, RF64 and Broadcast Wave with 8- to 32-bit or float samples, mu-law, A-law, \
            ADPCM or MP3." },
];

/// The extensions of all these formats, lower case, without the dot.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().flat_map(|format| format.extensions.iter().copied())
}
