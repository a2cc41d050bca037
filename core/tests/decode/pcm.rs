//! WAV and AIFF.

use crate::support::{
    Scratch, decode_bytes, ffmpeg_floats, ffmpeg_ints, has_tools, hound_wav, interleave, read_file,
    run, signal, write_file,
};
use wavemill_core::audio::PcmFormat;

#[test]
fn wav_of_hound_decodes_to_its_samples() {
    for (bits, channels) in [(8, 1), (8, 2), (16, 1), (16, 2), (24, 2), (24, 5), (32, 2), (16, 24)]
    {
        let planes = signal(channels, 3001, bits);
        let decoded = decode_bytes(&hound_wav(&planes, 44_100, bits as u16)).unwrap();
        assert_eq!(decoded.ints(), planes, "{bits} bits, {channels} channels");
        assert_eq!(decoded.info.format, PcmFormat::int(bits as u16));
        assert_eq!(decoded.info.spec.sample_rate.0, 44_100);
    }
}

#[test]
fn pcm_of_ffmpeg_decodes_to_its_samples() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("pcm-ffmpeg");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(2, 5003, 32), 48_000, 32));
    for (name, codec, args) in [
        ("u8.wav", "pcm_u8", vec![]),
        ("16.wav", "pcm_s16le", vec![]),
        ("24.wav", "pcm_s24le", vec![]),
        ("32.wav", "pcm_s32le", vec![]),
        ("rf64.wav", "pcm_s24le", vec!["-rf64", "always"]),
        ("8.aiff", "pcm_s8", vec![]),
        ("16.aiff", "pcm_s16be", vec![]),
        ("24.aiff", "pcm_s24be", vec![]),
        ("32.aiff", "pcm_s32be", vec![]),
        ("sowt.aiff", "pcm_s16le", vec![]),
        ("51.wav", "pcm_s24le", vec!["-ac", "6"]),
        ("71.aiff", "pcm_s16be", vec!["-ac", "8"]),
    ] {
        let path = scratch.path(name);
        let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap(), "-c:a", codec];
        all.extend(args);
        all.push(path.to_str().unwrap());
        run("ffmpeg", &all);
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        let shift = 32 - decoded.info.format.bit_depth;
        let ours: Vec<i32> =
            interleave(decoded.ints()).into_iter().map(|sample| sample << shift).collect();
        assert!(ours == ffmpeg_ints(&path), "{name} differs from ffmpeg's samples");
    }
}

#[test]
fn float_of_ffmpeg_decodes_exactly() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("float-ffmpeg");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(2, 5003, 24), 48_000, 24));
    for (name, codec) in [
        ("f32.wav", "pcm_f32le"),
        ("f64.wav", "pcm_f64le"),
        ("f32.aiff", "pcm_f32be"),
        ("f64.aiff", "pcm_f64be"),
    ] {
        let path = scratch.path(name);
        let paths = [source.to_str().unwrap(), path.to_str().unwrap()];
        run("ffmpeg", &["-v", "error", "-y", "-i", paths[0], "-c:a", codec, paths[1]]);
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        assert!(interleave(decoded.floats()) == ffmpeg_floats(&path), "{name}");
    }
}
