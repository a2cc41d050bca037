//! Opus exports: their rate, length and level as decoded.

use crate::lab::{Lab, dull, pipeline, wav};
use wavemill_core::audio::Samples;
use wavemill_core::decode;

/// Frames that a file decodes to, and its rate in Hz.
fn decoded(path: &std::path::Path) -> (usize, u32) {
    let mut decoder = decode::open(Box::new(std::fs::File::open(path).unwrap()), None).unwrap();
    let spec = decoder.info().spec.clone();
    let mut samples = Samples::empty(decoder.info().format, spec.channel_count());
    let mut frames = 0;
    loop {
        match decoder.read(&mut samples, 4096).unwrap() {
            0 => return (frames, spec.sample_rate.0),
            count => frames += count,
        }
    }
}

#[test]
fn opus_export_is_exact_in_length_and_reported_as_it_is_decoded() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &dull(100_003)));
    let body = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -23.0 }\n\
                [[export]]\nformat = \"opus\"\nsample_rate_hz = 48000\nreplay_gain = true\npath = \"{stem}.{ext}\"\n\
                [[export]]\nformat = \"opus\"\nbit_rate_kbps = 64\nbit_rate_mode = \"constant\"\n\
                sample_rate_hz = 16000\nchannels = 1\npath = \"{stem}-small.{ext}\"\n\
                [report]\njson = \"{stem}.json\"\n";
    let outcome = lab.run(&pipeline(body), &input).unwrap();
    let outputs = outcome.report["outputs"].as_array().unwrap();
    // 100003 frames at 44.1 kHz are 108846.8 at 48 and 36282.3 at 16 kHz.
    assert_eq!(decoded(&lab.path("out/a.opus")), (108_847, 48_000));
    let (small, rate) = decoded(&lab.path("out/a-small.opus"));
    let fed = outputs[1]["frames"].as_u64().unwrap();
    assert_eq!((small as u64, rate), (fed * 3, 48_000));
    assert_eq!(
        (&outputs[0]["bit_rate_kbps"], &outputs[0]["bit_rate_mode"]),
        (&128.into(), &"average".into())
    );
    assert_eq!(
        (&outputs[1]["bit_rate_kbps"], &outputs[1]["bit_rate_mode"]),
        (&64.into(), &"constant".into())
    );
    let loudness = outputs[0]["decoded_integrated_lufs"].as_f64().unwrap();
    assert!((loudness + 23.0).abs() < 0.5, "{loudness}");
    let bytes = std::fs::read(lab.path("out/a.opus")).unwrap();
    let gain = (-23.0 - loudness) * 256.0;
    let text = String::from_utf8_lossy(&bytes[..2000]).into_owned();
    let at = text.find("R128_TRACK_GAIN=").unwrap() + "R128_TRACK_GAIN=".len();
    let digits: String =
        text[at..].chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    // The report is rounded to thousandths of a LU, the gain to 256ths of a dB.
    let found: f64 = digits.parse().unwrap();
    assert!((found - gain).abs() < 1.0, "{gain} in {text}");
}

#[test]
fn opus_export_of_44100_hz_is_refused_with_the_key_that_helps() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 16, &dull(1000)));
    let body = "[[export]]\nformat = \"opus\"\npath = \"{stem}.{ext}\"\n";
    let error = lab.run(&pipeline(body), &input).unwrap_err().to_string();
    assert!(error.contains("opus cannot store 44100 Hz"), "{error}");
    assert!(error.contains("`sample_rate_hz = 48000` converts it"), "{error}");
}

#[test]
fn opus_export_above_its_ceiling_is_made_again() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 24, &dull(200_000)));
    let body = "[[step]]\nuse = \"loudness\"\n\
                with = { mode = \"limit\", target_lufs = -8.0, max_reduction_db = 12.0 }\n\
                [[export]]\nformat = \"opus\"\nbit_rate_kbps = 32\npath = \"{stem}.{ext}\"\n\
                [report]\njson = \"{stem}.json\"\n";
    let outcome = lab.run(&pipeline(body), &input).unwrap();
    let output = &outcome.report["outputs"][0];
    assert!(output["attempts"].as_u64().unwrap() > 1, "{output:#}");
    assert!(output["ceiling_lowered_db"].as_f64().unwrap() > 0.0, "{output:#}");
    assert_eq!(output["ceiling_kept"], true, "{output:#}");
}
