//! Headers of WAV and AIFF: the unusual and the lying ones.

use crate::support::{decode_bytes, fmt, fmt_extensible, patch, riff, wav};
use wavemill_core::audio::{ChannelLayout, ChannelPosition as P, PcmFormat};
use wavemill_core::decode::DecodeError;

fn message(bytes: &[u8]) -> String {
    let error = decode_bytes(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    error
}

#[test]
fn valid_bits_below_the_container_are_shifted_down() {
    let fmt = fmt_extensible(1, 1, 32, 20, 4);
    let decoded = decode_bytes(&wav(fmt, vec![0, 0xf0, 0xff, 0x7f, 0, 0, 0, 0x80])).unwrap();
    assert_eq!(decoded.info.format, PcmFormat::int(20));
    assert_eq!(decoded.ints()[0], [0x7ffff, -0x80000]);
}

#[test]
fn samples_with_more_bits_than_stated_are_damaged_not_truncated() {
    let fmt = fmt_extensible(1, 1, 24, 16, 4);
    let sound = decode_bytes(&wav(fmt.clone(), vec![0, 1, 0, 0, 2, 0])).unwrap();
    assert_eq!(sound.ints()[0], [1, 2]);
    let error = message(&wav(fmt, vec![0, 1, 0, 1, 2, 0]));
    assert!(error.contains("more bits than its header states"), "{error}");
}

#[test]
fn channel_mask_gives_the_layout() {
    let file = wav(fmt_extensible(1, 3, 16, 16, 0x103), vec![0; 6]);
    let decoded = decode_bytes(&file).unwrap();
    let expected = ChannelLayout::new(vec![P::FrontLeft, P::FrontRight, P::BackCenter]);
    assert_eq!(decoded.info.spec.layout, expected);
}

#[test]
fn channels_without_positions_are_warned_of() {
    let warnings = |fmt| decode_bytes(&wav(fmt, vec![0; 96])).unwrap().info.all_warnings();
    let unknown = " are unknown; loudness counts each with weight 1, even LFE or surround channels";
    let all = [format!("the positions of its 16 channels{unknown}")];
    assert_eq!(warnings(fmt_extensible(1, 16, 16, 16, 0)), all);
    assert_eq!(warnings(fmt(1, 16, 48_000, 16)), all);
    let some = format!("the positions of 1 of its 3 channels{unknown}");
    assert_eq!(warnings(fmt_extensible(1, 3, 16, 16, 3)), [some]);
    // A mask of 0 means the usual layout, where there is one.
    assert_eq!(warnings(fmt_extensible(1, 6, 16, 16, 0)), [""; 0]);
}

#[test]
fn extensible_float_is_float() {
    let file = wav(fmt_extensible(3, 1, 32, 32, 0), 0.25f32.to_le_bytes().to_vec());
    assert_eq!(decode_bytes(&file).unwrap().floats()[0], [0.25]);
}

#[test]
fn double_float_is_rounded_to_single() {
    let data: Vec<u8> = [0.1f64, -1.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let decoded = decode_bytes(&wav(fmt(3, 1, 48_000, 64), data)).unwrap();
    assert_eq!(decoded.floats()[0], [0.1f32, -1.0]);
}

#[test]
fn single_float_keeps_every_bit() {
    let values = [f32::MIN_POSITIVE / 4.0, -0.0, 3.5, f32::MAX];
    let data = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let decoded = decode_bytes(&wav(fmt(3, 2, 48_000, 32), data)).unwrap();
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&decoded.floats()[0]), bits(&[values[0], values[2]]));
    assert_eq!(bits(&decoded.floats()[1]), bits(&[values[1], values[3]]));
}

#[test]
fn non_finite_sample_names_its_frame() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = vec![0.0f32; 6000];
        values[2 * 2500 + 1] = bad;
        let data = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let error = decode_bytes(&wav(fmt(3, 2, 48_000, 32), data)).unwrap_err();
        assert!(matches!(error, DecodeError::NonFinite { frame } if frame.0 == 2500), "{error}");
    }
}

#[test]
fn chunks_in_any_order_and_odd_lengths_are_found() {
    let data = (b"data", vec![1, 0, 2, 0]);
    let format = (b"fmt ", fmt(1, 1, 48_000, 16));
    let odd = (b"odd ", vec![9; 7]);
    for chunks in [
        vec![odd.clone(), format.clone(), data.clone()],
        vec![data.clone(), odd.clone(), format.clone()],
        vec![format.clone(), odd.clone(), data.clone(), odd.clone()],
    ] {
        assert_eq!(decode_bytes(&riff(&chunks)).unwrap().ints()[0], [1, 2]);
    }
}

