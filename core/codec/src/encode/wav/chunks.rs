//! Chunks that carry tags.

use crate::encode::{EncodeSettings, id3};
use crate::tags::{self, Broadcast, Tags};

/// Appends a chunk with its header and, after an odd number of bytes, a pad byte.
///
/// # Panics
/// When the body exceeds 4 GB; tags are bounded far below.
pub(super) fn push(bytes: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    let size = u32::try_from(body.len()).expect("tags are bounded by the limits");
    bytes.extend(id);
    bytes.extend(size.to_le_bytes());
    bytes.extend(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
}

/// Appends a chunk whose text may end with some more `filler`: it has no pad byte, which some readers do not skip.
pub(super) fn push_even(bytes: &mut Vec<u8>, id: [u8; 4], mut body: Vec<u8>, filler: u8) {
    body.resize(body.len().next_multiple_of(2), filler);
    push(bytes, id, &body);
}

/// Appends a `LIST` chunk of type `INFO` with the tags it has names for, or nothing when there are
/// none. Text is UTF-8, as current tools write and read it.
///
/// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"; `ITRK`
/// and `IFRM` are what taggers use for track numbers.
pub(super) fn push_info(bytes: &mut Vec<u8>, tags: &Tags) {
    let track = id3::part_of(tags.track, tags.track_total);
    let year = tags.year.map(|year| year.to_string());
    let entries: [(&[u8; 4], Option<&str>); 9] = [
        (b"INAM", tags.title.as_deref()),
        (b"IART", tags.artist.as_deref()),
        (b"IPRD", tags.album.as_deref()),
        (b"IMUS", tags.composer.as_deref()),
        (b"IGNR", tags.genre.as_deref()),
        (b"ICRD", tags.date.as_deref().or(year.as_deref())),
        (b"ITRK", track.as_deref()),
        (b"ICMT", tags.comment.as_deref()),
        (b"ICOP", tags.copyright.as_deref()),
    ];
    let mut list = b"INFO".to_vec();
    for (id, text) in entries {
        if let Some(text) = text {
            // Text ends with a zero, so one inside would cut it.
            let mut body: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
            body.push(0);
            push(&mut list, *id, &body);
        }
    }
    if list.len() > 4 {
        push(bytes, *b"LIST", &list);
    }
}

/// Appends a `cue ` chunk, and a `LIST` chunk of type `adtl` with the labels and the lengths of what lasts;
/// nothing where there are no points. Those that 32 bits cannot place are left out.
///
/// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0".
pub(super) fn push_cues(bytes: &mut Vec<u8>, settings: &EncodeSettings) {
    let rate = settings.spec.sample_rate;
    let spans = tags::spans(&settings.tags.cues, rate, settings.frame_count.map(|it| it.0));
    let placed = settings.tags.cues.iter().zip(spans).filter_map(|(cue, (start, end))| {
        let length = end.map_or(0, |end| u32::try_from(end.saturating_sub(start)).unwrap_or(0));
        Some((u32::try_from(start).ok()?, length, cue.label.as_deref()))
    });
    // Readers that know no lengths look no further than the first.
    let (mut points, mut labels, mut lengths) = (Vec::new(), b"adtl".to_vec(), Vec::new());
    for (id, (frame, length, label)) in (1u32..).zip(placed) {
        let [data, start, block] = [u32::from_le_bytes(*b"data"), 0, 0];
        points.extend([id, frame, data, start, block, frame].map(u32::to_le_bytes).concat());
        if let Some(label) = label {
            let mut body = id.to_le_bytes().to_vec();
            body.extend(label.bytes().filter(|&byte| byte != 0));
            body.push(0);
            push(&mut labels, *b"labl", &body);
        }
        if length > 0 {
            let mut body =
                [id, length, u32::from_le_bytes(*b"rgn ")].map(u32::to_le_bytes).concat();
            body.extend([0; 8]); // country, language, dialect, code page
            push(&mut lengths, *b"ltxt", &body);
        }
    }
    labels.extend(lengths);
    if !points.is_empty() {
        let count = u32::try_from(points.len() / 24).expect("as many as have numbers");
        push(bytes, *b"cue ", &[&count.to_le_bytes()[..], &points].concat());
    }
    if labels.len() > 4 {
        push(bytes, *b"LIST", &labels);
    }
}

/// An ID3 tag, which taggers keep in a chunk called `id3 `; `None` when a `LIST` chunk carries
/// everything there is.
pub(super) fn id3_tag(tags: &Tags) -> Option<Vec<u8>> {
    let is_needed = tags.album_artist.is_some()
        || tags.disc.is_some()
        || tags.bpm.is_some()
        || tags.key.is_some()
        || tags.isrc.is_some()
        || tags.lyrics.is_some()
        || !tags.pictures.is_empty()
        || tags.replay_gain.is_some()
        || !tags.values.is_empty();
    is_needed.then(|| id3::tag(tags, id3::ExtraTags::default())).flatten()
}

/// The body of a `bext` chunk: of version 2 where the loudness was measured, else of version 1, which has
/// none. That of the source would no longer be true.
///
/// Source: EBU Tech 3285 v2; EBU R 98 (coding history), to which every process adds a line.
pub(super) fn bext(broadcast: &Broadcast, settings: &EncodeSettings) -> Vec<u8> {
    const UMID_BYTES: usize = 64;
    const ALL_BYTES: usize = 602;
    let mut body = Vec::with_capacity(ALL_BYTES);
    push_text(&mut body, broadcast.description.as_deref(), 256);
    push_text(&mut body, broadcast.originator.as_deref(), 32);
    push_text(&mut body, broadcast.reference.as_deref(), 32);
    push_text(&mut body, broadcast.date.as_deref(), 10);
    push_text(&mut body, broadcast.time.as_deref(), 8);
    body.extend(broadcast.time_reference.unwrap_or(0).to_le_bytes());
    let version: u16 = if broadcast.loudness.is_some() { 2 } else { 1 };
    body.extend(version.to_le_bytes());
    body.resize(body.len() + UMID_BYTES, 0);
    if let Some(loudness) = &broadcast.loudness {
        let values = [
            loudness.integrated.map(|value| value.0),
            loudness.range.map(|value| value.0),
            loudness.true_peak.map(|value| value.0),
            loudness.momentary_max.map(|value| value.0),
            loudness.short_term_max.map(|value| value.0),
        ];
        body.extend(values.into_iter().flat_map(|value| hundredths(value).to_le_bytes()));
    }
    body.resize(ALL_BYTES, 0);
    if let Some(history) = &broadcast.coding_history {
        body.extend(history.trim_end().bytes());
        body.extend(b"\r\n");
    }
    body.extend(coding(settings).bytes());
    body
}

/// The line of a coding history that says how the samples are stored.
fn coding(settings: &EncodeSettings) -> String {
    let mode = match settings.spec.channel_count() {
        1 => ",M=mono",
        2 => ",M=stereo",
        _ => "",
    };
    let (rate, bits) = (settings.spec.sample_rate.0, settings.format.bit_depth);
    format!("A=PCM,F={rate},W={bits}{mode},T=Wavemill\r\n")
}

/// A value in 1/100 of its unit; the standard's word for none where there is none.
fn hundredths(value: Option<f64>) -> i16 {
    const NONE: i16 = 0x7fff;
    #[expect(clippy::cast_possible_truncation, reason = "is within the standard's limits then")]
    value.map_or(NONE, |value| (value * 100.0).round().clamp(-9999.0, 9999.0) as i16)
}

/// Appends a text field of `size` bytes, padded with zeros; longer text is cut between characters.
fn push_text(body: &mut Vec<u8>, text: Option<&str>, size: usize) {
    let text = text.unwrap_or_default();
    let cut = text.floor_char_boundary(size);
    let end = body.len() + size;
    body.extend(text[..cut].bytes());
    body.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bext_states_what_was_measured_in_hundredths_and_its_version() {
        use crate::tags::BroadcastLoudness;
        use wavemill_audio::units::{Dbtp, Lu, Lufs};
        let settings = EncodeSettings {
            spec: wavemill_audio::StreamSpec::new(48_000, 2),
            format: wavemill_audio::PcmFormat::int(24),
            frame_count: None,
            compression_level: None,
            quality: None,
            tags: std::sync::Arc::default(),
        };
        let line = b"A=PCM,F=48000,W=24,M=stereo,T=Wavemill\r\n";
        let plain = bext(&Broadcast::default(), &settings);
        assert_eq!((plain.len(), plain[346]), (602 + line.len(), 1));
        assert_eq!(plain[412..602], [0; 190]);
        assert_eq!(plain[602..], line[..]);
        let loudness = BroadcastLoudness {
            integrated: Some(Lufs(-23.004)),
            range: Some(Lu(7.126)),
            true_peak: Some(Dbtp(-1.0)),
            momentary_max: None,
            short_term_max: Some(Lufs(-300.0)),
        };
        let coding_history = Some("A=ANALOGUE\r\n".to_owned());
        let loudness = Some(loudness);
        let measured =
            bext(&Broadcast { coding_history, loudness, ..Broadcast::default() }, &settings);
        assert_eq!(measured[346], 2);
        assert_eq!(measured[602..], [&b"A=ANALOGUE\r\n"[..], line].concat());
        let values = [-2300i16, 713, -100, 0x7fff, -9999].map(i16::to_le_bytes).concat();
        assert_eq!(measured[412..422], values[..]);
    }

    #[test]
    fn id3_tag_is_left_out_where_a_list_chunk_says_everything() {
        let tags = Tags { title: Some("x".to_owned()), track: Some(1), ..Tags::default() };
        assert_eq!(id3_tag(&tags), None);
        assert!(id3_tag(&Tags { isrc: Some("x".to_owned()), ..tags }).is_some());
    }
}
