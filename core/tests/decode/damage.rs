//! Files cut short, files with holes, and bytes that are no audio.

use crate::support::{
    completeness, decode_bytes, decode_named, fixture, hound_wav, patch, samples_of_every_format,
    signal,
};
use wavemill_core::decode::{self, Completeness, Damaged, DecodeError};

/// Bytes that look like nothing, the same in every run.
fn noise(count: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn whole_files_are_not_incomplete() {
    for (name, bytes) in samples_of_every_format() {
        decode_bytes(&bytes).unwrap_or_else(|error| panic!("{name} {error}"));
        let is_mute = name.contains("noxing") || name == "tone.aac";
        let expected = if is_mute { Completeness::Unknown } else { Completeness::Complete };
        assert_eq!(completeness(&bytes), expected, "{name}");
    }
}

#[test]
fn files_cut_at_every_tenth_are_refused_and_incomplete() {
    for (name, bytes) in samples_of_every_format() {
        for tenth in 1..10 {
            // Between two frames of an MP3 file without a length nothing shows that it was cut.
            let is_mute = name.contains("noxing");
            let cut = &bytes[..bytes.len() * tenth / 10 + if is_mute { 7 } else { 0 }];
            let error = decode_bytes(cut).expect_err(name);
            let message = error.to_string();
            let is_reported = matches!(
                error,
                DecodeError::Truncated { .. }
                    | DecodeError::Damaged { .. }
                    | DecodeError::Unrecognized { .. }
            );
            assert!(is_reported && !message.contains('\n'), "{name} at {tenth}/10: {message}");
            let completeness = completeness(cut);
            let is_noted = matches!(completeness, Completeness::Incomplete { .. });
            assert!(is_noted || is_mute, "{name} at {tenth}/10: {completeness:?}");
        }
    }
}

#[test]
fn lossless_files_cut_by_one_byte_are_refused() {
    for name in ["tone-16.flac", "tone-flac.oga", "tone-rf64.wav", "tone.aiff", "tone-sowt.aifc"] {
        let bytes = fixture(name);
        let cut = &bytes[..bytes.len() - 1];
        let error = decode_bytes(cut).expect_err(name);
        assert!(matches!(error, DecodeError::Truncated { .. }), "{name}: {error}");
    }
}

#[test]
fn random_bytes_of_any_extension_are_no_audio() {
    for extension in decode::extensions() {
        for seed in 1..20 {
            let bytes = noise(20_000, seed);
            let error = decode_named(&bytes, Some(extension)).unwrap_err();
            assert!(matches!(error, DecodeError::Unrecognized { .. }), "{extension}: {error}");
            assert_eq!(completeness(&bytes), Completeness::Unknown);
        }
    }
}

#[test]
fn random_bytes_after_a_true_start_are_refused() {
    for (name, bytes) in samples_of_every_format() {
        for seed in 1..20 {
            let keep = 12.min(bytes.len());
            let file = [&bytes[..keep], &noise(20_000, seed)].concat();
            let _ = completeness(&file);
            // A WAV header followed by noise can be a valid list of unknown chunks, never audio.
            assert!(decode_bytes(&file).is_err(), "{name}");
        }
    }
}

#[test]
fn text_and_other_files_are_named() {
    for (bytes, expected) in [
        (&b"Dear listener,\nthis is a text.\n"[..], "it looks like text"),
        (b"%PDF-1.7 ......", "a PDF document"),
        (b"\xff\xd8\xff\xe0 and so on", "a JPEG picture"),
        (&[0; 5000], "it starts with zeros"),
        #[cfg(not(feature = "mpeg4"))]
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "MPEG-4 (needs a build with"),
        #[cfg(not(feature = "mpeg4"))]
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", "AAC (ADTS) (needs a build"),
        (b"RIFX\0\0\0\0WAVE", "big-endian RIFF"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI video"),
    ] {
        let message = decode_named(bytes, Some("wav")).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} / {expected}");
    }
}

#[cfg(not(feature = "opus"))]
#[test]
fn opus_in_ogg_is_named_with_what_would_read_it() {
    let packet = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
    let mut page = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
    page.push(packet.len() as u8);
    page.extend_from_slice(packet);
    let message = decode_bytes(&page).unwrap_err().to_string();
    assert_eq!(message, "uses Opus (needs a build with `--features opus`), which is not supported");
}

#[test]
fn empty_file_is_empty() {
    assert!(matches!(decode_bytes(&[]), Err(DecodeError::Empty)));
}

#[test]
fn flac_with_a_broken_frame_is_damaged_near_it() {
    let bytes = fixture("tone-16.flac");
    // Frames of 4096: the second, last one holds the rest.
    for offset in [bytes.len() / 2, bytes.len() - 300] {
        let broken = patch(&bytes, offset, &[bytes[offset] ^ 0x10]);
        let error = decode_bytes(&broken).unwrap_err();
        let is_reported =
            matches!(error, DecodeError::Damaged { .. } | DecodeError::Truncated { .. });
        assert!(is_reported, "{error}");
    }
}

#[test]
fn ogg_with_a_broken_page_is_refused() {
    for name in ["tone.ogg", "tone-flac.oga"] {
        let bytes = fixture(name);
        for offset in [bytes.len() - 50, bytes.len() * 3 / 4] {
            let broken = patch(&bytes, offset, &[bytes[offset] ^ 0x10]);
            assert!(decode_bytes(&broken).is_err(), "{name} at {offset}");
        }
    }
}

#[test]
fn mp3_with_a_hole_is_damaged_near_it() {
    let bytes = fixture("tone-mono-noxing.mp3");
    // 104 bytes a frame: the sixth frame's header.
    let frame = bytes.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xf3]);
    let offset = frame.map(|(offset, _)| offset).nth(6).unwrap();
    let holed = [&bytes[..offset], &[0x11; 33], &bytes[offset..]].concat();
    let message = decode_bytes(&holed).unwrap_err().to_string();
    assert!(message.contains("near frame 3") && message.contains("no MP3 frame"), "{message}");
}

