//! What lossy codecs do to peaks: some seconds of the program, encoded, decoded and measured.

mod clip;
mod memory_file;
mod preview;
mod trial;

pub(crate) use clip::{Clip, ClipCollector, SECONDS};
pub(crate) use preview::{Preview, Source, Trials};
pub(crate) use trial::Trial;

/// A codec at a bit rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    /// What the window calls it.
    pub(crate) name: &'static str,
    /// Name of the format, as in pipelines.
    format: &'static str,
    /// In kbit/s, of the whole stream, as the format usually means it.
    pub(crate) kbps: u16,
    /// Who uses it so.
    pub(crate) words: &'static str,
}

/// The codecs that are tried: what platforms and phones play, as far as this build has them.
pub(crate) const CODECS: [Codec; 6] = [
    codec("AAC", "aac", 256, "AAC-LC, as Apple Music and YouTube Music play it."),
    codec("AAC", "aac", 128, "AAC-LC, as YouTube and most radio streams play it."),
    codec("MP3", "mp3", 320, "The best that MP3 does."),
    codec("MP3", "mp3", 128, "Podcasts and older radio streams."),
    codec("Vorbis", "vorbis", 320, "As Spotify plays at its highest quality with losses."),
    codec("Opus", "opus", 128, "As YouTube plays to most browsers."),
];

const fn codec(name: &'static str, format: &'static str, kbps: u16, words: &'static str) -> Codec {
    Codec { name, format, kbps, words }
}
