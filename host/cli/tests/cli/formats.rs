//! What is said of formats, and that an extension means one.

use super::{Lab, code, stderr, stdout};
use serde_json::Value;

fn page(name: &str) -> String {
    let output = Lab::new().run(&["formats", name]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn format_has_a_page_with_what_it_takes_and_how_large_it_gets() {
    let aiff = page("aiff");
    for line in [
        "  compression        none: lossless",
        "  samples at most    4294966272 bytes",
        "  bit depth          16-bit, 24-bit, 32-bit, 32-bit float",
        "  size               about 11.5 MB a minute of stereo at 48000 Hz and 16 bits",
    ] {
        assert!(aiff.contains(line), "{line} in {aiff}");
    }
    let opus = page("opus");
    for line in [
        "ogg, read: ",
        "  bit_rate_kbps      6 to 2048",
        "  bit_rate_mode      average, constant",
        "  decodes to         48000 Hz",
        "  size               about 1.0 MB a minute of stereo at 48000 Hz and the default",
    ] {
        assert!(opus.contains(line), "{line} in {opus}");
    }
    assert!(page("vorbis").contains("  vbr_quality        10 (best) to 0 (smallest)"));
}

#[test]
fn format_that_is_not_built_in_is_named_with_its_feature() {
    let page = page("mp3");
    assert!(page.contains("mp3, read: "), "{page}");
    let is_built = wavemill_core::encode::missing_format("mp3").is_none();
    let line = "mp3, written: not by this build; build it with `--features mp3`";
    assert_eq!(page.contains(line), !is_built, "{page}");
    let output = Lab::new().run(&["formats", "--json"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let is_missing = document["not_built"].to_string().contains("\"mp3\"");
    assert_eq!(is_missing, !is_built);
    let opus = document["write"].as_array().unwrap().iter().find(|one| one["name"] == "opus");
    assert_eq!(opus.unwrap()["bit_rates_kbps"]["max"], 2048);
}

#[test]
fn extension_of_an_export_means_its_format() {
    let lab = Lab::new();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(lab.path("a.wav"), spec).unwrap();
    (0..48_000_i32)
        .for_each(|frame| wav.write_sample(i16::try_from(frame * 37 % 2000).unwrap()).unwrap());
    wav.finalize().unwrap();
    for (name, start) in [("b.ogg", &b"OggS"[..]), ("b.opus", b"OggS"), ("b.aif", b"FORM")] {
        let output = lab.run(&["export", "a.wav", name]);
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        let bytes = std::fs::read(lab.path(name)).unwrap();
        assert!(bytes.starts_with(start), "{name}");
        let codec = if name == "b.ogg" { &b"vorbis"[..] } else { b"OpusHead" };
        let is_there = bytes.windows(codec.len()).any(|window| window == codec);
        assert_eq!(is_there, name != "b.aif", "{name}");
    }
    let output = lab.run(&["export", "a.wav", "c", "--format", "ogg"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(page("ogg").contains("vorbis, written: "));
}