#[test]
fn odd_trailing_bytes_are_ignored() {
    let mut file = wav(fmt(1, 2, 48_000, 16), vec![1, 0, 2, 0, 3]);
    file.push(0x55);
    assert_eq!(decode_bytes(&file).unwrap().ints(), [[1], [2]]);
}

#[test]
fn unknown_data_length_means_up_to_the_end() {
    let file = wav(fmt(1, 1, 48_000, 16), vec![1, 0, 2, 0, 3, 0]);
    for (riff_length, data_length) in
        [(0u32, 0u32), (u32::MAX, u32::MAX), (36, 0), (0x7fff_f024, 0x7fff_f000)]
    {
        let file = patch(&file, 4, &riff_length.to_le_bytes());
        let file = patch(&file, 40, &data_length.to_le_bytes());
        assert_eq!(decode_bytes(&file).unwrap().ints()[0], [1, 2, 3], "{riff_length:#x}");
    }
}

#[test]
fn empty_data_chunk_is_an_empty_stream() {
    let decoded = decode_bytes(&wav(fmt(1, 2, 48_000, 16), vec![])).unwrap();
    assert_eq!(decoded.samples.frame_count(), 0);
}

#[test]
fn one_frame_is_one_frame() {
    let decoded = decode_bytes(&wav(fmt(1, 1, 48_000, 16), vec![0xff, 0x7f])).unwrap();
    assert_eq!(decoded.ints()[0], [32767]);
}

#[test]
fn data_beyond_the_end_is_truncated_with_numbers() {
    let file = wav(fmt(1, 2, 48_000, 16), vec![0; 400]);
    let cut = &file[..file.len() - 6];
    assert_eq!(message(cut), "is cut short: its header states 100 frames, but there are 98 frames");
    let lying = patch(&file, 40, &(0x7fff_fff0u32).to_le_bytes());
    assert!(message(&lying).contains("536870908 frames, but there are 100 frames"));
}

#[test]
fn claims_beyond_the_limits_are_refused_in_one_line() {
    for (fmt, expected) in [
        (fmt(1, 0, 48_000, 16), "has 0 channels; Wavemill accepts 1 to 24"),
        (fmt(1, 25, 48_000, 16), "has 25 channels; Wavemill accepts 1 to 24"),
        (fmt(1, 65_535, 48_000, 16), "has 65535 channels; Wavemill accepts 1 to 24"),
        (fmt(1, 2, 0, 16), "has 0 Hz of sample rate; Wavemill accepts 1000 to 655350"),
        (
            fmt(1, 2, u32::MAX, 16),
            "has 4294967295 Hz of sample rate; Wavemill accepts 1000 to 655350",
        ),
        (fmt(1, 2, 48_000, 0), "frames of 0 bytes cannot hold 2 channels of 0 bits"),
        (fmt(1, 2, 48_000, 40), "uses 40-bit integers in WAV, which is not supported"),
        (fmt(3, 2, 48_000, 16), "uses 16-bit floats in WAV, which is not supported"),
        (fmt(0x31, 1, 8_000, 0), "uses GSM 6.10 in WAV, which is not supported"),
        (fmt(6, 2, 8_000, 16), "uses 16-bit integers in WAV, which is not supported"),
        (fmt(0x11, 2, 8_000, 4), "blocks of 2 bytes cannot hold 2 channels of ADPCM"),
        (fmt(0x11, 2, 8_000, 3), "uses 3-bit IMA ADPCM in WAV, which is not supported"),
        (fmt(2, 3, 8_000, 4), "uses Microsoft ADPCM of 3 channels, which is not supported"),
        (fmt(0x55, 2, 44_100, 0), "its `data` chunk contains no MP3"),
        (fmt(1, 2, 48_000, 16)[..10].to_vec(), "its `fmt ` chunk is too short"),
    ] {
        let message = message(&wav(fmt, vec![0; 64]));
        assert!(message.contains(expected), "{message} / {expected}");
    }
}

#[test]
fn contradicting_frame_size_is_damaged() {
    let file = wav(patch(&fmt(1, 2, 48_000, 16), 12, &[3, 0]), vec![0; 64]);
    assert!(message(&file).contains("frames of 3 bytes cannot hold 2 channels of 16 bits"));
}

#[test]
fn rf64_takes_its_lengths_from_ds64() {
    let mut ds64 = vec![0; 28];
    ds64[8..16].copy_from_slice(&4u64.to_le_bytes());
    let chunks =
        [(b"ds64", ds64), (b"fmt ", fmt(1, 1, 48_000, 16)), (b"data", vec![1, 0, 2, 0, 9, 9])];
    for id in [b"RF64", b"BW64"] {
        let file = patch(&riff(&chunks), 0, id);
        let file = patch(&file, 4, &[0xff; 4]);
        let file = patch(&file, 12 + 36 + 24 + 4, &[0xff; 4]);
        assert_eq!(decode_bytes(&file).unwrap().ints()[0], [1, 2]);
    }
}

