//! What nothing processes stays as it is, sample by sample.

use crate::lab::{Lab, floats, integers, noise, pipeline, wav};
use wavemill_core::audio::Samples;
use wavemill_core::{decode, encode};

const COPIES: &str = r#"
[[step]]
use = "gain"
with = { gain_db = -6.0 }
[[export]]
after = "decode"
format = "wav"
path = "{stem}.wav"
[[export]]
after = "decode"
format = "flac"
path = "{stem}.flac"
"#;

fn planes() -> Vec<Vec<f32>> {
    vec![noise(1, 30_001), noise(2, 30_001)]
}

/// All integers of a file that our own decoder reads; WAV outputs are read by hound.
fn decoded(path: &std::path::Path) -> (u16, Vec<i32>) {
    let mut decoder = decode::open(Box::new(std::fs::File::open(path).unwrap()), None).unwrap();
    let mut samples = Samples::empty(decoder.info().format, decoder.info().spec.channel_count());
    let (mut bits, mut all) = (0, Vec::new());
    while decoder.read(&mut samples, 4096).unwrap() > 0 {
        let Samples::Int { bit_depth, planes } = &samples else { panic!("floats") };
        bits = *bit_depth;
        for frame in 0..samples.frame_count() {
            all.extend(planes.iter().map(|plane| plane[frame]));
        }
    }
    (bits, all)
}

#[test]
fn integers_of_every_depth_are_kept() {
    // Only some builds write FLAC of 32 bits.
    let flac = encode::FORMATS.iter().find(|format| format.name == "flac").unwrap();
    let widest = flac.formats.iter().map(|format| format.bit_depth).max().unwrap();
    for (bits, wav_bits, flac_bits) in [(8, 16, 8), (16, 16, 16), (24, 24, 24), (32, 32, widest)] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(44_100, bits, &planes()));
        let outcome = lab.run(&pipeline(COPIES), &input).unwrap();
        let (_, source) = integers(&input);
        let (spec, copy) = integers(&lab.path("out/a.wav"));
        assert_eq!(spec.bits_per_sample, wav_bits);
        let shift = wav_bits - bits;
        assert!(source.iter().map(|sample| sample << shift).eq(copy), "{bits} bits to wav");
        let (stored, copy) = decoded(&lab.path("out/a.flac"));
        assert_eq!(stored, flac_bits);
        if flac_bits >= bits {
            let shift = flac_bits - bits;
            assert!(source.iter().map(|sample| sample << shift).eq(copy), "{bits} bits to flac");
            assert_eq!(outcome.report["warnings"], serde_json::json!([]));
        } else {
            let warning = outcome.report["warnings"][0].as_str().unwrap();
            assert!(warning.contains("flac cannot store 32-bit"), "{warning}");
        }
    }
}

#[test]
fn floats_are_kept_beyond_full_scale() {
    let mut planes = planes();
    planes[0][5] = 3.5;
    planes[1][6] = 1e-41;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 0, &planes));
    lab.run(&pipeline(COPIES), &input).unwrap();
    let bits = |path| floats(path).1.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert!(bits(&input) == bits(&lab.path("out/a.wav")));
}

#[test]
fn steps_that_do_not_run_leave_the_samples_alone() {
    let body = r#"
[[step]]
use = "gain"
with = { gain_db = 3.0 }
when = { min_duration = "1h" }
[[export]]
format = "wav"
path = "{stem}.wav"
"#;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &planes()));
    let outcome = lab.run(&pipeline(body), &input).unwrap();
    assert!(integers(&input).1 == integers(&lab.path("out/a.wav")).1);
    let skipped = outcome.report["steps"][0]["skipped"].as_str().unwrap();
    assert!(skipped.contains("shorter than 1h"), "{skipped}");
}

#[test]
fn one_frame_is_a_file() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[vec![0.25]]));
    lab.run(&pipeline(COPIES), &input).unwrap();
    assert_eq!(integers(&lab.path("out/a.wav")).1, [8192]);
}

#[test]
fn eight_channels_at_192_khz_pass() {
    let lab = Lab::new();
    let planes: Vec<Vec<f32>> = (0..8).map(|seed| noise(seed, 20_000)).collect();
    let input = lab.file("a.wav", &wav(192_000, 24, &planes));
    lab.run(&pipeline(COPIES), &input).unwrap();
    let (spec, copy) = integers(&lab.path("out/a.wav"));
    assert_eq!((spec.channels, spec.sample_rate), (8, 192_000));
    assert!(integers(&input).1 == copy);
    assert!(decoded(&lab.path("out/a.flac")).1 == copy);
}
