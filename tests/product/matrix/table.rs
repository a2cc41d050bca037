//! The matrix: what makes which files at which rates with how many channels.

/// How our decoding is held against that of ffmpeg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Equal {
    /// Every sample, bit for bit.
    Bits,
    /// As floats, within this difference.
    Within(f32),
}

/// How long a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// As what it was made from.
    Source,
    /// As ffmpeg decodes it: the format does not say where the audio ends.
    Decoded,
}

/// Files of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Program; ffmpeg makes all of its kinds in one call.
    pub(crate) tool: &'static str,
    /// Its options; `IN` and `OUT` stand for the files where it is not ffmpeg.
    pub(crate) options: &'static [&'static str],
    /// Extension.
    pub(crate) extension: &'static str,
    pub(crate) rates_hz: &'static [u32],
    pub(crate) channels: &'static [usize],
    pub(crate) equal: Equal,
    pub(crate) length: Length,
}

const PCM_RATES: &[u32] = &[8_000, 22_050, 44_100, 48_000, 96_000, 192_000];
const SOME_RATES: &[u32] = &[44_100, 96_000];
const MUSIC_RATES: &[u32] = &[22_050, 44_100, 48_000];
const MPEG_RATES: &[u32] = &[8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const OPUS_RATE: &[u32] = &[48_000];
const MANY: &[usize] = &[1, 2, 6, 8];
const STEREO: &[usize] = &[1, 2];
const SURROUND: &[usize] = &[1, 2, 6];

/// Decoders of Vorbis, MP3 and AAC differ by so much: they compute with floats in other orders.
const FLOATS: Equal = Equal::Within(1e-5);

/// Of libopus, which ffmpeg is asked to decode with: its own decoder of Opus is 0.004 off where channels
/// have little in common, and a bound on that would say nothing of ours.
const OPUS: Equal = Equal::Within(2e-5);

const fn ffmpeg(extension: &'static str, options: &'static [&'static str]) -> Row {
    Row {
        tool: "ffmpeg",
        options,
        extension,
        rates_hz: PCM_RATES,
        channels: MANY,
        equal: Equal::Bits,
        length: Length::Source,
    }
}

/// With 7.1 ffmpeg writes the name of Apple's order and the samples in its own.
const fn core_audio(extension: &'static str, options: &'static [&'static str]) -> Row {
    Row { channels: SURROUND, ..ffmpeg(extension, options) }
}

const fn coded(
    extension: &'static str,
    options: &'static [&'static str],
    rates_hz: &'static [u32],
    channels: &'static [usize],
    equal: Equal,
) -> Row {
    Row { rates_hz, channels, equal, ..ffmpeg(extension, options) }
}

const fn by(row: Row, tool: &'static str) -> Row {
    Row { tool, ..row }
}

/// Every row.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    ffmpeg("u8.wav", &["-c:a", "pcm_u8"]),
    ffmpeg("s16.wav", &["-c:a", "pcm_s16le"]),
    ffmpeg("s24.wav", &["-c:a", "pcm_s24le"]),
    ffmpeg("s32.wav", &["-c:a", "pcm_s32le"]),
    ffmpeg("f32.wav", &["-c:a", "pcm_f32le"]),
    ffmpeg("rf64.wav", &["-c:a", "pcm_s24le", "-rf64", "always"]),
    core_audio("s16.aiff", &["-c:a", "pcm_s16be"]),
    core_audio("s24.aiff", &["-c:a", "pcm_s24be"]),
    core_audio("s32.aiff", &["-c:a", "pcm_s32be"]),
    core_audio("s16.caf", &["-c:a", "pcm_s16be"]),
    core_audio("s24.caf", &["-c:a", "pcm_s24le"]),
    core_audio("f32.caf", &["-c:a", "pcm_f32be"]),
    Row { length: Length::Decoded, ..ffmpeg("s16.w64", &["-c:a", "pcm_s16le"]) },
    Row { length: Length::Decoded, ..ffmpeg("s24.w64", &["-c:a", "pcm_s24le"]) },
    ffmpeg("f32.w64", &["-c:a", "pcm_f32le"]),
    ffmpeg("s24.mka", &["-c:a", "pcm_s24le"]),
    ffmpeg("16.flac", &["-c:a", "flac", "-sample_fmt", "s16"]),
    // ffmpeg does not read frames as long as those it makes by itself of six channels at 192 kHz.
    ffmpeg("24.flac", &["-c:a", "flac", "-sample_fmt", "s32", "-frame_size", "4096"]),
    coded("flac.oga", &["-c:a", "flac", "-sample_fmt", "s16"], MUSIC_RATES, STEREO, Equal::Bits),
    coded("flac.mka", &["-c:a", "flac", "-sample_fmt", "s16"], SOME_RATES, MANY, Equal::Bits),
    coded("alac16.m4a", &["-c:a", "alac", "-sample_fmt", "s16p"], MUSIC_RATES, STEREO, Equal::Bits),
    coded("alac24.m4a", &["-c:a", "alac", "-sample_fmt", "s32p"], SOME_RATES, STEREO, Equal::Bits),
    coded("alac16.caf", &["-c:a", "alac", "-sample_fmt", "s16p"], SOME_RATES, STEREO, Equal::Bits),
    coded("aac.m4a", &["-c:a", "aac"], MPEG_RATES, MANY, FLOATS),
    Row { length: Length::Decoded, ..coded("aac.mka", &["-c:a", "aac"], MUSIC_RATES, SURROUND, FLOATS) },
    Row { length: Length::Decoded, ..coded("adts.aac", &["-c:a", "aac"], MUSIC_RATES, SURROUND, FLOATS) },
    coded("cbr.mp3", &["-c:a", "libmp3lame", "-b:a", "64k"], MPEG_RATES, STEREO, FLOATS),
    coded("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "4"], MUSIC_RATES, STEREO, FLOATS),
    Row { length: Length::Decoded, ..coded("mp3.mka", &["-c:a", "libmp3lame"], MUSIC_RATES, STEREO, FLOATS) },
    coded("vorbis.ogg", &["-c:a", "libvorbis", "-q:a", "5"], MPEG_RATES, SURROUND, FLOATS),
    Row { length: Length::Decoded, ..coded("vorbis.mka", &["-c:a", "libvorbis", "-q:a", "5"], MUSIC_RATES, STEREO, FLOATS) },
    coded("opus.opus", &["-c:a", "libopus"], OPUS_RATE, SURROUND, OPUS),
    coded("opus.webm", &["-c:a", "libopus"], OPUS_RATE, SURROUND, OPUS),
    by(coded("f0.flac", &["-s", "-0", "-o", "OUT", "IN"], SOME_RATES, MANY, Equal::Bits), "flac"),
    by(coded("f8.flac", &["-s", "-8", "-o", "OUT", "IN"], PCM_RATES, STEREO, Equal::Bits), "flac"),
    by(coded("lax.flac", &["-s", "--lax", "-b", "65535", "-o", "OUT", "IN"], SOME_RATES, STEREO, Equal::Bits), "flac"),
    by(coded("fogg.oga", &["-s", "--ogg", "-o", "OUT", "IN"], SOME_RATES, STEREO, Equal::Bits), "flac"),
    by(coded("cbr.lame.mp3", &["--quiet", "-b", "160", "IN", "OUT"], MPEG_RATES, STEREO, FLOATS), "lame"),
    by(coded("vbr.lame.mp3", &["--quiet", "-V", "2", "IN", "OUT"], MUSIC_RATES, STEREO, FLOATS), "lame"),
    by(coded("abr.lame.mp3", &["--quiet", "--abr", "160", "IN", "OUT"], MUSIC_RATES, STEREO, FLOATS), "lame"),
    by(coded("q3.ogg", &["-Q", "-q", "3", "-o", "OUT", "IN"], MPEG_RATES, STEREO, FLOATS), "oggenc"),
    by(coded("q9.ogg", &["-Q", "-q", "9", "-o", "OUT", "IN"], MUSIC_RATES, STEREO, FLOATS), "oggenc"),
    by(coded("enc.opus", &["--quiet", "IN", "OUT"], OPUS_RATE, SURROUND, OPUS), "opusenc"),
    by(coded("sox.wav", &["-D", "IN", "-b", "24", "OUT"], PCM_RATES, MANY, Equal::Bits), "sox"),
    by(coded("sox.aiff", &["-D", "IN", "-b", "16", "OUT"], PCM_RATES, MANY, Equal::Bits), "sox"),
];

/// Rates of what we write, as far as the format stores them.
pub(crate) const OUTPUT_RATES: &[u32] = &[8_000, 22_050, 44_100, 48_000, 96_000, 192_000];