#[test]
fn rf64_that_promises_too_much_is_truncated() {
    let mut ds64 = vec![0; 28];
    ds64[8..16].copy_from_slice(&(1u64 << 40).to_le_bytes());
    let chunks = [(b"ds64", ds64), (b"fmt ", fmt(1, 1, 48_000, 16)), (b"data", vec![0; 6])];
    let file = patch(&patch(&riff(&chunks), 0, b"RF64"), 12 + 36 + 24 + 4, &[0xff; 4]);
    assert!(matches!(decode_bytes(&file), Err(DecodeError::Truncated { .. })));
}

#[test]
fn endless_chunks_are_damaged() {
    let chunks = vec![(b"junk", vec![]); 5000];
    assert!(message(&riff(&chunks)).contains("more than 4096 chunks"));
}

/// An AIFF file; `rate` is the exponent and the upper significand bits of the extended float.
fn aiff(compression: Option<&[u8; 4]>, comm: (u16, u32, u16), data: &[u8]) -> Vec<u8> {
    let (channels, frames, bits) = comm;
    let rate = [0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0];
    let mut common =
        [&channels.to_be_bytes()[..], &frames.to_be_bytes(), &bits.to_be_bytes(), &rate].concat();
    if let Some(compression) = compression {
        common.extend_from_slice(compression);
        common.extend_from_slice(&[0, 0]);
    }
    let form = if compression.is_some() { b"AIFC" } else { b"AIFF" };
    let mut body = form.to_vec();
    for (id, data) in [(b"COMM", common), (b"SSND", [&[0; 8], data].concat())] {
        body.extend_from_slice(id);
        body.extend_from_slice(&(data.len() as u32).to_be_bytes());
        body.extend_from_slice(&data);
        body.extend_from_slice(&vec![0; data.len() % 2]);
    }
    [b"FORM", &(body.len() as u32).to_be_bytes()[..], &body].concat()
}

#[test]
fn aiff_kinds_decode_to_their_samples() {
    for (compression, bits, data, expected) in [
        (None, 8, vec![0x80, 0x7f], vec![-128, 127]),
        (None, 16, vec![0x80, 0, 0, 1], vec![-32768, 1]),
        (None, 20, vec![0x7f, 0xff, 0xf0, 0x80, 0, 0], vec![0x7ffff, -0x80000]),
        (Some(b"NONE"), 24, vec![0x80, 0, 0, 0, 0, 1], vec![-8_388_608, 1]),
        (Some(b"sowt"), 16, vec![0, 0x80, 1, 0], vec![-32768, 1]),
        (Some(b"twos"), 16, vec![0x80, 0, 0, 1], vec![-32768, 1]),
        (Some(b"raw "), 8, vec![0, 255], vec![-128, 127]),
        (Some(b"in32"), 32, vec![0x80, 0, 0, 0, 0, 0, 0, 1], vec![i32::MIN, 1]),
    ] {
        let decoded = decode_bytes(&aiff(compression, (1, 2, bits), &data)).unwrap();
        assert_eq!(decoded.ints()[0], expected, "{compression:?} {bits}");
        assert_eq!(decoded.info.spec.sample_rate.0, 48_000);
    }
}

#[test]
fn aiff_floats_are_read_whatever_their_letters() {
    for compression in [b"fl32", b"FL32"] {
        let file = aiff(Some(compression), (1, 1, 32), &0.5f32.to_be_bytes());
        assert_eq!(decode_bytes(&file).unwrap().floats()[0], [0.5]);
    }
}

#[test]
fn aiff_claims_are_checked() {
    let short = aiff(None, (2, 100, 16), &[0; 40]);
    assert!(message(&short).contains("states 100 frames, but its sound chunk has room for 10"));
    let cut = &aiff(None, (2, 100, 16), &[0; 400])[..300];
    assert!(
        message(cut).contains("states 100 frames, but there are 61 frames"),
        "{}",
        message(cut)
    );
    assert!(message(&aiff(None, (0, 1, 16), &[0; 4])).contains("has 0 channels"));
    assert!(message(&aiff(None, (1, 1, 33), &[0; 8])).contains("33-bit integers"));
    assert!(message(&aiff(Some(b"MAC3"), (1, 1, 16), &[0; 34])).contains("`MAC3` in AIFF-C"));
    // Of IMA ADPCM blocks are counted.
    let blocks = decode_bytes(&aiff(Some(b"ima4"), (1, 2, 16), &[0; 68])).unwrap();
    assert_eq!(blocks.samples.frame_count(), 128);
    let short = aiff(Some(b"ima4"), (1, 2, 16), &[0; 34]);
    assert!(message(&short).contains("states 2 blocks, but its sound chunk has room for 1"));
}

