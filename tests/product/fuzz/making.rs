//! Samples, settings and tags made at random, and files written of them.

use parking_lot::Mutex;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, SampleFormat, Samples, StreamSpec};
use wavemill_core::encode::{
    BitRates, EncodeError, EncodeSettings, FormatDescriptor, LossyQuality,
};
use wavemill_core::tags::{
    Broadcast, Cue, CueEnd, Field, GainBasis, Picture, Place, ReplayGain, Tags,
};
use wavemill_core::units::{Dbtp, Frames, Lufs};
use wavemill_tests::signal::Random;

/// A file in memory whose bytes stay readable after an encoder consumed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Shared {
    pub(crate) fn contents(&self) -> Vec<u8> {
        self.0.lock().get_ref().clone()
    }
}

impl Read for Shared {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.lock().read(bytes)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().seek(to)
    }
}

/// Writes a file in blocks of at most so many frames, cut at random.
pub(crate) fn write(
    format: &FormatDescriptor,
    settings: &EncodeSettings,
    samples: &Samples,
    cuts: &mut Random,
) -> Result<Vec<u8>, EncodeError> {
    let file = Shared::default();
    let mut encoder = (format.create)(Box::new(file.clone()), settings.clone())?;
    let most = *cuts.choice(&[1, 100, 4096, 4096, 70_000]);
    let mut start = 0;
    while start < samples.frame_count() {
        let end = (start + 1 + cuts.index(most)).min(samples.frame_count());
        encoder.write(&cut(samples, start, end))?;
        start = end;
        if cuts.below(16) == 0 {
            encoder.write(&Samples::empty(samples.format(), samples.channel_count()))?;
        }
    }
    encoder.finish()?;
    Ok(file.contents())
}

fn cut(samples: &Samples, start: usize, end: usize) -> Samples {
    match samples {
        Samples::Int { bit_depth, planes } => Samples::Int {
            bit_depth: *bit_depth,
            planes: planes.iter().map(|plane| plane[start..end].to_vec()).collect(),
        },
        Samples::Float { planes } => Samples::Float {
            planes: planes.iter().map(|plane| plane[start..end].to_vec()).collect(),
        },
    }
}

/// Settings that mostly suit a format, for so many frames.
pub(crate) fn settings(
    format: &FormatDescriptor,
    frame_count: usize,
    tags: Tags,
    random: &mut Random,
) -> EncodeSettings {
    let channels = match random.below(4) {
        0 => 1 + random.index(format.channel_count_max + 1),
        1 => 1,
        _ => 2,
    };
    let usual = [44_100, 48_000, 96_000, 8_000, 192_000, 22_050, 655_350, 1_000, 11_025, 37_800];
    let rate_hz = match format.sample_rates_hz {
        Some(rates) if random.below(16) > 0 => *random.choice(rates),
        _ => *random.choice(&usual),
    };
    let level = format.compression_levels.filter(|_| random.below(2) == 0);
    let level = level.map(|levels| levels.min + random.byte() % (levels.max - levels.min + 1));
    EncodeSettings {
        spec: StreamSpec::new(rate_hz, channels),
        format: *random.choice(format.formats),
        frame_count: (random.below(2) == 0).then_some(Frames(frame_count as u64)),
        compression_level: level,
        quality: quality(format, random),
        tags: Arc::new(tags),
    }
}

fn quality(format: &FormatDescriptor, random: &mut Random) -> Option<LossyQuality> {
    let lossy = format.lossy.as_ref().filter(|_| random.below(3) > 0)?;
    if let Some((best, worst)) = lossy.vbr_qualities.filter(|_| random.below(2) == 0) {
        let (low, high) = (best.min(worst), best.max(worst));
        return Some(LossyQuality::Vbr(low + random.byte() % (high - low + 1)));
    }
    let kbps = match lossy.bit_rates_kbps {
        BitRates::Of(rates) => *random.choice(rates),
        BitRates::Between(low, high) => low + u16::from(random.byte()) % (high - low + 1),
    };
    Some(random.choice(lossy.bit_rate_modes).of(kbps))
}

/// Samples of one of several kinds.
pub(crate) fn samples(
    format: PcmFormat,
    channels: usize,
    frames: usize,
    random: &mut Random,
) -> Samples {
    let kind = random.below(6);
    let mut sample = |frame: usize| match kind {
        0 => 0.0,
        1 => random.bipolar(),
        2 => 0.5 * (frame as f64 * 0.05).sin(),
        3 => [1.0, -1.0][frame / 50 % 2],
        4 => 0.7 * (frame as f64 * 0.01).sin() + 0.001 * random.bipolar(),
        _ => f64::from(u8::from(frame.is_multiple_of(997))),
    };
    if format.sample_format == SampleFormat::Float {
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let mut plane = || (0..frames).map(|frame| sample(frame) as f32).collect();
        return Samples::Float { planes: (0..channels).map(|_| plane()).collect() };
    }
    let full = f64::from(1u32 << (format.bit_depth - 1));
    #[expect(clippy::cast_possible_truncation, reason = "clipped to the range of the bits")]
    let int = |value: f64| (value * full).round().clamp(-full, full - 1.0) as i32;
    let mut plane = || (0..frames).map(|frame| int(sample(frame))).collect();
    Samples::Int { bit_depth: format.bit_depth, planes: (0..channels).map(|_| plane()).collect() }
}