#[test]
fn mp3_with_tags_and_zeros_behind_keeps_its_length() {
    let bytes = fixture("tone-mono-noxing.mp3");
    let frames = decode_bytes(&bytes).unwrap().samples.frame_count();
    let id3v1 = [b"TAG".to_vec(), vec![b' '; 125]].concat();
    for tail in [id3v1, vec![0; 5000], [&b"APETAGEX"[..], &[7; 60]].concat()] {
        let longer = [&bytes[..], &tail].concat();
        assert_eq!(decode_bytes(&longer).unwrap().samples.frame_count(), frames);
    }
}

#[test]
fn id3_tags_in_front_are_skipped() {
    let tag = [&b"ID3\x04\0\0\0\0\x02\0"[..], &[0; 256]].concat();
    for name in ["tone-16.flac", "tone-lame.mp3", "tone-mono-noxing.mp3"] {
        let bytes = fixture(name);
        let expected = decode_bytes(&bytes).unwrap();
        let tagged = decode_bytes(&[&tag[..], &bytes].concat()).unwrap();
        assert_eq!(tagged.samples, expected.samples, "{name}");
    }
}

#[test]
fn mp3_that_begins_amid_a_frame_says_what_is_passed_over() {
    let bytes = fixture("tone-mono-noxing.mp3");
    let expected = decode_bytes(&bytes).unwrap();
    assert_eq!(expected.info.warnings, [""; 0]);
    let amid = [&bytes[60..104], &bytes[..]].concat();
    let filled = [&[0; 500][..], &bytes].concat();
    for (file, warnings) in
        [(&amid, &["skipped 44 bytes before the first frame"][..]), (&filled, &[])]
    {
        for damaged in [Damaged::Refuse, Damaged::Repair] {
            let source = std::io::Cursor::new(file.clone());
            let mut decoder = decode::open_as(Box::new(source), None, damaged).unwrap();
            assert_eq!(decoder.info().warnings, warnings);
            let found = crate::support::read_all(decoder.as_mut()).unwrap();
            assert!(found.samples == expected.samples);
        }
    }
}

#[test]
fn rewind_gives_the_same_samples_again() {
    for (name, bytes) in samples_of_every_format() {
        let source = std::io::Cursor::new(bytes.clone());
        let mut decoder = decode::open(Box::new(source), None).unwrap();
        let first = crate::support::read_all(decoder.as_mut()).unwrap();
        decoder.rewind().unwrap();
        let second = crate::support::read_all(decoder.as_mut()).unwrap();
        assert!(first.samples == second.samples, "{name}");
        decoder.rewind().unwrap();
        let mut block = first.samples.clone();
        decoder.read(&mut block, 7).unwrap();
        decoder.rewind().unwrap();
        let third = crate::support::read_all(decoder.as_mut()).unwrap();
        assert!(first.samples == third.samples, "{name} after a partial read");
    }
}

/// A source that fails at a byte, as a disk or a network share does.
struct Failing {
    inner: std::io::Cursor<Vec<u8>>,
    fails_at: u64,
}

impl std::io::Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.fails_at.saturating_sub(self.inner.position());
        if left == 0 {
            return Err(std::io::Error::from_raw_os_error(5));
        }
        let count = buffer.len().min(usize::try_from(left).unwrap());
        self.inner.read(&mut buffer[..count])
    }
}

impl std::io::Seek for Failing {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn read_errors_are_reported_as_such() {
    for (name, bytes) in samples_of_every_format() {
        for tenth in [3, 7, 9] {
            let fails_at = (bytes.len() * tenth / 10) as u64;
            let inner = std::io::Cursor::new(bytes.clone());
            let decoder = decode::open(Box::new(Failing { inner, fails_at }), None);
            let error =
                decoder.and_then(|mut it| crate::support::read_all(it.as_mut())).unwrap_err();
            let is_io = matches!(&error, DecodeError::Io(it) if it.raw_os_error() == Some(5));
            assert!(is_io, "{name} at {tenth}/10: {error}");
        }
    }
}

#[test]
fn riff_length_off_by_eight_is_still_complete() {
    let bytes = hound_wav(&signal(1, 100, 16), 44_100, 16);
    let length = (bytes.len() as u32).to_le_bytes();
    assert_eq!(completeness(&patch(&bytes, 4, &length)), Completeness::Complete);
}

#[test]
fn missing_chunk_after_the_samples_is_incomplete() {
    let mut bytes = hound_wav(&signal(1, 100, 16), 44_100, 16);
    let length = (bytes.len() as u32 - 8 + 500).to_le_bytes();
    bytes = patch(&bytes, 4, &length);
    assert!(matches!(completeness(&bytes), Completeness::Incomplete { .. }));
}