/// An AIFF file of one 8-bit frame in which every channel holds its number, with a `CHAN` chunk of
/// this layout tag and bitmap before everything else, as ffmpeg places it.
fn aiff_with_layout(tag: u32, bitmap: u32, channel_count: u8) -> Vec<u8> {
    let samples: Vec<u8> = (1..=channel_count).collect();
    let mut file = aiff(None, (channel_count.into(), 1, 8), &samples);
    let chan = [*b"CHAN", 12u32.to_be_bytes(), tag.to_be_bytes(), bitmap.to_be_bytes(), [0; 4]];
    file.splice(12..12, chan.concat());
    let form_length = (file.len() - 8) as u32;
    patch(&file, 4, &form_length.to_be_bytes())
}

#[test]
fn aiff_channels_are_delivered_in_mask_order_whatever_their_layout_tag() {
    let usual = ChannelLayout::usual;
    let from_mask = ChannelLayout::from_mask;
    for (tag, layout, expected) in [
        // kAudioChannelLayoutTag_Mono and _Stereo.
        (100 << 16 | 1, usual(1), vec![1]),
        (101 << 16 | 2, usual(2), vec![1, 2]),
        // _Quadraphonic: L R and the back pair. _MPEG_4_0_A, _B: L R C Cs, C L R Cs.
        (108 << 16 | 4, usual(4), vec![1, 2, 3, 4]),
        (115 << 16 | 4, from_mask(0x107, 4), vec![1, 2, 3, 4]),
        (116 << 16 | 4, from_mask(0x107, 4), vec![2, 3, 1, 4]),
        // _MPEG_5_1_A to _D: L R C LFE Ls Rs, L R Ls Rs C LFE, L C R Ls Rs LFE, C L R Ls Rs LFE.
        (121 << 16 | 6, usual(6), vec![1, 2, 3, 4, 5, 6]),
        (122 << 16 | 6, usual(6), vec![1, 2, 5, 6, 3, 4]),
        (123 << 16 | 6, usual(6), vec![1, 3, 2, 6, 4, 5]),
        (124 << 16 | 6, usual(6), vec![2, 3, 1, 6, 4, 5]),
        // _MPEG_7_1_A, _B: L R C LFE Ls Rs Lc Rc, C Lc Rc L R Ls Rs LFE.
        (126 << 16 | 8, from_mask(0xff, 8), vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (127 << 16 | 8, from_mask(0xff, 8), vec![4, 5, 1, 8, 6, 7, 2, 3]),
        // _MPEG_7_1_C: L R C LFE, the sides, the back. _WAVE_7_1: the back first.
        (128 << 16 | 8, usual(8), vec![1, 2, 3, 4, 7, 8, 5, 6]),
        (189 << 16 | 8, usual(8), vec![1, 2, 3, 4, 5, 6, 7, 8]),
    ] {
        let decoded = decode_bytes(&aiff_with_layout(tag, 0, expected.len() as u8)).unwrap();
        assert_eq!(decoded.info.spec.layout, layout, "{tag:#x}");
        let frame: Vec<i32> = decoded.ints().iter().map(|plane| plane[0]).collect();
        assert_eq!(frame, expected, "{tag:#x}");
    }
}

#[test]
fn aiff_channel_bitmap_gives_the_layout() {
    // kAudioChannelLayoutTag_UseChannelBitmap: L R C LFE, center surround, the sides.
    let decoded = decode_bytes(&aiff_with_layout(1 << 16, 0x70f, 7)).unwrap();
    assert_eq!(decoded.info.spec.layout, ChannelLayout::from_mask(0x70f, 7));
    let front_and_back = decode_bytes(&aiff_with_layout(1 << 16, 0x104, 2)).unwrap();
    let expected = ChannelLayout::new(vec![P::FrontCenter, P::BackCenter]);
    assert_eq!(front_and_back.info.spec.layout, expected);
}

#[test]
fn aiff_layout_that_is_not_read_is_the_usual_one_of_its_count() {
    // kAudioChannelLayoutTag_DiscreteInOrder, and a tag of another count than the file's.
    for tag in [147 << 16 | 6, 108 << 16 | 4] {
        let decoded = decode_bytes(&aiff_with_layout(tag, 0, 6)).unwrap();
        assert_eq!(decoded.info.spec.layout, ChannelLayout::usual(6), "{tag:#x}");
    }
}

#[test]
fn aiff_of_a_pipe_is_read_to_its_end() {
    let file = aiff(None, (1, 0, 16), &[0, 1, 0, 2]);
    let file = patch(&file, 12 + 26 + 4, &[0; 4]);
    assert_eq!(decode_bytes(&file).unwrap().ints()[0], [1, 2]);
}