/// Tags of any kind; none, now and then.
pub(crate) fn tags(random: &mut Random) -> Tags {
    let mut tags = Tags::default();
    if random.below(6) == 0 {
        return tags;
    }
    for (_, field) in Field::ALL {
        if random.below(2) == 0 {
            let text = match field {
                // ID3 has a form for dates, and no others are read of it.
                Field::Date => (*random.choice(&["2024", "2024-05", "2024-05-01"])).to_owned(),
                // It numbers genres: `(17)` is rock.
                Field::Genre => {
                    (*random.choice(&["Rock", "Drum & Bass", "Gr\u{fc}\u{df}e"])).to_owned()
                }
                _ => text(random),
            };
            if field.set(&mut tags, &text).is_err() {
                let number = *random.choice(&["1", "2026", "4294967295", "99", "0"]);
                let _ = field.set(&mut tags, number);
            }
        }
    }
    let mut some = || (random.below(3) > 0).then(|| text(random)).filter(|text| !text.is_empty());
    let (description, originator, reference, label) = (some(), some(), some(), some());
    if random.below(3) == 0 {
        let time_reference = Some(random.bits() >> random.below(60));
        let (date, time) = (Some("2026-11-22".to_owned()), Some("12:34:56".to_owned()));
        tags.broadcast = Some(Broadcast {
            description,
            originator,
            reference,
            date,
            time,
            time_reference,
            coding_history: None,
            loudness: None,
        });
    }
    for frame in 0..random.below(4) {
        let start = Place::Frame(frame * 100);
        let end = match random.below(3) {
            0 => CueEnd::Point,
            1 => CueEnd::Next,
            _ => CueEnd::At(Place::Frame(frame * 100 + random.below(300))),
        };
        tags.cues.push(Cue { start, end, label: label.clone() });
    }
    for _ in 0..random.below(3) {
        tags.pictures.push(picture(random));
    }
    if random.below(3) == 0 {
        let leveled = GainBasis { loudness: Lufs(-23.5), true_peak: Dbtp(-1.25) };
        tags.replay_gain = Some(ReplayGain { track: Some(leveled), album: None });
    }
    tags
}

/// Whether a format has a place for a value: numbers of tracks and discs have 16 bits in MPEG-4, and 0 is none.
pub(crate) fn has_place(format: &FormatDescriptor, tags: &Tags, field: Field) -> bool {
    let number = match field {
        Field::Track => tags.track,
        Field::TrackTotal => tags.track_total,
        Field::Disc => tags.disc,
        Field::DiscTotal => tags.disc_total,
        _ => None,
    };
    format.name != "aac" || number.is_none_or(|number| (1..=u32::from(u16::MAX)).contains(&number))
}

fn picture(random: &mut Random) -> Picture {
    let count = *random.choice(&[1, 73, 5_000, 70_000, 300_000]);
    Picture {
        kind: random.choice::<&str>(&["front cover", "back cover", "other"]),
        media_type: (*random.choice(&["image/png", "image/jpeg"])).to_owned(),
        description: (random.below(2) == 0).then(|| "Front".to_owned()),
        bytes: (0..count).map(|_| random.byte()).collect(),
    }
}

/// Text as taggers write it, and as they should not.
fn text(random: &mut Random) -> String {
    let words: &[&str] = &[
        "Song",
        "Gr\u{fc}\u{df}e",
        "\u{65e5}\u{672c}\u{8a9e}",
        "\u{1f3b5}",
        "e\u{301}",
        "\u{202e}abc",
        "a/b",
        "3/12",
        "(17)",
        "17",
        "=",
        "x=y",
        "\\",
        "\"",
        "\u{feff}",
        "\u{fffd}",
        "2024-05-01",
        "1e5",
        "eng",
        "\r\n",
        "\n",
        "\t",
        " ",
        "  ",
        "-",
        "120",
        "\u{a0}",
        "\u{2028}",
        "ID3",
        "RIFF",
        "APETAGEX",
        "\u{7f}",
    ];
    let count = *random.choice(&[1, 1, 2, 3, 8, 60]);
    let mut text: String = (0..count).map(|_| *random.choice(words)).collect();
    if random.below(40) == 0 {
        text = text.repeat(66_000 / text.len().max(1) + 1);
    }
    text.trim().to_owned()
}
